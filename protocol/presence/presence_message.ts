/** The messages about who there is, between clients and servers, as types. Pure. */

/** Users that are logged in somewhere, or all registered users. */
export type UserScope = "online" | "all";

/** Asks who there is; with a channel, who reads that. */
export interface ListUsersMessage {
  readonly command: "LIST_USERS";
  /** With a channel always `"online"`. */
  readonly scope: UserScope;
  /** A name, normal. With the feature `channels`. */
  readonly channel?: string;
  /** With a channel: whether the client is told from now on who begins to read it, and who ends. */
  readonly presence?: boolean;
}

/** The answer to LIST_USERS, over the whole network. */
export interface UserListMessage {
  readonly command: "USER_LIST";
  readonly scope: UserScope;
  /** As in the question. */
  readonly channel?: string;
  /** In the order of `Array.sort`, each once. */
  readonly users: readonly string[];
  /** With a channel: a server of the network has not answered in time. */
  readonly partial?: true;
}

/** There is no USER_LIST: who asked may not know. */
export interface UserListFailedMessage {
  readonly command: "USER_LIST_FAILED";
  readonly scope: UserScope;
  /** As in the question. */
  readonly channel?: string;
  readonly reason: string;
  /** For people. */
  readonly info: string;
}

/**
 * A user came or went: `"left"` by logging out, `"lost"` otherwise. With a channel: began or ended to read it.
 * Anonymous clients cause no such message.
 */
export interface PresenceMessage {
  readonly command: "PRESENCE";
  readonly event: "joined" | "left" | "lost";
  readonly username: string;
  readonly lamport: number;
  readonly channel?: string;
}
