/**
 * What users have sent through other servers last: what they send here has to come after it, wherever it is read. It
 * matters for as long as servers take to hear of each other.
 */

import { RecentMap } from "../../log/recent.ts";
import type { EntryId } from "../../protocol/entry_id.ts";

/** Beyond that those are forgotten who have sent nothing elsewhere for the longest time. */
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
   * What the user's next entry comes after, if that is one of another server: what its client says (`after`), or, where
   * more is known of the user, that. Asked for once: the entry after it follows this server's own.
   */
  takePrevious(username: string, after: EntryId | undefined): EntryId | undefined {
    const known = this.#newest.get(username);
    const isKnownLater = known !== undefined && known.origin === after?.origin && known.sequence > after.sequence;
    this.#newest.delete(username);
    return isKnownLater ? known : after ?? known;
  }
}
