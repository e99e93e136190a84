/**
 * Direct messages of turns that are in a log file and not in the database yet: which wait from now on, and which wait
 * no longer although the database says so. `unsettled.ts` has the turns, `server/store/inbox.ts` decides. Pure.
 */

import { entryKey, type InboxChange, type TakenMessage } from "../inbox.ts";
import type { WaitingMessage } from "../store.ts";

/** A message that waits, or would wait had it not been delivered before it came. */
export interface PlacedMessage extends TakenMessage {
  /** As in `WaitingMessage`; `undefined` if it was delivered before it came. */
  readonly place: number | undefined;
}

/** A delivery. */
export interface PlacedDelivery {
  readonly origin: string;
  readonly sequence: number;
  readonly isEarly: boolean;
  /** The place of an early delivery that was not known yet. */
  readonly place: number | undefined;
}

/** As `InboxChange`, with the places of what the database gets. */
export interface PlacedInboxChange {
  readonly taken: readonly PlacedMessage[];
  readonly delivered: readonly PlacedDelivery[];
  readonly takenAt: number;
}

/** What the database has of an entry: a waiting message, or a delivery that is known before its message. */
export interface SettledEntry {
  /** `null` for a delivery. */
  readonly username: string | null;
}

/** A message that the database may still have, and that waits no longer. */
interface Gone {
  readonly username: string;
  /** Whether the database has it. */
  isSettled: boolean;
}

const NO_CHANGE: PlacedInboxChange = Object.freeze({ taken: [], delivered: [], takenAt: 0 });
const decoder = new TextDecoder();

/** All inboxes. */
export class UnsettledInbox {
  readonly #waiting = new Map<string, PlacedMessage>();
  readonly #ofUser = new Map<string, Map<string, PlacedMessage>>();
  readonly #early = new Map<string, number>();
  readonly #gone = new Map<string, Gone>();
  readonly #goneOf = new Map<string, number>();
  readonly #settledEntry: (origin: string, sequence: number) => SettledEntry | undefined;
  readonly #counted: (username: string, change: number) => void;
  #lastPlace: number;

  /**
   * `lastPlace` is the newest place in the database, and `settledEntry` says what the database has of an entry.
   * `counted` is told how many more messages wait for a user, or fewer.
   */
  constructor(
    lastPlace: number,
    settledEntry: (origin: string, sequence: number) => SettledEntry | undefined,
    counted: (username: string, change: number) => void,
  ) {
    this.#lastPlace = lastPlace;
    this.#settledEntry = settledEntry;
    this.#counted = counted;
  }

  /** Takes in the changes of a turn, and gives them with their places. */
  add({ taken, delivered, takenAt }: InboxChange): PlacedInboxChange {
    if (taken.length === 0 && delivered.length === 0) return NO_CHANGE;
    return {
      taken: taken.map((message) => this.#take(message)),
      delivered: delivered.map(({ origin, sequence, isEarly }) => {
        const key = entryKey(origin, sequence);
        const place = isEarly ? this.#noteEarly(key, origin, sequence) : undefined;
        if (!isEarly) this.#deliver(key, origin, sequence);
        return { origin, sequence, isEarly, place };
      }),
      takenAt,
    };
  }

  /** The database has these changes. */
  settled({ taken, delivered }: PlacedInboxChange): void {
    for (const { origin, sequence, place } of taken) {
      const key = entryKey(origin, sequence);
      if (place === undefined) continue;
      if (this.#waiting.get(key)?.place === place) this.#forget(key);
      const gone = this.#gone.get(key);
      if (gone !== undefined) this.#count(gone);
    }
    for (const { origin, sequence, isEarly, place } of delivered) {
      const key = entryKey(origin, sequence);
      if (isEarly) {
        if (this.#early.get(key) === place) this.#early.delete(key);
        continue;
      }
      const gone = this.#gone.get(key);
      if (gone === undefined) continue;
      this.#gone.delete(key);
      if (gone.isSettled) this.#goneOf.set(gone.username, this.#goneOf.get(gone.username)! - 1);
      if (this.#goneOf.get(gone.username) === 0) this.#goneOf.delete(gone.username);
    }
  }

  /** Whether a message that the database has waits no longer. */
  isGone(origin: string, sequence: number): boolean {
    return this.#gone.size > 0 && this.#gone.has(entryKey(origin, sequence));
  }

  /** How many more messages wait for each user than the database says, or fewer. */
  *changes(): Generator<[username: string, change: number]> {
    for (const [username, count] of this.#goneOf) yield [username, -count];
    for (const [username, { size }] of this.#ofUser) yield [username, size];
  }

  /** When the first of the messages was taken in that wait and that the database does not have. */
  get oldest(): number | undefined {
    for (const { takenAt } of this.#waiting.values()) return takenAt;
    return undefined;
  }

  /**
   * Those of them for this user for which `isAskedFor` holds, in the order of the log: as many as fit into `maxBytes`.
   * At least one if there is one, unless the reader `hasOthers`.
   */
  of(
    username: string,
    maxBytes: number,
    hasOthers: boolean,
    isAskedFor: (message: Pick<WaitingMessage, "place" | "origin" | "sequence">) => boolean,
  ): WaitingMessage[] {
    const found: WaitingMessage[] = [];
    let left = maxBytes;
    for (const { place, origin, sequence, to, bytes } of this.#ofUser.get(username)?.values() ?? []) {
      if (!isAskedFor({ place: place!, origin, sequence })) continue;
      left -= bytes.length;
      if (left < 0 && (hasOthers || found.length > 0)) break;
      found.push({ place: place!, origin, sequence, to, line: decoder.decode(bytes) });
    }
    return found;
  }

  #take(message: TakenMessage): PlacedMessage {
    const { origin, sequence, to } = message;
    const key = entryKey(origin, sequence);
    const wasDelivered = this.#early.delete(key) || this.#settledEntry(origin, sequence) !== undefined;
    const placed = { ...message, place: wasDelivered ? undefined : ++this.#lastPlace };
    if (wasDelivered) return placed;
    this.#waiting.set(key, placed);
    let ofUser = this.#ofUser.get(to);
    if (ofUser === undefined) this.#ofUser.set(to, ofUser = new Map());
    ofUser.set(key, placed);
    this.#counted(to, 1);
    return placed;
  }

  /** The place of an early delivery; `undefined` if it is known. */
  #noteEarly(key: string, origin: string, sequence: number): number | undefined {
    if (this.#early.has(key) || this.#settledEntry(origin, sequence) !== undefined) return undefined;
    this.#early.set(key, ++this.#lastPlace);
    return this.#lastPlace;
  }

  #deliver(key: string, origin: string, sequence: number): void {
    if (this.#gone.has(key)) return;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      this.#forget(key);
      this.#counted(waiting.to, -1);
      // The database may get it before it hears that it was delivered.
      this.#gone.set(key, { username: waiting.to, isSettled: false });
      return;
    }
    const username = this.#settledEntry(origin, sequence)?.username ?? null;
    if (username === null) return;
    const gone = { username, isSettled: false };
    this.#gone.set(key, gone);
    this.#count(gone);
    this.#counted(username, -1);
  }

  #count(gone: Gone): void {
    if (gone.isSettled) return;
    gone.isSettled = true;
    this.#goneOf.set(gone.username, (this.#goneOf.get(gone.username) ?? 0) + 1);
  }

  #forget(key: string): void {
    const message = this.#waiting.get(key)!;
    this.#waiting.delete(key);
    const ofUser = this.#ofUser.get(message.to)!;
    ofUser.delete(key);
    if (ofUser.size === 0) this.#ofUser.delete(message.to);
  }
}
