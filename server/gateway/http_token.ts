/**
 * The token of a server's HTTP gateway. If none is given, the server makes one and keeps it in `http-token` in its data
 * folder.
 */

import { toHex } from "../../platform/hex.ts";
import type { Config } from "../../config/config.ts";
import { isToken } from "../../config/values.ts";
import { findSecret, type KeptSecret } from "./kept_secret.ts";
import { nodeCrypto } from "../../platform/crypto.ts";

/** 128 bits of chance. */
const TOKEN_BYTES = 16;

/**
 * Finds or makes the token for a server of this configuration. Writes nothing: `keepSecret` does.
 * @throws {FileError} when the file that keeps it cannot be read, or holds none.
 */
export function findHttpToken(config: Config): Promise<KeptSecret> {
  return findSecret(config, config.gateway.http.token, {
    fileName: "http-token",
    name: "token",
    isAllowed: isToken,
    make: makeToken,
  });
}

/** 32 hexadecimal digits, as they can be typed and copied. */
function makeToken(): string {
  return toHex(nodeCrypto.randomBytes(TOKEN_BYTES));
}
