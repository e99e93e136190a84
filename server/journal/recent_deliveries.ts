/**
 * Direct messages that were delivered lately, at any server. So a message is not delivered twice in one turn. And its
 * sender is told once when two servers deliver it before they hear of each other. The store knows which messages wait.
 */

import { RecentSet } from "../../log/recent.ts";
import { type EntryId, formatEntryId, parseEntryId } from "../../protocol/entry_id.ts";

/** A delivery matters for as long as servers take to hear of each other. */
const MAX_DELIVERIES = 65_536;

/** The newest deliveries. */
export class RecentDeliveries {
  /** By id. */
  readonly #ids = new RecentSet<string>(MAX_DELIVERIES);

  /** Whether the message was delivered lately. */
  has(message: EntryId): boolean {
    return this.#ids.size > 0 && this.#ids.has(formatEntryId(message));
  }

  /** Notes a delivery. Gives whether it is new. */
  add(message: EntryId): boolean {
    const id = formatEntryId(message);
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    return true;
  }

  /** Forgets a delivery. Gives whether it was known. */
  delete(message: EntryId): boolean {
    return this.#ids.size > 0 && this.#ids.delete(formatEntryId(message));
  }

  /** The numbers of `origin` after `sequence` have other entries from now on. */
  cut(origin: string, sequence: number): void {
    for (const id of this.#ids) {
      const entry = parseEntryId(id)!;
      if (entry.origin === origin && entry.sequence > sequence) this.#ids.delete(id);
    }
  }
}
