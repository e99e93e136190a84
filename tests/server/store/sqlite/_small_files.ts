/** SQLite stores in which a few bytes are large, for tests of what is in files. */

import type { Segment } from "../../../../log/segment.ts";
import { encodeFrame } from "../../../../server/store/sqlite/frame.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import type { Store } from "../../../../server/store/store.ts";

/** All that is for everyone goes to files, a few segments to each; the disk is not waited for before the end. */
export const SMALL_FILES = { segment: 1, file: 100, sync: Infinity };

/** How a store of a test is opened. */
export interface OpenParts {
  readonly serverId?: string;
  readonly fileSizes?: typeof SMALL_FILES;
  readonly synchronous?: "normal" | "full";
  readonly boot?: string;
}

/** Opens the store in `folder`. */
export function open(
  folder: string,
  { serverId = "s-1", fileSizes = SMALL_FILES, synchronous = "normal", boot = "" }: OpenParts = {},
): Store {
  return openSqliteStore({ folder, makeServerId: () => serverId, synchronous, fileSizes, boot: () => boot });
}

/** Runs a test in a folder of its own. */
export function withFolder(run: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Copies what lies in `folder` to a new folder `to`, as a crash would leave it. */
export function crashCopy(folder: string, to: string): void {
  Deno.mkdirSync(to);
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    if (isFile) Deno.copyFileSync(`${folder}/${name}`, `${to}/${name}`);
  }
}

/** The `.bytes` files of `folder`. */
export function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".bytes")).sort();
}

/** Writes `bytes` over what the file has at `at`. */
export function change(path: string, at: number, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(bytes);
}

/** Has the database take all turns in. */
export function settle(store: Store): void {
  store.buriable({ takenBefore: 0, directMessagesBefore: 0 }, 0);
}

/** What `segments` take in files, together. */
export function framesOf(segments: readonly Segment[]): number {
  return segments.reduce((size, segment) => size + encodeFrame({ ...segment, lamport: 0 }).length, 0);
}

/** The bytes of `segments` together. */
export function sizeOf(segments: readonly Segment[]): number {
  return segments.reduce((size, { bytes }) => size + bytes.length, 0);
}
