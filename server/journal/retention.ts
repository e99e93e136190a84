/**
 * The clock by which this server's log forgets. It reads the machine's clocks, and keeps its time in the store.
 * `log/retention_clock.ts` decides the time.
 */

import { formatRetentionNote, parseRetentionNote, RetentionClock } from "../../log/retention_clock.ts";
import type { Segment } from "../../log/segment.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Store } from "../store/store.ts";

/** The key of its note in the store. Never change it. */
const KEY = "retention";
/** A crash loses no more of its time than this. */
const NOTE_INTERVAL_MS = 600_000;

/** The clock of one log. */
export class Retention {
  readonly #clock: Clock;
  readonly #time: RetentionClock;
  readonly #save: (key: string, value: string) => void;
  #notedAtMs = -Infinity;

  /** Goes on from the store's note. `save` writes a note. */
  constructor(store: Store, clock: Clock, save: (key: string, value: string) => void) {
    this.#clock = clock;
    this.#save = save;
    const note = parseRetentionNote(store.opened.notes[KEY]);
    const newestMs = note === undefined ? newestIn(store) : undefined;
    this.#time = new RetentionClock(note, newestMs, clock.nowMs(), clock.wallMs());
  }

  /** Its time at a moment of the monotonic clock. */
  at(nowMs: number): number {
    return this.#time.at(nowMs);
  }

  /** For how long this server has had a segment, in milliseconds. */
  ageOf({ takenAt }: Segment): number {
    return Math.max(0, this.at(this.#clock.nowMs()) - takenAt);
  }

  /** Its time now. Call this about every second. */
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
