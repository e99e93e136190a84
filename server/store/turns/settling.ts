/**
 * When turns go from the log into the database: now and then, a little at a time, so that a commit and the event loop
 * notice little of it.
 */

import type { Timer } from "../../../platform/clock.ts";
import type { Background, Checkpoints } from "./checkpoints.ts";

/** A turn is in the database after this time at the latest, if the disk does its part. */
const SETTLE_MS = 200;
/** The time between two portions of turns, and how many turns a portion has: a millisecond of work. */
const SETTLE_MORE_MS = 5;
const SETTLED_AT_ONCE = 64;
/** So much waits in memory for the database. Beyond that a commit waits for the disk in place. */
const MAX_UNSETTLED_BYTES = 67_108_864;

/** What settling is made with. */
export interface SettlingParts {
  /** Without it, a commit settles when there are enough turns. */
  readonly background: Background | undefined;
  readonly checkpoints: Pick<Checkpoints, "isBusy" | "finish" | "look">;
  readonly tables: {
    readonly unsettled: { readonly size: number; readonly bytes: number };
    settle(count: number): void;
  };
  /** Whether the store can write nothing any more. */
  hasFailed(): boolean;
  /** The log has all of it. Whoever writes next, or looks at the files, is told. */
  failed(error: unknown): void;
}

/** One store's. */
export class Settling {
  readonly #parts: SettlingParts;
  #timer: Timer | undefined;

  constructor(parts: SettlingParts) {
    this.#parts = parts;
  }

  /** There are new turns. */
  soon(): void {
    const { background, tables: { unsettled } } = this.#parts;
    this.#guarded(() => {
      if (background === undefined) {
        if (unsettled.size >= SETTLED_AT_ONCE) this.#settle(Infinity);
        return;
      }
      if (unsettled.bytes > MAX_UNSETTLED_BYTES) this.#settle(SETTLED_AT_ONCE);
      this.#later(SETTLE_MS);
    });
  }

  /** Nothing settles by itself any more. */
  stop(): void {
    this.#timer?.cancel();
  }

  #later(delayMs: number): void {
    const { background, checkpoints, tables, hasFailed } = this.#parts;
    this.#timer ??= background?.clock.after(delayMs, () => {
      this.#timer = undefined;
      if (hasFailed()) return;
      this.#guarded(() => {
        if (!checkpoints.isBusy) this.#settle(SETTLED_AT_ONCE);
        if (tables.unsettled.size > 0) this.#later(SETTLE_MORE_MS);
      });
    });
  }

  #settle(count: number): void {
    const { checkpoints, tables } = this.#parts;
    checkpoints.finish();
    tables.settle(count);
    checkpoints.look();
  }

  #guarded(settle: () => void): void {
    try {
      settle();
    } catch (error) {
      this.#parts.failed(error);
    }
  }
}
