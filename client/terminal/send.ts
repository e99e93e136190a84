/** `send`: one direct message. Done when the server has it, without waiting for its delivery. */

import { UsageError } from "../../config/flags.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { type CommandParts, enter } from "./command.ts";
import { settleIdentity } from "./identity.ts";
import { GIVE_UP_AFTER_MS } from "./publish.ts";

/**
 * Sends, and writes the identity of the message on standard output.
 * @throws {RefusedError} when no user has that name.
 * @throws {UsageError} when the sender is missing.
 */
export async function send(parts: CommandParts): Promise<void> {
  const { args, stdio } = parts;
  const { to, text } = args.direct!;
  if (args.username === undefined || args.username === ANONYMOUS) {
    throw new UsageError("send needs to know who sends: -u NAME");
  }
  const identity = await settleIdentity({ ...parts, ...args, secret: parts.secret, command: "send" }, stdio);
  await using client = await enter(parts, identity, {
    receive: "none",
    reconnect: { giveUpAfterMs: GIVE_UP_AFTER_MS },
  });
  const { id } = await client.send(to, text);
  await stdio.write(args.json ? `${JSON.stringify({ id })}\n` : `${id}\n`);
}
