/**
 * Prepares the data folder and its `thrum.sqlite` for `sqlite_store.ts`: makes missing ones, locks the file for this
 * process, and brings it into the form of this version.
 */

import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  statSync,
} from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { logFilesIn } from "./log_files.ts";
import { CURRENT_VERSION, MIGRATIONS } from "./migrations/migrations.ts";
import { DamagedFileError } from "./sqlite_errors.ts";
import { prepareStatements } from "./sqlite_statements.ts";
import { StoreError, type VerifierChange } from "../store.ts";
import { changeVerifiers } from "./migrations/verifier_rows.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const STICKY = 0o1000;
/** The names of a server's files in its data folder, with the small files of `gateway/`. */
const KEPT = /^(?:thrum\.sqlite.*|log-\d{8,}\.bytes|ids-\d{8,}\.run|secret|changed-secrets|http-token|ticket-key)$/;
/** Small tables, which are read through when the store is opened. Checksums cannot show that a row is missing. */
const SMALL_TABLES = [
  ...["state", "origins", "lost_channels", "accounts", "cursors", "members", "inbox", "notes", "places", "tombstones"],
];
/**
 * Larger than SQLite's 4,096. A turn under load adds tens of kilobytes, and writes them a sixth faster. Still larger
 * pages would double the cost of small turns on a quiet server.
 */
const PAGE_BYTES = 8_192;
/** Memory for pages: enough for the upper part of the message id index. Only that index is not written in order. */
const CACHE_BYTES = 16_777_216;

/**
 * Makes the folder, and checks that the server can write to it and its files. SQLite would only say that something
 * failed; this says why. Throws the errors of node:fs, and `DamagedFileError`.
 */
export function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  rmdirSync(mkdtempSync(`${folder}/.try-`));
  const names = readdirSync(folder).filter((name) => name.startsWith("thrum.sqlite"));
  for (const name of names) accessSync(`${folder}/${name}`, constants.R_OK | constants.W_OK);
  // A new database would take them for left over, and remove them.
  if (logFilesIn(folder).length > 0 && !names.includes("thrum.sqlite")) {
    throw new DamagedFileError("thrum.sqlite", "is missing beside its .bytes files");
  }
}

/**
 * Makes the folder and the server's files readable for their owner only, whatever their mode was: they have messages
 * and verifiers of secrets. Makes an empty `thrum.sqlite` if there is none, as SQLite would take its mode from the
 * umask. Its other files get the same mode. Throws the errors of node:fs.
 */
export function closeToOthers(folder: string): void {
  const database = `${folder}/thrum.sqlite`;
  // Not opened if it exists: closing it would end the lock of another store in this process.
  if (!existsSync(database)) closeSync(openSync(database, "wx", PRIVATE_FILE));
  for (const name of readdirSync(folder)) if (KEPT.test(name)) chmodSync(`${folder}/${name}`, PRIVATE_FILE);
  const { mode } = statSync(folder);
  // A folder like /tmp is for everybody on purpose.
  if ((mode & STICKY) !== 0) return;
  try {
    chmodSync(folder, PRIVATE_FOLDER);
  } catch (error) {
    // The folder belongs to another user, and this user may write in it. The files are closed all the same.
    if ((error as { code?: string }).code !== "EPERM") throw error;
  }
}

/**
 * Locks the file and brings it into the present form. SQLite itself never waits for the disk then, and never copies its
 * write-ahead log into the file: `server/store/turns/checkpoints.ts` does both. Replaces `verifiers` of earlier
 * versions. Throws the errors of SQLite, and `DamagedFileError`.
 * @throws {StoreError} when a newer program wrote it.
 */
export function prepareFile(database: DatabaseSync, folder: string, verifiers?: VerifierChange): void {
  // Statement by statement: an error of `exec` carries no result code.
  const run = (sql: string) => database.prepare(sql).get();
  // Older versions of Deno would wait 5 s for another server to go.
  run("PRAGMA busy_timeout = 0");
  run("PRAGMA locking_mode = EXCLUSIVE");
  // The first reading takes the lock, and fails when another server has it.
  const version = run("PRAGMA user_version")!["user_version"] as number;
  if (version > CURRENT_VERSION) {
    throw new StoreError(
      `Cannot open data folder "${folder}": it was written by a newer thrum (version ${version} of the file, this program knows ` +
        `${CURRENT_VERSION}). Use that one, or choose another folder.`,
    );
  }
  run("PRAGMA synchronous = OFF");
  // Means something only while the file is empty.
  run(`PRAGMA page_size = ${PAGE_BYTES}`);
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA wal_autocheckpoint = 0");
  // The write-ahead log is never longer than what is in it, so its size says how much that is.
  run("PRAGMA journal_size_limit = 0");
  run(`PRAGMA cache_size = ${-CACHE_BYTES / 1024}`);
  for (const { to, statements, carryOut } of MIGRATIONS) {
    if (to <= version) continue;
    ["BEGIN", ...statements].forEach(run);
    carryOut?.(database);
    [`PRAGMA user_version = ${to}`, "COMMIT"].forEach(run);
  }
  changeVerifiers(run, prepareStatements(database), verifiers);
}

/** Checks the rows and indexes of the small tables. Throws the errors of SQLite, and `DamagedFileError`. */
export function checkSmallTables(database: DatabaseSync): void {
  for (const table of SMALL_TABLES) {
    const found = database.prepare(`PRAGMA integrity_check(${table})`).get();
    const { integrity_check: problem } = found as { integrity_check: string };
    if (problem !== "ok") throw new DamagedFileError("thrum.sqlite", `is damaged: table "${table}": ${problem}`);
  }
}
