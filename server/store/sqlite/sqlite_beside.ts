/**
 * The SQLite store's data beside the log: accounts, cursors, members, notes and places. A part of `sqlite_store.ts`,
 * which owns the transactions. Every row has a checksum, which is checked when the row is read.
 */

import type { Position } from "../../../log/segment.ts";
import { checkRow, rowChecksum } from "./checksum.ts";
import { readableLamport } from "./index_row.ts";
import { all, one, type Statements } from "./sqlite_statements.ts";
import type { Account, Batch, KnownServer, PlainCursor, StoredPlace } from "../store.ts";

type AccountRow = Account & { readonly checksum: number };
interface CursorRow {
  readonly id: number;
  readonly username: string;
  readonly position: number | null;
  readonly lost: number;
  readonly checksum: number;
}
interface NoteRow {
  readonly key: string;
  readonly value: string;
  readonly checksum: number;
}

/** All data beside the log. Its calls throw the errors of SQLite, and `DamagedFileError`. */
export class SqliteBeside {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Takes in the changes of a turn, within its transaction. */
  write({ accounts, cursors, endedCursors, members, notes, places, endedPlaces }: Batch): void {
    const { putAccount, deleteCursor, putNote, deleteNote, putPlace, deletePlace } = this.#statements;
    for (const { username, verifier, lamport, origin } of accounts) {
      putAccount.run(...withChecksum("accounts", username, verifier, readableLamport(lamport), origin));
    }
    for (const cursor of cursors) this.#putCursor(cursor);
    for (const id of endedCursors) deleteCursor.run(id);
    if (members !== undefined) this.#writeMembers(members);
    for (const [key, value] of Object.entries(notes ?? {})) {
      if (value === null) deleteNote.run(key);
      else putNote.run(...withChecksum("notes", key, value));
    }
    for (const { id, username, place } of places ?? []) putPlace.run(...withChecksum("places", id, username, place));
    for (const id of endedPlaces ?? []) deletePlace.run(id);
  }

  /** As `Store.account`. */
  account(username: string): Account | undefined {
    const row = one<AccountRow>(this.#statements.account, username);
    return row && accountOf(row);
  }

  /** As `Store.usernames`. */
  usernames(): string[] {
    // SQLite would put them in the order of their UTF-8 bytes.
    return all<AccountRow>(this.#statements.accounts).map((row) => accountOf(row).username).sort();
  }

  /** As `Store.accountsAfter`. */
  accountsAfter(username: string, limit: number): Account[] {
    return all<AccountRow>(this.#statements.accountsAfter, username, limit).map(accountOf);
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

  /** The other servers that were known. */
  members(): KnownServer[] {
    return all<KnownServer & { place: number; checksum: number }>(this.#statements.members).map((row) => {
      const { place, serverId, host, port } = row;
      checkRow(row.checksum, "members", place, serverId, host, port);
      return { serverId, host, port };
    });
  }

  /** All cursors of plain clients. */
  cursors(): PlainCursor[] {
    return all<CursorRow>(this.#statements.cursors).map(({ id, username, position, lost, checksum }) => {
      checkRow(checksum, "cursors", id, username, position, lost);
      return { id, username, position: position ?? undefined, lost: lost === 1 };
    });
  }

  /**
   * All cursors, with nobody connected any more and none behind `end`, and those of them that change by that. A cursor
   * that followed the log stands at `head`.
   */
  lostCursors(
    head: Position,
    end: Position,
  ): { readonly cursors: readonly PlainCursor[]; readonly changed: readonly PlainCursor[] } {
    const known = this.cursors();
    // Now, and not when somebody asks for them: the head moves on, and they stand at the present head. The segments
    // before a cut may also be forgotten, if they were for users.
    const cursors = known.map((cursor) => ({
      ...cursor,
      lost: true,
      position: Math.min(cursor.position ?? head, end),
    }));
    const changed = cursors.filter(({ position }, index) => !known[index]!.lost || known[index]!.position !== position);
    return { cursors, changed };
  }

  /** Writes these cursors; within a transaction. */
  putCursors(cursors: readonly PlainCursor[]): void {
    for (const cursor of cursors) this.#putCursor(cursor);
  }

  #putCursor({ id, username, position, lost }: PlainCursor): void {
    this.#statements.putCursor.run(...withChecksum("cursors", id, username, position ?? null, lost ? 1 : 0));
  }

  #writeMembers(members: readonly KnownServer[]): void {
    this.#statements.deleteMembers.run();
    members.forEach(({ serverId, host, port }, index) => {
      this.#statements.insertMember.run(...withChecksum("members", index + 1, serverId, host, port));
    });
  }
}

/** A row of `table`, with its checksum behind it. */
function withChecksum(table: string, ...values: (string | number | null)[]): (string | number | null)[] {
  return [...values, rowChecksum(table, ...values)];
}

function accountOf({ username, verifier, lamport, origin, checksum }: AccountRow): Account {
  checkRow(checksum, "accounts", username, verifier, lamport, origin);
  return { username, verifier, lamport, origin };
}

function noteOf({ key, value, checksum }: NoteRow): string {
  checkRow(checksum, "notes", key, value);
  return value;
}
