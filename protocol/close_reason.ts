/**
 * Every reason for which a connection ends, and what the other side should do next. `END_CONNECTION` carries the
 * reason; logs and tests cite it. The names are on the wire: append only. Pure.
 */

/** When a client may come back after a connection ended: at once, after a while, or never with the same login. */
export type ReconnectAdvice = "now" | "backoff" | "never";

/** One row of the table below. */
export interface CloseReasonRow {
  /** For people: what happened, as the end of the sentence "The connection ended: …". */
  readonly sentence: string;
  /** What the other side should do next. */
  readonly reconnect: ReconnectAdvice;
}

/** Why a connection ended. */
export const CLOSE_REASONS = {
  CLOSED_BY_OTHER_SIDE: { sentence: "the other side closed it", reconnect: "now" },
  CONNECTION_RESET: { sentence: "the network broke it", reconnect: "now" },
  LOGGED_OUT: { sentence: "the client logged out", reconnect: "never" },
  HEARTBEAT_TIMEOUT: { sentence: "no heartbeat was answered", reconnect: "now" },
  IDENTIFY_TIMEOUT: { sentence: "it did not log in in time", reconnect: "backoff" },
  INVALID_MESSAGE: { sentence: "it sent something that is not allowed", reconnect: "never" },
  LOGIN_FAILED: { sentence: "the login was refused", reconnect: "never" },
  REGISTER_FAILED: { sentence: "the registration was refused", reconnect: "never" },
  AUTHENTICATION_FAIL: { sentence: "it did not prove who it is", reconnect: "never" },
  FELL_BEHIND: { sentence: "the log no longer has its unread entries", reconnect: "now" },
  SERVER_STOPPING: { sentence: "the server is stopping", reconnect: "now" },
  SERVER_FAILED: { sentence: "the server cannot store anything any more", reconnect: "backoff" },
  REDIRECTED: { sentence: "another server has fewer clients", reconnect: "now" },
  NAME_LOST: { sentence: "the name belongs to another account of the network", reconnect: "never" },
  SESSION_REPLACED: { sentence: "the user logged in elsewhere", reconnect: "never" },
  DUPLICATE_LINK: { sentence: "there is another link between these servers", reconnect: "never" },
  TOO_MANY: { sentence: "its address has too many connections, or no place was left", reconnect: "backoff" },
  PEER_SILENT: { sentence: "the other server does not answer a question", reconnect: "backoff" },
  NO_SPACE: { sentence: "the server has no space for its message", reconnect: "backoff" },
  SERVER_LOST: { sentence: "its server was lost", reconnect: "now" },
  ENDED_BY_OPERATOR: { sentence: "an operator of the network ended it", reconnect: "never" },
  BANNED: { sentence: "an operator of the network has banned the user or the address", reconnect: "never" },
  DISABLED: { sentence: "an operator of the network has disabled the account", reconnect: "never" },
  DELETED: { sentence: "the account was deleted", reconnect: "never" },
  SECRET_CHANGED: { sentence: "the account has another secret now", reconnect: "never" },
  RIGHTS_CHANGED: { sentence: "what the user may do has changed", reconnect: "now" },
  TOO_OLD: { sentence: "the other server does not know the channels of this network", reconnect: "backoff" },
} as const satisfies Record<string, CloseReasonRow>;

/** The name of a row of `CLOSE_REASONS`. */
export type CloseReason = keyof typeof CLOSE_REASONS;

/** Whether `name` is in the table. A newer server may know more reasons. */
export function isCloseReason(name: string): name is CloseReason {
  return Object.hasOwn(CLOSE_REASONS, name);
}
