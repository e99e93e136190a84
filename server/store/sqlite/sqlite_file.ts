/**
 * The data folder and `thrum.sqlite` in it, made ready for `sqlite_store.ts`: made where they are missing, held by this process alone, and brought
 * into the form of this version.
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
import { CURRENT_VERSION, MIGRATIONS } from "./migrations.ts";
import { DamagedFileError } from "./sqlite_errors.ts";
import { StoreError } from "../store.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const STICKY = 0o1000;
/** What a server keeps in its data folder, the small files of `gateway/` among them. */
const KEPT = /^(?:thrum\.sqlite.*|log-\d{8,}\.bytes|secret|http-token|ticket-key)$/;
/** Tables whose rows are few, and looked through when the store is opened: checksums do not tell of a row that is not found any more. */
const SMALL_TABLES = ["state", "origins", "accounts", "cursors", "members", "inbox", "notes", "places", "tombstones"];
/** SQLite's default: a checkpoint every 4 MB. Each holds the event loop for 5 to 15 ms on a fast SSD; a longer log would make them rarer but longer. */
const CHECKPOINT_PAGES = 512;
/**
 * Larger than SQLite's 4,096: a turn under load adds tens of kilobytes, and writes them a sixth faster. Still larger pages make the small turns of a quiet
 * server cost twice as much.
 */
const PAGE_BYTES = 8_192;
/** The write-ahead log is cut to this after a checkpoint when one large commit made it longer. */
const WAL_BYTES = 16_777_216;
/** Memory for pages: enough for the upper part of the message id index, which is the only thing that is not written in order. */
const CACHE_BYTES = 16_777_216;

/**
 * Makes the folder, and sees that it and what is in it can be written to: SQLite would only say that something failed, this says why.
 * Throws what node:fs throws, and `DamagedFileError`.
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
 * Lets nobody but their owner read the folder and what the server keeps in it, whatever that was before: messages, and what secrets are checked against.
 * Makes an empty `thrum.sqlite` where there is none, as SQLite would make it after the umask; its other files have the mode of that one. Throws what
 * node:fs throws.
 */
export function closeToOthers(folder: string): void {
  const database = `${folder}/thrum.sqlite`;
  // Not opened where it is there: to close it would end the lock that another store of this process has on it.
  if (!existsSync(database)) closeSync(openSync(database, "wx", PRIVATE_FILE));
  for (const name of readdirSync(folder)) if (KEPT.test(name)) chmodSync(`${folder}/${name}`, PRIVATE_FILE);
  const { mode } = statSync(folder);
  // A folder like /tmp is for everybody on purpose.
  if ((mode & STICKY) !== 0) return;
  try {
    chmodSync(folder, PRIVATE_FOLDER);
  } catch (error) {
    // Somebody else's folder, in which this user may write: the files are closed all the same.
    if ((error as { code?: string }).code !== "EPERM") throw error;
  }
}

/**
 * Takes hold of the file and brings it into the form that is used here. Throws what SQLite throws.
 * @throws {StoreError} when a newer program wrote it.
 */
export function prepareFile(database: DatabaseSync, folder: string, synchronous: "normal" | "full"): void {
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
  // Means something only while the file is empty.
  run(`PRAGMA page_size = ${PAGE_BYTES}`);
  run("PRAGMA journal_mode = WAL");
  run(`PRAGMA synchronous = ${synchronous}`);
  run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  run(`PRAGMA journal_size_limit = ${WAL_BYTES}`);
  run(`PRAGMA cache_size = ${-CACHE_BYTES / 1024}`);
  for (const { to, statements, carryOut } of MIGRATIONS) {
    if (to <= version) continue;
    ["BEGIN", ...statements].forEach(run);
    carryOut?.(database);
    [`PRAGMA user_version = ${to}`, "COMMIT"].forEach(run);
  }
}

/** Looks whether what is small is whole, rows and indexes. Throws what SQLite throws, and `DamagedFileError`. */
export function checkSmallTables(database: DatabaseSync): void {
  for (const table of SMALL_TABLES) {
    const found = database.prepare(`PRAGMA integrity_check(${table})`).get();
    const { integrity_check: problem } = found as { integrity_check: string };
    if (problem !== "ok") throw new DamagedFileError("thrum.sqlite", `is damaged: table "${table}": ${problem}`);
  }
}
