/**
 * The state of each origin's log that a store holds in memory, and the decisions from it: whether a batch continues the
 * log, which entries a reader lacks, and which are forgotten next. The store has the rows, and hands
 * in a `Lookup`. Pure.
 */

import { type Filter, NO_CHANNEL } from "../../log/channel_lines.ts";
import { type LostLines, lostLinesIn } from "../../log/forgotten_lines.ts";
import { hasActivities, type Position, type Segment } from "../../log/segment.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";
import { channelColumn, readFacts } from "./channels/channel_column.ts";
import { ANY_CHANNEL, type LostChannels, lostFor, lostUpTo, NOTHING_LOST, withLost } from "./channels/lost_channels.ts";
import type { Batch, Beginning, BurialLimits, Gap, Missing } from "./store.ts";

/** A kept segment for everyone, without its bytes. */
export interface ActivityRow {
  readonly position: Position;
  readonly first: number;
  readonly last: number;
  readonly takenAt: number;
  /** Bytes of the segment, as it came. */
  readonly size: number;
  /** As `channelColumn`. */
  readonly channels: string | null;
  /** Activities of the origin up to this segment, including it and forgotten ones. Only differences mean something. */
  readonly activities: number;
  /** Their bytes, counted alike. */
  readonly activityBytes: number;
}

/** One origin's part of the log. */
export interface OriginLog {
  readonly origin: string;
  /** Newest sequence; 0 when there is none. */
  readonly last: number;
  /** Position of the newest segment, for any audience. It is never forgotten, so the rows always show `last`. */
  readonly newest: Position;
  /** When that was taken in, in milliseconds since 1970. */
  readonly newestTakenAt: number;
  /** `activities` and `activityBytes` of the newest segment for everyone. */
  readonly activities: number;
  readonly activityBytes: number;
  /**
   * The oldest kept segment for everyone. Activities of an origin are forgotten in order, so all later ones are kept.
   */
  readonly oldest: ActivityRow | undefined;
  /** The oldest segment for a user that is kept: these are forgotten in order too. */
  readonly oldestForUser: ForUserRow | undefined;
  /**
   * The newest forgotten sequence, and its position; 0 if nothing was forgotten. For a hole (entries that were
   * forgotten before they came here), the position is that of the segment after it. A reader that has not read that far
   * lacks the entries of the hole. Neither number goes back, with one exception: the sequence does if the origin ends
   * before it from then on (`forgottenAtEnd`).
   */
  readonly forgottenLast: number;
  readonly forgottenPosition: Position;
  /** The newest forgotten sequence by channel. */
  readonly lost: LostChannels;
}

/** A kept segment for one user, without its bytes. */
export type ForUserRow = Pick<ActivityRow, "position" | "last" | "takenAt" | "size">;

/** How the rows of a store are found. */
export interface Lookup {
  /** The first kept segment for everyone of `origin` that ends after `sequence`. */
  activityAfter(origin: string, sequence: number): ActivityRow | undefined;
  /**
   * The same, for a reader that has everything up to `sequence`: nothing lies between. A store that cannot be sure of
   * this throws.
   */
  firstMissing(origin: string, sequence: number): ActivityRow | undefined;
  /** The first kept segment for a user of `origin` that ends after `sequence`. */
  forUserAfter(origin: string, sequence: number): ForUserRow | undefined;
  /** Where the first segment of `origin` for a user or for servers stands that ends after `sequence`. */
  otherAfter(origin: string, sequence: number): Position | undefined;
}

/** The segments to forget now. */
export interface ForgetPlan {
  readonly rows: readonly ActivityRow[];
  /** How the origins stand when `rows` are gone. */
  readonly logs: readonly OriginLog[];
  readonly entries: number;
  /** The newest position among `rows`; 0 when there are none. */
  readonly upTo: Position;
  /** Whether the budget was used up before the limits were met. */
  readonly more: boolean;
}

/** The whole state of the log in a store's memory. */
export interface WholeLog {
  readonly logs: Iterable<OriginLog>;
  readonly head: Position;
  /** Origins that were forgotten whole, and their newest sequences. None of them is among `logs`. */
  readonly tombstones: ReadonlyMap<string, number>;
}

/** An origin without entries. */
export function emptyLog(origin: string): OriginLog {
  return {
    origin,
    last: 0,
    newest: 0,
    newestTakenAt: 0,
    activities: 0,
    activityBytes: 0,
    oldest: undefined,
    oldestForUser: undefined,
    forgottenLast: 0,
    forgottenPosition: 0,
    lost: NOTHING_LOST,
  };
}

