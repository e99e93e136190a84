/** Waiting direct messages in memory, in place of the table of the SQLite store. Does what `inbox.ts` decides. */

import type { Position } from "../../log/segment.ts";
import { entryKey, type InboxChange } from "./inbox.ts";
import { InboxCounts } from "./inbox_counts.ts";
import type { EntryRange, InboxPortion, WaitingMessage } from "./store.ts";

/** A waiting message, or a delivery that is known before its message. */
interface Row {
  readonly message?: KeptMessage;
  readonly takenAt: number;
}

/** A message whose line is a part of its segment, without a copy. */
type KeptMessage = Omit<WaitingMessage, "line"> & { readonly position: Position; readonly bytes: Uint8Array };

const decoder = new TextDecoder();

/** The messages of all users. */
export class MemoryInbox {
  /** By entry, in the order of the log. */
  readonly #rows = new Map<string, Row>();
  /** The entries of `#rows` by user, in the same order. */
  readonly #ofUser = new Map<string, Map<string, KeptMessage>>();
  #lastPlace = 0;
  #counts = new InboxCounts();

  /** How many messages wait. */
  get size(): number {
    return this.#counts.size;
  }

  /** As `Store.inboxSizes`. */
  get sizes(): ReadonlyMap<string, number> {
    return this.#counts.byUser;
  }

  /** As `Store.inboxOldest`. */
  get oldest(): number | undefined {
    for (const { message, takenAt } of this.#rows.values()) if (message !== undefined) return takenAt;
    return undefined;
  }

  /** As `Store.inboxOf`. */
  of(username: string, { after = 0, maxBytes = Infinity }: InboxPortion = {}): WaitingMessage[] {
    return this.#find(username, ({ place }) => place > after, maxBytes);
  }

  /** As `Store.inboxRange`. */
  rangeOf(username: string, { origin, first, last }: EntryRange, maxBytes: number): WaitingMessage[] {
    const isIn = (message: KeptMessage) =>
      message.origin === origin && message.sequence >= first && message.sequence <= last;
    return this.#find(username, isIn, maxBytes);
  }

  /** Takes in what a turn changed. */
  apply({ taken, delivered, takenAt }: InboxChange): void {
    for (const { origin, sequence, to, position, bytes, takenAt } of taken) {
      const message = { origin, sequence, to, position, bytes, place: ++this.#lastPlace };
      const key = entryKey(message.origin, message.sequence);
      // It was delivered before it came.
      if (this.#delete(key)) continue;
      this.#rows.set(key, { message, takenAt });
      let ofUser = this.#ofUser.get(message.to);
      if (ofUser === undefined) this.#ofUser.set(message.to, ofUser = new Map());
      ofUser.set(key, message);
      this.#counts.add(message.to, 1);
    }
    for (const { origin, sequence, isEarly } of delivered) {
      const key = entryKey(origin, sequence);
      if (!isEarly) {
        this.#delete(key);
      } else if (!this.#rows.has(key)) {
        this.#rows.set(key, { takenAt });
      }
    }
  }

  /** Forgets messages that were taken in before `takenBefore`, at most `budget` rows. True if there are more. */
  forget(takenBefore: number, budget: number): boolean {
    for (const [key, { takenAt }] of this.#rows) {
      // As with activities, a message that stays keeps all after it.
      if (takenAt >= takenBefore) return false;
      if (budget-- === 0) return true;
      this.#delete(key);
    }
    return false;
  }

  /** The position of the first segment with a waiting message. */
  get heldFrom(): Position {
    for (const { message } of this.#rows.values()) if (message !== undefined) return message.position;
    return Infinity;
  }

  /** Whether a message of `origin` waits. O(n) in the waiting messages. */
  awaits(origin: string): boolean {
    for (const { message } of this.#rows.values()) if (message?.origin === origin) return true;
    return false;
  }

  /** Forgets messages and deliveries of `origin`. O(n) in the waiting messages. */
  forgetOrigin(origin: string): void {
    for (const key of [...this.#rows.keys()]) if (key.endsWith(` ${origin}`)) this.#delete(key);
  }

  /** Drops the messages of `origin` after `sequence`, where the log ends now. Known deliveries stay true. */
  cut(origin: string, sequence: number): void {
    for (const [key, { message }] of [...this.#rows]) {
      if (message !== undefined && message.origin === origin && message.sequence > sequence) this.#delete(key);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#rows.clear();
    this.#ofUser.clear();
    this.#counts = new InboxCounts();
  }

  /** O(n) in the user's waiting messages. */
  #find(username: string, isAskedFor: (message: KeptMessage) => boolean, maxBytes: number): WaitingMessage[] {
    const found: WaitingMessage[] = [];
    let bytes = 0;
    for (const message of this.#ofUser.get(username)?.values() ?? []) {
      if (!isAskedFor(message)) continue;
      bytes += message.bytes.length;
      if (found.length > 0 && bytes > maxBytes) break;
      const { place, origin, sequence, to } = message;
      found.push({ place, origin, sequence, to, line: decoder.decode(message.bytes) });
    }
    return found;
  }

  #delete(key: string): boolean {
    const row = this.#rows.get(key);
    if (row === undefined) return false;
    this.#rows.delete(key);
    if (row.message !== undefined) {
      this.#counts.add(row.message.to, -1);
      const ofUser = this.#ofUser.get(row.message.to)!;
      ofUser.delete(key);
      if (ofUser.size === 0) this.#ofUser.delete(row.message.to);
    }
    return true;
  }
}
