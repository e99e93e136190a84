/**
 * One connection's protocol life, as a server sees it: what may be said when, and what follows. Pure. `connection.ts`
 * has sockets, accounts and the log, and carries out the effects in order.
 *
 *     unidentified ──LOGIN──▶ verifying ──ok──▶ client ──▶ closed
 *        │    ▲                   ▲  │ refused ──────────▶ closed
 *        ├REGISTER▶ verifying     │  │
 *        │              └ok▶ registered ─LOGIN/REGISTER (again)
 *        └AUTHENTICATE▶ peer
 */

import type { Endpoint } from "../../platform/address.ts";
import type { Proven } from "../accounts/credential.ts";
import type { Admitted, PeerAdmission } from "../backplane/peer_admission.ts";
import type { ActivityFailedMessage } from "../../protocol/ack_message.ts";
import { type CloseReason, isCloseReason } from "../../protocol/close_reason.ts";
import {
  type ActivityMessage,
  type AuthenticateMessage,
  type ClientMessage,
  type DirectMessageFailedMessage,
  type EndConnectionMessage,
  type Feature,
  FEATURES,
  type InvalidLine,
  type LoginMessage,
  type RefusalMessage,
  type RegisterMessage,
  type RegisterSuccessMessage,
  type SendDirectMessage,
  type UserScope,
  type WireVector,
} from "../../protocol/message.ts";
import type { HistoryMessage } from "../../protocol/history_message.ts";
import { ANONYMOUS, secretProblem, usernameProblem } from "../../protocol/names.ts";
import { NO_SUCH_DIALECT } from "../legacy/legacy_codec.ts";

/** What a connection is. */
export type Session =
  /** Nothing was said yet. */
  | { readonly kind: "unidentified"; readonly registrations: 0 }
  /** The server checks or makes an account. Until then it looks at no line. */
  | {
    readonly kind: "verifying";
    readonly message: LoginMessage | RegisterMessage;
    readonly registrations: number;
  }
  /** It registered, and can log in now. */
  | { readonly kind: "registered"; readonly registrations: number }
  /** It is logged in. */
  | {
    readonly kind: "client";
    readonly username: string;
    /** The features in force. */
    readonly features: readonly Feature[];
    /** It asked for no feature. It understands eight commands, and gets no others. */
    readonly isPlain: boolean;
  }
  /** Another server: what follows is not the business of a session. */
  | { readonly kind: "peer" }
  | { readonly kind: "closed"; readonly reason: CloseReason };

/** What to do for a client that is logged in. */
export type ClientEffect =
  /** Take the message into the log, for one user. */
  | { readonly kind: "sendDirect"; readonly message: SendDirectMessage }
  | { readonly kind: "listUsers"; readonly scope: UserScope }
  | { readonly kind: "tellPast"; readonly question: HistoryMessage }
  /** Take the message's activity into the log. */
  | { readonly kind: "publish" }
  /** Answer an activity that is not taken. */
  | { readonly kind: "refuseActivity"; readonly message: ActivityFailedMessage }
  | { readonly kind: "answerHeartbeat"; readonly sequence: number }
  | { readonly kind: "heartbeatAnswered"; readonly sequence: number; readonly lamport?: number }
  | { readonly kind: "acknowledged"; readonly vector: WireVector; readonly lamport?: number };

/** What to do, in this order. */
export type SessionEffect =
  | {
    readonly kind: "send";
    readonly message:
      | RefusalMessage
      | RegisterSuccessMessage
      | DirectMessageFailedMessage
      | EndConnectionMessage;
  }
  /** Find out whether it may log in, and whether all entries are here that it comes after. */
  | { readonly kind: "checkLogin"; readonly login: LoginMessage }
  | { readonly kind: "register"; readonly username: string; readonly secret: string }
  /** Log it in: answer, find where it begins in the log, and read from there. */
  | ({ readonly kind: "beginSession" } & CheckedLogin)
  /** Answer as if it were logged in, and send it to another server. `close` follows. */
  | ({ readonly kind: "redirect"; readonly to: Endpoint } & CheckedLogin)
  /** Hand the link over, with what came after the line. */
  | { readonly kind: "becomePeer"; readonly admission: Admitted }
  | ClientEffect
  /** Nothing follows. `why` is for the log. */
  | { readonly kind: "close"; readonly reason: CloseReason; readonly why: string };

