/**
 * The clock by which a log forgets. It belongs to the log, is kept with it, and is no calendar. It counts the time in
 * which the server ran, so that a wrong calendar makes nothing older than it is. Only a calendar knows how long the
 * server did not run, and the clock believes the calendar little by little. So everything stays for at least four
 * fifths of its time. Pure: the caller reads the clocks.
 */

/** The clock's note, which is kept with the log. */
export interface RetentionNote {
  /** Its time. */
  readonly atMs: number;
  /** The calendar's time at this note, in milliseconds since 1970. */
  readonly wallMs: number;
  /** Time in which the server did not run, by the calendar, and that was not counted yet. */
  readonly owedMs: number;
}

/** The share of passing time that is added out of the owed time. */
const OWED_SHARE = 1 / 4;
/** The most that can be owed. A calendar that is off by years may have a wrong year. */
const MAX_OWED_MS = 90 * 86_400_000;
/** Counted at once, however long nobody looked. */
const MAX_STEP_MS = 3_600_000;
/** Small corrections of a calendar stay below this. */
const SET_BACK_MS = 60_000;
/** No calendar that is right says less. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);

/** The clock of one log. It began at the calendar's time when the log began. */
export class RetentionClock {
  #atMs: number;
  #owedMs: number;
  #lookedAtMs: number;
  #wallAheadMs: number;

  /**
   * Goes on from `note`. A log without one was written by a program that dated entries by the calendar; `newestMs` is
   * the last such date. `nowMs` is monotonic.
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
    // A calendar that is set back was wrong before. The owed time came from that wrong calendar.
    if (this.#wallAheadMs < wasAheadMs - SET_BACK_MS) this.#owedMs = 0;
    const paidMs = Math.min(this.#owedMs, (this.#atMs - before) * OWED_SHARE);
    this.#owedMs -= paidMs;
    this.#atMs += paidMs;
  }

  /** The note to keep. */
  note(wallMs: number): RetentionNote {
    return { atMs: Math.floor(this.#atMs), wallMs, owedMs: Math.floor(this.#owedMs) };
  }

  #exactlyAt(nowMs: number): number {
    return this.#atMs + Math.min(Math.max(0, nowMs - this.#lookedAtMs), MAX_STEP_MS);
  }
}

/** The note in `text`; `undefined` if there is none. */
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

/**
 * Where a log without a note begins: at the earlier of two dates that may be wrong, because fewer entries are old by
 * it. A calendar that is certainly wrong does not count.
 */
function beginning(newestMs: number | undefined, wallMs: number): number {
  if (newestMs === undefined) return Math.max(0, wallMs);
  return wallMs < EARLIEST_MS ? newestMs : Math.min(newestMs, wallMs);
}
