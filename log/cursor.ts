/**
 * Cursors: how far one reader has come in this server's log, and what it already has of what is ahead. Everything that a connection is sent from
 * the log goes through `readSegment`, whether it is live, behind, or back after an absence. Pure.
 */

import { linesAfter, type Position, type Segment } from "./segment.ts";
import { sequenceOf, type Vector } from "./vector.ts";

/** One reader's place. Its owner replaces `position` as it reads. */
export interface Cursor {
  /** The last segment that was read. */
  position: Position;
  /** Whose direct messages are read; `undefined` reads none. */
  readonly username: string | undefined;
  /**
   * For each origin, up to where the reader has its entries although they lie ahead of `position`. An origin goes when the log has passed it;
   * an empty map means that whole segments can be sent.
   */
  readonly ahead: Map<string, number>;
}

const NOTHING = new Uint8Array(0);

/** A reader that begins after `position` and already has `vector`. */
export function cursorAt(position: Position, username: string | undefined, vector: Vector = {}): Cursor {
  return { position, username, ahead: new Map(Object.entries(vector)) };
}

/** Forgets what need not be skipped any more, as the cursor stands where the log covers `passed`. */
export function dropPassed(cursor: Cursor, passed: Vector): void {
  for (const [origin, sequence] of cursor.ahead) {
    if (sequence <= sequenceOf(passed, origin)) cursor.ahead.delete(origin);
  }
}

/** Whether the reader has all of `vector` although the log has come to none of it. */
export function hasAhead({ ahead }: Cursor, vector: Vector): boolean {
  return Object.keys(vector).every((origin) => (ahead.get(origin) ?? 0) >= vector[origin]!);
}

/** Moves the cursor over the next segment. Gives what its reader has to get of it: the segment's own bytes, a part of them, or nothing. */
export function readSegment(cursor: Cursor, segment: Segment): Uint8Array {
  cursor.position = segment.position;
  const has = cursor.ahead.get(segment.origin);
  if (has !== undefined && has <= segment.last) cursor.ahead.delete(segment.origin);
  const { audience } = segment;
  const isFor = audience.kind === "everyone" || (audience.kind === "user" && audience.username === cursor.username);
  if (!isFor) return NOTHING;
  return has === undefined ? segment.bytes : linesAfter(segment, has);
}
