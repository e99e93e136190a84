/**
 * Brings the write-ahead log of the database into the database file, in an order that a power cut cannot break, and
 * without waiting for the disk in place. First the write-ahead log is brought to the disk, then its pages are copied,
 * then the database file is brought to the disk. Until that is done nothing may be written to the database: SQLite
 * would begin its write-ahead log anew, over pages that the database file may not have yet.
 */

import { closeSync, fdatasyncSync, openSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../../platform/clock.ts";

/** What works beside the event loop. */
export interface Background {
  readonly clock: Pick<Clock, "after">;
  /** Brings a file to the disk. */
  sync(path: string): Promise<void>;
  /** The store is closed. */
  close(): void;
}

/** What checkpoints are made with. */
export interface CheckpointParts {
  readonly database: DatabaseSync;
  /** The database file. */
  readonly path: string;
  /** `undefined`: every checkpoint waits in place. */
  readonly background: Background | undefined;
  /** A checkpoint begins. Gives what to do when all that is in the database now is on the disk. */
  begins(): () => void;
  /** The disk has failed. */
  failed(error: unknown): void;
}

/**
 * The write-ahead log is brought into the database file when it is as long as this. Copying that much takes the event
 * loop about a millisecond.
 */
const MAX_WAL_BYTES = 1_048_576;

/** The checkpoints of one database. */
export class Checkpoints {
  readonly #parts: CheckpointParts;
  /** Kept open: closing it would end SQLite's lock on the file. */
  readonly #handle: number | undefined;
  #phase: "idle" | "log" | "file" = "idle";
  #done: (() => void) | undefined;
  /** Which checkpoint is under way: one that was finished in place is not heard any more. */
  #number = 0;
  #waited = 0;

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
    this.#handle = parts.background === undefined ? undefined : openSync(parts.path, "r+");
  }

  /** Whether one is under way. Then nothing may be written to the database. */
  get isBusy(): boolean {
    return this.#phase !== "idle";
  }

  /** How often somebody could not wait for the end of one, and waited for the disk in place. */
  get waited(): number {
    return this.#waited;
  }

  /** Begins one if the write-ahead log is long, or if `isNeeded`. */
  look(isNeeded = false): void {
    if (this.isBusy) return;
    if (!isNeeded && (statSync(`${this.#parts.path}-wal`, { throwIfNoEntry: false })?.size ?? 0) < MAX_WAL_BYTES) {
      return;
    }
    this.#begin();
  }

  /** Waits in place until the one that is under way is done. */
  finish(): void {
    if (!this.isBusy) return;
    this.#waited++;
    this.#number++;
    if (this.#phase === "log") this.#copyInPlace();
    else fdatasyncSync(this.#handle!);
    this.#end();
  }

  /** Everything in the database is on the disk when this returns. */
  inPlace(): void {
    this.finish();
    this.#done = this.#parts.begins();
    this.#copyInPlace();
    this.#end();
  }

  /** Call it when the database is closed. */
  close(): void {
    this.#number++;
    if (this.#handle !== undefined) closeSync(this.#handle);
    this.#parts.background?.close();
  }

  #begin(): void {
    const { background, path, failed } = this.#parts;
    if (background === undefined) return this.inPlace();
    const number = ++this.#number;
    this.#phase = "log";
    this.#done = this.#parts.begins();
    const isHeard = () => number === this.#number;
    background.sync(`${path}-wal`).then(() => {
      if (!isHeard()) return;
      this.#copy();
      this.#phase = "file";
      return background.sync(path).then(() => {
        if (isHeard()) this.#end();
      });
    }).catch((error) => {
      // It stays busy: what the system says of these files afterwards cannot be trusted.
      if (isHeard()) failed(error);
    });
  }

  #end(): void {
    this.#phase = "idle";
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }

  #copy(): void {
    this.#parts.database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get();
  }

  /** SQLite waits for the disk itself, before and after it copies. */
  #copyInPlace(): void {
    const { database } = this.#parts;
    database.prepare("PRAGMA synchronous = FULL").get();
    this.#copy();
    database.prepare("PRAGMA synchronous = OFF").get();
  }
}
