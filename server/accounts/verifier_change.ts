/**
 * Where verifiers of earlier versions go: they are as good as the secret, so they are replaced by what can be made from
 * them and leads not back (`verifier.ts`). In a log the line of the registration changes with it. Servers compare lines
 * by their digests, so a changed line keeps the digest that it had. `protocol/former_digest.ts` reads it.
 */

import { type EntryFacts, readEntry } from "../../protocol/entry_codec.ts";
import { FORMER_DIGEST_LENGTH, formerDigestOf } from "../../protocol/former_digest.ts";
import type { ScramHash } from "../../protocol/login/scram.ts";
import { EARLIER_FORM, scramVerifier } from "./verifier.ts";

/** A line of the log with its end, and what a server takes out of it. */
export interface ReadLine {
  readonly line: string;
  readonly facts: EntryFacts;
}

/** What it is changed with. `digest` is SHA-256 in hexadecimal digits. */
export interface ChangeHash extends ScramHash {
  digest(text: string): string;
}

/** The change, for a folder that is opened. */
export function verifierChange(hash: ChangeHash) {
  return {
    earlier: EARLIER_FORM,
    verifier: (earlier: string) => scramVerifier(earlier, hash),
    line: (line: string) => changedLine(line, hash),
  };
}

/** The change, for what comes from other servers. */
export function arrivingChange(hash: ChangeHash) {
  return {
    account<T extends { readonly verifier: string }>(account: T): T {
      return { ...account, verifier: scramVerifier(account.verifier, hash) };
    },
    entry<T extends ReadLine>(read: T): T {
      const { account } = read.facts;
      if (account === undefined || !account.verifier.startsWith(EARLIER_FORM)) return read;
      const facts = { ...read.facts, account: { ...account, verifier: scramVerifier(account.verifier, hash) } };
      return { ...read, line: `${changedLine(read.line.trimEnd(), hash)}\n`, facts };
    },
  };
}

/** The line of a registration with a verifier of the present form. Any other line stays as it is. */
export function changedLine(line: string, hash: ChangeHash): string {
  // Most lines are none, and need not be read.
  if (!line.includes(EARLIER_FORM)) return line;
  const entry = readEntry(line);
  if (entry?.facts.account === undefined) return line;
  const verifier = scramVerifier(entry.facts.account.verifier, hash);
  if (verifier === entry.facts.account.verifier) return line;
  const was = formerDigestOf(line) ?? hash.digest(line).slice(0, FORMER_DIGEST_LENGTH);
  return JSON.stringify({ ...entry.fields, verifier, was });
}
