/**
 * The clock by which this server's log forgets, on its own clocks and in its own store. What it says is decided by
 * `log/retention_clock.ts`.
 */

import { formatRetentionNote, parseRetentionNote, RetentionClock } from "../../log/retention_clock.ts";
import type { Segment } from "../../log/segment.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Store } from "../store/store.ts";

/** Under this it is noted in the store. Append only. */
const KEY = "retention";
/** So much of its time is lost at most when the server crashes. */
const NOTE_INTERVAL_MS = 600_000;

/** One log's. */
export class Retention {
  readonly #clock: Clock;
  readonly #time: RetentionClock;
  readonly #save: (key: string, value: string) => void;
  #notedAtMs = -Infinity;

  /** Goes on from what the store has noted; `save` notes something there. */
  constructor(store: Store, clock: Clock, save: (key: string, value: string) => void) {
    this.#clock = clock;
    this.#save = save;
    const note = parseRetentionNote(store.opened.notes[KEY]);
    const newestMs = note === undefined ? newestIn(store) : undefined;
    this.#time = new RetentionClock(note, newestMs, clock.nowMs(), clock.wallMs());
  }

  /** What it says at a moment of the monotonic clock. */
  at(nowMs: number): number {
    return this.#time.at(nowMs);
  }

  /** For how long this server has had a segment, in milliseconds. */
  ageOf({ takenAt }: Segment): number {
    return Math.max(0, this.at(this.#clock.nowMs()) - takenAt);
  }

  /** What it says now. To be called every second or so. */
  look(): number {
    const nowMs = this.#clock.nowMs();
    this.#time.look(nowMs, this.#clock.wallMs());
    if (nowMs - this.#notedAtMs >= NOTE_INTERVAL_MS) this.note();
    return this.at(nowMs);
  }

  /** Notes it in the store, to go on from there after a restart. */
  note(): void {
    this.#notedAtMs = this.#clock.nowMs();
    this.#save(KEY, formatRetentionNote(this.#time.note(this.#clock.wallMs())));
  }
}

/** When the newest segment was taken in, as its row says. */
function newestIn(store: Store): number | undefined {
  const { head } = store.opened;
  return head === 0 ? undefined : store.segmentsAfter(head - 1, 0)[0]?.takenAt;
}
