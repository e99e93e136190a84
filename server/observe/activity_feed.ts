/**
 * The passing activities, for people who look at the network: the newest ones since the last look, read from the end of
 * the log, and the number of the others. Messages to one user are not shown.
 */

import { linesOf, type Position, type Segment } from "../../log/segment.ts";
import { type ActivityView, MAX_ACTIVITIES } from "../../view/network_view.ts";
import { activityView } from "./activity_view.ts";

/** The log, as it is looked at. */
export interface FedLog {
  /** The newest segment's position. */
  readonly head: Position;
  /** As `Store.segmentsAfter`. */
  segmentsAfter(position: Position, maxBytes: number): readonly Segment[];
  /**
   * Entries that came into the log since the server started. A vector would count more, if some entries were forgotten
   * elsewhere before they came.
   */
  readonly taken: number;
}

/** The activities since the last look. */
export interface Passed {
  /** Oldest first. */
  readonly activities: readonly ActivityView[];
  /** Activities that passed and are not among them. */
  readonly skipped: number;
}

/** Turns that are looked at once: in each there may be more than is shown. */
const MAX_SEGMENTS = 200;
const READ_AT_ONCE = 65_536;
const NEWLINE = 0x0a;

/** Looks again and again. */
export class ActivityFeed {
  readonly #log: FedLog;
  #position: Position;
  #taken: number | undefined;

  /** Begins with the newest activities of the log. */
  constructor(log: FedLog) {
    this.#log = log;
    this.#position = Math.max(0, log.head - MAX_SEGMENTS);
  }

  /** The new activities since the last look. At the first look, the earlier ones. */
  look(): Passed {
    const { head, taken } = this.#log;
    const before = this.#taken;
    this.#taken = taken;
    const passed: Segment[] = [];
    let position = Math.max(this.#position, head - MAX_SEGMENTS);
    this.#position = head;
    while (position < head) {
      const segments = this.#log.segmentsAfter(position, READ_AT_ONCE);
      if (segments.length === 0) break;
      passed.push(...segments);
      position = segments.at(-1)!.position;
    }
    const forEveryone = passed.filter(({ audience }) => audience.kind === "everyone");
    const activities = newestOf(forEveryone);
    if (before === undefined) return { activities, skipped: 0 };
    // Unread entries, because there were too many. Nearly all of them are activities.
    const unread = Math.max(0, taken - before - countOf(passed));
    return { activities, skipped: countOf(forEveryone) - activities.length + unread };
  }
}

/**
 * The newest activities of these segments, oldest first. Reads only their lines: in a busy second there are thousands
 * before them.
 */
function newestOf(segments: readonly Segment[]): ActivityView[] {
  const newest: string[] = [];
  for (let index = segments.length - 1; index >= 0 && newest.length < MAX_ACTIVITIES; index--) {
    newest.unshift(...lastLines(segments[index]!.bytes, MAX_ACTIVITIES - newest.length));
  }
  return newest.flatMap((line) => activityView(line) ?? []);
}

/** The last lines of `bytes`, at most `count`, without their ends. */
function lastLines(bytes: Uint8Array, count: number): string[] {
  let begin = bytes.length;
  for (let lines = 0; lines < count && begin > 1; lines++) begin = bytes.lastIndexOf(NEWLINE, begin - 2) + 1;
  return linesOf(bytes.subarray(begin));
}

function countOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}
