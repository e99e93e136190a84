/**
 * Reads the log. The newest segments are in memory, the others in the store. A store that cannot be read ends the
 * server: its first failure is told once, and every question after it throws. The journal (`journal.ts`) writes the
 * log.
 */

import { type Filter, wantedBytes } from "../../log/channel_lines.ts";
import type { LogPortion, Wanted } from "../../log/portion.ts";
import { linesOf, type Position, type Segment } from "../../log/segment.ts";
import { Tail } from "../../log/tail.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import type { Beginning, Store } from "../store/store.ts";
import { UnreadableError } from "./unreadable_store.ts";

/** A reader, with the part of the log that has not left this process yet. */
export interface SentReader {
  /** The last segment that it was sent. */
  readonly position: Position;
  readonly unsentBytes: number;
  /** Where it was read from. */
  readonly began: Position;
  /** The user whose direct messages it is sent; `undefined` where it is sent none. */
  readonly username: string | undefined;
  /** The activities that it is sent, and since when: what it was sent up to there may have been others. */
  readonly filter: Filter;
  readonly filteredSince: Position;
}

/** How many segments are looked at for one reader: in memory, and in the store, where each costs a read. */
const MAX_LOOKS_BACK = 1_024;
const MAX_READS_BACK = 32;

/** Reads one log. */
export class LogReader {
  readonly #store: Store;
  readonly #tail: Tail;
  readonly #tellFailed: (error: unknown) => void;
  #head: Position;
  #hasFailed = false;

  /** Keeps the newest `tailBytes` in memory. Calls `failed` when the store cannot be read or written. */
  constructor(store: Store, tailBytes: number, failed: (error: unknown) => void) {
    this.#store = store;
    this.#tail = new Tail(tailBytes);
    this.#tellFailed = failed;
    this.#head = store.opened.head;
  }

  /** The position of the newest segment. */
  get head(): Position {
    return this.#head;
  }

  /** Whether the store has failed. Then reading throws. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** The store has this segment, behind all others. */
  push(segment: Segment): void {
    this.#tail.push(segment);
    this.#head = segment.position;
  }

  /** Segments up to `position` are not in memory any more. */
  dropTo(position: Position): void {
    this.#tail.dropTo(position);
  }

  /** As `Store.segmentsAfter`. @throws {UnreadableError} */
  segmentsAfter(position: Position, maxBytes: number): readonly Segment[] {
    if (position >= this.#head) return [];
    return this.#tail.after(position, maxBytes) ?? this.read((store) => store.segmentsAfter(position, maxBytes));
  }

  /** As `Store.portionAfter`. What is in memory costs nothing, and all of it is there. @throws {UnreadableError} */
  portionAfter(position: Position, maxBytes: number, wanted: Wanted): LogPortion {
    if (position >= this.#head) return { segments: [], upTo: position };
    const segments = this.#tail.after(position, maxBytes);
    if (segments !== undefined) return { segments, upTo: segments.at(-1)?.position ?? position };
    return this.read((store) => store.portionAfter(position, maxBytes, wanted));
  }

  /** As `Store.segmentsBefore`. @throws {UnreadableError} */
  segmentsBefore(position: Position, maxBytes: number): readonly Segment[] {
    return this.#tail.before(position, maxBytes) ?? this.read((store) => store.segmentsBefore(position, maxBytes));
  }

  /** As the store's. @throws {UnreadableError} */
  segmentOf({ origin, sequence }: EntryId): Segment | undefined {
    return this.read((store) => store.segmentOf(origin, sequence));
  }

  /** The line of an entry, without its end; `undefined` if it is not kept. @throws {UnreadableError} */
  lineOf({ origin, sequence }: EntryId): string | undefined {
    const segment = this.segmentOf({ origin, sequence });
    return (segment && linesOf(segment.bytes)[sequence - segment.first]) || undefined;
  }

  /** As the store's. @throws {UnreadableError} */
  boundOf({ origin, sequence }: EntryId): Position | undefined {
    return this.read((store) => store.boundOf(origin, sequence));
  }

  /** As the store's. @throws {UnreadableError} */
  beginning(): Beginning {
    return this.read((store) => store.beginning());
  }

  /**
   * Where a reader stood before the last `unsentBytes` that it was sent up to `position`. That is the beginning of a
   * segment, and never before `began`, where its reading began. This is asked for each reader whenever servers talk. So
   * it looks at a bounded number of segments, and gives `began` when these are not enough. @throws {UnreadableError}
   */
  positionBefore({ position, unsentBytes, began, username, filter, filteredSince }: SentReader): Position {
    let before = position;
    let [looks, reads] = [0, 0];
    for (let unsent = unsentBytes; unsent > 0 && before > began; before--) {
      if (++looks > MAX_LOOKS_BACK) return began;
      let segment = this.#tail.after(before - 1, 0)?.[0];
      if (segment === undefined && ++reads > MAX_READS_BACK) return began;
      segment ??= this.segmentsAfter(before - 1, 0)[0];
      if (segment?.position !== before) break;
      const { audience, bytes } = segment;
      if (audience.kind === "user") unsent -= audience.username === username ? bytes.length : 0;
      // Bytes that were not sent must not be taken for those that are still here: better some come twice.
      else if (before > filteredSince) unsent -= wantedBytes(segment, filter);
    }
    return Math.max(before, began);
  }

  /** The store's answer. @throws {UnreadableError} */
  read<T>(read: (store: Store) => T): T {
    if (this.#hasFailed) throw new UnreadableError("The store has failed before");
    try {
      return read(this.#store);
    } catch (error) {
      this.fail(error);
      throw new UnreadableError("The store cannot be read", { cause: error });
    }
  }

  /** The store can be read or written no more. */
  fail(error: unknown): void {
    this.#hasFailed = true;
    this.#tellFailed(error);
  }
}
