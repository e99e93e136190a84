/** Whether the network can keep what is for a channel to those who read it. Pure. */

import type { Member } from "./member.ts";

/**
 * Whether none of the `members` would show it to everyone. `isUsed`: there is something of a channel already; from then
 * on no server comes into the network that does not know channels.
 */
export function mayUseChannels(
  members: readonly Pick<Member, "takesChannels" | "state">[],
  isUsed: boolean,
): boolean {
  return isUsed || members.every(({ takesChannels, state }) => takesChannels || state === "left");
}