/**
 * `log` with `segment` at its end. Entries that are missing before its first one are a hole, and count as forgotten.
 */
export function append(before: OriginLog, segment: Segment): OriginLog {
  const { position, first, last, takenAt } = segment;
  const log = withoutForgotten(before, segment);
  const size = segment.bytes.length;
  if (!hasActivities(segment.audience)) {
    const isForUser = segment.audience.kind === "user";
    const oldestForUser = log.oldestForUser ?? (isForUser ? { position, last, takenAt, size } : undefined);
    return { ...log, last, newest: position, newestTakenAt: takenAt, oldestForUser };
  }
  const activities = log.activities + last - first + 1;
  const activityBytes = log.activityBytes + size;
  const oldest = log.oldest ??
    { position, first, last, takenAt, size, channels: channelColumn(segment), activities, activityBytes };
  return { ...log, last, newest: position, newestTakenAt: takenAt, activities, activityBytes, oldest };
}

/**
 * What is forgotten of an origin that ends at `after` from now on. The numbers behind the end are free, also those of
 * forgotten entries. `after` stays the last number, even if its entry is not kept. `before` is the former state,
 * `newest` the end of the rest, with what is forgotten in it.
 */
export function forgottenAtEnd(
  before: OriginLog,
  after: number,
  newest: Pick<Segment, "first" | "last"> & { readonly lost: readonly LostLines[] } | undefined,
): Pick<OriginLog, "forgottenLast" | "forgottenPosition" | "lost"> {
  const { forgottenLast, forgottenPosition } = before;
  if (newest?.last === after) {
    const lost = withLost(lostUpTo(before.lost, newest.first - 1), newest.lost);
    return { forgottenLast: Math.min(forgottenLast, newest.first - 1), forgottenPosition, lost };
  }
  const lost = lostUpTo(before.lost, after);
  // Segments for users are forgotten without a trace. Their positions are unknown, but were before the newest one.
  const isUntold = forgottenLast < after;
  return {
    forgottenLast: after,
    forgottenPosition: isUntold ? Math.max(forgottenPosition, before.newest) : forgottenPosition,
    lost: isUntold ? withLost(lost, [{ name: ANY_CHANNEL, last: after }]) : lost,
  };
}

/**
 * Checks that `batch` continues the log of server `serverId`, which stands at `head`. `sequenceAt` tells how far the
 * log has an origin, also as a tombstone.
 * @throws {RangeError} when the batch does not continue it, a lost cursor has no position, or the server itself is
 * buried. That is a mistake of the caller, not of the disk.
 */
export function checkBatch(
  batch: Batch,
  head: Position,
  serverId: string,
  sequenceAt: (origin: string) => number,
): void {
  if (batch.buried?.[serverId] !== undefined) throw new RangeError(`Origin ${serverId} is this server: it stays`);
  const continued = new Map<string, number>();
  for (const { position, origin, first, last } of batch.segments) {
    if (position !== head + 1) throw new RangeError(`Segment at position ${position} does not follow the head ${head}`);
    const sequence = continued.get(origin) ?? Math.max(sequenceAt(origin), sequenceOf(batch.buried ?? {}, origin));
    if (first <= sequence || last < first) {
      throw new RangeError(`Entries ${origin}:${first} to ${last} do not follow ${origin}:${sequence}`);
    }
    head = position;
    continued.set(origin, last);
  }
  for (const { id, lost, position } of batch.cursors) {
    // Otherwise the position would mean "at the head", and everything from the same turn would be skipped.
    if (lost && position === undefined) throw new RangeError(`Cursor ${id} is lost but has no position`);
  }
}

/**
 * The entries that a reader with `vector` lacks, in a log that stands at `head`, with the `tombstones` of forgotten
 * origins. A few look-ups for each origin, for any amount of missing entries. Only tombstones that `vector` names are
 * looked at. With a `filter`, gaps are of what it may have wanted.
 */
export function findMissing(
  { logs, head, tombstones }: WholeLog,
  vector: Vector,
  lookup: Lookup,
  filter?: Filter,
): Missing {
  let after = head;
  let activities = 0;
  const gaps: Gap[] = [];
  if (tombstones.size > 0) {
    for (const [origin, had] of Object.entries(vector)) {
      const last = tombstones.get(origin) ?? 0;
      if (had < last) gaps.push({ origin, first: had + 1, last });
    }
  }
  for (const log of logs) {
    const { origin } = log;
    const had = sequenceOf(vector, origin);
    if (had >= log.last) continue;
    const row = lookup.firstMissing(origin, had);
    const other = lookup.otherAfter(origin, had);
    if (row !== undefined) {
      activities += log.activities - row.activities + row.last - Math.max(row.first, had + 1) + 1;
      after = Math.min(after, row.position - 1);
    }
    if (other !== undefined) after = Math.min(after, other - 1);
    const lost = lostFor(log.lost, filter);
    if (had < lost) gaps.push({ origin, first: had + 1, last: lost });
  }
  return { after, activities, gaps };
}

