/**
 * The files of used message ids in a data folder, `ids-00000001.run` and on: finds, writes and removes them. A file is
 * written under another name, brought to the disk, and then renamed, so one with its right name is complete. In the
 * background every wait for the disk is outside of the event loop. `run_steps.ts` says what is written.
 */

import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstat,
  fstatSync,
  fsync,
  open,
  openSync,
  read,
  readdirSync,
  renameSync,
  unlink,
  unlinkSync,
  write,
  writeSync,
} from "node:fs";
import { checksumOf } from "../sqlite/checksum.ts";
import { readBlocks, Run } from "./run.ts";
import { readDescription, readFences, readTrailer, type RunHead, TRAILER_BYTES } from "./run_format.ts";
import type { Made, Step } from "./run_steps.ts";
import { syncFolder } from "../../../platform/files/in_place.ts";
import { isMissing } from "../sqlite/sqlite_errors.ts";

const FILE_NAME = /^ids-(\d{8,})\.run$/;
const UNFINISHED = /^ids-\d{8,}\.run\.new$/;
/** Bytes that are written before they are brought to the disk. */
const SYNC_BYTES = 4_194_304;

/** Gives an origin's number for its name. */
export type NumberOf = (name: string) => number;

/** What was found in a folder. */
export interface FoundRuns {
  readonly runs: readonly Run[];
  /** Names of files that cannot be read. */
  readonly unreadable: readonly string[];
}

/** What makes a file. */
export type Steps = Generator<Step<Run>, Made>;

/** Opens the files in `folder`, and removes unfinished ones. Throws the errors of node:fs. */
export function openRuns(folder: string, numberOf: NumberOf): FoundRuns {
  const runs: Run[] = [];
  const unreadable: string[] = [];
  for (const name of readdirSync(folder)) {
    if (UNFINISHED.test(name)) unlinkSync(`${folder}/${name}`);
    if (!FILE_NAME.test(name)) continue;
    const run = openRun(folder, name, numberOf);
    if (run === undefined) unreadable.push(name);
    else runs.push(run);
  }
  return { runs, unreadable };
}

/** The number of a file with this name. */
export function serialOf(name: string): number {
  return Number(FILE_NAME.exec(name)?.[1] ?? 0);
}

/** Writes a file at once, and waits for the disk. Throws the errors of node:fs. */
export function writeRun(folder: string, serial: number, steps: Steps, numberOf: NumberOf): WrittenRun {
  const name = nameOf(serial);
  const handle = openSync(`${folder}/${name}.new`, "w+", 0o600);
  try {
    let size = 0;
    for (;;) {
      const { done, value } = steps.next();
      if (done) {
        fdatasyncSync(handle);
        renameSync(`${folder}/${name}.new`, `${folder}/${name}`);
        syncFolder(folder);
        return writtenRun(name, handle, size, value, numberOf);
      }
      if (value.kind === "read") readBlocks(value.source.handle, value.start, value.into);
      else size += writeAll(handle, value.parts);
    }
  } catch (error) {
    closeSync(handle);
    unlinkSync(`${folder}/${name}.new`);
    throw error;
  }
}

/** A file that was written, and the number of changed blocks that were left out. */
export interface WrittenRun {
  readonly run: Run;
  readonly damagedBlocks: number;
}

/** Whom a file is written for in the background. */
export interface Waiting {
  /** Whether it is of no use any more: then nothing of it is left. */
  isStopped(): boolean;
  /** The file counts from now on. Called in the moment in which it gets its name. */
  written(run: WrittenRun): void;
}

