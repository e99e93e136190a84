/**
 * The activities that pass, for whoever looks at the network: the newest ones since the last look, read from the end of the log, and how many passed beside them. What was
 * said to one user is not for others to see.
 */

import type { Position, Segment } from "../log/segment.ts";
import type { Vector } from "../log/vector.ts";
import { ANONYMOUS } from "../protocol/names.ts";
import { type ActivityView, MAX_ACTIVITIES, MAX_ACTIVITY_LENGTH } from "../view/network_view.ts";

/** The log, as it is looked at. */
export interface PassingLog {
  readonly head: Position;
  readonly vector: Vector;
  segmentsAfter(position: Position, maxBytes: number): readonly Segment[];
}

/** What passed since the last look. */
export interface Passed {
  /** Oldest first. */
  readonly activities: readonly ActivityView[];
  /** Activities that passed and are not among them. */
  readonly skipped: number;
}

/** Turns that are looked at once: in each there may be more than is shown. */
const MAX_SEGMENTS = 200;
/** Read of one segment, from its end. */
const READ_BYTES = 131_072;
const READ_AT_ONCE = 65_536;
const decoder = new TextDecoder();

/** Looks again and again. */
export class PassingActivities {
  readonly #log: PassingLog;
  #position: Position;
  #entries: number | undefined;

  /** Begins with what passed last. */
  constructor(log: PassingLog) {
    this.#log = log;
    this.#position = Math.max(0, log.head - MAX_SEGMENTS);
  }

  /** What is new since the last look; at the first one, what passed before. */
  look(): Passed {
    const { head, vector } = this.#log;
    const before = this.#entries;
    this.#entries = entriesOf(vector);
    const found: ActivityView[] = [];
    let read = 0;
    let published = 0;
    let position = Math.max(this.#position, head - MAX_SEGMENTS);
    this.#position = head;
    while (position < head) {
      const segments = this.#log.segmentsAfter(position, READ_AT_ONCE);
      if (segments.length === 0) break;
      for (const { audience, first, last, bytes } of segments) {
        read += last - first + 1;
        if (audience.kind !== "everyone") continue;
        published += last - first + 1;
        found.push(...newestOf(bytes));
      }
      position = segments.at(-1)!.position;
    }
    const activities = found.slice(-MAX_ACTIVITIES);
    if (before === undefined) return { activities, skipped: 0 };
    // What was not read, as it was too much: nearly all of that are activities.
    const unread = Math.max(0, this.#entries - before - read);
    return { activities, skipped: published - activities.length + unread };
  }
}

function newestOf(bytes: Uint8Array): ActivityView[] {
  const isCut = bytes.length > READ_BYTES;
  const lines = decoder.decode(isCut ? bytes.subarray(-READ_BYTES) : bytes).split("\n");
  // The last one is empty, and the first is not whole where it was cut.
  return lines.slice(isCut ? 1 : 0, -1).slice(-MAX_ACTIVITIES).map(viewOf);
}

function viewOf(line: string): ActivityView {
  const { activity: { authenticated_user: user, ...activity }, id, lamport, sentAt } = JSON.parse(line);
  const text = JSON.stringify(activity);
  const facts = { id, user: typeof user === "string" ? user : ANONYMOUS, at: sentAt, lamport };
  if (text.length <= MAX_ACTIVITY_LENGTH) return { ...facts, activity };
  return { ...facts, activity: text.slice(0, MAX_ACTIVITY_LENGTH), cut: true };
}

function entriesOf(vector: Vector): number {
  return Object.values(vector).reduce((sum, last) => sum + last, 0);
}
