/**
 * Collects what one turn of the event loop adds to the store beside the log. The store gets it in one batch. It is
 * dropped when the store has taken it.
 */

import type { Segment } from "../../log/segment.ts";
import type { Clock } from "../../platform/clock.ts";
import { type EntryId, formatEntryId } from "../../protocol/entry_id.ts";
import type {
  Account,
  Batch,
  KnownServer,
  Renaming,
  StoredMessage,
  StoredPlace,
  UsedMessageId,
} from "../store/store.ts";
import type { Retention } from "./retention.ts";
import { UsedIds } from "./used_ids.ts";

/** The clocks' times at the beginning of the turn. All that happens in it has these times. */
export class TurnTimes {
  /** By the calendar, in milliseconds since 1970. */
  wallMs = 0;
  /** Milliseconds of a monotonic clock. */
  turnMs = 0;
  /** By the clock that the log forgets by. */
  takenAt = 0;

  begin(clock: Clock, retention: Retention): void {
    this.wallMs = clock.wallMs();
    this.turnMs = clock.nowMs();
    this.takenAt = retention.at(this.turnMs);
  }
}

/** One turn. */
export class TurnBatch {
  readonly accounts = new Map<string, Account>();
  /** Names whose accounts here do not hold any more: other servers had older claims. */
  readonly lostAccounts: string[] = [];
  readonly #messageIds: UsedMessageId[] = [];
  readonly #usedIds = new UsedIds();
  readonly #directMessages = new Map<string, StoredMessage>();
  readonly #delivered: EntryId[] = [];
  readonly #places = new Map<number, StoredPlace>();
  readonly #endedPlaces: number[] = [];
  readonly #endedCursors: number[] = [];
  #members: readonly KnownServer[] | undefined;
  #notes: Record<string, string | null> | undefined;
  /** Origins that are forgotten whole. */
  #buried: Record<string, number> | undefined;
  /** Whether the turn has to be on the disk before anything follows from it. */
  isSynced = false;
  /** Where the server has a new name from this turn on. */
  renamed: Renaming | undefined;

  /** Whether an entry of the log before this turn is not in the log after it. */
  takesBack({ origin, sequence }: EntryId): boolean {
    return this.renamed !== undefined && origin === this.renamed.former && sequence > this.renamed.after;
  }

  /** Whether it has something that is kept although the log gets nothing. */
  get isWorthKeeping(): boolean {
    return this.accounts.size > 0 || this.#delivered.length > 0 || this.#places.size > 0 ||
      this.#endedPlaces.length > 0 ||
      this.#endedCursors.length > 0 || this.#members !== undefined || this.#buried !== undefined ||
      this.#notes !== undefined || this.renamed !== undefined;
  }

  /** What a sender has sent under a `messageId` in this turn. */
  usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    return this.#usedIds.find(username, messageId);
  }

  /** One that was asked for and is not used. */
  addMessageId(used: UsedMessageId): void {
    this.#messageIds.push(used);
    this.#usedIds.add(used);
  }

  /** One that waits from now on. */
  addMessage(message: StoredMessage): void {
    this.#directMessages.set(formatEntryId(message), message);
  }

  /** The line of a direct message of this turn, its end included. */
  messageLine(entry: EntryId): string | undefined {
    return this.#directMessages.get(formatEntryId(entry))?.line;
  }

  /** One that does not wait any more. */
  addDelivered({ origin, sequence }: EntryId): void {
    this.#delivered.push({ origin, sequence });
  }

  savePlace(place: StoredPlace): void {
    this.#places.set(place.id, place);
  }

  endPlace(id: number): void {
    this.#places.delete(id);
    this.#endedPlaces.push(id);
  }

  endCursor(id: number): void {
    this.#endedCursors.push(id);
  }

  /** Notes `value` under `key`. */
  note(key: string, value: string | null): void {
    this.#notes = { ...this.#notes, [key]: value };
  }

  /** Forgets `origin` whole. */
  bury(origin: string, last: number): void {
    this.#buried = { ...this.#buried, [origin]: last };
  }

  saveMembers(members: readonly KnownServer[]): void {
    this.#members = members;
  }

  /** All of it, with what the log gets. */
  batch(segments: readonly Segment[], lamport: number): Batch {
    return {
      segments,
      accounts: [...this.accounts.values()],
      messageIds: this.#messageIds,
      directMessages: [...this.#directMessages.values()],
      delivered: this.#delivered,
      // Kept by earlier versions; now they are places.
      cursors: [],
      endedCursors: this.#endedCursors,
      places: [...this.#places.values()],
      endedPlaces: this.#endedPlaces,
      ...(this.#members === undefined ? {} : { members: this.#members }),
      ...(this.#buried === undefined ? {} : { buried: this.#buried }),
      ...(this.#notes === undefined ? {} : { notes: this.#notes }),
      ...(this.renamed === undefined ? {} : { renamed: this.renamed }),
      ...(this.isSynced ? { isSynced: true } : {}),
      lamport,
    };
  }
}