/** Where the kept activities begin. */
export function findBeginning({ logs, tombstones }: Omit<WholeLog, "head">): Beginning {
  let oldest: Beginning["oldest"];
  let isWhole = tombstones.size === 0;
  for (const log of logs) {
    if (log.forgottenLast > 0 || log.lost.size > 0) isWhole = false;
    if (log.oldest === undefined || (oldest !== undefined && oldest.position < log.oldest.position)) continue;
    const { position, first: sequence, takenAt } = log.oldest;
    oldest = { origin: log.origin, sequence, position, takenAt };
  }
  return oldest === undefined ? { isWhole } : { oldest, isWhole };
}

/** As `Store.boundOf`, for an entry of the origin of `log`. */
export function boundOf(log: OriginLog | undefined, sequence: number, lookup: Lookup): Position | undefined {
  if (log === undefined || sequence > log.last) return undefined;
  return lookup.activityAfter(log.origin, sequence)?.position ?? Math.max(log.newest, log.forgottenPosition) + 1;
}

/**
 * The entries that a reader has for certain after it got everything for everyone up to `position`. If an origin's
 * activities around `position` are forgotten, nobody knows how far the reader got. Then it counts as having nothing of
 * that origin.
 */
export function vectorAt(logs: Iterable<OriginLog>, position: Position, lookup: Lookup): Vector {
  const vector: Record<string, number> = {};
  for (const log of logs) {
    // The forgotten position is behind the newest segment only if the log was cut.
    if (Math.max(log.newest, log.forgottenPosition) <= position) {
      vector[log.origin] = log.last;
    } else {
      // Sequences and positions of an origin grow together, so one index serves both: some 20 look-ups find the place.
      let low = log.forgottenPosition <= position ? log.forgottenLast : 0;
      let high = log.last;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const row = lookup.activityAfter(log.origin, middle);
        if (row === undefined || row.position > position) high = middle;
        else low = row.last;
      }
      vector[log.origin] = low;
    }
  }
  return vector;
}

/**
 * The next activities to forget, oldest first: those taken in before `takenBefore`, and enough to keep at most
 * `maxBytes`. At most `budget.rows` segments, and none after the one that reaches `budget.bytes`. Passes over an
 * origin's newest segment.
 */
export function planForgetting(
  logs: Iterable<OriginLog>,
  limits: { readonly takenBefore: number; readonly maxBytes: number },
  budget: { readonly rows: number; readonly bytes: number },
  lookup: Lookup,
): ForgetPlan {
  const waiting: OriginLog[] = [];
  let kept = 0;
  for (const log of logs) {
    if (log.oldest === undefined) continue;
    kept += log.activityBytes - log.oldest.activityBytes + log.oldest.size;
    if (log.oldest.position !== log.newest) waiting.push(log);
  }
  const changed = new Map<string, OriginLog>();
  const rows: ActivityRow[] = [];
  let entries = 0;
  let upTo = 0;
  let bytes = 0;
  // The oldest of all comes last. Sorted only if there is something to forget.
  const first = waiting.reduce<ActivityRow | undefined>(
    (found, { oldest }) => found === undefined || oldest!.position < found.position ? oldest : found,
    undefined,
  );
  if (first === undefined || !isToGo(first)) return plan(false);
  waiting.sort((a, b) => b.oldest!.position - a.oldest!.position);
  for (;;) {
    const log = waiting.pop();
    const row = log?.oldest;
    // The first segment that stays keeps all after it. Otherwise a clock that was wrong for a while could make holes:
    // it would have fresh activities forgotten as if they were years old. Activities that it dated into the future go
    // when their bytes are needed.
    if (log === undefined || row === undefined || !isToGo(row)) return plan(false);
    if (rows.length === budget.rows || bytes >= budget.bytes) return plan(true);
    rows.push(row);
    entries += row.last - row.first + 1;
    upTo = Math.max(upTo, row.position);
    bytes += row.size;
    kept -= row.size;
    const left = {
      ...log,
      oldest: lookup.activityAfter(log.origin, row.last),
      // A hole can lie behind older activities that were kept until now.
      forgottenLast: Math.max(log.forgottenLast, row.last),
      forgottenPosition: Math.max(log.forgottenPosition, row.position),
      lost: withLost(log.lost, linesOfRow(row)),
    };
    changed.set(log.origin, left);
    if (left.oldest !== undefined && left.oldest.position !== left.newest) insert(waiting, left);
  }

  function isToGo(row: ActivityRow): boolean {
    return row.takenAt < limits.takenBefore || kept > limits.maxBytes;
  }

  function plan(more: boolean): ForgetPlan {
    return { rows, logs: [...changed.values()], entries, upTo, more };
  }
}

