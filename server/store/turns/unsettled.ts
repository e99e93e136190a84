/**
 * Turns that are in a log file and not in the database yet. What they change is held in memory, so that a reader finds
 * it at once. A part of the SQLite store, which adds a turn when the log has it, and takes it away when the database
 * has it. Pure.
 */

import type { Position, Segment } from "../../../log/segment.ts";
import { channelColumn } from "../channels/channel_column.ts";
import type { ActivityRow, OriginLog } from "../origin_log.ts";
import { Queue } from "../queue.ts";
import { type StoredKind, storedKind } from "../sqlite/frame.ts";
import type { Account, Batch } from "../store.ts";
import type { PlacedInboxChange } from "./unsettled_inbox.ts";

/** Where the frame of a segment stands in the log files. */
export interface FramePlace {
  readonly file: number;
  readonly start: number;
  readonly length: number;
}

/** A segment that the database does not have yet. */
export interface UnsettledSegment {
  readonly segment: Segment;
  /** As in `ActivityRow`. */
  readonly activities: number;
  readonly activityBytes: number;
  readonly place: FramePlace;
}

/** A turn, with everything that the database gets of it. */
export interface UnsettledTurn {
  readonly turn: number;
  readonly batch: Batch;
  readonly segments: readonly UnsettledSegment[];
  /** Origins with new holes, as they stand after the turn. */
  readonly withHoles: readonly OriginLog[];
  readonly inbox: PlacedInboxChange;
  /** Where the turn ends in the log files. */
  readonly file: number;
  readonly end: number;
}

/** All of them, the oldest first. */
export class Unsettled {
  readonly #turns = new Queue<UnsettledTurn>();
  readonly #segments = new Queue<UnsettledSegment>();
  readonly #byOrigin = new Map<string, Queue<UnsettledSegment>>();
  readonly #accounts = new Map<string, { readonly account: Account; readonly turn: number }>();
  readonly #notes = new Map<string, { readonly value: string | null; readonly turn: number }>();
  #bytes = 0;

  /** How many turns there are. */
  get size(): number {
    return this.#turns.size;
  }

  /** Bytes of their segments. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The oldest turns, at most `count`. */
  oldest(count: number): UnsettledTurn[] {
    return Array.from({ length: Math.min(count, this.#turns.size) }, (_, index) => this.#turns.at(index)!);
  }

  /** The log has this turn, behind all others. */
  add(added: UnsettledTurn): void {
    const { turn, batch, segments } = added;
    this.#turns.push(added);
    for (const unsettled of segments) {
      this.#segments.push(unsettled);
      const { origin, bytes } = unsettled.segment;
      let ofOrigin = this.#byOrigin.get(origin);
      if (ofOrigin === undefined) this.#byOrigin.set(origin, ofOrigin = new Queue());
      ofOrigin.push(unsettled);
      this.#bytes += bytes.length;
    }
    for (const account of batch.accounts) this.#accounts.set(account.username, { account, turn });
    for (const [key, value] of Object.entries(batch.notes ?? {})) this.#notes.set(key, { value, turn });
  }

  /** The database has the oldest `count` turns. */
  settled(count: number): void {
    for (const { turn, batch, segments } of this.oldest(count)) {
      this.#segments.drop(segments.length);
      for (const { segment: { origin, bytes } } of segments) {
        const ofOrigin = this.#byOrigin.get(origin)!;
        ofOrigin.drop(1);
        if (ofOrigin.size === 0) this.#byOrigin.delete(origin);
        this.#bytes -= bytes.length;
      }
      for (const { username } of batch.accounts) {
        if (this.#accounts.get(username)?.turn === turn) this.#accounts.delete(username);
      }
      for (const key of Object.keys(batch.notes ?? {})) {
        if (this.#notes.get(key)?.turn === turn) this.#notes.delete(key);
      }
    }
    this.#turns.drop(Math.min(count, this.#turns.size));
  }

  /** The account of this name, if one of the turns has it. */
  account(username: string): Account | undefined {
    return this.#accounts.get(username)?.account;
  }

  /** All accounts of the turns. */
  get accounts(): Account[] {
    return [...this.#accounts.values()].map(({ account }) => account);
  }

  /** Their names. */
  get usernames(): Iterable<string> {
    return this.#accounts.keys();
  }

  /** The note under `key`: `null` if it goes, `undefined` if no turn says anything of it. */
  note(key: string): string | null | undefined {
    return this.#notes.get(key)?.value;
  }

  /** Segments after `position`, at most as many as fit into `maxBytes`; at least one if `isFirst` and there is one. */
  after(position: Position, maxBytes: number, isFirst: boolean): Segment[] {
    const found: Segment[] = [];
    let bytes = 0;
    const start = this.#segments.search(({ segment }) => segment.position > position);
    for (let index = start; index < this.#segments.size; index++) {
      const { segment } = this.#segments.at(index)!;
      bytes += segment.bytes.length;
      if (bytes > maxBytes && !(isFirst && found.length === 0)) break;
      found.push(segment);
    }
    return found;
  }

  /** Segments before `position` in order, at least one if there is one, then as many as fit into `maxBytes`. */
  before(position: Position, maxBytes: number): Segment[] {
    const found: Segment[] = [];
    let bytes = 0;
    for (let index = this.#segments.search(({ segment }) => segment.position >= position) - 1; index >= 0; index--) {
      const { segment } = this.#segments.at(index)!;
      bytes += segment.bytes.length;
      if (bytes > maxBytes && found.length > 0) break;
      found.push(segment);
    }
    return found.reverse();
  }

  /** The segment with this entry. */
  segmentOf(origin: string, sequence: number): Segment | undefined {
    const ofOrigin = this.#byOrigin.get(origin);
    const found = ofOrigin?.at(ofOrigin.search(({ segment }) => segment.last >= sequence))?.segment;
    return found !== undefined && found.first <= sequence ? found : undefined;
  }

  /** The first segment of `origin` and this audience that ends after `sequence`. */
  firstAfter(origin: string, audience: StoredKind, sequence: number): ActivityRow | undefined {
    const ofOrigin = this.#byOrigin.get(origin);
    if (ofOrigin === undefined) return undefined;
    for (let index = ofOrigin.search(({ segment }) => segment.last > sequence); index < ofOrigin.size; index++) {
      const found = ofOrigin.at(index)!;
      if (storedKind(found.segment.audience) === audience) return rowOf(found);
    }
    return undefined;
  }

  /** The last segment of `origin` and this audience that ends at `sequence` or before it. */
  lastUpTo(origin: string, audience: StoredKind, sequence: number): ActivityRow | undefined {
    const ofOrigin = this.#byOrigin.get(origin);
    if (ofOrigin === undefined) return undefined;
    for (let index = ofOrigin.search(({ segment }) => segment.last > sequence) - 1; index >= 0; index--) {
      const found = ofOrigin.at(index)!;
      if (storedKind(found.segment.audience) === audience) return rowOf(found);
    }
    return undefined;
  }
}

function rowOf({ segment, activities, activityBytes }: UnsettledSegment): ActivityRow {
  const { position, first, last, takenAt, bytes } = segment;
  return {
    ...{ position, first, last, takenAt, size: bytes.length, activities, activityBytes },
    // A look-up seldom needs it.
    get channels() {
      return channelColumn(segment);
    },
  };
}