/** A session that is logged in. */
export type LoggedIn = Extract<Session, { kind: "client" }>;

/** A `LOGIN` that is good. */
export interface CheckedLogin {
  readonly login: LoginMessage;
  /** Not there for a client that needs no account. */
  readonly proven: Proven | undefined;
}

/** A state, and what to do on the way to it. */
export interface SessionStep {
  readonly session: Session;
  readonly effects: readonly SessionEffect[];
}

/** What a decision takes beside the message. */
export interface SessionFacts {
  /** Whether a server that says this is let in. */
  admit(message: AuthenticateMessage): PeerAdmission;
  /** The address that the connection comes from. */
  readonly remoteHost: string;
  readonly maxRegistrations: number;
  hasAccount(username: string): boolean;
  /** Whether the store has space for more than it needs itself. */
  readonly hasSpace: boolean;
  /**
   * Whether this user has published or sent something under this `messageId` before. Asked only when there is no space.
   */
  isRepeated(username: string, messageId: string): boolean;
  /** Whether this is the secret that the connection logged in with. Asked only when a message carries one. */
  matchesSecret(secret: string): boolean;
}

/** The features of this version. A client may ask for more, and is told which are in force. */
export const SERVED_FEATURES: readonly Feature[] = FEATURES;

/** Why a login is refused, with what is said about it. */
const LOGIN_PROBLEMS = {
  UNKNOWN_USER: "there is no user with this name",
  WRONG_SECRET: "the secret is not the one that this name was registered with",
  LOGGED_IN_ELSEWHERE: "this user is logged in already, and may be only once",
} as const;
/** A key of these. */
export type LoginProblem = keyof typeof LOGIN_PROBLEMS;

/** Why somebody is refused for now, and when it may try again. */
export interface Limit {
  readonly info: string;
  readonly retryAfterMs: number;
}

/** Said to an address that has tried too many wrong secrets. */
export const TOO_MANY_SECRETS = "too many wrong secrets came from this address";

/** Said of everything that the store would have to take. */
const NO_SPACE = "this server has no space left for it";

/** A connection that was just made. */
export const NEW_SESSION: Extract<Session, { kind: "unidentified" }> = Object.freeze({
  kind: "unidentified",
  registrations: 0,
});

/** What follows from almost every line: the log takes its activity. */
export const PUBLISH: readonly SessionEffect[] = Object.freeze([Object.freeze({ kind: "publish" })]);

