/**
 * Tokens of operators that count at every server of the network. Servers keep digests, as records of the log: who has
 * the log has no token. A server's own token counts beside these, at that server alone. Pure.
 */

/** What a token lets its owner do: look at the network, or act on it as well. */
export const TOKEN_ROLES = ["look", "act"] as const;
/** One of them. */
export type TokenRole = typeof TOKEN_ROLES[number];

/** How records of tokens are called. Their keys are roles. */
export const TOKEN_RECORD = "token";

/** What a record says of a token. A token is made by chance, so its digest leads nowhere. */
export interface TokenTerms {
  readonly digest: string;
  /** Where the operator came from who made it. */
  readonly by: string;
}

/** The digest of a token, for nothing else. `digest` is SHA-256 in hexadecimal digits. */
export function tokenDigest(token: string, digest: (text: string) => string): string {
  return digest(`thrum operator\0${token}`);
}

/** The role of the token with this digest; `undefined` if it has none. One that may act may look. */
export function roleOf(
  digest: string,
  records: { get(of: string, key: string): unknown },
  isEqual: (a: string, b: string) => boolean,
): TokenRole | undefined {
  // The mightier one first, for the case that somebody has one token set for both.
  return TOKEN_ROLES.toReversed().find((role) => {
    const known = (records.get(TOKEN_RECORD, role) as Partial<TokenTerms> | undefined)?.digest;
    return typeof known === "string" && isEqual(known, digest);
  });
}
