/** Which of two accounts of one name holds, when servers that were apart gave it away twice. Pure. */

import type { Account } from "./store.ts";

/** Whether `a` has the older claim: so every server decides alike. */
export function isClaimedBefore(a: Account, b: Account): boolean {
  return a.lamport < b.lamport || (a.lamport === b.lamport && a.origin < b.origin);
}
