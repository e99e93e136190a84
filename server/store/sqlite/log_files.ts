/**
 * The log, in files beside the database that only grow: `log-00000001.bytes` and on, a new one every 64 MiB. Each turn
 * is written here first, once, and at its end (`server/store/turns/turn_record.ts`). The database is settled behind the
 * log. Its rows name the places of large segments. The files have one owner, `sqlite_store.ts`, which holds the lock on
 * the database.
 */

import {
  accessSync,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { SeenFile } from "./file_watch.ts";
import { isOutOfFiles } from "../../../platform/files/open_files.ts";
import { readAt, readPart, syncFolder } from "../../../platform/files/in_place.ts";
import { DamagedFileError, isMissing, TakenAwayError } from "./sqlite_errors.ts";
import type { DamagedPart } from "../store.ts";

/** Where the frame of a segment is, or its bytes alone. */
export interface Place {
  /** Number of the file. */
  readonly file: number;
  /** Where they begin in it. */
  readonly start: number;
  readonly length: number;
}

/** The sizes that decide, in bytes. */
export interface FileSizes {
  /** Segments of this size and more go to files. */
  readonly segment: number;
  /** The size at which a file is followed by a new one. */
  readonly file: number;
  /** After this many bytes the disk is synced, in the background. */
  readonly sync: number;
}

/** Sizes that have proven good. */
export const FILE_SIZES: FileSizes = {
  // Below it the row that SQLite writes anyway is cheaper than a second write.
  segment: 8_192,
  // Small enough that forgetting gives space back soon and quickly.
  file: 67_108_864,
  // A power cut takes no more than twice this, and less often costs more than more often: each time is a write to the
  // disk's own log.
  sync: 4_194_304,
};

const FILE_NAME = /^log-(\d{8,})\.bytes$/;

/** The numbers of the files in `folder`; each can be read and written. Throws the errors of node:fs. */
export function logFilesIn(folder: string): number[] {
  const names = readdirSync(folder).filter((name) => FILE_NAME.test(name));
  for (const name of names) accessSync(`${folder}/${name}`, constants.R_OK | constants.W_OK);
  return names.map((name) => Number(FILE_NAME.exec(name)![1])).sort((a, b) => a - b);
}

/** The file at `path`; `undefined` if there is none. Throws the errors of node:fs for other reasons. */
export function seenAt(path: string): SeenFile | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && { device: found.dev, inode: found.ino, size: found.size };
}

/** The files of one folder. Methods throw the errors of node:fs, and `DamagedFileError`. */
export class LogFiles {
  readonly #folder: string;
  readonly #sizes: FileSizes;
  /** The files that have to exist. */
  readonly #numbers = new Set<number>();
  /** The file that is written to, or was written to last; 0 before the first. */
  #file = 0;
  #handle: number | undefined;
  /** The end of the bytes in it that count. */
  #end = 0;
  /** Files before it that may not be on the disk yet. */
  #full: number[] = [];
  /** Whether its entry in the folder may not be on the disk. */
  #isFolderUnsynced = false;
  /** How far the log is kept, and how much of it may not be on the disk yet. */
  #kept = 0;
  #unsynced = 0;
  #synced = 0;
  /** Bytes that are being brought to the disk; `undefined` when none are. */
  #syncing: number | undefined;
  /** Who waits for what was appended before the next sync. */
  #waiting: ((error: unknown) => void)[] = [];
  #isClosed = false;
  #syncFailure: unknown;
  /** A reserve that can be closed when another file cannot be opened. */
  #spare: number | undefined;
  /** An older file that was read from last. */
  #reading: { readonly file: number; readonly handle: number } | undefined;

  /** Touches nothing yet. */
  constructor(folder: string, sizes: FileSizes) {
    this.#folder = folder;
    this.#sizes = sizes;
  }

  /** Everything up to this position is on the disk, if the disk tells the truth. */
  get synced(): number {
    return this.#synced;
  }

  /** Bytes that may not be on the disk yet. */
  get unsyncedBytes(): number {
    return this.#unsynced + (this.#syncing ?? 0);
  }

