/**
 * The protocol life of one connection, as a client sees it: the meaning of a server's message, and the next steps.
 * Pure: `connection.ts` has sockets and timers, and `client.ts` keeps everything that outlives a connection.
 *
 *     registering ──ok──▶ loggingIn ──ok──▶ open ──LOGOUT──▶ leaving
 *          │                  │    (or by deriving, proving)    │
 *          └──────────────────┴───── over ◀───┴─────────────────┘
 */

import type { Endpoint } from "../platform/address.ts";
import type { ActivityFailedMessage } from "../protocol/ack_message.ts";
import { CLOSE_REASONS, type CloseReason, isCloseReason, type ReconnectAdvice } from "../protocol/close_reason.ts";
import type {
  ActivityBroadcastMessage,
  CaughtUpMessage,
  DirectMessage,
  DirectMessageFailedMessage,
  Feature,
  HeartbeatMessage,
  InvalidLine,
  LoginSuccessMessage,
  ReceiptMessage,
  RefusalMessage,
  ServerMessage,
  WireServer,
  WireVector,
} from "../protocol/message.ts";
import type { PresenceMessage, UserListFailedMessage, UserListMessage } from "../protocol/presence/presence_message.ts";
import { ANONYMOUS } from "../protocol/names.ts";
import {
  type clientFirst,
  prove,
  readServerFirst,
  type ScramDerivation,
  type ScramHash,
  type ScramTalk,
} from "../protocol/login/scram.ts";
import type { ChannelAnswer } from "../protocol/channels/channel_message.ts";
import type { PastMessage } from "./past.ts";

/** What a connection is for. */
export interface SessionPlan {
  readonly username: string;
  readonly secret: string | undefined;
  /** The beginning of a proof that the client knows its secret. With it the login does not tell the secret. */
  readonly scram?: ReturnType<typeof clientFirst> | undefined;
  /** Whether to register first, and what follows if the name is taken. */
  readonly register: boolean | "ifNew";
  /** The code of an invitation. */
  readonly invitation?: string | undefined;
  readonly features: readonly Feature[];
  /** What the client has, when it comes back. */
  readonly resume: WireVector | undefined;
  /** The port where the client listens for heartbeats out of band. */
  readonly heartbeatPort: number | undefined;
  /** Redirects that were followed to get here. */
  readonly redirects: number;
  /** The ticket from the last login. */
  readonly ticket: string | undefined;
  /** The client's newest activity that the network has. */
  readonly last: string | undefined;
  /** Whether the client wants activities; absent means yes. */
  readonly reads?: boolean | undefined;
  /** The client gets nothing of the log. */
  readonly receive?: "none" | undefined;
  /** The patterns of channels that the client reads; absent for what has no channel. */
  readonly channels?: readonly string[] | undefined;
}

/** The state of a connection. */
export type Session =
  | { readonly kind: "registering" | "loggingIn"; readonly plan: SessionPlan }
  /** The server has asked for a proof, and the key for it is derived. */
  | { readonly kind: "deriving"; readonly talk: ScramTalk }
  /** The proof is given. `serverFinal` is what a server says that knows the account. */
  | { readonly kind: "proving"; readonly serverFinal: string }
  | { readonly kind: "open" | "leaving"; readonly login: LoginSuccessMessage }
  | { readonly kind: "over" };

/** Why a connection is over. */
export type SessionEnd =
  /** The server refused the request. A repeated request would not help. */
  | { readonly kind: "refused"; readonly refusal: RefusalMessage }
  /** The server has not asked for a proof, and wants the secret itself. */
  | { readonly kind: "clearOnly"; readonly refusal: RefusalMessage }
  /** The name is taken; the client logs in then, as it was told. */
  | { readonly kind: "nameTaken" }
  | { readonly kind: "redirected"; readonly server: Endpoint }
  /** The server said that it closes. */
  | {
    readonly kind: "endedByServer";
    readonly reason: string;
    readonly info: string;
    readonly advice: ReconnectAdvice;
    readonly retryAfterMs: number;
  }
  /** The connection broke. `reason` is a row of `CLOSE_REASONS`, and `info` may tell more. */
  | { readonly kind: "lost"; readonly reason: LostReason; readonly info: string }
  | { readonly kind: "loggedOut" };

/** How a connection breaks. */
export type LostReason = Extract<
  CloseReason,
  "CLOSED_BY_OTHER_SIDE" | "CONNECTION_RESET" | "HEARTBEAT_TIMEOUT" | "IDENTIFY_TIMEOUT" | "INVALID_MESSAGE"
