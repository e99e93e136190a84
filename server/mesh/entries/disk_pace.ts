/**
 * Keeps servers that send their entries at the pace of this server's disk. While too much waits for the disk, their
 * links are not read, and what they send waits at their end. That must not last: their heartbeats wait behind it. So a
 * link is read again after a while, and until the disk has caught up its entries are left out and asked for later.
 */

import type { Clock, Timer } from "../../../platform/clock.ts";

/** A link that is read or not. */
export interface PacedLink {
  pause(): void;
  resume(): void;
}

/** What it is made with. */
export interface DiskPaceParts {
  readonly clock: Pick<Clock, "after" | "nowMs">;
  /** How long a link may be left unread: far less than its server waits for the answer to a heartbeat. */
  readonly patienceMs: number;
  /** Whether the disk takes more. */
  hasRoom(): boolean;
  /** The disk has caught up. What was left out can be asked for. */
  caughtUp(): void;
}

/** The time between two looks at the disk. */
const LOOK_MS = 10;

/** The pace of one server. */
export class DiskPace {
  readonly #parts: DiskPaceParts;
  readonly #unread = new Set<PacedLink>();
  #sinceMs = 0;
  #timer: Timer | undefined;

  constructor(parts: DiskPaceParts) {
    this.#parts = parts;
  }

  /** Entries came over `link`. Whether they are to be taken; else to be asked for when the disk has caught up. */
  takes(link: PacedLink): boolean {
    const { clock, patienceMs } = this.#parts;
    if (this.#timer === undefined) {
      if (this.#parts.hasRoom()) return true;
      this.#sinceMs = clock.nowMs();
      this.#look();
    }
    if (clock.nowMs() - this.#sinceMs >= patienceMs) return false;
    // One that was read just now. What it still gives is the rest of a chunk.
    if (!this.#unread.has(link)) link.pause();
    this.#unread.add(link);
    return true;
  }

  /** `link` is gone. */
  forget(link: PacedLink): void {
    this.#unread.delete(link);
  }

  /** Nothing is looked at any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#readAll();
  }

  #look(): void {
    const { clock, patienceMs } = this.#parts;
    this.#timer = clock.after(LOOK_MS, () => {
      this.#timer = undefined;
      const hasRoom = this.#parts.hasRoom();
      if (!hasRoom) this.#look();
      if (hasRoom || clock.nowMs() - this.#sinceMs >= patienceMs) this.#readAll();
      if (hasRoom) this.#parts.caughtUp();
    });
  }

  #readAll(): void {
    const links = [...this.#unread];
    this.#unread.clear();
    for (const link of links) link.resume();
  }
}
