/**
 * The part of this server's log that one peer is sent. It is a cursor, like a client's, with the origins that go to
 * this peer and how far the peer has each. The server's own origin always goes. Another origin goes only when the peer
 * wants it, as the peer has no link to its server. Pure.
 */

import { type LogPosition, passSegment } from "../../log/cursor.ts";
import type { Position, Segment } from "../../log/segment.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";

/** A cursor with the origins of one peer. */
export interface Feed extends LogPosition {
  /** For each origin that goes to this peer: the last entry that the peer has, or that is on its way. */
  readonly has: Map<string, number>;
}

/** A part of a segment that goes to a peer. */
export interface FeedPart {
  readonly segment: Segment;
  /** Sequence of the first line. */
  readonly first: number;
  /** The entries that the peer has after this part. */
  readonly after: number;
  /** The lines `first` to `segment.last`. */
  readonly bytes: Uint8Array;
}

/** The log, as a feed needs it: the position where a reader that has `vector` has to begin. */
export type FindStart = (vector: Vector) => Position;

/** A feed of `own` origin to a peer that has `vector`. */
export function beginFeed(own: string, vector: Vector, log: Vector, findStart: FindStart): Feed {
  const feed: Feed = { position: 0, has: new Map([[own, sequenceOf(vector, own)]]) };
  rewind(feed, log, findStart);
  return feed;
}

/** The peer wants exactly these other origins from now on. It says itself how far it has them. */
export function onWant(feed: Feed, own: string, wanted: Vector, log: Vector, findStart: FindStart): void {
  for (const origin of [...feed.has.keys()]) {
    if (origin !== own && !Object.hasOwn(wanted, origin)) feed.has.delete(origin);
  }
  for (const origin of Object.keys(wanted)) feed.has.set(origin, wanted[origin]!);
  rewind(feed, log, findStart);
}

/** Moves the feed over the next segment. Gives the part that the peer has to get. */
export function feedSegment(feed: Feed, segment: Segment): FeedPart | undefined {
  const after = feed.has.get(segment.origin);
  const bytes = passSegment(feed, segment, after);
  if (after === undefined || after >= segment.last) return undefined;
  feed.has.set(segment.origin, segment.last);
  return { segment, first: Math.max(segment.first, after + 1), after, bytes };
}

/**
 * Moves the feed to the first entry that its peer lacks. Entries that it passes again are left out, as the peer has
 * them.
 */
function rewind(feed: Feed, log: Vector, findStart: FindStart): void {
  // Origins that do not go to this peer count as had.
  feed.position = findStart({ ...log, ...Object.fromEntries(feed.has) });
}