>;

/** A message to the server, as the line will have it. */
export type OutgoingMessage = { readonly command: string; readonly [field: string]: unknown };

/** The server's words about other users, and their messages to this one. */
export type ChatMessage =
  | DirectMessage
  | ReceiptMessage
  | UserListMessage
  | UserListFailedMessage
  | PresenceMessage
  | CaughtUpMessage;

/** What the server did not take. */
export type FailedMessage = ActivityFailedMessage | DirectMessageFailedMessage;

/** An effect; the caller carries them out in order. */
export type SessionEffect =
  | { readonly kind: "send"; readonly message: OutgoingMessage }
  | { readonly kind: "registered" }
  /** Derive the key from the secret; `onDerived` follows. */
  | { readonly kind: "derive"; readonly derivation: ScramDerivation }
  /** The next messages were sent at this Lamport time. */
  | { readonly kind: "clock"; readonly lamport: number }
  | { readonly kind: "opened"; readonly login: LoginSuccessMessage }
  | { readonly kind: "deliver"; readonly broadcast: ActivityBroadcastMessage }
  | { readonly kind: "acknowledged"; readonly messageId: string; readonly id: string }
  /** All activities of this connection up to this number are safe that wait for an answer. `id` is that of the last. */
  | { readonly kind: "acknowledgedUpTo"; readonly upTo: number; readonly id: string }
  /** It is stored, and waits for another server. */
  | { readonly kind: "pending"; readonly messageId: string; readonly info: string }
  /** The same of all of them. */
  | { readonly kind: "pendingUpTo"; readonly upTo: number; readonly info: string }
  /** An activity or a direct message was not taken; the session goes on. */
  | { readonly kind: "refused"; readonly refusal: FailedMessage }
  | { readonly kind: "chat"; readonly message: ChatMessage }
  /** A part of a page of the past, or its end. */
  | { readonly kind: "past"; readonly message: PastMessage }
  /** What the client reads has changed, or has not, or nothing of it has come for long. */
  | { readonly kind: "channels"; readonly message: ChannelAnswer }
  | { readonly kind: "heartbeat"; readonly heartbeat: HeartbeatMessage }
  | { readonly kind: "heartbeatAnswered"; readonly sequence: number }
  /** Where to go when the server is gone, best first. */
  | { readonly kind: "backups"; readonly servers: readonly WireServer[] }
  /** Nothing follows. */
  | { readonly kind: "end"; readonly end: SessionEnd };

/** A state and what to do on the way to it. */
export interface SessionStep {
  readonly session: Session;
  readonly effects: readonly SessionEffect[];
}

const OVER: Session = Object.freeze({ kind: "over" });
const NO_EFFECTS: readonly SessionEffect[] = Object.freeze([]);

/** A connection was made. */
export function beginSession(plan: SessionPlan): SessionStep {
  const { username, secret, invitation, features } = plan;
  if (plan.register === false) return login(plan);
  return {
    session: { kind: "registering", plan },
    effects: [{ kind: "send", message: { command: "REGISTER", username, secret, ...listed(features), invitation } }],
  };
}

