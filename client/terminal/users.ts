/** `users`: who is in the network. */

import { type CommandParts, enter } from "./command.ts";
import { settleIdentity } from "./identity.ts";
import { LateError } from "./listen.ts";
import { GIVE_UP_AFTER_MS } from "./publish.ts";
import { visibleName } from "./screen/visible.ts";

/** Lists them on standard output, one a line, sorted. */
export async function users(parts: CommandParts): Promise<void> {
  const { args, stdio } = parts;
  const identity = await settleIdentity({ ...parts, ...args, secret: parts.secret, command: "users" }, stdio);
  const { timeoutMs } = args.listen;
  await using client = await enter(parts, identity, {
    receive: "none",
    reconnect: { giveUpAfterMs: timeoutMs ?? GIVE_UP_AFTER_MS },
    ...(timeoutMs === undefined ? {} : { connectTimeoutMs: timeoutMs }),
  });
  const names = await inTime(parts, client.users(args.online ? "online" : "all"));
  await stdio.write(
    names.map((username) => `${args.json ? JSON.stringify({ username }) : visibleName(username)}\n`).join(""),
  );
}

/** @throws {LateError} when the time of the command line is over first. */
async function inTime<T>({ args, clock }: CommandParts, answer: Promise<T>): Promise<T> {
  const { timeoutMs } = args.listen;
  if (timeoutMs === undefined) return await answer;
  const late = Promise.withResolvers<never>();
  const timer = clock.after(timeoutMs, () => late.reject(new LateError("No list of users came in the given time")));
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    timer.cancel();
  }
}