/** A line came. Not called while the session is `verifying` or `closed`. */
export function onMessage(session: Session, message: ClientMessage | InvalidLine, facts: SessionFacts): SessionStep {
  switch (message.command) {
    case "":
      return refuse("INVALID_MESSAGE", message.info);
    case "ACTIVITY_MESSAGE": {
      if (session.kind !== "client") return refuse("AUTHENTICATION_FAIL", "log in before you publish");
      if (isPublished(session, message, facts)) return { session, effects: PUBLISH };
      const problem = pairProblem(session, message, facts);
      if (problem !== undefined) return refuse("AUTHENTICATION_FAIL", problem);
      return onPublishWithoutSpace(session, message, facts);
    }
    case "HEARTBEAT_ACK":
      if (session.kind !== "client") return notNow(message.command);
      return { session, effects: [{ kind: "heartbeatAnswered", sequence: message.sequence, ...timeOf(message) }] };
    case "HEARTBEAT":
      if (session.kind !== "client") return notNow(message.command);
      return { session, effects: [{ kind: "answerHeartbeat", sequence: message.sequence }] };
    case "ACK":
      if (session.kind !== "client") return notNow(message.command);
      return { session, effects: [{ kind: "acknowledged", vector: message.vector, ...timeOf(message) }] };
    case "DIRECT_MESSAGE": {
      if (session.kind !== "client") return refuse("AUTHENTICATION_FAIL", "log in before you send messages");
      const { messageId } = message;
      const failed = (info: string, reason?: string): SessionStep => {
        const about = { ...(messageId && { messageId }), ...(reason && { reason }) };
        return { session, effects: [{ kind: "send", message: { command: "DIRECT_MESSAGE_FAILED", info, ...about } }] };
      };
      const problem = messageProblem(session, message, facts);
      if (problem !== undefined) return failed(problem);
      if (lacksSpace(session, message, facts)) return failed(NO_SPACE, "NO_SPACE");
      return { session, effects: [{ kind: "sendDirect", message }] };
    }
    case "LIST_USERS":
      if (session.kind !== "client") return notNow(message.command);
      return { session, effects: [{ kind: "listUsers", scope: message.scope }] };
    case "HISTORY":
      if (session.kind !== "client") return notNow(message.command);
      return { session, effects: [{ kind: "tellPast", question: message }] };
    case "LOGIN":
      return onLogin(session, message, facts);
    case "REGISTER":
      return onRegister(session, message, facts);
    case "LOGOUT":
      return session.kind === "unidentified" ? notNow(message.command) : close("LOGGED_OUT", "the client logged out");
    case "END_CONNECTION":
      return close(
        "CLOSED_BY_OTHER_SIDE",
        `the client ended it${isCloseReason(message.reason) ? `: ${message.reason}` : ""}`,
      );
    case "INVALID_MESSAGE":
      // Its `info` may repeat a line, with all that is in it.
      return close("CLOSED_BY_OTHER_SIDE", "the client answered INVALID_MESSAGE");
    case "AUTHENTICATE": {
      if (session.kind !== "unidentified") return refuse("INVALID_MESSAGE", "AUTHENTICATE may only be the first line");
      const admission = facts.admit(message);
      if (admission.kind === "refused") return refuse("AUTHENTICATION_FAIL", admission.info);
      if (admission.kind === "notNow") {
        return notForNow({ info: TOO_MANY_SECRETS, retryAfterMs: admission.retryAfterMs }, false);
      }
      return { session: { kind: "peer" }, effects: [{ kind: "becomePeer", admission }] };
    }
  }
}

/** Whether nothing follows from `message` but that the log takes its activity. Else `onMessage` says what follows. */
export function isPublished(session: LoggedIn, message: ActivityMessage, facts: SessionFacts): boolean {
  return facts.hasSpace && pairProblem(session, message, facts) === undefined;
}

/**
 * The first line is one of the third family of servers, which this server cannot serve. Such a server gives up when it
 * hears this. After any other end it comes back at once.
 */
export function refuseThirdFamily(): SessionStep {
  return refuse("AUTHENTICATION_FAIL", NO_SUCH_DIALECT);
}

/**
 * What the server found out about a `LOGIN`: why it is refused, or refused for now, or the server to which the client
 * goes instead. `proven` is there for all clients that may log in, but for anonymous ones.
 */
export interface LoginFindings {
  readonly problem?: LoginProblem;
  readonly limit?: Limit;
  readonly redirect?: Endpoint;
  readonly proven?: Proven;
}

/** The server has checked the `LOGIN`. */
export function onLoginChecked(session: Session, { problem, limit, redirect, proven }: LoginFindings): SessionStep {
  if (session.kind !== "verifying" || session.message.command !== "LOGIN") return stay(session);
  if (limit !== undefined) return notForNow(limit, session.message.features.length === 0);
  if (problem !== undefined) return refuseLogin(problem);
  if (redirect === undefined) return beginSession({ login: session.message, proven });
  const step = close("REDIRECTED", `it was sent to ${redirect.host}:${redirect.port}`);
  return {
    session: step.session,
    effects: [{ kind: "redirect", login: session.message, to: redirect, proven }, ...step.effects],
  };
}