/** A line came; `undefined` is a command that only a newer server knows. Not called after the session is over. */
export function onMessage(session: Session, message: ServerMessage | InvalidLine | undefined): SessionStep {
  if (message === undefined || session.kind === "over") return { session, effects: NO_EFFECTS };
  switch (message.command) {
    case "":
      return lost("INVALID_MESSAGE", `the server sent something that cannot be read: ${message.info}`);
    case "ACTIVITY_BROADCAST":
      if (!isOpen(session)) return unexpected(message.command);
      return message.past === true
        ? { session, effects: [{ kind: "past", message }] }
        : { session, effects: [{ kind: "deliver", broadcast: message }] };
    case "HISTORY_PAGE":
    case "HISTORY_FAILED":
      return isOpen(session) ? { session, effects: [{ kind: "past", message }] } : unexpected(message.command);
    case "SUBSCRIBED":
    case "UNSUBSCRIBED":
    case "SUBSCRIBE_FAILED":
    case "POSITION":
      return isOpen(session) ? { session, effects: [{ kind: "channels", message }] } : unexpected(message.command);
    case "ACTIVITY_ACK":
      if ("upTo" in message) {
        return { session, effects: [{ kind: "acknowledgedUpTo", upTo: message.upTo, id: message.id }] };
      }
      if (message.differs) return { session, effects: [refusedAsOther("ACTIVITY_FAILED", message.messageId)] };
      return { session, effects: [{ kind: "acknowledged", messageId: message.messageId, id: message.id }] };
    case "ACTIVITY_PENDING":
      if ("upTo" in message) {
        return { session, effects: [{ kind: "pendingUpTo", upTo: message.upTo, info: message.info }] };
      }
      return { session, effects: [{ kind: "pending", messageId: message.messageId, info: message.info }] };
    case "ACTIVITY_FAILED":
    case "DIRECT_MESSAGE_FAILED":
      return isOpen(session)
        ? { session, effects: [{ kind: "refused", refusal: message }] }
        : unexpected(message.command);
    case "CLOCK":
      return { session, effects: [{ kind: "clock", lamport: message.lamport }] };
    case "RECEIPT":
      if (message.differs && isOpen(session)) {
        return { session, effects: [refusedAsOther("DIRECT_MESSAGE_FAILED", message.messageId)] };
      }
      return isOpen(session) ? { session, effects: [{ kind: "chat", message }] } : unexpected(message.command);
    case "DIRECT_MESSAGE":
    case "USER_LIST":
    case "USER_LIST_FAILED":
    case "PRESENCE":
    case "CAUGHT_UP":
      return isOpen(session) ? { session, effects: [{ kind: "chat", message }] } : unexpected(message.command);
    case "HEARTBEAT":
      return { session, effects: [{ kind: "heartbeat", heartbeat: message }] };
    case "HEARTBEAT_ACK":
      return { session, effects: [{ kind: "heartbeatAnswered", sequence: message.sequence }] };
    case "REGISTER_SUCCESS": {
      if (session.kind !== "registering") return unexpected(message.command);
      const step = login(session.plan);
      return { session: step.session, effects: [{ kind: "registered" }, ...step.effects] };
    }
    case "CHALLENGE":
      return onChallenge(session, message.scram);
    case "ACCOUNT_CHANGED":
      // This connection wants to come in (`client/login/account_call.ts` makes the others).
      return unexpected(message.command);
    case "LOGIN_SUCCESS":
      return onWelcome(session, message);
    case "REGISTER_FAILED":
      return session.kind === "registering" && session.plan.register === "ifNew" &&
          // Servers that say no reason know only this one.
          (message.reason ?? "NAME_TAKEN") === "NAME_TAKEN"
        ? end({ kind: "nameTaken" })
        : end({ kind: "refused", refusal: message });
    case "LOGIN_FAILED":
      // The answer of a server that does not know of proofs, to a login without a secret.
      return session.kind === "loggingIn" && session.plan.scram !== undefined && message.reason === "WRONG_SECRET"
        ? end({ kind: "clearOnly", refusal: message })
        : end({ kind: "refused", refusal: message });
    case "AUTHENTICATION_FAIL":
    case "INVALID_MESSAGE":
      return end({ kind: "refused", refusal: message });
    case "BACKUP_LIST":
      return { session, effects: [{ kind: "backups", servers: message.servers }] };
    case "REDIRECT":
      // Also in the middle of a session: servers move idle clients to where there are fewer.
      if (session.kind === "leaving") return end({ kind: "loggedOut" });
      return end({ kind: "redirected", server: { host: message.hostname, port: message.port } });
    case "END_CONNECTION":
      if (session.kind === "leaving") return end({ kind: "loggedOut" });
      return end({
        kind: "endedByServer",
        reason: message.reason,
        info: message.info,
        advice: message.reconnect,
        retryAfterMs: message.retryAfterMs ?? 0,
      });
  }
}

/** The key is derived from the secret. */
export function onDerived(session: Session, derived: Uint8Array, hash: ScramHash): SessionStep {
  if (session.kind !== "deriving") return { session, effects: NO_EFFECTS };
  const { response, serverFinal } = prove(session.talk, derived, hash);
  return {
    session: { kind: "proving", serverFinal },
    effects: [{ kind: "send", message: { command: "RESPONSE", scram: response } }],
  };
}

/** The client wants to go for good. Called when the session is open. */
export function leave(session: Session): SessionStep {
  if (session.kind !== "open") return { session, effects: NO_EFFECTS };
  return {
    session: { kind: "leaving", login: session.login },
    effects: [{ kind: "send", message: { command: "LOGOUT" } }],
  };
}

