/**
 * How far the calendar of another server is ahead of this one's, from heartbeats: this server knows when it asked and
 * when the answer came, and the answer says what time it was there. As NTP does, the estimate takes the middle of the
 * round trip for that moment. So it is wrong by half of the round trip at most. Pure: the times come in.
 */

/** What is known of another server's calendar. */
export interface ClockOffsetEstimate {
  /** How far it is ahead of the calendar here, in milliseconds; below 0 if it is behind. */
  readonly offsetMs: number;
  /** The offset is within this of the estimate, in milliseconds. */
  readonly errorMs: number;
}

/** A heartbeat that is on its way. */
interface Asked {
  readonly sequence: number;
  readonly nowMs: number;
}

/**
 * Answers among which the fastest one counts, as in NTP's clock filter: a slow answer says little. A calendar that was
 * set is seen when this many have come after it.
 */
const ANSWERS = 8;
/** Both calendars are read in whole milliseconds, cut off. */
const READING_MS = 1;

/** The calendar of one other server. */
export class ClockOffset {
  #asked: Asked | undefined;
  #answers: readonly ClockOffsetEstimate[] = [];

  /** The best estimate; `undefined` before the first answer, and for a server that does not say its time. */
  get estimate(): ClockOffsetEstimate | undefined {
    const [first, ...others] = this.#answers;
    return others.reduce((best, next) => best === undefined || next.errorMs <= best.errorMs ? next : best, first);
  }

  /** A heartbeat goes out at this moment of the monotonic clock. Only the newest one counts. */
  asked(sequence: number, nowMs: number): void {
    this.#asked = { sequence, nowMs };
  }

  /**
   * The answer to a heartbeat came, and was given at `theirMs` by the other server's calendar. Here it is `nowMs` by
   * the monotonic clock and `wallMs` by the calendar.
   */
  answered(sequence: number, theirMs: number | undefined, nowMs: number, wallMs: number): void {
    const asked = this.#asked;
    if (asked?.sequence !== sequence) return;
    this.#asked = undefined;
    if (theirMs === undefined) return;
    // The calendar here may have been set in between, so the round trip goes by the clock that runs.
    const halfMs = Math.max(0, nowMs - asked.nowMs) / 2;
    const answer = { offsetMs: theirMs - (wallMs - halfMs), errorMs: halfMs + READING_MS };
    this.#answers = [...this.#answers, answer].slice(-ANSWERS);
  }
}
