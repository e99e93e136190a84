/**
 * The newest entries that users have sent through other servers. What they send here has to come after these, at every
 * reader. An entry matters for as long as servers take to hear of each other.
 */

import { RecentMap } from "../../log/recent.ts";
import { type EntryId, formatEntryId } from "../../protocol/entry_id.ts";

/** The number of users. Beyond it the user is forgotten whose entry from elsewhere is the oldest. */
const MAX_SENDERS = 65_536;

/** The users of other servers. */
export class Senders {
  /** The newest entry of each, in the order in which these came. */
  readonly #newest = new RecentMap<string, EntryId>(MAX_SENDERS);

  /** An entry of the user has come from another server. */
  came(username: string, entry: EntryId): void {
    this.#newest.renew(username, entry);
  }

  /**
   * The id of the entry of another server that the user's next entry comes after, if there is one. The client names it
   * (`after`), or this server knows a later one. Asked once: the entry after that one follows this server's own.
   */
  takePreviousId(username: string, after: EntryId | undefined): string | undefined {
    const known = this.#newest.get(username);
    const isKnownLater = known !== undefined && known.origin === after?.origin && known.sequence > after.sequence;
    this.#newest.delete(username);
    const previous = isKnownLater ? known : after ?? known;
    return previous === undefined ? undefined : formatEntryId(previous);
  }
}
