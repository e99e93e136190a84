/**
 * What operators have set for the whole network, by kind and key. Every server has the same, in whatever order the
 * entries came: of one key the later holds. Pure: the journal writes the entries and keeps the notes.
 */

import type { Claimed } from "../../log/precedes.ts";
import type { WireRecord } from "../../protocol/peer/record_codec.ts";

/** A record, and when and where it was set. */
export interface StoredRecord extends Claimed {
  readonly of: string;
  readonly key: string;
  /** What is set; `null` where it was taken back. */
  readonly value: unknown;
  /** The origin of the newest entry that says so. */
  readonly keptAt: string;
}

/** Hears of each record that holds from now on. */
export type RecordListener = (record: StoredRecord) => void;

/** How the notes of the store begin that keep records. */
const NOTE = "record/";

/** The records of one server. */
export class Records {
  readonly #kinds = new Map<string, Map<string, StoredRecord>>();
  readonly #listeners = new Set<RecordListener>();

  /** `notes` are those that the store has kept. */
  constructor(notes: Readonly<Record<string, string>> = {}) {
    for (const [name, text] of Object.entries(notes)) {
      const record = name.startsWith(NOTE) ? readNote(name, text) : undefined;
      if (record !== undefined) this.#put(record);
    }
  }

  /** What is set; `undefined` where nothing is. */
  get(of: string, key: string): unknown {
    return this.#kinds.get(of)?.get(key)?.value ?? undefined;
  }

  /** Everything of this kind that is set. */
  *of(of: string): Iterable<readonly [key: string, value: unknown]> {
    for (const { key, value } of this.#kinds.get(of)?.values() ?? []) if (value !== null) yield [key, value];
  }

  /** All records that entries of `origin` say, also those that take something back. */
  keptAt(origin: string): StoredRecord[] {
    return [...this.#kinds.values()].flatMap((kind) => [...kind.values()].filter((record) => record.keptAt === origin));
  }

  /** Takes `record`. Returns the note that keeps it, or `undefined` where a later one holds. */
  take(record: StoredRecord): { readonly name: string; readonly text: string } | undefined {
    const known = this.#kinds.get(record.of)?.get(record.key);
    const isNew = known === undefined || follows(record, known);
    const isAgain = known?.lamport === record.lamport && known.origin === record.origin;
    if (!isNew && !isAgain) return undefined;
    this.#put(record);
    if (isNew) { for (const listener of this.#listeners) listener(record); }
    const { of, key, value, lamport, origin, keptAt } = record;
    return { name: `${NOTE}${of}/${key}`, text: JSON.stringify({ value, lamport, origin, keptAt }) };
  }

  /** Forgets a record that says nothing any more. Returns the name of the note that kept it. */
  forget(of: string, key: string): string {
    this.#kinds.get(of)?.delete(key);
    return `${NOTE}${of}/${key}`;
  }

  /** Calls `listener` for each record that holds from now on. Returns a function that ends this. */
  listen(listener: RecordListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #put(record: StoredRecord): void {
    const kind = this.#kinds.get(record.of) ?? new Map<string, StoredRecord>();
    this.#kinds.set(record.of, kind.set(record.key, record));
  }
}

/** The record in an entry of `origin` at `lamport`. */
export function storedRecord({ of, key, value, set }: WireRecord, at: Claimed): StoredRecord {
  const { lamport, origin } = set ?? at;
  return { of, key, value, lamport, origin, keptAt: at.origin };
}

/** Whether `a` holds, and not `b`. At a tie a value beats what takes it back: a ban beats its lifting. */
function follows(a: StoredRecord, b: StoredRecord): boolean {
  if (a.lamport !== b.lamport) return a.lamport > b.lamport;
  if ((a.value === null) !== (b.value === null)) return b.value === null;
  return a.origin > b.origin;
}

function readNote(name: string, text: string): StoredRecord | undefined {
  const [, of, key] = /^record\/([a-zA-Z]+)\/(.+)$/su.exec(name) ?? [];
  if (of === undefined || key === undefined) return undefined;
  try {
    const { value, lamport, origin, keptAt } = JSON.parse(text);
    return { of, key, value, lamport, origin, keptAt };
  } catch {
    // A note that cannot be read is not there: the entry is in the logs of the other servers.
    return undefined;
  }
}
