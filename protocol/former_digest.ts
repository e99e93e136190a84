/**
 * The digest that the line of a registration had before its verifier was changed. Servers compare entries by digests.
 * Others may still have the line as it was, and it is the same entry. Pure.
 */

/** Hexadecimal digits of a digest: more than anybody hits by chance. */
export const FORMER_DIGEST_LENGTH = 32;

/** Where it stands: as the last member of the line. */
const WAS = /^\{"command":"ACCOUNT",.*,"was":"([0-9a-f]{32})"\}\n?$/;

/** What stands in `line`; `undefined` for a line that was never changed. */
export function formerDigestOf(line: string): string | undefined {
  return WAS.exec(line)?.[1];
}
