/**
 * What the SQLite store keeps beside the log: accounts, used message ids, cursors, members, notes and places. A part of `sqlite_store.ts`,
 * which owns the transactions. Rows that decide what somebody is told have a checksum, which is looked at when they are read.
 */

import { checkRow, rowChecksum } from "./checksum.ts";
import { all, one, type Statements } from "./sqlite_statements.ts";
import type { Account, Batch, StoredPlace, UsedMessageId } from "./store.ts";

interface NoteRow {
  readonly key: string;
  readonly value: string;
  readonly checksum: number;
}

/** All of it. Its calls throw what SQLite throws, and `DamagedFileError`. */
export class SqliteBeside {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Takes in what a turn changed; within its transaction. */
  write(batch: Batch): void {
    const { accounts, messageIds, cursors, endedCursors, members } = batch;
    const { putAccount, insertMessageId, putCursor, deleteCursor, deleteMembers, insertMember } = this.#statements;
    for (const { username, verifier, lamport, origin } of accounts) putAccount.run(username, verifier, lamport, origin);
    for (const { username, messageId, origin, sequence, usedAt } of messageIds) {
      insertMessageId.run(username, messageId, origin, sequence, usedAt);
    }
    for (const { id, username, position, lost } of cursors) {
      putCursor.run(id, username, position ?? null, lost ? 1 : 0);
    }
    for (const id of endedCursors) deleteCursor.run(id);
    if (members !== undefined) {
      deleteMembers.run();
      for (const { serverId, host, port } of members) insertMember.run(serverId, host, port);
    }
    this.#writeRare(batch);
  }

  /** As `Store.account`. */
  account(username: string): Account | undefined {
    const row = one<Omit<Account, "username">>(this.#statements.account, username);
    return row && { username, ...row };
  }

  /** As `Store.usernames`. */
  usernames(): string[] {
    // SQLite would put them in the order of their UTF-8 bytes.
    return all<{ username: string }>(this.#statements.usernames).map((row) => row.username).sort();
  }

  /** As `Store.usedMessageId`. */
  usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    type Found = Pick<UsedMessageId, "origin" | "sequence" | "usedAt">;
    const row = one<Found>(this.#statements.messageId, username, messageId);
    return row && { username, messageId, ...row };
  }

  /** As `Store.accountsAfter`. */
  accountsAfter(username: string, limit: number): Account[] {
    return all<Account>(this.#statements.accountsAfter, username, limit).map((row) => ({ ...row }));
  }

  /** As `Store.note`. */
  note(key: string): string | undefined {
    const row = one<NoteRow>(this.#statements.note, key);
    return row && noteOf(row);
  }

  /** All notes. */
  notes(): Readonly<Record<string, string>> {
    return Object.fromEntries(all<NoteRow>(this.#statements.notes).map((row) => [row.key, noteOf(row)]));
  }

  /** All places. */
  places(): StoredPlace[] {
    return all<StoredPlace & { checksum: number }>(this.#statements.places).map(({ id, username, place, checksum }) => {
      checkRow(checksum, "places", id, username, place);
      return { id, username, place };
    });
  }

  #writeRare({ notes, places, endedPlaces }: Batch): void {
    const { putNote, deleteNote, putPlace, deletePlace } = this.#statements;
    for (const [key, value] of Object.entries(notes ?? {})) {
      if (value === null) deleteNote.run(key);
      else putNote.run(key, value, rowChecksum("notes", key, value));
    }
    for (const { id, username, place } of places ?? []) {
      putPlace.run(id, username, place, rowChecksum("places", id, username, place));
    }
    for (const id of endedPlaces ?? []) deletePlace.run(id);
  }
}

function noteOf({ key, value, checksum }: NoteRow): string {
  checkRow(checksum, "notes", key, value);
  return value;
}
