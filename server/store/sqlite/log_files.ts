/**
 * The frames of large segments, in files beside the database that only grow: `log-00000001.bytes` and on, a new one
 * every 64 MiB. SQLite writes each page twice, with checksums; here bytes are written once. Rows of the database name
 * the places. Bytes that no row names do not count, and are overwritten. The files have one owner, `sqlite_store.ts`,
 * which holds the lock on the database.
 */

import {
  accessSync,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { SeenFile } from "./file_watch.ts";
import { isOutOfFiles } from "../../../platform/files/open_files.ts";
import { DamagedFileError } from "./sqlite_errors.ts";
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
  // After a kill of the server, this much is read again, in some milliseconds.
  sync: 16_777_216,
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
  /** The file that is written to; 0 before the first. */
  #file = 0;
  #handle: number | undefined;
  /** The end of the bytes that count, and the end of the appended ones. */
  #end = 0;
  #written = 0;
  /** How far the log is kept, and how much of it may not be on the disk yet. */
  #kept = 0;
  #unsynced = 0;
  #synced = 0;
  #isSyncing = false;
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

  /**
   * Goes on behind `end` of `file` (0 for none). The log is kept up to `position`, and on the disk up to `synced`.
   * Bytes behind `end` are removed.
   */
  continue(file: number, end: number, position: number, synced: number): void {
    this.#kept = position;
    this.#synced = synced;
    for (const number of logFilesIn(this.#folder)) this.#numbers.add(number);
    this.keepSpare();
    if (file === 0) return;
    this.#handle = this.#open(file, constants.O_RDWR);
    this.#file = file;
    ftruncateSync(this.#handle, end);
    this.#end = end;
    this.#written = end;
    // The bytes that may be missing count with the next ones.
    this.#unsynced = position > synced ? this.#sizes.sync : 0;
  }

  /** The file that is written to, if there is one. */
  get newest(): readonly { readonly name: string; readonly writtenBytes: number }[] {
    return this.#numbers.has(this.#file) ? [{ name: nameOfLogFile(this.#file), writtenBytes: this.#end }] : [];
  }

  /** All others. */
  get older(): readonly string[] {
    return [...this.#numbers].filter((number) => number !== this.#file).map(nameOfLogFile);
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
   * Writes `frames`, each in its parts, one after the other behind the end. They count after `keep`, and are gone after
   * `drop`.
   */
  append(frames: readonly (readonly Uint8Array[])[]): Place[] {
    if (this.#syncFailure !== undefined) throw this.#syncFailure;
    if (this.#handle !== undefined) this.#checkWritten(this.#handle);
    if (this.#handle === undefined || this.#end >= this.#sizes.file) this.#beginFile();
    return frames.map((parts): Place => {
      const start = this.#written;
      for (const bytes of parts) this.#write(bytes);
      return { file: this.#file, start, length: this.#written - start };
    });
  }

  /** The appended bytes count, as part of a log that is kept up to `position`. */
  keep(position: number): void {
    this.#unsynced += this.#written - this.#end;
    this.#end = this.#written;
    this.#kept = position;
    if (this.#unsynced >= this.#sizes.sync && !this.#isSyncing) this.#syncInBackground();
  }

  /** The appended bytes do not count. */
  drop(): void {
    if (this.#handle === undefined || this.#written === this.#end) return;
    this.#written = this.#end;
    try {
      ftruncateSync(this.#handle, this.#end);
    } catch {
      // Only the space is not given back yet: the next ones are written over it.
    }
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

  /** Removes `file`, which nothing refers to any more. */
  remove(file: number): void {
    this.#closeReading();
    if (file === this.#file) {
      this.#closeWriting();
      this.#end = this.#written = 0;
    }
    this.#numbers.delete(file);
    unlinkSync(`${this.#folder}/${nameOfLogFile(file)}`);
  }

  /** Waits until all kept bytes are on the disk. */
  sync(): void {
    if (this.#syncFailure !== undefined) throw this.#syncFailure;
    if (this.#handle !== undefined && (this.#unsynced > 0 || this.#isSyncing)) fdatasyncSync(this.#handle);
    this.#synced = this.#kept;
    this.#unsynced = 0;
  }

  close(): void {
    this.#closeSpare();
    this.#closeReading();
    this.#closeWriting();
  }

  /**
   * Data in a removed file is lost. Data behind a cut would make the file as long as before, with nothing in between.
   */
  #checkWritten(handle: number): void {
    const { nlink, size } = fstatSync(handle);
    if (nlink === 0) throw new DamagedFileError(nameOfLogFile(this.#file), "was removed while the server ran");
    if (size < this.#end) throw new DamagedFileError(nameOfLogFile(this.#file), "was cut short while the server ran");
  }

  #write(bytes: Uint8Array): void {
    const start = this.#written;
    this.#written += bytes.length;
    for (let done = 0; done < bytes.length;) {
      done += writeSync(this.#handle!, bytes, done, bytes.length - done, start + done);
    }
  }

  #beginFile(): void {
    const file = this.#file + 1;
    // Synced here, so that only the newest file can have bytes that are not on the disk.
    this.sync();
    const handle = this.#open(file, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC);
    this.#closeWriting();
    this.#handle = handle;
    this.#file = file;
    this.#numbers.add(file);
    this.#end = this.#written = 0;
    syncFolder(this.#folder);
    this.keepSpare();
  }

  #syncInBackground(): void {
    const handle = this.#handle!;
    const position = this.#kept;
    this.#unsynced = 0;
    this.#isSyncing = true;
    fdatasync(handle, (error) => {
      this.#isSyncing = false;
      // After a failure the system takes the pages for written: asking once more would be told that all is well.
      if (error) this.#syncFailure = error;
      else this.#synced = Math.max(this.#synced, position);
      if (handle !== this.#handle) closeSync(handle);
    });
  }

  #readRun(file: number, start: number, size: number, part: () => DamagedPart): Uint8Array {
    const handle = this.#handleOf(file);
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size;) {
      const count = readSync(handle, bytes, done, size - done, start + done);
      if (count === 0) throw tooShort(file, part());
      done += count;
    }
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
      if ((error as { code?: string }).code !== "ENOENT") throw error;
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

  #closeWriting(): void {
    // A file that is being synced is closed after that.
    if (this.#handle !== undefined && !this.#isSyncing) closeSync(this.#handle);
    this.#handle = undefined;
  }
}

/** What a file of this number is called. */
export function nameOfLogFile(file: number): string {
  return `log-${String(file).padStart(8, "0")}.bytes`;
}

function tooShort(file: number, part?: DamagedPart): DamagedFileError {
  return new DamagedFileError(nameOfLogFile(file), "is shorter than what was written to it", part);
}

/** Waits until a new file is in its folder for good. */
function syncFolder(folder: string): void {
  let handle;
  try {
    handle = openSync(folder, constants.O_RDONLY);
  } catch {
    // Windows opens no folders; NTFS keeps their entries by itself.
    return;
  }
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
