/**
 * Explains a fault of a data folder, and what a person can do: turns errors of node:sqlite and node:fs into a
 * `StoreError`. Pure.
 */

import { DamagedError, type DamagedPart, StoreError } from "../store.ts";

/** The action that failed. */
export type StoreAction = "open" | "read" | "write to" | "go on with";

/** A file beside the database differs from the database's record of it. */
export class DamagedFileError extends Error {
  /** Its class, by name. */
  override name = "DamagedFileError";
  /** The part of the log that cannot be read because of this. */
  readonly part: DamagedPart;

  /** `what` is wrong with `file`: "is missing" or the like. */
  constructor(file: string, what: string, part: DamagedPart = {}) {
    super(`${file} ${what}${partText(part)}`);
    this.part = part;
  }
}

/** Somebody has removed files of the running server. */
export class TakenAwayError extends Error {
  /** Its class, by name. */
  override name = "TakenAwayError";
}

/** The error for `file`, which a running server uses, if `cause` says that it is not there. */
export function takenAway(cause: unknown, file: string): TakenAwayError | undefined {
  return isMissing(cause) ? new TakenAwayError(`${file} was removed while the server ran`) : undefined;
}

interface Reason {
  readonly what: string;
  readonly remedy: string;
}

const NO_PERMISSION: Reason = {
  what: "permission denied",
  remedy: "Let the user that runs the server write to it, or choose another folder",
};
const NOT_CAPABLE: Reason = {
  what: "Deno's permissions do not allow it",
  remedy: "Start the program with --allow-read and --allow-write for that folder",
};
const NO_FOLDER: Reason = { what: "a file is in its place", remedy: "Move that away, or choose another folder" };
const DISK_FULL: Reason = {
  what: "the disk is full",
  remedy: "Free some space and start the server again; everything that it acknowledged is kept",
};
const IN_USE: Reason = {
  what: "it is in use by another server",
  remedy: "Stop that one, or choose another folder",
};
const COPY_OR_EMPTY =
  "Bring back a copy of the folder, repair it (thrum-server recover), or move it away to start with an empty one";
const TAKEN_AWAY_REMEDY =
  "Activities of the last seconds may be lost, although they were acknowledged. Find out what changes files there. Then bring the files back, or start with an empty folder";
const DAMAGED: Reason = { what: "thrum.sqlite is damaged or is no database", remedy: COPY_OR_EMPTY };
const DISK_FAILS: Reason = {
  what: "the disk reports an error",
  remedy: "See what the system log says about it, and start the server again when it works",
};
const NO_FILES: Reason = {
  what: "this process may not have more files open",
  remedy:
    "Raise that limit (ulimit -n) or lower limits.maxConnections, and start the server again; everything that it acknowledged is kept",
};
const READ_ONLY: Reason = {
  what: "thrum.sqlite is read-only",
  remedy: "Let the user that runs the server write to it, or choose another folder",
};
const NOT_OPENED: Reason = {
  what: "thrum.sqlite in it cannot be opened",
  remedy: "Let the user that runs the server read and write it, or choose another folder",
};

/** By the `code` of an error from node:fs. */
const FILE_SYSTEM_REASONS: Readonly<Record<string, Reason>> = {
  EACCES: NO_PERMISSION,
  EPERM: NO_PERMISSION,
  EROFS: { what: "the file system is read-only", remedy: "Choose a folder on another one" },
  EEXIST: NO_FOLDER,
  ENOTDIR: NO_FOLDER,
  ENOSPC: DISK_FULL,
  EDQUOT: DISK_FULL,
  EIO: DISK_FAILS,
  EMFILE: NO_FILES,
  ENFILE: NO_FILES,
};

/** SQLite does not understand a statement. */
const SQLITE_ERROR = 1;
const CHANGED_SCHEMA = /^no such (?:table|column|index): |^malformed |too large to be represented/;

/** By the low byte of SQLite's result code, see https://sqlite.org/rescode.html. */
const SQLITE_REASONS: Readonly<Record<number, Reason>> = {
  3: NO_PERMISSION,
  5: IN_USE,
  6: IN_USE,
  8: READ_ONLY,
  10: DISK_FAILS,
  11: DAMAGED,
  13: DISK_FULL,
  14: NOT_OPENED,
  26: DAMAGED,
};

/**
 * The error when `cause` kept the store from doing `action` to `folder`. An error that already says everything is
 * returned as it is.
 */
export function storeError(action: StoreAction, folder: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const reason = reasonOf(cause);
  const text = `Cannot ${action} data folder "${folder}": ${reason.what}. ${reason.remedy}.`;
  if (cause instanceof DamagedFileError) return new DamagedError(text, cause.part, { cause });
  return reason === DAMAGED ? new DamagedError(text, {}, { cause }) : new StoreError(text, { cause });
}

/** Whether an error of node:fs says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === "ENOENT";
}

/** The entries of `part`, as the end of a sentence. */
function partText({ origin, first, last, position }: DamagedPart): string {
  const entries = origin === undefined ? "" : ` (entries ${origin}:${first} to ${last}`;
  if (entries === "") return position === undefined ? "" : ` (position ${position})`;
  return position === undefined ? `${entries})` : `${entries}, position ${position})`;
}

function reasonOf(cause: unknown): Reason {
  if (cause instanceof DamagedFileError) return { what: cause.message, remedy: COPY_OR_EMPTY };
  if (cause instanceof TakenAwayError) return { what: cause.message, remedy: TAKEN_AWAY_REMEDY };
  const { name, code, errcode, message } = cause as {
    name?: string;
    code?: string;
    errcode?: number;
    message?: string;
  };
  if (name === "NotCapable") return NOT_CAPABLE;
  if (errcode !== undefined && SQLITE_REASONS[errcode & 0xff] !== undefined) return SQLITE_REASONS[errcode & 0xff]!;
  if (code !== undefined && FILE_SYSTEM_REASONS[code] !== undefined) return FILE_SYSTEM_REASONS[code]!;
  // A changed schema or number. The statements are right, as the tests have run them all.
  const isWrong = errcode === SQLITE_ERROR && !/\btransaction\b/.test(message ?? "");
  if (isWrong || CHANGED_SCHEMA.test(message ?? "")) return DAMAGED;
  // An open that fails carries no result code in Deno, only SQLite's words for 14.
  if (message?.startsWith("unable to open database file")) return NOT_OPENED;
  return { what: message ?? String(cause), remedy: "Start the server again, or choose another folder" };
}