/** The account of the `REGISTER` is stored, or the name was taken. */
export function onRegistered(
  session: Session,
  problem?: { readonly reason: "NAME_TAKEN" } | ({ readonly reason: "TOO_MANY" } & Limit),
): SessionStep {
  if (session.kind !== "verifying" || session.message.command !== "REGISTER") return stay(session);
  if (problem?.reason === "TOO_MANY") return refuse("REGISTER_FAILED", wordsOf(problem), problem.reason);
  if (problem !== undefined) return refuse("REGISTER_FAILED", "this name is taken", problem.reason);
  const message = { command: "REGISTER_SUCCESS", info: `registered ${session.message.username}` } as const;
  return {
    session: { kind: "registered", registrations: session.registrations },
    effects: [{ kind: "send", message }],
  };
}

function onLogin(session: Session, message: LoginMessage, facts: SessionFacts): SessionStep {
  if (session.kind !== "unidentified" && session.kind !== "registered") {
    return refuse("INVALID_MESSAGE", "this connection is logged in already");
  }
  if (message.heartbeatHost !== undefined && message.heartbeatHost !== facts.remoteHost) {
    return refuse("INVALID_MESSAGE", '"heartbeat" may only name a port on the address that the connection comes from');
  }
  const { username, secret } = message;
  if (username !== ANONYMOUS) {
    // A store can take half a surrogate pair for another character, and so for another user.
    if (usernameProblem(username) !== undefined) return refuseLogin("UNKNOWN_USER");
    // Names are public, so this answer gives nothing away. Nothing is derived, and nobody has guessed.
    if (secret === undefined && !facts.hasAccount(username)) return refuseLogin("UNKNOWN_USER");
    if (secret === undefined) return refuse("LOGIN_FAILED", "a secret is needed", "WRONG_SECRET");
  }
  return {
    session: { kind: "verifying", message, registrations: session.registrations },
    effects: [{ kind: "checkLogin", login: message }],
  };
}

function onRegister(session: Session, message: RegisterMessage, facts: SessionFacts): SessionStep {
  if (session.kind !== "unidentified" && session.kind !== "registered") {
    return refuse("INVALID_MESSAGE", "this connection is logged in already");
  }
  const problem = usernameProblem(message.username) ?? secretProblem(message.secret);
  if (problem !== undefined) return refuse("REGISTER_FAILED", problem, "NOT_ALLOWED");
  if (session.registrations >= facts.maxRegistrations) {
    return refuse("REGISTER_FAILED", `one connection may register ${facts.maxRegistrations} names`, "TOO_MANY");
  }
  if (!facts.hasSpace) return refuse("REGISTER_FAILED", NO_SPACE, "NO_SPACE");
  const { username, secret } = message;
  return {
    session: { kind: "verifying", message, registrations: session.registrations + 1 },
    effects: [{ kind: "register", username, secret }],
  };
}

/** The features that a client asks for and this server has. */
export function featuresInForce(login: LoginMessage): readonly Feature[] {
  return SERVED_FEATURES.filter((feature) => login.features.includes(feature));
}

function beginSession(checked: CheckedLogin): SessionStep {
  const { login } = checked;
  const features = featuresInForce(login);
  return {
    session: { kind: "client", username: login.username, features, isPlain: login.features.length === 0 },
    effects: [{ kind: "beginSession", ...checked }],
  };
}

