/** Reads and syncs of node:fs that wait in place, each in one piece: the system may give less than was asked for. */

import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync } from "node:fs";

/** Fills `into` with what stands from `start` on, as far as there is so much. Gives how many bytes there are. */
export function readAt(handle: number, start: number, into: Uint8Array): number {
  let done = 0;
  while (done < into.length) {
    const count = readSync(handle, into, done, into.length - done, start + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Bytes from `start` on, at most `size`; fewer at the end of the file. */
export function readPart(handle: number, start: number, size: number): Uint8Array {
  const left = Math.max(0, fstatSync(handle).size - start);
  const bytes = new Uint8Array(Math.min(size, left));
  return bytes.subarray(0, readAt(handle, start, bytes));
}

/** Waits until new and removed files of a folder are so for good. */
export function syncFolder(folder: string): void {
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
