/** What the web client takes of `@noble/hashes`; `kept_scrypt.ts` makes one file of it. */

import { hmac } from "@noble/hashes/hmac.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { sha256 } from "@noble/hashes/sha2.js";

export { hmac, scryptAsync, sha256 };
