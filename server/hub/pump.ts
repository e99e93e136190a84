/**
 * The pump: how every reader of a log is served. It reads until the outlet is full, the log is at its end, or the
 * reader's share of the turn is used up. Nothing is queued for a reader, so memory does not depend on how slow it is.
 * What one read is, and where it writes to, is handed in.
 */

import type { Clock, Timer } from "../../platform/clock.ts";

/** What one read came to: there may be `"more"`, the log is at its `"end"`, or the outlet takes no more (`"full"`). */
export type ReadOutcome = "more" | "end" | "full";
/** Why a pump stopped: as one read says, or `"paused"`, as the share of the turn is used up. */
export type PumpOutcome = "end" | "full" | "paused";

/** What one reader may use of one turn of the event loop. */
export interface Share {
  readonly reads: number;
  /** After how long there is no further read: of small segments each costs more than its bytes. */
  readonly ms: number;
}

/** Small enough that many clients who are behind share the turn. */
export const CLIENT_SHARE: Share = { reads: 4, ms: 8 };
/** Other servers are few, and their copies are what outlives this server. */
export const PEER_SHARE: Share = { reads: 4, ms: Infinity };
/** Only a full link stops it. */
export const WHOLE_LOG: Share = { reads: Infinity, ms: Infinity };

/** Serves `reader` once. The first read is always made. Who gets `"paused"` goes on in a later turn. */
export function pump<R>(
  clock: Pick<Clock, "nowMs">,
  share: Share,
  reader: R,
  readOnce: (reader: R) => ReadOutcome,
): PumpOutcome {
  const untilMs = clock.nowMs() + share.ms;
  for (let reads = 0; reads < share.reads && (reads === 0 || clock.nowMs() < untilMs); reads++) {
    const outcome = readOnce(reader);
    if (outcome !== "more") return outcome;
  }
  return "paused";
}

/**
 * Calls `goOn` when everybody else was served. By a timer, as the end of a turn would follow at once: a long catch-up
 * must let the others be read in between.
 */
export function afterPause(clock: Pick<Clock, "after">, goOn: () => void): Timer {
  return clock.after(0, goOn);
}

/** What a pump of its own is made with. */
export interface PumpParts {
  readonly clock: Pick<Clock, "nowMs" | "after">;
  readonly share: Share;
  readOnce(): ReadOutcome;
  /** Runs what goes on after a pause, and contains its faults. The clock's guard has them otherwise. */
  guarded?(goOn: () => void): void;
}

/** The pump of one reader, which goes on by itself after each pause, and is not disturbed in it. */
export class Pump {
  readonly #parts: PumpParts;
  #pause: Timer | undefined;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  /** Serves the reader, unless a pause is to end first. */
  run(): void {
    if (this.#pause !== undefined) return;
    const { clock, share } = this.#parts;
    if (pump(clock, share, this.#parts, readOnceOf) === "paused") this.#pause = afterPause(clock, () => this.#goOn());
  }

  /** Ends it in its pause: the reader is gone. */
  stop(): void {
    this.#pause?.cancel();
  }

  #goOn(): void {
    this.#pause = undefined;
    if (this.#parts.guarded === undefined) this.run();
    else this.#parts.guarded(() => this.run());
  }
}

function readOnceOf(parts: PumpParts): ReadOutcome {
  return parts.readOnce();
}
