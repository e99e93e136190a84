/** `send`: one direct message. Done when the server has it, without waiting for its delivery. */

import { UsageError } from "../../config/flags.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { type CommandContext, enter } from "./command.ts";
import { settleIdentity } from "./identity.ts";
import { GIVE_UP_AFTER_MS } from "./publish.ts";

/**
 * Sends, and writes the identity of the message on standard output.
 * @throws {RefusedError} when no user has that name.
 * @throws {UsageError} when the sender is missing.
 */
export async function send(context: CommandContext): Promise<void> {
  const { args, stdio } = context;
  const { to, text } = args.direct!;
  if (args.username === undefined || args.username === ANONYMOUS) {
    throw new UsageError("send needs to know who sends: -u NAME");
  }
  const identity = await settleIdentity({ ...context, ...args, secret: context.secret, command: "send" }, stdio);
  await using client = await enter(context, identity, {
    reads: false,
    reconnect: { giveUpAfterMs: GIVE_UP_AFTER_MS },
  });
  const { id } = await client.send(to, text);
  await stdio.write(args.json ? `${JSON.stringify({ id })}\n` : `${id}\n`);
}
