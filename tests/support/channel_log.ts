/** Makes turns of a log with channels as a server would, and reads the log as clients do. */

import { type Cursor, cursorAt, readSegment } from "../../log/cursor.ts";
import type { LogPortion, Wanted } from "../../log/portion.ts";
import { type EntryAudience, EVERYONE, type Segment } from "../../log/segment.ts";
import { SegmentBuilder } from "../../log/segment_builder.ts";
import { PatternSet } from "../../protocol/channels/pattern_set.ts";

/** An entry: an activity of a channel, or of none; or for a user or servers. */
export interface ChannelEntry {
  readonly origin?: string;
  readonly channel?: string;
  readonly audience?: EntryAudience;
  /** What its line has behind its id. */
  readonly text?: string;
  /** Its line with the end, if it is another one. */
  readonly line?: string;
}

/** A log that is written turn by turn. */
export class ChannelLog {
  readonly #builder = new SegmentBuilder({});
  #head = 0;

  /** The segments of the next turn. Each line is `ORIGIN:SEQUENCE CHANNEL` and the text. */
  turn(entries: readonly ChannelEntry[], takenAt = 1_000): Segment[] {
    for (const { origin = "a", channel, audience = EVERYONE, text = "", line } of entries) {
      const sequence = this.#builder.lastOf(origin) + 1;
      const entryAudience = channel === undefined ? audience : { kind: "channel" as const, name: channel };
      const written = line ?? `${origin}:${sequence} ${channel ?? ""}${text}\n`;
      this.#builder.add(origin, sequence, entryAudience, written);
    }
    const segments = this.#builder.take(this.#head, takenAt);
    this.#head = segments.at(-1)?.position ?? this.#head;
    return segments;
  }
}

/** A reader of these patterns, who gets the messages of this user. */
export function reading(patterns: readonly string[], username?: string): Wanted {
  return { filter: new PatternSet(patterns), username };
}

/** Who reads portions. */
export type PortionReader = (position: number, maxBytes: number, wanted: Wanted) => LogPortion;

/** The lines that the reader gets of the whole log, a portion at a time. */
export function linesFor(read: PortionReader, wanted: Wanted, maxBytes = Infinity): string[] {
  const cursor: Cursor = cursorAt(0, wanted.username, {}, wanted.filter);
  let text = "";
  for (;;) {
    const { segments, upTo } = read(cursor.position, maxBytes, cursor);
    if (upTo === cursor.position) return text.split("\n").slice(0, -1);
    for (const segment of segments) text += new TextDecoder().decode(readSegment(cursor, segment));
    cursor.position = upTo;
  }
}