/** A plain client knows no command for this, so the end of its connection says it. */
function onPublishWithoutSpace(session: LoggedIn, message: ActivityMessage, facts: SessionFacts): SessionStep {
  if (!lacksSpace(session, message, facts)) return { session, effects: PUBLISH };
  if (session.isPlain) return close("NO_SPACE", "an activity came while there was no space for it");
  const { messageId } = message;
  const failed = {
    command: "ACTIVITY_FAILED",
    ...(messageId && { messageId }),
    reason: "NO_SPACE",
    info: NO_SPACE,
  } as const;
  return { session, effects: [{ kind: "refuseActivity", message: failed }] };
}

/** Whether there is no space for `message`. A repeated message needs none: it gets the answer of the first one. */
function lacksSpace(
  { username }: LoggedIn,
  { messageId }: { readonly messageId: string | undefined },
  facts: SessionFacts,
): boolean {
  return !facts.hasSpace && (messageId === undefined || !facts.isRepeated(username, messageId));
}

/** Why the message's username and secret are not those of the login. Clients with features may leave both out. */
function pairProblem(
  session: LoggedIn,
  message: { readonly username: string | undefined; readonly secret: string | undefined },
  facts: SessionFacts,
): string | undefined {
  const { username, secret } = message;
  const mayLeaveOut = !session.isPlain || session.username === ANONYMOUS;
  if (username === undefined ? !mayLeaveOut : username !== session.username) {
    return "the username is not the one that this connection logged in with";
  }
  if (session.username === ANONYMOUS) return undefined;
  if (secret === undefined ? !mayLeaveOut : !facts.matchesSecret(secret)) {
    return "the secret is not the one that this connection logged in with";
  }
  return undefined;
}

/** Why a direct message cannot be sent. */
function messageProblem(
  { username }: LoggedIn,
  { to, text }: SendDirectMessage,
  facts: SessionFacts,
): string | undefined {
  if (username === ANONYMOUS) return "only who has a name can send a direct message";
  if (text === "") return "the text is empty";
  return usernameProblem(to) === undefined && facts.hasAccount(to) ? undefined : "there is no user with this name";
}

function refuseLogin(reason: LoginProblem): SessionStep {
  return refuse("LOGIN_FAILED", LOGIN_PROBLEMS[reason], reason);
}

/** What a client is, once it is logged in. A client with a name does not have to go for others. */
export function standingOf(
  { username, features }: LoginMessage,
): { readonly kind: "plain" | "anonymous" } | { readonly kind: "named"; readonly username: string } {
  if (username !== ANONYMOUS) return { kind: "named", username };
  return { kind: features.length === 0 ? "plain" : "anonymous" };
}

/** A client that is not plain is told when to come back. */
function notForNow(limit: Limit, isPlain: boolean): SessionStep {
  const { retryAfterMs } = limit;
  const words = wordsOf(limit);
  const message = isPlain
    ? { command: "LOGIN_FAILED", info: words, reason: "TOO_MANY" } as const
    : { command: "END_CONNECTION", reason: "TOO_MANY", info: words, reconnect: "backoff", retryAfterMs } as const;
  const step = close("TOO_MANY", words);
  return { session: step.session, effects: [{ kind: "send", message }, ...step.effects] };
}

function wordsOf({ info, retryAfterMs }: Limit): string {
  return `${info}: try again in ${Math.ceil(retryAfterMs / 1000)} s`;
}

function notNow(command: string): SessionStep {
  return refuse("INVALID_MESSAGE", `${command} may only be sent when logged in`);
}

function refuse(command: RefusalMessage["command"], info: string, reason?: string): SessionStep {
  const message = { command, info, ...(reason === undefined ? {} : { reason }) };
  const step = close(command, info);
  return { session: step.session, effects: [{ kind: "send", message }, ...step.effects] };
}

function close(reason: CloseReason, why: string): SessionStep {
  return { session: { kind: "closed", reason }, effects: [{ kind: "close", reason, why }] };
}

function stay(session: Session): SessionStep {
  return { session, effects: [] };
}

function timeOf({ lamport }: { readonly lamport?: number }): { readonly lamport?: number } {
  return lamport === undefined ? {} : { lamport };
}
