/**
 * Cursors: the position of one reader in this server's log, and the entries ahead that the reader already has. Every
 * entry that a client gets from the log goes through `readSegment`: live, behind, or after an absence. What a peer
 * gets goes through `server/mesh/peer_feed.ts`, which has a cursor with origins. Pure.
 */

import { type Filter, NO_CHANNEL, PLAIN, wantedLines } from "./channel_lines.ts";
import { linesAfter, type Position, type Segment } from "./segment.ts";
import { sequenceOf, type Vector } from "./vector.ts";

/** Where a reader of the log stands, be it a client or a server. Its owner replaces `position` as it reads. */
export interface LogPosition {
  /** The last segment that was read. */
  position: Position;
}

/** One client's place. */
export interface Cursor extends LogPosition {
  /** The user whose direct messages are read; `undefined` reads none. */
  readonly username: string | undefined;
  /**
   * For each origin, the last entry that the reader has ahead of `position`. An origin goes when the log has passed
   * that entry. While the map is empty, whole segments can be sent.
   */
  ahead: Map<string, number>;
  /** The activities that are read. Its owner may replace it: what comes next is read with the new one. */
  filter: Filter;
}

const NOTHING = new Uint8Array(0);
/**
 * One for all readers that have nothing ahead: almost every one, and each keeps its map for as long as it reads.
 * Nothing is ever added to it.
 */
const NOTHING_AHEAD = new Map<string, number>();

/** A reader that begins after `position` and already has `vector`. */
export function cursorAt(
  position: Position,
  username: string | undefined,
  vector: Vector = {},
  filter: Filter = PLAIN,
): Cursor {
  return { position, username, ahead: unlessEmpty(new Map(Object.entries(vector))), filter };
}

/** Removes origins that need no skipping any more. The cursor stands where the log covers `passed`. */
export function dropPassed(cursor: Cursor, passed: Vector): void {
  for (const [origin, sequence] of cursor.ahead) {
    if (sequence <= sequenceOf(passed, origin)) cursor.ahead.delete(origin);
  }
  cursor.ahead = unlessEmpty(cursor.ahead);
}

/** Whether the reader has all of `vector` although the log has come to none of it. */
export function hasAhead({ ahead }: Cursor, vector: Vector): boolean {
  return Object.keys(vector).every((origin) => (ahead.get(origin) ?? 0) >= vector[origin]!);
}

/** Moves `at` over the next segment. Gives the lines after `has`, the last of its origin that the reader has. */
export function passSegment(at: LogPosition, segment: Segment, has = 0): Uint8Array {
  at.position = segment.position;
  return linesAfter(segment, has);
}

/**
 * Moves the cursor over the next segment. Gives the bytes that the reader needs: all of the segment's own, a part of
 * them, or none.
 */
export function readSegment(cursor: Cursor, segment: Segment): Uint8Array {
  const has = cursor.ahead.get(segment.origin);
  if (has !== undefined && has <= segment.last) {
    cursor.ahead.delete(segment.origin);
    cursor.ahead = unlessEmpty(cursor.ahead);
  }
  const { audience, bytes } = segment;
  const unread = passSegment(cursor, segment, has);
  switch (audience.kind) {
    case "everyone":
      return cursor.filter.wants(NO_CHANNEL) ? unread : NOTHING;
    case "channels":
      return wantedLines(segment, cursor.filter, bytes.length - unread.length);
    case "user":
      return audience.username === cursor.username ? unread : NOTHING;
    case "servers":
      return NOTHING;
  }
}

function unlessEmpty(ahead: Map<string, number>): Map<string, number> {
  return ahead.size === 0 ? NOTHING_AHEAD : ahead;
}
