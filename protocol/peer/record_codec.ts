/**
 * RECORD lines of the log: one thing that an operator has set for the whole network, such as an invitation or the roles
 * of a user. Servers tell each other; no client gets these lines. A server that does not know them keeps them and
 * passes them on. Pure.
 */

import type { Fields } from "../fields.ts";

/** The content of a RECORD line. */
export interface WireRecord {
  /** The kind of thing: a word. */
  readonly of: string;
  /** Which of them. */
  readonly key: string;
  /** What is set; `null` takes it back. Readers of the kind check it. */
  readonly value: unknown;
  /** When it was set, if another server writes it down once more because its first entry is forgotten. */
  readonly set?: { readonly lamport: number; readonly origin: string };
}

/** The fields that make the line an entry. */
interface EntryFields {
  readonly origin: string;
  readonly sequence: number;
  readonly lamport: number;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

const MAX_KEY_UNITS = 256;
/** As JSON text. A value is a few numbers and words. */
const MAX_VALUE_UNITS = 4_096;

/** A RECORD line with its end. */
export function encodeRecord({ of, key, value, set }: WireRecord, at: EntryFields): string {
  const { origin, sequence, lamport, sentAt } = at;
  const again = set === undefined ? {} : { setAt: set.lamport, setBy: set.origin };
  return JSON.stringify({ command: "RECORD", of, key, value, ...again, id: `${origin}:${sequence}`, lamport, sentAt }) +
    "\n";
}

/** What is wrong with a record, in words. */
export function recordProblem({ of, key, value }: Pick<WireRecord, "of" | "key" | "value">): string | undefined {
  if (!/^[a-zA-Z]{1,32}$/.test(of)) return '"of" must be a word of 1 to 32 letters';
  const isKey = key !== "" && key.length <= MAX_KEY_UNITS && key.isWellFormed() && !/\p{Cc}/u.test(key);
  if (!isKey) return `"key" must have 1 to ${MAX_KEY_UNITS} characters, no control characters`;
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return '"value" is missing';
  return text.length > MAX_VALUE_UNITS ? `"value" is longer than ${MAX_VALUE_UNITS} characters` : undefined;
}

/** The content of a RECORD line's fields; `undefined` if only a newer server can read them. */
export function readRecord({ of, key, value, setAt, setBy }: Fields): WireRecord | undefined {
  if (typeof of !== "string" || typeof key !== "string" || value === undefined) return undefined;
  if (recordProblem({ of, key, value }) !== undefined) return undefined;
  if (setAt === undefined && setBy === undefined) return { of, key, value };
  if (!Number.isSafeInteger(setAt) || (setAt as number) < 0 || typeof setBy !== "string") return undefined;
  return { of, key, value, set: { lamport: setAt as number, origin: setBy } };
}
