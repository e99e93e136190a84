/** What can be said in the calls of a client. Types only. */

/** What every call that waits can be given. */
export interface CallOptions {
  /** Gives up waiting: the call rejects with the reason of the signal. Each call says what else that means. */
  readonly signal?: AbortSignal;
}

/** For whom an activity is. */
export interface PublishOptions extends CallOptions {
  /** Only who reads this channel gets it; everyone when it is not given. */
  readonly channel?: string;
}

/** Which activities are wanted. */
export interface ActivitiesOptions extends CallOptions {
  /** Names and patterns of channels, as in `ConnectOptions.channels`; what those name when this is not given. */
  readonly channels?: readonly string[];
}

/** Whose comings and goings are wanted. */
export interface PresenceOptions extends CallOptions {
  /** Whose readers, in place of all users. */
  readonly channel?: string;
}

/** Which part of the past is wanted. */
export interface HistoryOptions extends CallOptions {
  /** At most so many activities; 20 when not given. All of them are in memory. */
  readonly limit?: number;
  /** Only what came before this entry; up to now when not given. */
  readonly before?: string;
  /**
   * Only what came after this entry. Or only what was published at this time or later, as a `Date` or in milliseconds
   * since 1970.
   */
  readonly since?: string | number | Date;
  /** Only what is of this channel, or of one that this pattern stands for; what has no channel when not given. */
  readonly channel?: string;
}
