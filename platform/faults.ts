/**
 * Faults of the program itself: exceptions in a handler that somebody else calls, such as a socket, a timer, a stream,
 * or the end of a turn. Such a fault ends the connection that it belongs to. Only the place that catches it knows the
 * connection. This file counts the fault and tells it. Without a guard it is thrown on, as tests want it.
 */

import { getConfig, getLogger } from "@logtape/logtape";

/** Where a fault can be caught: a label of a metric, and append only. `"process"` is what nobody else has caught. */
export const FAULT_PLACES = [
  "tcp",
  "websocket",
  "http",
  "events",
  "grpc",
  "session",
  "peers",
  "turn",
  "delivery",
  "heartbeat",
  "timer",
  "process",
] as const;
/** One of them. */
export type FaultPlace = typeof FAULT_PLACES[number];

/** Faults by where they were caught. */
export type FaultCounts = Readonly<Record<FaultPlace, number>>;

/** Whoever is told of faults. */
export interface FaultGuard {
  /** `error` was thrown at `where`. Whoever calls it ends what the fault belongs to, and goes on. */
  caught(where: FaultPlace, error: unknown): void;
  /** As `caught`, of one that is answered already: for whoever counts. */
  noted(where: FaultPlace, error: unknown): void;
  /** How many there were since the start. */
  readonly counts: FaultCounts;
}

/** Nobody guards: what was thrown is thrown on. */
export const UNGUARDED: FaultGuard = {
  caught(_where, error) {
    throw error;
  },
  noted() {},
  counts: noFaults(),
};

/**
 * Faults that were told of and are remembered, so that each is told once. Bounded, as an error can have
 * words of strangers in it.
 */
const MAX_TOLD = 100;
const logger = getLogger(["thrum", "fault"]);

/** The faults of one server. */
export class Faults implements FaultGuard {
  /**
   * What is no fault of a connection but the end of the server: gets every error first, and says
   * whether it has taken it.
   */
  takesOver: (error: unknown) => boolean = () => false;
  readonly #counts = noFaults();
  readonly #told = new Set<string>();

  get counts(): FaultCounts {
    return this.#counts;
  }

  /** Counts it, and tells of it with its stack unless the same was told before. */
  caught(where: FaultPlace, error: unknown): void {
    if (this.takesOver(error)) return;
    this.#counts[where]++;
    const { isNew, stack } = this.#note(where, error);
    if (isNew) {
      logger.error("a fault in this program ended one connection or task ({where}); the server goes on: {stack}", {
        where,
        stack,
      });
      // In somebody's program that keeps no log it must not be lost.
      if (getConfig() === null) console.error(`A fault in thrum (${where}); the server goes on: ${stack}`);
    } else logger.debug("the same fault again ({where}): {error}", { where, error: String(error) });
  }

  noted(where: FaultPlace, error: unknown): void {
    this.caught(where, error);
  }

  #note(where: FaultPlace, error: unknown): { readonly isNew: boolean; readonly stack: string } {
    const stack = error instanceof Error ? error.stack ?? error.message : String(error);
    const key = faultKey(where, stack);
    if (this.#told.has(key)) return { isNew: false, stack };
    this.#told.add(key);
    if (this.#told.size > MAX_TOLD) this.#told.delete(this.#told.values().next().value!);
    return { isNew: true, stack };
  }
}

function noFaults(): Record<FaultPlace, number> {
  return Object.fromEntries(FAULT_PLACES.map((place) => [place, 0])) as Record<FaultPlace, number>;
}

/** What makes two faults the same: where they were thrown. What they say may differ each time. */
export function faultKey(where: FaultPlace, stack: string): string {
  const lines = stack.split("\n");
  const calls = lines.filter((line) => line.startsWith("    at "));
  return [where, ...(calls.length === 0 ? lines.slice(0, 1) : calls.slice(0, 6))].join("\n");
}

/** Runs `act`; what it throws is told to `faults`, and `contain` ends what the fault belongs to. */
export function guarded(faults: FaultGuard, where: FaultPlace, act: () => void, contain: () => void): void {
  try {
    act();
  } catch (error) {
    faults.caught(where, error);
    contain();
  }
}
