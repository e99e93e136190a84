/**
 * One connection's protocol life, as a server sees it: what may be said when, and what follows. Pure. `connection.ts`
 * has sockets, accounts and the log, and carries out the effects in order.
 *
 *     unidentified ──LOGIN──▶ verifying ──ok──▶ client ──▶ closed
 *        │    ▲               │   ▲  │ refused ──────────▶ closed
 *        │    │               ▼   │RESPONSE
 *        │    │             challenged
 *        ├REGISTER▶ verifying     │  │
 *        │              └ok▶ registered ─LOGIN/REGISTER (again)
 *        └AUTHENTICATE▶ peer, or greeted ─AUTHENTICATE▶ peer
 */

import { isCloseReason } from "../../protocol/close_reason.ts";
import type { ChannelMessage, SubscribeMessage } from "../../protocol/channels/channel_message.ts";
import { NO_CHANNEL } from "../../protocol/channels/channel_name.ts";
import type { ActivityMessage, ClientMessage, InvalidLine, SendDirectMessage } from "../../protocol/message.ts";
import { ANONYMOUS, usernameProblem } from "../../protocol/names.ts";
import type { ListUsersMessage } from "../../protocol/presence/presence_message.ts";
import { NO_SUCH_DIALECT } from "../legacy/legacy_codec.ts";
import { mayPublishIn, mayReadIn, mayReadSome } from "../rights/permissions.ts";
import { onLogin, onRegister, onResponse } from "./login/logging_in.ts";
import {
  close,
  type LoggedIn,
  NO_SPACE,
  notForNow,
  refuse,
  type Session,
  type SessionEffect,
  type SessionFacts,
  type SessionStep,
  TOO_MANY_SECRETS,
} from "./session_state.ts";

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
      const refusal = publishRefusal(session, message.channel, facts);
      if (refusal !== undefined) return refuseActivity(session, message, refusal);
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
      if (!session.may.message) return failed(mayNot(session, "send direct messages"), "NOT_ALLOWED");
      const problem = messageProblem(session, message, facts);
      if (problem !== undefined) return failed(problem);
      if (lacksSpace(session, message, facts)) return failed(NO_SPACE, "NO_SPACE");
      return { session, effects: [{ kind: "sendDirect", message }] };
    }
    case "LIST_USERS":
      if (session.kind !== "client") return notNow(message.command);
      return onListUsers(session, message);
    case "HISTORY":
      if (session.kind !== "client") return notNow(message.command);
      if (message.channel !== undefined && !session.features.includes("channels")) {
        return { session, effects: [{ kind: "send", message: { command: "HISTORY_FAILED", ...NO_CHANNELS } }] };
      }
      if (!mayReadSome(session.may, message.channel ?? NO_CHANNEL)) {
        const info = mayNotIn(session, "read", message.channel);
        const failed = { command: "HISTORY_FAILED", reason: "NOT_ALLOWED", info } as const;
        return { session, effects: [{ kind: "send", message: failed }] };
      }
      return { session, effects: [{ kind: "tellPast", question: message }] };
    case "SUBSCRIBE":
    case "UNSUBSCRIBE":
      if (session.kind !== "client") return notNow(message.command);
      if (!session.features.includes("channels")) {
        return { session, effects: [{ kind: "send", message: { command: "SUBSCRIBE_FAILED", ...NO_CHANNELS } }] };
      }
      return message.command === "SUBSCRIBE" ? onSubscribe(session, message) : changeChannels(session, message);
    case "LOGIN":
      return onLogin(session, message, facts);
    case "RESPONSE":
      return onResponse(session, message);
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
      if (session.kind !== "unidentified" && session.kind !== "greeted") {
        return refuse("INVALID_MESSAGE", "AUTHENTICATE may only be the first line");
      }
      const admission = facts.admit(message, session.kind === "greeted" ? session.greeting : undefined);
      if (admission.kind === "refused") return refuse("AUTHENTICATION_FAIL", admission.info, admission.reason);
      if (admission.kind === "notNow") {
        return notForNow({ info: TOO_MANY_SECRETS, retryAfterMs: admission.retryAfterMs }, false);
      }
      if (admission.kind === "challenged") {
        const { greeting } = admission;
        return {
          session: { kind: "greeted", greeting, registrations: 0 },
          effects: [{ kind: "send", message: { command: "PEER_CHALLENGE", nonce: greeting.calledNonce } }],
        };
      }
      return { session: { kind: "peer" }, effects: [{ kind: "becomePeer", admission }] };
    }
  }
}

/** Whether nothing follows from `message` but that the log takes its activity. Else `onMessage` says what follows. */
export function isPublished(session: LoggedIn, message: ActivityMessage, facts: SessionFacts): boolean {
  return facts.hasSpace && pairProblem(session, message, facts) === undefined &&
    (message.channel === undefined
      ? session.may.publish
      : publishRefusal(session, message.channel, facts) === undefined);
}

/**
 * The first line is one of the third family of servers, which this server cannot serve. Such a server gives up when it
 * hears this. After any other end it comes back at once.
 */
