/**
 * Segments: the entries that one turn of the event loop added to the log, as the bytes of the wire. A segment is stored
 * as one row and written as one buffer. All its entries have one origin and one audience, and follow each other without
 * a gap. Each entry is one line. Activities of channels stand among those for everyone, as they came: then the audience
 * says which lines are of which channel (`channel_lines.ts`). Pure.
 */

/**
 * A place in a server's own log: 1, 2, 3 … in the order in which that server took segments in. Each server has its own
 * positions.
 */
export type Position = number;

/** Where lines stand in the bytes of a segment: from `start` up to, and not including, `end`. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/** The lines of one channel in a segment. */
export interface ChannelLines {
  readonly name: string;
  /** In order. Each ends where no other of them begins. */
  readonly ranges: readonly LineRange[];
  /** Whether these lines are forgotten: each is an empty line, so that its number and its channel are left. */
  readonly isForgotten?: true;
}

/**
 * Who gets the lines of a segment: every logged-in client, the sessions of one user, or only servers; or some lines are
 * for who reads a channel, and the others for everyone. That is a kind of its own, so that code which knows nothing of
 * channels shows nobody what has one.
 */
export type Audience =
  | { readonly kind: "everyone" }
  | { readonly kind: "user"; readonly username: string }
  | { readonly kind: "servers" }
  | { readonly kind: "channels"; readonly channels: readonly ChannelLines[] };

/** An audience that gets all lines of a segment. */
export type WholeAudience = Exclude<Audience, { readonly kind: "channels" }>;

/** Who gets one entry. */
export type EntryAudience = WholeAudience | {
  readonly kind: "channel";
  readonly name: string;
  /** As in `ChannelLines`: the line of the entry is an empty one, and nobody gets it. */
  readonly isForgotten?: true;
};

/** The audience of activities. */
export const EVERYONE: WholeAudience = Object.freeze({ kind: "everyone" });
/** The audience of registrations, receipts and the like. */
export const SERVERS: WholeAudience = Object.freeze({ kind: "servers" });

/** Whether a segment has activities, of channels or not. */
export function hasActivities({ kind }: Audience): boolean {
  return kind === "everyone" || kind === "channels";
}

/** Consecutive entries of one origin, for one audience, as encoded lines. */
export interface Segment {
  readonly position: Position;
  /** The server that accepted the entries. */
  readonly origin: string;
  /** Sequence of the first line. */
  readonly first: number;
  /** Sequence of the last line. */
  readonly last: number;
  readonly audience: Audience;
  /** When it was taken in here, in milliseconds since 1970: retention counts from this. */
  readonly takenAt: number;
  /** `last - first + 1` lines, each ended by `\n`. Shared by all who send it: never changed. */
  readonly bytes: Uint8Array;
}

const NEWLINE = 0x0a;
const decoder = new TextDecoder();
/** Read at once. */
const READ_BYTES = 1_048_576;

/** The lines of a segment's `bytes`, or of a part of them from one line on, without their ends. */
export function linesOf(bytes: Uint8Array): string[] {
  return decoder.decode(bytes).split("\n").slice(0, -1);
}

/** One line of a segment. */
export interface SegmentLine {
  readonly sequence: number;
  /** Without its end. A part of the segment's bytes. */
  readonly bytes: Uint8Array;
}

/** The lines of `segment` with a sequence below `before`, the last one first. Reads no further than is asked for. */
export function* linesBackwards({ first, last, bytes }: Segment, before = Infinity): Iterable<SegmentLine> {
  let end = bytes.length - 1;
  for (let sequence = last; sequence >= first; sequence--) {
    const start = end <= 0 ? 0 : bytes.lastIndexOf(NEWLINE, end - 1) + 1;
    if (sequence < before) yield { sequence, bytes: bytes.subarray(start, end) };
    end = start - 1;
  }
}

/** All segments of `log` after `position`, in order, of which few are in memory at once. */
export function* everySegmentAfter(
  log: { segmentsAfter(position: Position, maxBytes: number): readonly Segment[] },
  position: Position,
): Iterable<Segment> {
  for (let after = position;;) {
    const segments = log.segmentsAfter(after, READ_BYTES);
    if (segments.length === 0) return;
    yield* segments;
    after = segments.at(-1)!.position;
  }
}

/** The lines of `segment` with a sequence above `sequence`: all its bytes, a part of them (without a copy), or none. */
export function linesAfter(segment: Segment, sequence: number): Uint8Array {
  if (sequence < segment.first) return segment.bytes;
  if (sequence >= segment.last) return segment.bytes.subarray(segment.bytes.length);
  let at = 0;
  for (let skip = sequence - segment.first + 1; skip > 0; skip--) at = segment.bytes.indexOf(NEWLINE, at) + 1;
  return segment.bytes.subarray(at);
}
