/**
 * The clock by which a log forgets. It is the log's own, kept with it, and no calendar: it counts the time in which the server ran, so that one that is wrong,
 * for a second or for good, makes nothing older than it is. Of the time in which the server did not run a calendar alone can tell; that is believed
 * little by little. So nothing goes before it was there for four fifths of its time, whatever any calendar says. Pure: what the clocks say comes in.
 */

/** What is kept of it with the log. */
export interface RetentionNote {
  /** Its time. */
  readonly atMs: number;
  /** What the calendar said then, in milliseconds since 1970. */
  readonly wallMs: number;
  /** Time in which the server did not run, by the calendar, and that was not counted yet. */
  readonly owedMs: number;
}

/** Of the time that passes, so much is counted besides of what is owed. */
const OWED_SHARE = 1 / 4;
/** No more is owed: what a calendar tells of years may be the year. */
const MAX_OWED_MS = 90 * 86_400_000;
/** Counted at once, however long nobody looked. */
const MAX_STEP_MS = 3_600_000;
/** Calendars are put right by so much all the time. */
const SET_BACK_MS = 60_000;
/** No calendar that is right says less. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);

/** One log's. Its zero is such that it stood at the calendar's time when the log began. */
export class RetentionClock {
  #atMs: number;
  #owedMs: number;
  #lookedAtMs: number;
  #wallAheadMs: number;

  /**
   * Goes on from `note`. A log that has none was written by a program that dated what it took in by the calendar: `newestMs` is the last such date.
   * `nowMs` is monotonic.
   */
  constructor(note: RetentionNote | undefined, newestMs: number | undefined, nowMs: number, wallMs: number) {
    this.#atMs = note?.atMs ?? beginning(newestMs, wallMs);
    this.#owedMs = note === undefined ? 0 : owed(note.owedMs + Math.max(0, wallMs - note.wallMs));
    this.#lookedAtMs = nowMs;
    this.#wallAheadMs = wallMs - nowMs;
  }

  /** Its time, which never goes back. */
  at(nowMs: number): number {
    return Math.floor(this.#exactlyAt(nowMs));
  }

  /** To be called every second or so. */
  look(nowMs: number, wallMs: number): void {
    const before = this.#atMs;
    this.#atMs = this.#exactlyAt(nowMs);
    this.#lookedAtMs = nowMs;
    const wasAheadMs = this.#wallAheadMs;
    this.#wallAheadMs = wallMs - nowMs;
    // Whoever set the calendar back thinks that it was wrong before, and by it time was taken to have passed.
    if (this.#wallAheadMs < wasAheadMs - SET_BACK_MS) this.#owedMs = 0;
    const paidMs = Math.min(this.#owedMs, (this.#atMs - before) * OWED_SHARE);
    this.#owedMs -= paidMs;
    this.#atMs += paidMs;
  }

  /** What is to be kept of it. */
  note(wallMs: number): RetentionNote {
    return { atMs: Math.floor(this.#atMs), wallMs, owedMs: Math.floor(this.#owedMs) };
  }

  #exactlyAt(nowMs: number): number {
    return this.#atMs + Math.min(Math.max(0, nowMs - this.#lookedAtMs), MAX_STEP_MS);
  }
}

/** What was kept; `undefined` where that is no note. */
export function parseRetentionNote(text: string | undefined): RetentionNote | undefined {
  if (text === undefined) return undefined;
  const [atMs, wallMs, owedMs, ...rest] = text.split(" ").map(Number);
  if (rest.length > 0 || ![atMs, wallMs, owedMs].every(Number.isSafeInteger)) return undefined;
  return { atMs: atMs!, wallMs: wallMs!, owedMs: owed(owedMs!) };
}

/** `note` as it is kept. */
export function formatRetentionNote({ atMs, wallMs, owedMs }: RetentionNote): string {
  return `${atMs} ${wallMs} ${owedMs}`;
}

function owed(ms: number): number {
  return Math.min(MAX_OWED_MS, Math.max(0, ms));
}

/** Where a log without a note begins. Of two dates that may be wrong the earlier one, by which less is old; unless it is wrong for certain. */
function beginning(newestMs: number | undefined, wallMs: number): number {
  if (newestMs === undefined) return Math.max(0, wallMs);
  return wallMs < EARLIEST_MS ? newestMs : Math.min(newestMs, wallMs);
}