export function refuseThirdFamily(): SessionStep {
  return refuse("AUTHENTICATION_FAIL", NO_SUCH_DIALECT);
}

/** Who may not read a channel does not learn who does. */
function onListUsers(session: LoggedIn, { scope, channel, presence }: ListUsersMessage): SessionStep {
  const refusal = !session.may.listUsers
    ? notAllowed(mayNot(session, "ask who there is"))
    : channel === undefined
    ? undefined
    : !session.features.includes("channels")
    ? NO_CHANNELS
    : !mayReadIn(session.may, channel)
    ? notAllowed(mayNotIn(session, "read", channel))
    : presence === true && !session.features.includes("presence")
    ? NO_PRESENCE
    : undefined;
  if (refusal !== undefined) {
    const failed = { command: "USER_LIST_FAILED", scope, ...(channel && { channel }), ...refusal } as const;
    return { session, effects: [{ kind: "send", message: failed }] };
  }
  if (channel === undefined) return { session, effects: [{ kind: "listUsers", scope }] };
  return { session, effects: [{ kind: "listReaders", question: { channel, presence } }] };
}

/** Of what it asks for, it has to be able to get something. What else it must not read does not come. */
function onSubscribe(session: LoggedIn, message: SubscribeMessage): SessionStep {
  const channels = message.channels.filter((pattern) => !mayReadSome(session.may, pattern));
  if (channels.length === 0) return changeChannels(session, message);
  const info = mayNotIn(session, "read", channels[0]);
  const failed = { command: "SUBSCRIBE_FAILED", reason: "NOT_ALLOWED", info, channels } as const;
  return { session, effects: [{ kind: "send", message: failed }] };
}

function changeChannels(session: LoggedIn, message: ChannelMessage): SessionStep {
  return { session, effects: [{ kind: "changeChannels", message }] };
}

/** A plain client knows no command for this, so the end of its connection says it. */
function onPublishWithoutSpace(session: LoggedIn, message: ActivityMessage, facts: SessionFacts): SessionStep {
  if (!lacksSpace(session, message, facts)) return { session, effects: PUBLISH };
  if (session.isPlain) return close("NO_SPACE", "an activity came while there was no space for it");
  return refuseActivity(session, message, { reason: "NO_SPACE", info: NO_SPACE });
}

/** Why something is not done, for programs and in words. */
interface Refusal {
  readonly reason: string;
  readonly info: string;
}

/** A plain client knows no command for this but the one that refuses whoever has not proved who it is. */
function refuseActivity(session: LoggedIn, { messageId }: ActivityMessage, refusal: Refusal): SessionStep {
  if (session.isPlain) return refuse("AUTHENTICATION_FAIL", refusal.info, refusal.reason);
  const failed = { command: "ACTIVITY_FAILED", ...(messageId && { messageId }), ...refusal } as const;
  return { session, effects: [{ kind: "refuseActivity", message: failed }] };
}

/** What a client is told that speaks of channels, and has not said that it knows them. */
const NO_CHANNELS: Refusal = {
  reason: "NO_CHANNELS",
  info: 'channels are for clients that ask for the feature "channels" when they log in',
};

/** The same of who comes and goes. */
const NO_PRESENCE: Refusal = {
  reason: "NO_PRESENCE",
  info: 'who comes and goes is told to clients that ask for the feature "presence" when they log in',
};

function notAllowed(info: string): Refusal {
  return { reason: "NOT_ALLOWED", info };
}

/** Why an activity is not taken. To a plain client the channel means nothing, as it always has. */
function publishRefusal(session: LoggedIn, channel: string | undefined, facts: SessionFacts): Refusal | undefined {
  const isOfChannel = channel !== undefined && !session.isPlain;
  if (isOfChannel && !session.features.includes("channels")) return NO_CHANNELS;
  if (!mayPublishIn(session.may, isOfChannel ? channel : NO_CHANNEL)) {
    return notAllowed(mayNotIn(session, "publish", isOfChannel ? channel : undefined));
  }
  if (!isOfChannel || facts.takesChannels) return undefined;
  return { reason: "CHANNELS_LATER", info: "not every server of this network is known to understand channels" };
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

function mayNot({ username }: LoggedIn, what: string): string {
  return `${username} may not ${what} here`;
}

/** `channel`: in which channel, or in which of them; absent for what has none. */
function mayNotIn(session: LoggedIn, what: "publish" | "read", channel = NO_CHANNEL): string {
  if (session.may.channels === undefined) return mayNot(session, what);
  const name = JSON.stringify(channel);
  if (what === "read") return mayNot(session, channel === NO_CHANNEL ? "read what has no channel" : `read ${name}`);
  return mayNot(session, channel === NO_CHANNEL ? "publish without a channel" : `publish in ${name}`);
}

function notNow(command: string): SessionStep {
  return refuse("INVALID_MESSAGE", `${command} may only be sent when logged in`);
}

function timeOf({ lamport }: { readonly lamport?: number }): { readonly lamport?: number } {
  return lamport === undefined ? {} : { lamport };
}
