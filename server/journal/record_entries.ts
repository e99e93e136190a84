/**
 * Writes what an operator sets into the open turn of the journal: as an entry for all servers, and as a note, which
 * stays when the entry is forgotten. `server/rights/records.ts` decides what holds.
 */

import { type EntryAudience, SERVERS } from "../../log/segment.ts";
import type { Claimed } from "../../log/precedes.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import { encodeRecord, recordProblem, type WireRecord } from "../../protocol/peer/record_codec.ts";
import { USES } from "../rights/invitations.ts";
import { Records, storedRecord } from "../rights/records.ts";
import type { OwnEntry } from "./entries.ts";
import type { TurnBatch } from "./turn_batch.ts";

/** What of the journal they are written with. */
export interface RecordsJournal {
  /** What the open turn adds to the store beside the log. Begins a turn if none is open. */
  openTurn(): TurnBatch;
  /** Numbers an entry of this server in that turn. */
  nextOwn(lamport: number | undefined): OwnEntry;
  /** Adds the line of an entry to the log. */
  add(entry: EntryId, audience: EntryAudience, line: string): void;
  /** Calls `run` when all of the turn is committed and delivered. */
  whenDelivered(run: () => void): void;
}

/** The records of one journal. */
export class RecordEntries {
  /** What holds. */
  readonly all: Records;
  readonly #journal: RecordsJournal;

  /** `notes` are those that the store has kept. */
  constructor(journal: RecordsJournal, notes: Readonly<Record<string, string>>) {
    this.#journal = journal;
    this.all = new Records(notes);
  }

  /**
   * Sets something for the whole network. Calls `delivered` when it is stored here and sent to the others.
   * @throws {RangeError} when the record is too long, or has another form.
   */
  set(record: WireRecord, delivered: (id: EntryId) => void = () => {}): EntryId {
    const problem = recordProblem(record);
    if (problem !== undefined) throw new RangeError(`Cannot set a record: ${problem}`);
    this.#journal.openTurn();
    const own = this.#journal.nextOwn(undefined);
    this.#journal.add(own, SERVERS, encodeRecord(record, own));
    this.took(record, own);
    const id = { origin: own.origin, sequence: own.sequence };
    this.#journal.whenDelivered(() => delivered(id));
    return id;
  }

  /** An entry says this, or means it. */
  took(record: WireRecord, at: Claimed): void {
    const note = this.all.take(storedRecord(record, at));
    if (note !== undefined) this.#journal.openTurn().note(note.name, note.text);
  }

  /** Forgets a record that says nothing any more, here. Its entry stays in the log. */
  forget(of: string, key: string): void {
    this.#journal.openTurn().note(this.all.forget(of, key), null);
  }

  /** Somebody has registered. A place of an invitation that this took is used. */
  registered(
    { username, invitation }: { readonly username: string; readonly invitation?: string | undefined },
    at: Claimed,
  ): void {
    if (invitation !== undefined) this.took({ of: USES, key: invitation, value: username }, at);
  }

  /** The log forgets these origins whole. What was set there goes on as this server's own entries. */
  buried(origins: readonly string[]): void {
    for (const origin of origins) {
      for (const { of, key, value, lamport, origin: setBy } of this.all.keptAt(origin)) {
        this.set({ of, key, value, set: { lamport, origin: setBy } });
      }
    }
  }
}
