/**
 * What of this server's log one peer is sent: a cursor, as a client has one, with the origins that go to this peer
 * and how far it has each. The server's own origin always goes; others only when the peer wants them, as it has no
 * link to their server. Pure.
 */

import { type LogPosition, passSegment } from "../../log/cursor.ts";
import type { Position, Segment } from "../../log/segment.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";

/** A cursor with the origins of one peer. */
export interface Feed extends LogPosition {
  /** For each origin that goes to this peer: up to where it has it, or will once it has got what was sent. */
  readonly has: Map<string, number>;
}

/** A part of a segment that goes to a peer. */
export interface FeedPart {
  readonly segment: Segment;
  /** Sequence of the first line. */
  readonly first: number;
  /** What the peer has by then. */
  readonly after: number;
  /** The lines `first` to `segment.last`. */
  readonly bytes: Uint8Array;
}

/** What a feed needs of the log: where a reader that has `vector` would have to begin. */
export type FindStart = (vector: Vector) => Position;

/** A feed of `own` origin to a peer that has `vector`. */
export function beginFeed(own: string, vector: Vector, log: Vector, findStart: FindStart): Feed {
  const feed: Feed = { position: 0, has: new Map([[own, sequenceOf(vector, own)]]) };
  rewind(feed, log, findStart);
  return feed;
}

/** The peer wants exactly these other origins from now on, and its own view of how far it has them holds. */
export function onWant(feed: Feed, own: string, wanted: Vector, log: Vector, findStart: FindStart): void {
  for (const origin of [...feed.has.keys()]) {
    if (origin !== own && !Object.hasOwn(wanted, origin)) feed.has.delete(origin);
  }
  for (const origin of Object.keys(wanted)) feed.has.set(origin, wanted[origin]!);
  rewind(feed, log, findStart);
}

/** Moves the feed over the next segment. Gives what its peer has to get of it. */
export function feedSegment(feed: Feed, segment: Segment): FeedPart | undefined {
  const after = feed.has.get(segment.origin);
  const bytes = passSegment(feed, segment, after);
  if (after === undefined || after >= segment.last) return undefined;
  feed.has.set(segment.origin, segment.last);
  return { segment, first: Math.max(segment.first, after + 1), after, bytes };
}

/**
 * Puts the feed to where its peer misses something first. What that passes a second time is left
 * out, as the peer has it.
 */
function rewind(feed: Feed, log: Vector, findStart: FindStart): void {
  // Origins that do not go to this peer count as had.
  feed.position = findStart({ ...log, ...Object.fromEntries(feed.has) });
}