  /** The file that is written to, and the end of its bytes that count. */
  get place(): { readonly file: number; readonly end: number } {
    return { file: this.#file, end: this.#end };
  }

  /**
   * Goes on behind `end` of `file` (0 for none), or with a new file if it is not the newest one. Gives where. The log
   * is kept up to `position`, and on the disk up to `synced`. Bytes behind `end` are removed.
   */
  continue(
    file: number,
    end: number,
    position: number,
    synced: number,
  ): { readonly file: number; readonly end: number } {
    this.#kept = position;
    this.#synced = synced;
    for (const number of logFilesIn(this.#folder)) this.#numbers.add(number);
    this.keepSpare();
    this.#file = Math.max(file, ...this.#numbers);
    if (file === 0 || !this.#numbers.has(file) || this.#file !== file) return { file: this.#file + 1, end: 0 };
    this.#handle = this.#open(file, constants.O_RDWR);
    this.#end = Math.min(end, fstatSync(this.#handle).size);
    ftruncateSync(this.#handle, this.#end);
    // The bytes that may be missing count with the next ones.
    this.#unsynced = position > synced && this.#sizes.sync < Infinity ? this.#sizes.sync : 0;
    return this.place;
  }

  /** The file that is written to, if there is one. */
  get newest(): readonly { readonly name: string; readonly writtenBytes: number }[] {
    return this.#handle !== undefined ? [{ name: nameOfLogFile(this.#file), writtenBytes: this.#end }] : [];
  }

  /** The number of the file that is written to, or that will be. */
  get nextOrNewest(): number {
    return this.#handle === undefined ? this.#file + 1 : this.#file;
  }

  /** All others. */
  get older(): readonly string[] {
    return this.olderNumbers.map(nameOfLogFile);
  }

  /** Their numbers. */
  get olderNumbers(): readonly number[] {
    return [...this.#numbers].filter((number) => number !== this.#file || this.#handle === undefined);
  }

  /** Opens a reserve file, if there is none. */
  keepSpare(): void {
    try {
      this.#spare ??= openSync(this.#folder, constants.O_RDONLY);
    } catch {
      // Windows opens no folders; and when there is no file left it is tried again later.
    }
  }

  /**
   * Writes `bytes` behind the end: all of them, or none that count. With them the log is kept up to `position`. Gives
   * their place. They survive a crash of the program. Waits for no disk: the system has them.
   */
  append(bytes: Uint8Array, position: number): { readonly file: number; readonly start: number } {
    if (this.#syncFailure !== undefined) throw this.#syncFailure;
    if (this.#handle !== undefined) this.#checkWritten(this.#handle);
    if (this.#handle === undefined || this.#end >= this.#sizes.file) this.#beginFile();
    const start = this.#end;
    try {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.#handle!, bytes, done, bytes.length - done, start + done);
      }
    } catch (error) {
      this.#drop();
      throw error;
    }
    this.#end += bytes.length;
    this.#unsynced += bytes.length;
    this.#kept = position;
    if (this.#unsynced >= this.#sizes.sync && this.#syncing === undefined) this.#syncInBackground();
    return { file: this.#file, start };
  }

  /** The next turn begins a new file. */
  endFile(): void {
    if (this.#handle === undefined) return;
    this.#full.push(this.#handle);
    this.#handle = undefined;
  }

  /**
   * The bytes at `places`, in buffers that never change; the caller checks them. Adjacent places are read at once.
   * `partAt` names the damaged part if the place of this index is missing.
   */
  read(places: readonly Place[], partAt: (index: number) => DamagedPart): Uint8Array[] {
    const found: Uint8Array[] = [];
    for (let index = 0; index < places.length;) {
      const { file, start } = places[index]!;
      let end = start;
      let next = index;
      for (; places[next]?.file === file && places[next]!.start === end; next++) end += places[next]!.length;
      const bytes = this.#readRun(file, start, end - start, () => partAt(index));
      for (; index < next; index++) {
        const place = places[index]!;
        found.push(bytes.subarray(place.start - start, place.start - start + place.length));
      }
    }
    return found;
  }

  /** Checks that `file` has at least `size` bytes. */
  checkSize(file: number, size: number): void {
    if (fstatSync(this.#handleOf(file)).size < size) throw tooShort(file);
  }

  /** Bytes of `file` from `start` on, at most `size`; fewer at its end. */
  readPart(file: number, start: number, size: number): Uint8Array {
    return readPart(this.#handleOf(file), start, size);
  }

  /** Removes `file`, which nothing refers to any more, and which is not written to. */
  remove(file: number): void {
    this.#closeReading();
    this.#numbers.delete(file);
    unlinkSync(`${this.#folder}/${nameOfLogFile(file)}`);
  }

  /** Calls `done` when everything that was appended so far is on the disk, or with the error. Never in the call. */
  whenSynced(done: (error: unknown) => void): void {
    this.#waiting.push(done);
    if (this.#syncing === undefined) this.#syncInBackground();
  }

  /** Waits until all kept bytes are on the disk. */
  sync(): void {
    if (this.#syncFailure !== undefined) throw this.#syncFailure;
    if (this.#unsynced > 0 || this.#syncing !== undefined) {
      for (const handle of this.#full) fdatasyncSync(handle);
      if (this.#handle !== undefined) fdatasyncSync(this.#handle);
    }
    if (this.#isFolderUnsynced) syncFolder(this.#folder);
    this.#isFolderUnsynced = false;
    this.#synced = this.#kept;
    this.#unsynced = 0;
    if (this.#syncing === undefined) this.#closeFull();
  }

  close(): void {
    this.#isClosed = true;
    this.#closeSpare();
    this.#closeReading();
    this.endFile();
    // Those that are being synced are closed after that.
    if (this.#syncing === undefined) this.#closeFull();
  }

  /**
   * Data in a removed file is lost. Data behind a cut would make the file as long as before, with nothing in between.
   */
  #checkWritten(handle: number): void {
    const { nlink, size } = fstatSync(handle);
    if (nlink === 0) throw new DamagedFileError(nameOfLogFile(this.#file), "was removed while the server ran");
    if (size < this.#end) throw new DamagedFileError(nameOfLogFile(this.#file), "was cut short while the server ran");
  }

  /** What is behind the end does not count. */
  #drop(): void {
    try {
      ftruncateSync(this.#handle!, this.#end);
    } catch {
      // Only the space is not given back yet: the next bytes are written over it.
    }
  }

  #beginFile(): void {
    const file = this.#file + 1;
    const handle = this.#open(file, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC);
    this.endFile();
    this.#handle = handle;
    this.#file = file;
    this.#numbers.add(file);
    this.#end = 0;
    this.#isFolderUnsynced = true;
    this.keepSpare();
  }

  #syncInBackground(): void {
    const position = this.#kept;
    const full = [...this.#full];
    const handles = this.#handle === undefined ? full : [...full, this.#handle];
    const isNew = this.#isFolderUnsynced;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isFolderUnsynced = false;
    this.#syncing = this.#unsynced;
    this.#unsynced = 0;
    const done = (error: unknown) => {
      this.#syncing = undefined;
      // After a failure the system takes the pages for written: asking once more would be told that all is well.
      if (error) this.#syncFailure = error;
      else this.#synced = Math.max(this.#synced, position);
      this.#closeFull(this.#isClosed ? Infinity : full.length);
      if (this.#isClosed) return;
      for (const done of waiting) done(this.#syncFailure);
      if (this.#waiting.length > 0 && this.#syncing === undefined) this.#syncInBackground();
    };
    const next = (index: number, error?: unknown) => {
      if (error || index === handles.length) return done(error);
      fdatasync(handles[index]!, (error) => next(index + 1, error));
    };
    if (isNew) syncFolderInBackground(this.#folder, (error) => next(0, error));
    else next(0);
  }

  /** Closes the first `count` of the files that are full. */
  #closeFull(count = Infinity): void {
    for (const handle of this.#full.splice(0, count)) closeSync(handle);
  }

  #readRun(file: number, start: number, size: number, part: () => DamagedPart): Uint8Array {
    const bytes = new Uint8Array(size);
    if (readAt(this.#handleOf(file), start, bytes) < size) throw tooShort(file, part());
    return bytes;
  }

  #handleOf(file: number): number {
    if (file === this.#file && this.#handle !== undefined) return this.#handle;
    if (this.#reading?.file !== file) {
      this.#closeReading();
      this.#reading = { file, handle: this.#open(file, constants.O_RDONLY) };
    }
    return this.#reading!.handle;
  }

  #open(file: number, flags: number): number {
    const path = `${this.#folder}/${nameOfLogFile(file)}`;
    try {
      return openSync(path, flags, 0o600);
    } catch (error) {
      // Connections took all files that this process may open: the spare one is for this.
      if (isOutOfFiles(error) && this.#spare !== undefined) {
        this.#closeSpare();
        return this.#open(file, flags);
      }
      if (!isMissing(error)) throw error;
      if ((flags & constants.O_CREAT) !== 0) throw new TakenAwayError("the folder was removed while the server ran");
      throw new DamagedFileError(nameOfLogFile(file), "is missing");
    }
  }

  #closeSpare(): void {
    if (this.#spare !== undefined) closeSync(this.#spare);
    this.#spare = undefined;
  }

  #closeReading(): void {
    if (this.#reading !== undefined) closeSync(this.#reading.handle);
    this.#reading = undefined;
  }
}

/** What a file of this number is called. */
export function nameOfLogFile(file: number): string {
  return `log-${String(file).padStart(8, "0")}.bytes`;
}

function tooShort(file: number, part?: DamagedPart): DamagedFileError {
  return new DamagedFileError(nameOfLogFile(file), "is shorter than what was written to it", part);
}

/** As `syncFolder` without waiting in place; tells `done` when it is over. */
function syncFolderInBackground(folder: string, done: (error?: unknown) => void): void {
  let handle: number;
  try {
    handle = openSync(folder, constants.O_RDONLY);
  } catch {
    return done();
  }
  fsync(handle, (error) => {
    closeSync(handle);
    done(error);
  });
}
