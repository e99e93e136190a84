/**
 * Who was refused, and how often: so that a caller who is refused again and again costs the log one line a minute. The
 * caller gives the time, on any clock that does not go back. The memory for strangers has a bound: beyond it, further
 * callers count as one. Pure.
 */

/** A caller who was refused again, after that was told last. */
export interface RefusedAgain {
  /** The caller; `undefined` stands for all for whom there was no room. */
  readonly caller: string | undefined;
  /** How often since then. */
  readonly count: number;
  /** Why, the last time. */
  readonly why: string;
}

/** How often the same caller is told of, at most. */
export const TELL_INTERVAL_MS = 60_000;
/** Callers that are counted each for itself. */
const MAX_CALLERS = 1_000;
/** The key of all others: no address is empty. */
const OTHERS = "";

interface Refused {
  readonly toldAt: number;
  count: number;
  why: string;
}

/** Counts refusals by caller. */
export class RefusedCallers {
  /** Told longest ago first. */
  readonly #callers = new Map<string, Refused>();
  readonly #maxCallers: number;

  constructor(maxCallers = MAX_CALLERS) {
    this.#maxCallers = maxCallers;
  }

  /** Callers that are remembered. */
  get size(): number {
    return this.#callers.size;
  }

  /** Whether the log has had a line of this caller within the last minute, so that it gets no other for now. */
  isQuiet(caller: string): boolean {
    return this.#callers.has(this.#keyOf(caller));
  }

  /** It was refused. Gives whether that is to be told now. */
  refused(caller: string, why: string, nowMs: number): boolean {
    const key = this.#keyOf(caller);
    const known = this.#callers.get(key);
    if (known === undefined) {
      this.#callers.set(key, { toldAt: nowMs, count: 0, why });
      return true;
    }
    known.count++;
    known.why = why;
    return false;
  }

  /** When `due` is to be called; `undefined` for not before somebody was refused. */
  get dueAt(): number | undefined {
    const oldest = this.#callers.values().next().value;
    return oldest === undefined ? undefined : oldest.toldAt + TELL_INTERVAL_MS;
  }

  /** Those of whom something is to be told now. Who was not refused for a minute is forgotten. */
  due(nowMs: number): RefusedAgain[] {
    const due: RefusedAgain[] = [];
    for (const [key, { toldAt, count, why }] of this.#callers) {
      if (nowMs - toldAt < TELL_INTERVAL_MS) break;
      this.#callers.delete(key);
      if (count === 0) continue;
      due.push({ caller: key === OTHERS ? undefined : key, count, why });
      this.#callers.set(key, { toldAt: nowMs, count: 0, why });
    }
    return due;
  }

  #keyOf(caller: string): string {
    return this.#callers.has(caller) || this.#callers.size < this.#maxCallers ? caller : OTHERS;
  }
}
