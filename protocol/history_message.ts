/**
 * The messages about the past, as types: what a client asks, and the pages of the answer. `message.ts` has all others.
 * Pure.
 */

/**
 * Asks for a page of the past: the newest activities that come before `before` and after `since`. With the feature
 * `history`.
 */
export interface HistoryMessage {
  readonly command: "HISTORY";
  /** At most so many activities; 1 or more. A page may have fewer. */
  readonly limit: number;
  /** The id of an entry; absent for the end of the log. */
  readonly before: string | undefined;
  /** The id of an entry, or a time in milliseconds since 1970; absent for the beginning of the log. */
  readonly since: string | number | undefined;
  /** A pattern of channels; absent for what has no channel. */
  readonly channel?: string;
}

/** The end of a page. The activities of the page came right before it, each marked `past`, the oldest first. */
export interface HistoryPageMessage {
  readonly command: "HISTORY_PAGE";
  readonly past: true;
  /** How many activities the page has. */
  readonly count: number;
  /** Whether there may be more before the page. */
  readonly more: boolean;
  /** With `more`: the `before` of the question for the next page. */
  readonly before?: string;
  /** The oldest activity that the server keeps, and when it took that in, in milliseconds since 1970. */
  readonly begins?: WireBeginning;
  /** Some of what was before that is no longer kept. */
  readonly forgotten?: boolean;
}

/** Where the kept past begins. */
export interface WireBeginning {
  readonly id: string;
  readonly at: number;
}

/** There is no such page. The connection stays open. */
export interface HistoryFailedMessage {
  readonly command: "HISTORY_FAILED";
  /** For programs: `"UNKNOWN_ENTRY"`, or `"NO_CHANNELS"` where the client has not asked for the feature. */
  readonly reason: string;
  /** For people. */
  readonly info: string;
}
