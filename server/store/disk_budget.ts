/**
 * Watches the size of the data folder, and says whether there is space for more. Looks regularly, and at once if enough
 * was written since the last look to reach a limit. `budget.ts` decides what a number means.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock, Timer } from "../../platform/clock.ts";
import { isOutOfFiles } from "../../platform/files/open_files.ts";
import { defaultMaxBytes, type DiskLimits, type DiskUse, type Space, spaceOf, usedBytes } from "./budget.ts";

/** The parts that it is made with. */
export interface DiskBudgetParts {
  readonly clock: Clock;
  /** As configured: a `maxBytes` of 0 leaves it to the disk. */
  readonly limits: DiskLimits;
  /** The most that the folder may take, as decided at its first start; `undefined` at the first start. */
  readonly keptMaxBytes: number | undefined;
  /** Keeps it for all starts after this one. */
  keep(maxBytes: number): void;
  /** Looks at the disk; `undefined` without a disk. @throws {StoreError} */
  use(): DiskUse | undefined;
  /** Entries of other servers are taken again. */
  reserveIsBack(): void;
  /** The disk cannot be looked at: the server cannot go on. */
  failed(error: unknown): void;
}

/** How it stands with the disk. */
export interface DiskState {
  readonly use: DiskUse;
  readonly limits: DiskLimits;
  readonly space: Space;
}

/** The note in which the store keeps the folder's limit. */
export const MAX_BYTES_NOTE = "maxBytes";

/** The limit in `notes`. */
export function maxBytesNote(notes: Readonly<Record<string, string>>): number | undefined {
  const bytes = Number(notes[MAX_BYTES_NOTE]);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** Between two looks. */
const INTERVAL_MS = 1_000;
/** The most that a byte of the log takes on the disk until the next look: it is written ahead once, and indexed. */
const BYTES_PER_BYTE = 3;
const logger = getLogger(["thrum", "store"]);

/** One server's. */
export class DiskBudget {
  readonly #parts: DiskBudgetParts;
  #space: Space = "open";
  #use: DiskUse | undefined;
  #limits: DiskLimits;
  /** How much may be written before the next look is due. */
  #leftBytes = Infinity;
  #timer: Timer | undefined;

  constructor(parts: DiskBudgetParts) {
    this.#parts = parts;
    const { limits, keptMaxBytes = 0 } = parts;
    this.#limits = limits.maxBytes === 0 ? { ...limits, maxBytes: keptMaxBytes } : limits;
  }

  /** Whether what clients publish is taken. */
  get hasSpace(): boolean {
    return this.#space === "open";
  }

  /** Whether entries of other servers are taken. */
  get hasReserve(): boolean {
    return this.#space !== "exhausted";
  }

  /** The result of the last look; `undefined` without a disk. */
  get state(): DiskState | undefined {
    return this.#use && { use: this.#use, limits: this.#limits, space: this.#space };
  }

  begin(): void {
    this.#look();
    // Nothing is kept on a disk, so there is nothing to look at.
    if (this.#use !== undefined) this.#later();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** This many bytes were added to the log. */
  wrote(bytes: number): void {
    this.#leftBytes -= bytes * BYTES_PER_BYTE;
    if (this.#leftBytes < 0 && this.#timer !== undefined) this.#look();
  }

  #later(): void {
    this.#timer = this.#parts.clock.after(INTERVAL_MS, () => {
      this.#look();
      if (this.#timer !== undefined) this.#later();
    });
  }

  #look(): void {
    let use;
    try {
      use = this.#parts.use();
    } catch (error) {
      // Connections have all files that this process may open. Nothing is wrong with the disk, and the next look may
      // succeed.
      if (isOutOfFiles((error as Error).cause ?? error)) return;
      this.stop();
      return this.#parts.failed(error);
    }
    this.#use = use;
    if (use === undefined) return;
    if (this.#limits.maxBytes === 0) {
      this.#limits = { ...this.#limits, maxBytes: defaultMaxBytes(use) };
      this.#parts.keep(this.#limits.maxBytes);
    }
    const limits = this.#limits;
    const before = this.#space;
    this.#space = spaceOf(before, use, limits);
    const used = usedBytes(use);
    // If there is no space already, the next regular look is soon enough.
    this.#leftBytes = this.#space === "open"
      ? Math.min(limits.maxBytes - used, use.freeBytes - limits.minFreeBytes)
      : Infinity;
    if (this.#space !== before) this.#tell(used, use.freeBytes);
    if (this.hasReserve && before === "exhausted") this.#parts.reserveIsBack();
  }

  #tell(used: number, free: number): void {
    const { maxBytes, minFreeBytes } = this.#limits;
    const mib = (bytes: number) => `${Math.round(bytes / 1_048_576)} MiB`;
    const numbers = { used: mib(used), max: mib(maxBytes), free: mib(free), least: mib(minFreeBytes) };
    if (this.#space === "open") {
      return logger.info(
        "the data folder has space again: {used} of {max} are used, {free} of the disk are free",
        numbers,
      );
    }
    const what =
      "the data folder takes {used} of {max} (store.maxBytes), and {free} of the disk are free (store.minFreeBytes: {least})";
    if (this.#space === "full") {
      return logger.error(
        `no space: ${what}; the server refuses what clients publish until there is space`,
        numbers,
      );
    }
    logger.error(
      `no space at all: ${what}; it takes nothing from other servers either, and falls behind`,
      numbers,
    );
  }
}
