/** The key of the hashes of used message ids: strangers who do not know it cannot choose ids that collide. */

import { randomFillSync } from "node:crypto";
import { SECRET_BYTES } from "./keyed_hash.ts";

/** A new one. */
export function makeSecret(): Uint8Array {
  return randomFillSync(new Uint8Array(SECRET_BYTES));
}
