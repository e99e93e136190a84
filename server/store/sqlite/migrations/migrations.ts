/**
 * The form of `thrum.sqlite`, version by version. Never edit a released version: add a new entry at the end.
 * `../sqlite_store.ts` carries it out on older files when it opens them. A file's version is its `PRAGMA user_version`;
 * 0 is an empty file.
 */

import type { DatabaseSync } from "node:sqlite";
import { migrateTo5 } from "./migration_5.ts";
import { migrateTo6 } from "./migration_6.ts";
import { TO_7 } from "./migration_7.ts";

/** Turns a file of the version before into version `to`, in one transaction. */
export interface Migration {
  readonly to: number;
  readonly statements: readonly string[];
  /** Work that statements alone cannot do, after them. Throws the errors of SQLite. */
  readonly carryOut?: (database: DatabaseSync) => void;
}

/** All of them, oldest first. Append only. */
export const MIGRATIONS: readonly Migration[] = [
  {
    to: 1,
    statements: [
      // One row. Only turns that add nothing to the log write `lamport`. The others keep it in their segments, which
      // saves a page for each commit.
      `CREATE TABLE state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        server_id TEXT NOT NULL,
        lamport INTEGER NOT NULL
      ) STRICT`,
      // Each origin gets a small number here, as each segment names its origin twice (row and index). `forgotten_last`
      // is the newest forgotten sequence, and `forgotten_position` its position; 0 while nothing was forgotten.
      `CREATE TABLE origins (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        forgotten_last INTEGER NOT NULL DEFAULT 0,
        forgotten_position INTEGER NOT NULL DEFAULT 0
      ) STRICT`,
      // `audience`: 0 everyone, 1 one user, 2 servers; append only. `activities` and `activity_bytes` count everything
      // from the origin to everyone, up to and including this segment. The difference of two rows tells how much lies
      // between, without reading it. `bytes` is last, so that everything before it is read without it. Moments are
      // REAL: a clock may give fractions of a millisecond.
      `CREATE TABLE segments (
        position INTEGER PRIMARY KEY,
        origin INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        audience INTEGER NOT NULL,
        username TEXT,
        taken_at REAL NOT NULL,
        lamport INTEGER NOT NULL,
        activities INTEGER NOT NULL,
        activity_bytes INTEGER NOT NULL,
        bytes BLOB NOT NULL
      ) STRICT`,
      // The only index on the hot path: "the first of this origin and audience after this sequence" answers all
      // questions about the log.
      `CREATE INDEX segments_by_sequence ON segments (origin, audience, last)`,
      `CREATE TABLE accounts (
        username TEXT PRIMARY KEY,
        verifier TEXT NOT NULL,
        lamport INTEGER NOT NULL,
        origin TEXT NOT NULL
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE message_ids (
        username TEXT NOT NULL,
        message_id TEXT NOT NULL,
        origin TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        used_at REAL NOT NULL,
        PRIMARY KEY (username, message_id)
      ) STRICT, WITHOUT ROWID`,
      `CREATE INDEX message_ids_by_time ON message_ids (used_at)`,
      `CREATE TABLE cursors (
        id INTEGER PRIMARY KEY,
        username TEXT NOT NULL,
        position INTEGER,
        lost INTEGER NOT NULL
      ) STRICT`,
    ],
  },
  {
    to: 2,
    statements: [
      // The place of the bytes, if they are in a file of their own (`log_files.ts`) and `bytes` is empty; otherwise
      // NULL. These columns may follow `bytes`: SQLite knows from the beginning of a row that a column is NULL.
      `ALTER TABLE segments ADD COLUMN file INTEGER`,
      `ALTER TABLE segments ADD COLUMN start INTEGER`,
      `ALTER TABLE segments ADD COLUMN size INTEGER`,
      `ALTER TABLE segments ADD COLUMN checksum INTEGER`,
      `CREATE INDEX segments_by_file ON segments (file) WHERE file IS NOT NULL`,
      // Up to this position all bytes in files are on the disk.
      `ALTER TABLE state ADD COLUMN synced INTEGER NOT NULL DEFAULT 0`,
    ],
  },
  {
    to: 3,
    statements: [
      // The other servers of the network, in the order of their rows. From this version on, `forgotten_last` of an
      // origin can also be the end of a hole. Then `forgotten_position` is the position of the segment after the hole.
      `CREATE TABLE members (
        place INTEGER PRIMARY KEY,
        server_id TEXT NOT NULL,
        host TEXT NOT NULL,
        port INTEGER NOT NULL
      ) STRICT`,
    ],
  },
  {
    to: 4,
    statements: [
      // Waiting direct messages, in the order of the log. A row without `username` and `line` was delivered before it
      // came, so that it does not begin to wait when it comes. `segments` has the lines, too, but there a message would
      // have to be found within its segment. Lines are TEXT, as JSON has no NUL: node:sqlite would end a text there.
      `CREATE TABLE inbox (
        place INTEGER PRIMARY KEY,
        origin TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        taken_at REAL NOT NULL,
        username TEXT,
        line TEXT
      ) STRICT`,
      `CREATE UNIQUE INDEX inbox_by_entry ON inbox (origin, sequence)`,
      // With the place at its end, as every index has it: so a user's messages come in order.
      `CREATE INDEX inbox_by_user ON inbox (username) WHERE username IS NOT NULL`,
      // For a client's acknowledgement: of each origin, everything up to a sequence.
      `CREATE INDEX inbox_by_user_entry ON inbox (username, origin, sequence) WHERE username IS NOT NULL`,
    ],
  },
  { to: 5, statements: [], carryOut: migrateTo5 },
  { to: 6, statements: [], carryOut: migrateTo6 },
  { to: 7, statements: TO_7 },
];

/** The version that this program reads and writes. */
export const CURRENT_VERSION: number = MIGRATIONS.at(-1)!.to;