/** The link ended, or has to be ended, and the server gave no reason. */
export function onLost(session: Session, reason: LostReason, info = ""): SessionStep {
  switch (session.kind) {
    case "over":
      return { session, effects: NO_EFFECTS };
    case "leaving":
      return end({ kind: "loggedOut" });
    default:
      return lost(reason, info);
  }
}

/** The server answers no heartbeat. The client tells it, as it may be alive after all. */
export function onSilence(session: Session): SessionStep {
  if (session.kind !== "open") return onLost(session, "HEARTBEAT_TIMEOUT");
  const { sentence, reconnect } = CLOSE_REASONS.HEARTBEAT_TIMEOUT;
  const message = { command: "END_CONNECTION", reason: "HEARTBEAT_TIMEOUT", info: sentence, reconnect };
  const step = lost("HEARTBEAT_TIMEOUT", "");
  return { session: step.session, effects: [{ kind: "send", message }, ...step.effects] };
}

/** The end of the sentence "The connection ended: …". */
export function describeEnd(reason: string, info: string): string {
  return info !== "" ? info : isCloseReason(reason) ? CLOSE_REASONS[reason].sentence : reason;
}

function onChallenge(session: Session, text: string): SessionStep {
  if (session.kind !== "loggingIn" || session.plan.scram === undefined) return unexpected("CHALLENGE");
  const challenge = readServerFirst(session.plan.scram.first, text);
  if (!challenge.ok) return lost("INVALID_MESSAGE", `the server cannot be trusted: ${challenge.problem}`);
  const { talk, salt, cost } = challenge;
  return { session: { kind: "deriving", talk }, effects: [{ kind: "derive", derivation: { salt, cost } }] };
}

function onWelcome(session: Session, message: LoginSuccessMessage): SessionStep {
  const isDue = session.kind === "loggingIn" || session.kind === "proving";
  if (!isDue) return unexpected(message.command);
  const isProved = session.kind === "proving"
    ? message.scram === session.serverFinal
    : session.plan.scram === undefined;
  // Whoever lets everybody in may want to hear what is said then.
  if (!isProved) return lost("INVALID_MESSAGE", "the server has not proved that it knows this account");
  return { session: { kind: "open", login: message }, effects: [{ kind: "opened", login: message }] };
}

function login(plan: SessionPlan): SessionStep {
  const { username, secret, scram, features, resume, heartbeatPort, redirects, ticket, last } = plan;
  const { reads, receive, channels } = plan;
  const message = {
    command: "LOGIN",
    username,
    ...(scram !== undefined ? { scram: scram.text } : username === ANONYMOUS ? {} : { secret }),
    ...listed(scram === undefined ? features : [...features.filter((feature) => feature !== "scram"), "scram"]),
    ...(resume === undefined ? {} : { resume: { vector: resume } }),
    ...(heartbeatPort === undefined ? {} : { heartbeat: { port: heartbeatPort } }),
    ...(redirects === 0 ? {} : { redirects }),
    ...(ticket === undefined ? {} : { ticket }),
    ...(last === undefined ? {} : { last }),
    // A server that does not know "receive" knows "reads".
    ...(reads === false || receive === "none" ? { reads: false } : {}),
    ...(receive === undefined ? {} : { receive }),
    ...(channels === undefined ? {} : { channels }),
    ...(features.includes("ack") ? { ackRanges: true } : {}),
  };
  return { session: { kind: "loggingIn", plan }, effects: [{ kind: "send", message }] };
}

/** A plain client names no features at all. */
function listed(features: readonly Feature[]): { readonly features?: readonly Feature[] } {
  return features.length === 0 ? {} : { features };
}

/** The acknowledgement is of something else. To the sender it is a refusal of what was sent. */
function refusedAsOther(command: "ACTIVITY_FAILED" | "DIRECT_MESSAGE_FAILED", messageId: string): SessionEffect {
  const info = "something else was sent under its message id before";
  return { kind: "refused", refusal: { command, messageId, reason: "MESSAGE_ID_USED", info } };
}

function isOpen(session: Session): boolean {
  return session.kind === "open" || session.kind === "leaving";
}

function unexpected(command: string): SessionStep {
  return lost("INVALID_MESSAGE", `the server sent ${command}, which it may not send now`);
}

function lost(reason: LostReason, info: string): SessionStep {
  return end({ kind: "lost", reason, info });
}

function end(end: SessionEnd): SessionStep {
  return { session: OVER, effects: [{ kind: "end", end }] };
}