/** Writes a file in the background. Rejects with the errors of node:fs. */
export async function writeRunLater(
  folder: string,
  serial: number,
  steps: Steps,
  numberOf: NumberOf,
  { isStopped, written }: Waiting,
): Promise<void> {
  const name = nameOf(serial);
  const path = `${folder}/${name}`;
  const handle = await later<number>((done) => open(`${path}.new`, "w+", 0o600, done));
  try {
    let size = 0;
    let unsynced = 0;
    while (!isStopped()) {
      const { done, value } = steps.next();
      if (done) {
        await later<void>((done) => fdatasync(handle, done));
        if (isStopped()) break;
        // At once, so that nothing is decided between this and that the file counts. It waits for no data.
        renameSync(`${path}.new`, path);
        return written(writtenRun(name, handle, size, value, numberOf));
      }
      if (value.kind === "read") {
        await readLater(value.source.handle, value.start, value.into);
        continue;
      }
      for (const bytes of value.parts) {
        await writeLater(handle, bytes);
        size += bytes.length;
        unsynced += bytes.length;
      }
      if (unsynced < SYNC_BYTES) {
        // Where writing takes place at once, this is what lets others have the event loop.
        await later((done) => fstat(handle, done));
      } else {
        await later<void>((done) => fdatasync(handle, done));
        unsynced = 0;
      }
    }
  } catch (error) {
    await later<void>((done) => close(handle, done));
    remove(folder, `${name}.new`);
    throw error;
  }
  await later<void>((done) => close(handle, done));
  remove(folder, `${name}.new`);
}

/** Removes a file that counts no more, in the background; as `remove`. */
export function removeLater(folder: string, name: string): Promise<boolean> {
  return later((done) => unlink(`${folder}/${name}`, (error) => done(null, !error || isMissing(error))));
}

/** Removes a file, if it is there. Whether that was done: where it fails, the next opening tries again. */
export function remove(folder: string, name: string): boolean {
  try {
    unlinkSync(`${folder}/${name}`);
    return true;
  } catch (error) {
    return isMissing(error);
  }
}

function openRun(folder: string, name: string, numberOf: NumberOf): Run | undefined {
  const handle = openSync(`${folder}/${name}`, "r");
  const size = fstatSync(handle).size;
  const head = readHead(handle, size);
  if (head !== undefined && head.serial === serialOf(name)) {
    return new Run(name, handle, head, size, head.origins.map(numberOf));
  }
  closeSync(handle);
  return undefined;
}

function readHead(handle: number, size: number): RunHead | undefined {
  const trailer = new Uint8Array(TRAILER_BYTES);
  if (size < TRAILER_BYTES || !readBlocks(handle, size - TRAILER_BYTES, trailer)) return undefined;
  const { length, checksum } = readTrailer(trailer) ?? { length: Infinity, checksum: 0 };
  if (length > size - TRAILER_BYTES) return undefined;
  const description = new Uint8Array(length);
  if (!readBlocks(handle, size - TRAILER_BYTES - length, description)) return undefined;
  const described = readDescription(description, checksum, size);
  if (described === undefined) return undefined;
  const [fences, filter] = [described.fences, described.filter].map(({ start, length, checksum }) => {
    const bytes = new Uint8Array(length);
    return readBlocks(handle, start, bytes) && checksumOf(bytes) === checksum ? bytes : undefined;
  });
  if (fences === undefined || filter === undefined) return undefined;
  return { ...described.meta, fences: readFences(fences), filter };
}

function writtenRun(name: string, handle: number, size: number, made: Made, numberOf: NumberOf): WrittenRun {
  const { head, damagedBlocks } = made;
  return { run: new Run(name, handle, head, size, head.origins.map(numberOf)), damagedBlocks };
}

function writeAll(handle: number, parts: readonly Uint8Array[]): number {
  let size = 0;
  for (const bytes of parts) {
    for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at, bytes.length - at, null);
    size += bytes.length;
  }
  return size;
}

async function writeLater(handle: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await later<number>((done) => write(handle, bytes, at, bytes.length - at, null, done));
  }
}

/** As `readBlocks`, in the background. */
async function readLater(handle: number, start: number, into: Uint8Array): Promise<void> {
  try {
    for (let done = 0; done < into.length;) {
      const count = await later<number>((then) => read(handle, into, done, into.length - done, start + done, then));
      if (count === 0) return;
      done += count;
    }
  } catch {
    // The checksums of the blocks tell.
  }
}

/** As `syncFolder`, in the background. */
export async function syncFolderLater(folder: string): Promise<void> {
  let handle: number;
  try {
    handle = await later<number>((done) => open(folder, "r", done));
  } catch {
    return;
  }
  try {
    await later<void>((done) => fsync(handle, done));
  } finally {
    await later<void>((done) => close(handle, done));
  }
}

function nameOf(serial: number): string {
  return `ids-${String(serial).padStart(8, "0")}.run`;
}

/** A call of node:fs as a promise. */
function later<T>(call: (done: (error: Error | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => error ? reject(error) : resolve(result as T));
  });
}
