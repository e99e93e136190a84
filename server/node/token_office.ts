/** Where tokens of operators are made that count at every server of the network. */

import type { SecretCrypto } from "../../platform/crypto.ts";
import { toHex } from "../../platform/hex.ts";
import { TOKEN_RECORD, tokenDigest, type TokenRole } from "../accounts/operator_tokens.ts";
import type { OperatorRecords, Refused } from "./operator_records.ts";

/** What it is made with. */
export interface TokenOfficeParts {
  readonly setter: Pick<OperatorRecords, "problem" | "set">;
  readonly crypto: Pick<SecretCrypto, "digest" | "randomBytes">;
}

/** What became of a token; `token` is for the operator, and empty where there is none any more. */
export type TokenResult = { readonly ok: true; readonly token: string } | Refused;

/** 128 bits of chance. */
const TOKEN_BYTES = 16;

/** One server's. */
export class TokenOffice {
  readonly #parts: TokenOfficeParts;

  constructor(parts: TokenOfficeParts) {
    this.#parts = parts;
  }

  /**
   * Makes the token of a role, in place of the last one; with `ends` there is none from then on. `by` is where the
   * operator comes from. Never rejects.
   */
  set(role: TokenRole, by: string, ends = false): Promise<TokenResult> {
    const { crypto, setter } = this.#parts;
    const { problem } = setter;
    if (problem !== undefined) return Promise.resolve(problem);
    const token = ends ? "" : toHex(crypto.randomBytes(TOKEN_BYTES));
    const value = ends ? null : { digest: tokenDigest(token, (text) => crypto.digest(text)), by };
    const event = { what: "operatorTokenChanged", by: "operator", from: by, of: role, more: { ends } } as const;
    return setter.set({ of: TOKEN_RECORD, key: role, value }, event, { ok: true, token });
  }
}
