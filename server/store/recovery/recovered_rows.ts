/**
 * Recovers the rows beside the log of a damaged folder: accounts, waiting direct messages, message ids, and small
 * tables. A part of `recover.ts`, which owns the transaction. If a table is unreadable, the log tells of accounts and
 * of messages.
 */

import { toHex } from "../../../platform/hex.ts";
import type { DatabaseSync } from "node:sqlite";
import { parseEntry } from "../../../protocol/entry_codec.ts";
import { formatEntryId } from "../../../protocol/entry_id.ts";
import { rowChecksum } from "../sqlite/checksum.ts";
import { precedes } from "../../../log/precedes.ts";
import { hasActivities, linesOf } from "../../../log/segment.ts";
import { idBytes, KEY_BYTES } from "../sqlite/message_key.ts";
import { type FoundSegment, isUnreadable, type Salvage } from "./salvage.ts";
import type { Account } from "../store.ts";

/** Of one kind of row. */
export interface Loss {
  readonly kept: number;
  /** Rows that had changed; `"some"` if they cannot be counted. */
  readonly lost: number | "some";
}

/** The kept part of the log. */
export interface KeptLog {
  /** Whether the segment at this position is. */
  has(position: number): boolean;
  /** Whether an entry of the origin with this number is lost, or is to come again. */
  isGone(origin: number, sequence: number): boolean;
}

const encoder = new TextEncoder();

/** Writes the rows of one folder. */
export class RecoveredRows {
  readonly #salvage: Salvage;
  readonly #target: DatabaseSync;
  readonly #log: () => Iterable<FoundSegment>;
  readonly #kept: KeptLog;

  /** `log` goes through everything that was found of the log. */
  constructor(
    salvage: Salvage,
    target: DatabaseSync,
    log: () => Iterable<FoundSegment>,
    kept: KeptLog,
  ) {
    this.#salvage = salvage;
    this.#target = target;
    this.#log = log;
    this.#kept = kept;
  }

  /** Whole accounts, and accounts from the log. */
  accounts(): Loss {
    type Row = Account & { readonly checksum: number };
    const rows = this.#salvage.all<Row>("accounts", "username, verifier, lamport, origin, checksum");
    const accounts = new Map<string, Account>();
    let changed = 0;
    for (const { username, verifier, lamport, origin, checksum } of rows ?? []) {
      if (rowChecksum("accounts", username, verifier, lamport, origin) !== checksum) changed++;
      else accounts.set(username, { username, verifier, lamport, origin });
    }
    const before = accounts.size;
    if (rows === undefined || changed > 0) {
      for (const account of this.#accountsOfLog()) {
        const known = accounts.get(account.username);
        if (known === undefined || precedes(account, known)) accounts.set(account.username, account);
      }
    }
    const insert = this.#insert("accounts", 5);
    for (const { username, verifier, lamport, origin } of accounts.values()) {
      const row = [username, verifier, lamport, origin] as const;
      insert.run(...row, rowChecksum("accounts", ...row));
    }
    const lost = rows === undefined ? "some" : Math.max(0, changed - (accounts.size - before));
    return { kept: accounts.size, lost };
  }

