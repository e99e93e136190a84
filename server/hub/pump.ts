/**
 * The pump serves every reader of a log. It reads until the outlet is full, the log is at its end, or the reader's
 * share of the turn is used up. No reader has a queue, so memory does not depend on how slow it is. The caller hands in
 * the function that reads once and writes.
 */

import type { Clock, Timer } from "../../platform/clock.ts";

/** The result of one read: there may be `"more"`, the log is at its `"end"`, or the outlet is `"full"`. */
export type ReadOutcome = "more" | "end" | "full";
/** Why a pump stopped: the result of its last read, or `"paused"` when the share of the turn is used up. */
export type PumpOutcome = "end" | "full" | "paused";

/** The part of one turn of the event loop that one reader may use. */
export interface Share {
  readonly reads: number;
  /** No read begins after this time. Small segments cost more than their bytes. */
  readonly ms: number;
}

/** Small enough that many clients behind the log share the turn. */
export const CLIENT_SHARE: Share = { reads: 4, ms: 8 };
/** Other servers are few, and their copies outlive this server. */
export const PEER_SHARE: Share = { reads: 4, ms: Infinity };
/** Only a full link stops it. */
export const WHOLE_LOG: Share = { reads: Infinity, ms: Infinity };

/** Serves `reader` once. The first read is always made. After `"paused"` the caller goes on in a later turn. */
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
 * Calls `goOn` when all others were served. It uses a timer, as the end of the turn would follow at once. A long
 * catch-up must let other sockets be read in between.
 */
export function afterPause(clock: Pick<Clock, "after">, goOn: () => void): Timer {
  return clock.after(0, goOn);
}

/** What a pump of its own is made with. */
export interface PumpParts {
  readonly clock: Pick<Clock, "nowMs" | "after">;
  readonly share: Share;
  readOnce(): ReadOutcome;
  /** Runs the rest after a pause, and contains its faults. Otherwise the clock's guard takes them. */
  guarded?(goOn: () => void): void;
}

/** The pump of one reader. It goes on by itself after each pause, and nothing disturbs a pause. */
export class Pump {
  readonly #parts: PumpParts;
  #pause: Timer | undefined;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  /** Serves the reader, unless it is in a pause. */
  run(): void {
    if (this.#pause !== undefined) return;
    const { clock, share } = this.#parts;
    if (pump(clock, share, this.#parts, readOnceOf) === "paused") this.#pause = afterPause(clock, () => this.#goOn());
  }

  /** Ends the pause for good: the reader is gone. */
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
