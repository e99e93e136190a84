/**
 * How long this server's entries were in no other store: from the turn that took them in until the first other server
 * said HAVE. For the metrics only. Pure: the times come in.
 */

/** Entries of turns that no other server is known to have. */
interface Turn {
  /** The newest of them. */
  readonly last: number;
  readonly count: number;
  /** When the turn began, on the monotonic clock. */
  readonly beganMs: number;
}

/**
 * Turns that are remembered one by one. A peer that is this far behind is slow anyhow: of the turns after them only the
 * earliest time is kept.
 */
const MAX_TURNS = 4_096;

/** Those of one server. */
export class ReplicatedTimes {
  readonly #add: (spanMs: number, times: number) => void;
  #turns: Turn[] = [];

  /** `add` takes how long so many entries took. */
  constructor(add: (spanMs: number, times: number) => void) {
    this.#add = add;
  }

  /** A turn that began then has taken in `count` entries of this server, up to `last`. */
  committed(last: number, count: number, beganMs: number): void {
    const full = this.#turns.length < MAX_TURNS ? undefined : this.#turns.pop();
    this.#turns.push(
      full === undefined ? { last, count, beganMs } : { last, count: full.count + count, beganMs: full.beganMs },
    );
  }

  /** Another server has this server's entries up to `sequence`. */
  has(sequence: number, nowMs: number): void {
    const known = this.#turns.findIndex(({ last }) => last > sequence);
    if (known === 0) return;
    const replicated = this.#turns.splice(0, known < 0 ? Infinity : known);
    for (const { count, beganMs } of replicated) this.#add(nowMs - beganMs, count);
  }

  /** The numbers say nothing any more: this server has another name. */
  renamed(): void {
    this.#turns = [];
  }
}
