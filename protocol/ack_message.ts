/** What a server says of the activities that a client has published. Types only. */

/** The activity `messageId` is safe. */
export interface ActivityAckMessage {
  readonly command: "ACTIVITY_ACK";
  readonly messageId: string;
  readonly id: string;
  /** Something else was stored under this message id before, as `id`. The activity was thrown away. */
  readonly differs?: true;
}

/**
 * Activities are safe: up to the one with the number `upTo`, all that were not answered singly. Only to clients that
 * asked for `ackRanges`. A client numbers the activities that it sends on one connection, from 1.
 */
export interface ActivityRangeAckMessage {
  readonly command: "ACTIVITY_ACK";
  readonly upTo: number;
  /** The identity of the last of them. Each one before has the number before, of the same origin. */
  readonly id: string;
}

/**
 * The server has stored the message `messageId` and waits until another server has it, too. The acknowledgement
 * follows.
 */
export interface ActivityPendingMessage {
  readonly command: "ACTIVITY_PENDING";
  readonly messageId: string;
  /** For people. */
  readonly info: string;
}

/** The same of all activities up to `upTo`, counted as in `ActivityRangeAckMessage`, that were not answered yet. */
export interface ActivityRangePendingMessage {
  readonly command: "ACTIVITY_PENDING";
  readonly upTo: number;
  /** For people. */
  readonly info: string;
}

/** The server did not take an activity. No client gets it, and the sender may send it again later. */
export interface ActivityFailedMessage {
  readonly command: "ACTIVITY_FAILED";
  /** That of the activity, if it had one. */
  readonly messageId?: string;
  /** With `ackRanges`, of an activity without a `messageId`: its number, counted as in `ActivityRangeAckMessage`. */
  readonly number?: number;
  /** For programs: `"NO_SPACE"`, `"NO_CHANNELS"` or `"CHANNELS_LATER"`. */
  readonly reason: string;
  /** For people. */
  readonly info: string;
}

/** Any of these. */
export type ActivityAnswer =
  | ActivityAckMessage
  | ActivityRangeAckMessage
  | ActivityPendingMessage
  | ActivityRangePendingMessage
  | ActivityFailedMessage;
