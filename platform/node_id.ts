/** Makes names for servers. */

import { randomBytes } from "node:crypto";

/** A name that no other server has: `s-` and twelve digits and letters. */
export function makeServerId(): string {
  return `s-${randomBytes(6).toString("hex")}`;
}