  *#accountsOfLog(): Iterable<Account> {
    for (const found of this.#log()) {
      if (found.kind !== "whole" || found.segment.frame.audience.kind !== "servers") continue;
      const { origin, bytes } = found.segment.frame;
      for (const line of linesOf(bytes)) {
        const account = parseEntry(line)?.account;
        if (account !== undefined) yield { ...account, lamport: account.claim, origin };
      }
    }
  }

  /** Waiting direct messages: from the table, or if that is unreadable, the messages of the log without a receipt. */
  inbox(): Loss {
    interface Row {
      readonly place: number;
      readonly origin: string;
      readonly sequence: number;
      readonly takenAt: number;
      readonly username: string | null;
      readonly position: number | null;
      readonly size: number | null;
      readonly checksum: number;
      readonly line: string | null;
    }
    const columns = "place, origin, sequence, taken_at AS takenAt, username, position, size, checksum, line";
    const insert = this.#insert("inbox", 9);
    let [kept, lost, isReadable] = [0, 0, true];
    for (const row of this.#salvage.rows<Row>("inbox", "place", columns)) {
      if (isUnreadable(row)) {
        isReadable = false;
        continue;
      }
      const { place, origin, sequence, takenAt, username, position, size, checksum, line } = row;
      const values = [place, origin, sequence, takenAt, username, position, size] as const;
      const isWhole = rowChecksum("inbox", ...values, line) === checksum &&
        (position === null || this.#kept.has(position));
      if (!isWhole) lost++;
      else {
        insert.run(...values, checksum, line);
        if (username !== null) kept++;
      }
    }
    if (isReadable) return { kept, lost };
    this.#target.prepare("DELETE FROM inbox").run();
    return { kept: this.#writeUnreceived(insert), lost: "some" };
  }

  /** A delivered message comes a second time only if its receipt is lost. */
  #writeUnreceived(insert: { run(...values: (string | number | null)[]): unknown }): number {
    const received = new Set<string>();
    for (const { facts } of this.#linesForOthers()) if (facts.of !== undefined) received.add(formatEntryId(facts.of));
    let place = 0;
    for (const { facts, frame, sequence, size } of this.#linesForOthers()) {
      const { origin, position, takenAt } = frame;
      if (facts.kind !== "message" || received.has(formatEntryId({ origin, sequence }))) continue;
      const values = [++place, origin, sequence, takenAt, facts.to!, position, size] as const;
      insert.run(...values, rowChecksum("inbox", ...values, null), null);
    }
    return place;
  }

  /** Kept lines that are not for everyone. */
  *#linesForOthers() {
    for (const found of this.#log()) {
      if (found.kind !== "whole" || !this.#kept.has(found.segment.frame.position)) continue;
      const { frame } = found.segment;
      if (hasActivities(frame.audience)) continue;
      const lines = linesOf(frame.bytes);
      for (let sequence = frame.first; sequence <= frame.last; sequence++) {
        const line = lines[sequence - frame.first]!;
        const facts = parseEntry(line);
        if (facts !== undefined) yield { facts, frame, sequence, size: encoder.encode(line).length + 1 };
      }
    }
  }

  /** The rest beside the log, row for row. */
  others(): Loss {
    let [kept, lost] = [0, 0];
    let isReadable = true;
    const copy = (table: string, columns: readonly string[]) => {
      const rows = this.#salvage.all<Record<string, string | number | null>>(table, [...columns, "checksum"].join());
      if (rows === undefined) isReadable = false;
      const insert = this.#target.prepare(
        `INSERT INTO ${table} (${[...columns, "checksum"].join()}) VALUES (${"?,".repeat(columns.length)}?)`,
      );
      for (const row of rows ?? []) {
        const values = columns.map((column) => row[column]!);
        if (rowChecksum(table, ...values) !== row["checksum"]) lost++;
        else {
          insert.run(...values, row["checksum"]!);
          kept++;
        }
      }
    };
    copy("cursors", ["id", "username", "position", "lost"]);
    copy("members", ["place", "server_id", "host", "port"]);
    copy("notes", ["key", "value"]);
    copy("places", ["id", "username", "place"]);
    copy("tombstones", ["origin", "last"]);
    for (const table of ["message_ids", "anonymous_ids"]) {
      interface Row {
        readonly place: number;
        readonly key: Uint8Array;
        readonly origin: number;
        readonly sequence: number;
        readonly used_at: number;
      }
      const insert = this.#insert(table, 5);
      for (const row of this.#salvage.rows<Row>(table, "place", "place, key, origin, sequence, used_at")) {
        if (isUnreadable(row)) isReadable = false;
        // Who sends the entry again is to have it taken.
        else if (isIdWhole(row) && this.#kept.isGone(row.origin, row.sequence)) continue;
        else if (isIdWhole(row)) {
          insert.run(row.place, row.key, row.origin, row.sequence, row.used_at);
          kept++;
        } else lost++;
      }
    }
    return { kept, lost: isReadable ? lost : "some" };
  }

  #insert(table: string, columns: number) {
    return insertInto(this.#target, table, columns);
  }
}

/** A statement that adds a row with this many columns. */
export function insertInto(database: DatabaseSync, table: string, columns: number) {
  return database.prepare(`INSERT INTO ${table} VALUES (${Array(columns).fill("?").join()})`);
}

function isIdWhole({ key, origin, sequence, used_at }: {
  readonly key: Uint8Array;
  readonly origin: number;
  readonly sequence: number;
  readonly used_at: number;
}): boolean {
  const hex = toHex(key.subarray(0, KEY_BYTES));
  const expected = idBytes(hex, origin, sequence, used_at);
  return key.length === expected.length && expected.every((byte, index) => byte === key[index]);
}
