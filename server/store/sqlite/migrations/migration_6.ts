/**
 * From version 5 of `thrum.sqlite` to version 6: every turn is in a log file first, and the database says up to which
 * turn it has them. This file writes the form of that time: the results of `rowChecksum` never change.
 */

import type { DatabaseSync } from "node:sqlite";
import { rowChecksum } from "../checksum.ts";

interface OldState {
  readonly server_id: string;
  readonly lamport: number;
  readonly synced: number;
  readonly head: number;
  readonly checksum: number;
}

/** Carries the migration out, within a transaction. Throws the errors of SQLite. */
export function migrateTo6(database: DatabaseSync): void {
  const run = (sql: string) => void database.prepare(sql).run();
  const get = <T>(sql: string) => database.prepare(sql).get() as T | undefined;
  const old = get<OldState>("SELECT server_id, lamport, synced, head, checksum FROM state");
  // The turns up to `settled_turn`, which ends at `settled_end` of file `settled_file`, are in the database. `boot` is
  // the run of the machine in which the store was opened last.
  run("DROP TABLE state");
  run(`CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    server_id TEXT NOT NULL,
    lamport INTEGER NOT NULL,
    synced INTEGER NOT NULL,
    head INTEGER NOT NULL,
    settled_turn INTEGER NOT NULL,
    settled_file INTEGER NOT NULL,
    settled_end INTEGER NOT NULL,
    boot TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT`);
  if (old === undefined) return;
  const { server_id, lamport, synced, head, checksum } = old;
  // A row that has changed is no state: the store cannot be opened then, but recovered.
  if (rowChecksum("state", server_id, lamport, synced, head) !== checksum) return;
  // Version 5 wrote only what rows name. Behind that there can be bytes of a commit that failed.
  const newest = get<{ file: number; end: number }>(
    "SELECT file, start + length AS end FROM segments WHERE file IS NOT NULL ORDER BY file DESC, position DESC LIMIT 1",
  );
  const values = [server_id, lamport, synced, head, 0, newest?.file ?? 0, newest?.end ?? 0, ""] as const;
  database.prepare("INSERT INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    .run(...values, rowChecksum("state", ...values));
}
