/** The messages about who there is, between clients and servers, as types. Pure. */

/** Users that are logged in somewhere, or all registered users. */
export type UserScope = "online" | "all";

/** Asks who there is. */
export interface ListUsersMessage {
  readonly command: "LIST_USERS";
  readonly scope: UserScope;
}

/** The answer to LIST_USERS, over the whole network. */
export interface UserListMessage {
  readonly command: "USER_LIST";
  readonly scope: UserScope;
  /** In the order of `Array.sort`, each once. */
  readonly users: readonly string[];
}

/** There is no USER_LIST: who asked may not know. */
export interface UserListFailedMessage {
  readonly command: "USER_LIST_FAILED";
  readonly scope: UserScope;
  readonly reason: string;
  /** For people. */
  readonly info: string;
}

/** A user came or went: `"left"` by logging out, `"lost"` otherwise. Anonymous clients cause no such message. */
export interface PresenceMessage {
  readonly command: "PRESENCE";
  readonly event: "joined" | "left" | "lost";
  readonly username: string;
  readonly lamport: number;
}
