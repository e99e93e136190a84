/**
 * Entries of other origins that have arrived and are not in the log yet. The entries of an origin enter the log in
 * order, each once. An entry also waits for an entry of another server that its sender published before it. Later
 * entries of its origin wait with it. The wait has a bound: if that other origin is gone, it ends after a while.
 *
 * Pure: the caller gives the time, takes the entries that may enter, and says with `lastOf` what the log has.
 */

/** An entry that arrived. */
export interface ArrivedEntry<T> {
  readonly sequence: number;
  /** The entry that must be in the log before it. */
  readonly after: { readonly origin: string; readonly sequence: number } | undefined;
  /** Its size in bytes, about. */
  readonly size: number;
  readonly value: T;
}

/** What the decision needs to know. */
export interface HoldBackFacts<T> {
  /** The newest sequence of `origin` in the log, or about to enter it. */
  lastOf(origin: string): number;
  /** Whether entries of `origin` can still be expected soon: there is a way to the server. */
  isReachable(origin: string): boolean;
  /** This one is next. `lastOf(origin)` is its sequence when the call returns. */
  letThrough(origin: string, entry: ArrivedEntry<T>): void;
}

/** The result of an arrival. `"ask again"`: entries before it are missing. This is said once, until they come. */
export type Arrival = "taken" | "ask again";

interface Held<T> {
  readonly entries: { readonly entry: ArrivedEntry<T>; readonly since: number }[];
  bytes: number;
}

/** The most that may wait of one origin. Entries beyond it are dropped and asked for again. */
const MAX_HELD_BYTES = 8_388_608;
/** An entry that refers to one which does not come although its origin is there names something that does not exist. */
const PATIENCE_MS = 30_000;

/** The entries that wait, of all origins. */
export class HoldBack<T> {
  readonly #holdBackMs: number;
  readonly #maxHeldBytes: number;
  readonly #held = new Map<string, Held<T>>();
  /** Origins with dropped entries. */
  readonly #cut = new Set<string>();
  /** Origins with dropped entries that have room again. */
  readonly #free = new Set<string>();
  /** For each gone origin that entries wait for: since when it is known to be gone. */
  readonly #goneSince = new Map<string, number>();
  /** Origins with missing entries that this server has asked for. */
  readonly #asked = new Set<string>();

  constructor(holdBackMs: number, maxHeldBytes: number = MAX_HELD_BYTES) {
    this.#holdBackMs = holdBackMs;
    this.#maxHeldBytes = maxHeldBytes;
  }

  /** Entries that wait. */
  get size(): number {
    let size = 0;
    for (const { entries } of this.#held.values()) size += entries.length;
    return size;
  }

  /** `entries` of `origin` came, in order; their sender took us to have everything up to `after`. */
  arrived(
    origin: string,
    after: number,
    entries: readonly ArrivedEntry<T>[],
    nowMs: number,
    facts: HoldBackFacts<T>,
  ): Arrival {
    const newest = this.#held.get(origin)?.entries.at(-1)?.entry.sequence ?? facts.lastOf(origin);
    // Not while the buffer is full: a dropped entry cannot enter before those that are held.
    if (this.#cut.has(origin)) return "taken";
    if (after > newest) {
      if (this.#asked.has(origin)) return "taken";
      this.#asked.add(origin);
      return "ask again";
    }
    this.#asked.delete(origin);
    for (const entry of entries) {
      if (entry.sequence <= newest) continue;
      const held = this.#held.get(origin);
      if (held === undefined && this.#mayEnter(entry, nowMs, nowMs, facts)) facts.letThrough(origin, entry);
      else if (!this.#hold(origin, entry, nowMs)) break;
    }
    if (this.#held.size > 0) this.release(nowMs, facts);
    return "taken";
  }

  /** A link is gone, so the entries that this server asked for may never come. */
  askAgain(): void {
    this.#asked.clear();
  }

  /** Lets all entries through that may enter now. */
  release(nowMs: number, facts: HoldBackFacts<T>): void {
    for (let goesOn = true; goesOn;) {
      goesOn = false;
      for (const [origin, held] of this.#held) {
        if (this.#enter(origin, held, nowMs, facts)) goesOn = true;
      }
    }
    for (const origin of this.#cut) {
      if (this.#held.has(origin)) continue;
      this.#cut.delete(origin);
      this.#free.add(origin);
    }
    if (this.#held.size === 0) this.#goneSince.clear();
  }

  /** Origins with dropped entries that have room again, to be asked for now. Each is given once. */
  takeFree(): string[] {
    const free = [...this.#free];
    this.#free.clear();
    return free;
  }

  /** Lets the entries of one origin through that may enter. True if there were any. */
  #enter(origin: string, held: Held<T>, nowMs: number, facts: HoldBackFacts<T>): boolean {
    let count = 0;
    for (const { entry, since } of held.entries) {
      if (!this.#mayEnter(entry, since, nowMs, facts)) break;
      count++;
      held.bytes -= entry.size;
      // It may have come another way meanwhile.
      if (entry.sequence > facts.lastOf(origin)) facts.letThrough(origin, entry);
    }
    held.entries.splice(0, count);
    if (held.entries.length === 0) this.#held.delete(origin);
    return count > 0;
  }

  #mayEnter({ after }: ArrivedEntry<T>, since: number, nowMs: number, facts: HoldBackFacts<T>): boolean {
    if (after === undefined || facts.lastOf(after.origin) >= after.sequence) return true;
    if (facts.isReachable(after.origin)) {
      this.#goneSince.delete(after.origin);
      return nowMs - since >= PATIENCE_MS;
    }
    // Counted from when the origin was gone: only then does this server ask others for its entries.
    const goneSince = this.#goneSince.get(after.origin) ?? nowMs;
    this.#goneSince.set(after.origin, goneSince);
    return nowMs - Math.max(since, goneSince) >= this.#holdBackMs;
  }

  #hold(origin: string, entry: ArrivedEntry<T>, nowMs: number): boolean {
    const held = this.#held.get(origin) ?? { entries: [], bytes: 0 };
    if (held.entries.length > 0 && held.bytes + entry.size > this.#maxHeldBytes) {
      this.#cut.add(origin);
      return false;
    }
    held.entries.push({ entry, since: nowMs });
    held.bytes += entry.size;
    this.#held.set(origin, held);
    return true;
  }
}
