/**
 * The errors of a client's promises. Each says in one sentence what failed, where and why. None repeats a secret. Pure.
 */

import type { CloseReason } from "../protocol/close_reason.ts";
import type { Feature, RefusalMessage } from "../protocol/message.ts";
import type { UserListFailedMessage } from "../protocol/presence/presence_message.ts";

/** No server could be reached, or none answered, or the connection was given up while it was being made. */
export class ConnectError extends Error {
  /** Its class, by name. */
  override name = "ConnectError";
}

/** The file for the trace cannot be opened. */
export class TraceFileError extends Error {
  /** Its class, by name. */
  override name = "TraceFileError";
}

/**
 * The server refused a login, a registration, an activity, a direct message, a list of users, a page of the past, or a
 * line.
 */
export class RefusedError extends Error {
  /** Its class, by name. */
  override name = "RefusedError";
  /** The refusal as the protocol names it. */
  readonly command:
    | "REGISTER_FAILED"
    | "LOGIN_FAILED"
    | "AUTHENTICATION_FAIL"
    | "INVALID_MESSAGE"
    | "ACTIVITY_FAILED"
    | "DIRECT_MESSAGE_FAILED"
    | "USER_LIST_FAILED"
    | "HISTORY_FAILED"
    | "SUBSCRIBE_FAILED";
  /** The server's own words. */
  readonly info: string;
  /** For programs, where the server says it: `"NAME_TAKEN"`, `"UNKNOWN_USER"`, `"WRONG_SECRET"` … */
  readonly reason: string | undefined;

  /**
   * Made by the client.
   *
   * @param message one sentence for people
   */
  constructor(
    message: string,
    refusal: {
      readonly command: RefusedError["command"];
      readonly info: string;
      readonly reason: string | undefined;
    },
  ) {
    super(message);
    this.command = refusal.command;
    this.info = refusal.info;
    this.reason = refusal.reason;
  }
}

/**
 * The client is closed: by its own `close()`, by the server, or because the network broke and the client does not
 * reconnect.
 */
export class ConnectionEndedError extends Error {
  /** Its class, by name. */
  override name = "ConnectionEndedError";
  /** One of `CLOSE_REASONS`, or a reason that only a newer server knows. */
  readonly reason: CloseReason | (string & Record<never, never>);

  /**
   * Made by the client.
   *
   * @param message one sentence for people
   */
  constructor(message: string, reason: string) {
    super(message);
    this.reason = reason;
  }
}

/** What everything rejects with after `close()`. */
export function endedHere(): ConnectionEndedError {
  return new ConnectionEndedError("The client is closed", "LOGGED_OUT");
}

/** The error for a refusal by `server`, given as `host:port`. */
export function refusedError(refusal: RefusalMessage, username: string, server: string): RefusedError {
  const { command, info, reason } = refusal;
  const what = command === "REGISTER_FAILED"
    ? `Cannot register "${username}" at ${server}`
    : command === "LOGIN_FAILED"
    ? `Cannot log in as "${username}" at ${server}`
    : `${server} refused a line of this client`;
  return new RefusedError(`${what}: ${info}`, { command, info, reason });
}

/** The error for an activity, or a direct message to `to`, that the server does not take. */
export function notTaken(to: string | undefined, info: string, reason: string | undefined): RefusedError {
  return to === undefined
    ? new RefusedError(`Cannot publish: ${info}`, { command: "ACTIVITY_FAILED", info, reason })
    : new RefusedError(`Cannot send a direct message to "${to}": ${info}`, {
      command: "DIRECT_MESSAGE_FAILED",
      info,
      reason,
    });
}

/** The error for a list of users that the server does not tell; with a channel, of those who read that. */
export function noReaders({ command, info, reason, channel }: UserListFailedMessage): RefusedError {
  const what = channel === undefined ? "who there is" : `who reads ${JSON.stringify(channel)}`;
  return new RefusedError(`Cannot tell ${what}: ${info}`, { command, info, reason });
}

/** The error for channels of which the user may read nothing. */
export function mayNotRead(channels: readonly string[]): RefusedError {
  const info = `the user may not read ${channels.map((pattern) => JSON.stringify(pattern)).join(", ")} here`;
  const refusal = { command: "SUBSCRIBE_FAILED", info, reason: "NOT_ALLOWED" } as const;
  return new RefusedError(`Cannot read these channels: ${info}`, refusal);
}

/** The error of what needs a feature that the server does not serve, or the client did not want. */
export function noFeature(feature: Feature): TypeError {
  return new TypeError(`Cannot do that without the feature "${feature}"`);
}

/** The error for `server`, given as `host:port`, when a connection to it could not be made because of `cause`. */
export function unreachable(server: string, cause: Error & { readonly code?: string }): ConnectError {
  return new ConnectError(`Cannot connect to ${server}: ${connectProblem(cause)}`, { cause });
}

/** Why a connection could not be made, in words. */
function connectProblem(error: Error & { readonly code?: string }): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "nothing listens there";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "there is no host of that name";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no way to that host";
    case "ETIMEDOUT":
      return "it does not answer";
  }
  return error.message;
}
