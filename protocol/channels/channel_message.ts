/** The messages about channels, as types: what a client reads, and how far the log is that it reads. Pure. */

/** `{origin: sequence}`. */
type Vector = Readonly<Record<string, number>>;

/** From now on the client reads these channels, too. With the feature `channels`. */
export interface SubscribeMessage {
  readonly command: "SUBSCRIBE";
  /** Patterns, each normal and once. */
  readonly channels: readonly string[];
  /** At most so many activities of these channels come first, marked `past`; 0 for none. */
  readonly history: number;
}

/** From now on the client does not read what only these patterns stand for. */
export interface UnsubscribeMessage {
  readonly command: "UNSUBSCRIBE";
  readonly channels: readonly string[];
}

/** What a client says of channels. */
export type ChannelMessage = SubscribeMessage | UnsubscribeMessage;

/** It is so. What follows in the log after `vector` is read as was asked. */
export interface SubscribedMessage {
  readonly command: "SUBSCRIBED" | "UNSUBSCRIBED";
  /** As in the question. */
  readonly channels: readonly string[];
  /** What the client has of all its channels: everything up to there was sent before this line. */
  readonly vector: Vector;
}

/** Nothing has changed. The connection stays open. */
export interface SubscribeFailedMessage {
  readonly command: "SUBSCRIBE_FAILED";
  /** For programs. */
  readonly reason: string;
  /** For people. */
  readonly info: string;
  /** With `NOT_ALLOWED`: those of the patterns of which the client may read nothing. */
  readonly channels?: readonly string[];
}

/** The client has all of `vector`: what came since was not for it. */
export interface PositionMessage {
  readonly command: "POSITION";
  readonly vector: Vector;
}

/** What a server says of channels. */
export type ChannelAnswer = SubscribedMessage | SubscribeFailedMessage | PositionMessage;
