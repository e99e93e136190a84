/** `users`: who is in the network. */

import { type CommandContext, enter } from "./command.ts";
import { settleIdentity } from "./identity.ts";
import { GIVE_UP_AFTER_MS } from "./publish.ts";
import { visible } from "./screen/visible.ts";

/** Lists them on standard output, one a line, sorted. */
export async function users(context: CommandContext): Promise<void> {
  const { args, stdio } = context;
  const identity = await settleIdentity({ ...context, ...args, secret: context.secret, command: "users" }, stdio);
  await using client = await enter(context, identity, {
    reads: false,
    reconnect: { giveUpAfterMs: GIVE_UP_AFTER_MS },
  });
  const names = await client.users(args.online ? "online" : "all");
  await stdio.write(
    names.map((username) => `${args.json ? JSON.stringify({ username }) : visible(username)}\n`).join(""),
  );
}