/** The segments for users to forget now. */
export interface ForUsersPlan {
  readonly rows: readonly (ForUserRow & { readonly origin: string })[];
  /** The oldest remaining segment of each origin with forgotten ones. */
  readonly oldest: ReadonlyMap<string, ForUserRow | undefined>;
  /** Whether the budget was used up. */
  readonly more: boolean;
}

/**
 * The segments for users to forget: those taken in before `takenBefore`, in the order of each origin, bounded like
 * activities. None from position `heldFrom` on, as waiting messages read their lines there. `OriginLog` does not
 * change: no reader is told of a gap, and the newest segment, which is passed over, shows how far the log has the
 * origin.
 */
export function planForgettingForUsers(
  logs: Iterable<OriginLog>,
  { takenBefore, heldFrom }: { readonly takenBefore: number; readonly heldFrom: Position },
  budget: { readonly rows: number; readonly bytes: number },
  lookup: Lookup,
): ForUsersPlan {
  const rows: (ForUserRow & { origin: string })[] = [];
  const oldest = new Map<string, ForUserRow | undefined>();
  let bytes = 0;
  for (const { origin, newest, oldestForUser } of logs) {
    // For most origins, the data in memory shows that there is nothing to do.
    for (let row = oldestForUser;;) {
      // As with activities, a segment that stays keeps all after it.
      if (row === undefined || row.position === newest || row.takenAt >= takenBefore) break;
      if (row.position >= heldFrom) break;
      if (rows.length === budget.rows || bytes >= budget.bytes) return { rows, oldest, more: true };
      rows.push({ ...row, origin });
      bytes += row.size;
      row = lookup.forUserAfter(origin, row.last);
      oldest.set(origin, row);
    }
  }
  return { rows, oldest, more: false };
}

/**
 * Origins with nothing but entries for servers, apart from their newest segments if those are beyond the limits; at
 * most `limit`. `isAwaited` tells whether a direct message of an origin waits.
 */
export function findBuriable(
  logs: Iterable<OriginLog>,
  { takenBefore, directMessagesBefore }: BurialLimits,
  limit: number,
  mayGo: (origin: string) => boolean,
  isAwaited: (origin: string) => boolean,
): Vector {
  const found: Record<string, number> = {};
  let count = 0;
  for (const { origin, last, newest, newestTakenAt, oldest, oldestForUser: forUser } of logs) {
    if (count === limit) break;
    // Checks the data in memory first: it passes over most living origins here.
    if (newestTakenAt >= takenBefore || (oldest !== undefined && oldest.position !== newest)) continue;
    if (forUser !== undefined && (forUser.position !== newest || forUser.takenAt >= directMessagesBefore)) continue;
    // A look-up each, so last of all.
    if (!mayGo(origin) || isAwaited(origin)) continue;
    found[origin] = last;
    count++;
  }
  return found;
}

/** `log` when it knows what was forgotten before `segment` came here, in a hole before it and in it. */
function withoutForgotten(log: OriginLog, segment: Segment): OriginLog {
  const { first, position } = segment;
  const hasHole = first > log.last + 1;
  const gone = lostLinesIn(segment);
  if (!hasHole) return gone.length === 0 ? log : { ...log, lost: withLost(log.lost, gone) };
  const lost = withLost(log.lost, [{ name: ANY_CHANNEL, last: first - 1 }, ...gone]);
  return { ...log, lost, forgottenLast: first - 1, forgottenPosition: position };
}

/** The last lines of each channel, and of what has none. */
function linesOfRow({ channels, last }: ActivityRow): readonly LostLines[] {
  if (channels === null) return [{ name: NO_CHANNEL, last }];
  return readFacts(channels) ?? [{ name: ANY_CHANNEL, last }];
}

/** The origin whose oldest activities stand first in the log. The newest segment of an origin does not count. */
function insert(waiting: OriginLog[], log: OriginLog): void {
  const { position } = log.oldest!;
  let low = 0;
  let high = waiting.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (waiting[middle]!.oldest!.position > position) low = middle + 1;
    else high = middle;
  }
  waiting.splice(low, 0, log);
}
