/**
 * How a connection comes to be a client: REGISTER, LOGIN, and the exchange in which a client proves its secret. What
 * the server finds out meanwhile comes as findings; `admission.ts` finds it out. Pure.
 */

import type { Endpoint } from "../../../platform/address.ts";
import type { Barred } from "../../accounts/rulings.ts";
import type { Challenge, OwnChange } from "../../accounts/accounts.ts";
import type { Proven } from "../../accounts/credential.ts";
import { type Feature, FEATURES, type LoginMessage, type RegisterMessage } from "../../../protocol/message.ts";
import { NO_CHANNEL } from "../../../protocol/channels/channel_name.ts";
import { ANONYMOUS, secretProblem, usernameProblem } from "../../../protocol/names.ts";
import { EVERYTHING, getsMessages, hasRight, mayReadSome, type Permissions } from "../../rights/permissions.ts";
import type { RegistrationRefusal } from "../../rights/registration.ts";
import type { ResponseMessage } from "../../../protocol/login/scram_message.ts";
import { isOfOtherChannel, isUnbindable, readClientFirst } from "../../../protocol/login/scram.ts";
import {
  type CheckedLogin,
  close,
  type Limit,
  NO_SPACE,
  notForNow,
  type ProvenChange,
  refuse,
  type Session,
  type SessionFacts,
  type SessionStep,
  stay,
  wordsOf,
} from "../session_state.ts";

/** The features of this version. A client may ask for more, and is told which are in force. */
export const SERVED_FEATURES: readonly Feature[] = FEATURES;

/** Why a login is refused, with what is said about it. */
const LOGIN_PROBLEMS = {
  UNKNOWN_USER: "there is no user with this name",
  WRONG_SECRET: "the secret is not the one that this name was registered with",
  LOGGED_IN_ELSEWHERE: "this user is logged in already, and may be only once",
  NOT_ALLOWED: "this server lets nobody in without a name",
} as const;
/** A key of these. */
export type LoginProblem = keyof typeof LOGIN_PROBLEMS;

/** Said where secrets may not come in clear. */
const NOT_IN_CLEAR = "this server takes no secrets in clear";

/** A `LOGIN` came. */
export function onLogin(session: Session, given: LoginMessage, facts: SessionFacts): SessionStep {
  if (session.kind !== "unidentified" && session.kind !== "registered") return isKnown(session);
  // Whoever can listen could use a pass first.
  const message = facts.takesClearSecrets || given.pass === undefined ? given : withoutPass(given);
  if (message.change !== undefined && (message.scram === undefined || message.username === ANONYMOUS)) {
    return refuse("INVALID_MESSAGE", '"change" needs "scram": who changes an account proves its secret');
  }
  if (message.heartbeatHost !== undefined && message.heartbeatHost !== facts.remoteHost) {
    return refuse("INVALID_MESSAGE", '"heartbeat" may only name a port on the address that the connection comes from');
  }
  const { username, secret } = message;
  if (username === ANONYMOUS) {
    if (!facts.allowsAnonymous) return refuseLogin("NOT_ALLOWED");
  } else {
    // A store can take half a surrogate pair for another character, and so for another user.
    if (usernameProblem(username) !== undefined) return refuseLogin("UNKNOWN_USER");
    if (message.scram !== undefined) return onScramLogin(session, message, message.scram, facts);
    // Names are public, so this answer gives nothing away. Nothing is derived, and nobody has guessed.
    if (secret === undefined && !facts.hasAccount(username)) return refuseLogin("UNKNOWN_USER");
    if (secret === undefined && typeof message.pass !== "string") {
      return refuse("LOGIN_FAILED", "a secret is needed", "WRONG_SECRET");
    }
    if (!facts.takesClearSecrets) {
      return refuse("LOGIN_FAILED", `${NOT_IN_CLEAR}: log in with the feature "scram"`, "CLEAR_SECRET");
    }
  }
  const tooMany = message.channels === undefined ? undefined : facts.channelRefusal(message.channels.length);
  if (tooMany !== undefined) return refuse("LOGIN_FAILED", tooMany, "TOO_MANY_CHANNELS");
  return {
    session: { kind: "verifying", message, registrations: session.registrations },
    effects: [{ kind: "checkLogin", login: message }],
  };
}

/** What of `login` counts: who may not read gets nothing of the log, as if its client had asked for nothing. */
function readingAs(login: LoginMessage, may: Permissions): Pick<CheckedLogin, "login" | "refused"> {
  const { username, features, channels = [NO_CHANNEL], receive } = login;
  const knowsChannels = features.includes("channels");
  const gets = hasRight(may, "read", knowsChannels) || (username !== ANONYMOUS && getsMessages(may));
  if (!gets) return { login: { ...login, receive: "none", reads: false, resume: undefined } };
  const refused = knowsChannels && receive !== "none" ? channels.filter((pattern) => !mayReadSome(may, pattern)) : [];
  if (refused.length === 0) return { login };
  return { login: { ...login, channels: channels.filter((pattern) => !refused.includes(pattern)) }, refused };
}

function withoutPass({ pass: _, ...login }: LoginMessage): LoginMessage {
  return login;
}

/** A `REGISTER` came. */
export function onRegister(session: Session, message: RegisterMessage, facts: SessionFacts): SessionStep {
  if (session.kind !== "unidentified" && session.kind !== "registered") return isKnown(session);
  const { username, secret, invitation } = message;
  const registrant = { username, secret, invitation };
  const problem = usernameProblem(username) ?? secretProblem(secret);
  if (problem !== undefined) return refuse("REGISTER_FAILED", problem, "NOT_ALLOWED");
  if (session.registrations >= facts.maxRegistrations) {
    return refuse("REGISTER_FAILED", `one connection may register ${facts.maxRegistrations} names`, "TOO_MANY");
  }
  if (!facts.takesClearSecrets) {
    return refuse("REGISTER_FAILED", `${NOT_IN_CLEAR}: register by TLS, or from this machine`, "CLEAR_SECRET");
  }
  const refusal = facts.registrationRefusal(registrant);
  if (refusal !== undefined) return refuse("REGISTER_FAILED", refusal.info, refusal.reason, username);
  if (!facts.hasSpace) return refuse("REGISTER_FAILED", NO_SPACE, "NO_SPACE");
  return {
    session: { kind: "verifying", message, registrations: session.registrations + 1 },
    effects: [{ kind: "register", registrant }],
  };
}

/** A `RESPONSE` came. */
export function onResponse(session: Session, { scram: response, sealed }: ResponseMessage): SessionStep {
  if (session.kind !== "challenged") return refuse("INVALID_MESSAGE", "RESPONSE may only be the answer to CHALLENGE");
  const { message: login, challenge, registrations } = session;
  // Not a wrong secret: nobody has guessed.
  if (isOfOtherChannel(challenge.talk, response)) return refuseChannel();
  return {
    session: { kind: "verifying", message: login, registrations },
    effects: [{ kind: "checkAnswer", login, challenge, response, sealed }],
  };
}

/**
 * What the server found out about a `LOGIN`: why it is refused, or refused for now, or the server to which the client
 * goes instead. `proven` is there for all clients that may log in, but for anonymous ones.
 */
export interface LoginFindings {
  readonly problem?: LoginProblem;
  /** An operator lets it in nowhere. */
  readonly barred?: Barred;
  readonly limit?: Limit;
  readonly redirect?: Endpoint;
  readonly proven?: Proven;
  /** With `proven`: what it was checked by. */
  readonly verifier?: string;
  /** With `proven`, where the client has answered a challenge. */
  readonly serverFinal?: string;
  /** What the user may do; everything if it is absent. */
  readonly may?: Permissions;
  /** With `serverFinal`, where the client wants no more than to change its account. */
  readonly change?: OwnChange | "unreadable";
}

/** Why an account was not changed; `undefined` if it was. */
export type ChangeProblem = { readonly reason: string; readonly info: string } | undefined;

/** The server has checked the `LOGIN`. */
export function onLoginChecked(session: Session, findings: LoginFindings): SessionStep {
  const { problem, barred, limit, redirect, proven, serverFinal, change, may = EVERYTHING } = findings;
  if (session.kind !== "verifying" || session.message.command !== "LOGIN") return stay(session);
  if (limit !== undefined) return notForNow(limit, session.message.features.length === 0);
  if (problem !== undefined) return refuseLogin(problem);
  if (barred !== undefined) return refuse("LOGIN_FAILED", barred.info, barred.reason);
  if (change !== undefined) {
    const { username } = session.message;
    if (change === "unreadable") {
      return refuse("INVALID_MESSAGE", '"sealed" is not what was sealed, or is missing: nothing was changed');
    }
    return { session, effects: [{ kind: "changeAccount", username, change, serverFinal: serverFinal! }] };
  }
  const checked = { ...readingAs(session.message, may), proven, serverFinal, may };
  if (redirect === undefined) return beginSession(checked);
  const step = close("REDIRECTED", `it was sent to ${redirect.host}:${redirect.port}`);
  return { session: step.session, effects: [{ kind: "redirect", to: redirect, ...checked }, ...step.effects] };
}

/** The client has to prove that it knows its secret, or is refused. */
export function onChallenged(
  session: Session,
  { challenge, ...findings }: LoginFindings & { readonly challenge?: Challenge },
): SessionStep {
  if (challenge === undefined) return onLoginChecked(session, findings);
  if (session.kind !== "verifying" || session.message.command !== "LOGIN") return stay(session);
  return {
    session: { kind: "challenged", message: session.message, challenge, registrations: session.registrations },
    effects: [{ kind: "send", message: { command: "CHALLENGE", scram: challenge.talk.serverFirst } }],
  };
}

/** The change of the account is stored, or is not possible. */
export function onAccountChanged(
  session: Session,
  { username, change: { kind }, serverFinal }: ProvenChange,
  problem: ChangeProblem,
): SessionStep {
  if (session.kind !== "verifying") return stay(session);
  if (problem !== undefined) return refuse("LOGIN_FAILED", problem.info, problem.reason);
  const info = kind === "secret" ? `${username} has another secret now` : `the account of ${username} is gone`;
  const step = close("LOGGED_OUT", info);
  const message = { command: "ACCOUNT_CHANGED", change: kind, scram: serverFinal, info } as const;
  return { session: step.session, effects: [{ kind: "send", message }, ...step.effects] };
}

/** The account of the `REGISTER` is stored, or the name was taken. */
export function onRegistered(
  session: Session,
  problem?: RegistrationRefusal | ({ readonly reason: "TOO_MANY" } & Limit),
): SessionStep {
  if (session.kind !== "verifying" || session.message.command !== "REGISTER") return stay(session);
  if (problem?.reason === "TOO_MANY") return refuse("REGISTER_FAILED", wordsOf(problem), problem.reason);
  if (problem !== undefined) return refuse("REGISTER_FAILED", problem.info, problem.reason);
  const message = { command: "REGISTER_SUCCESS", info: `registered ${session.message.username}` } as const;
  return {
    session: { kind: "registered", registrations: session.registrations },
    effects: [{ kind: "send", message }],
  };
}

/** One list for all clients with the same features, as each client keeps one. There are few. */
const featureLists = new Map<string, readonly Feature[]>();

/** The features that a client asks for, this server has, and its user may have. */
export function featuresInForce(login: LoginMessage, may: Permissions): readonly Feature[] {
  const readsPast = hasRight(may, "read", login.features.includes("channels"));
  const isFree = (feature: Feature) =>
    feature === "presence" ? may.listUsers : feature === "history" ? readsPast : true;
  const features = SERVED_FEATURES.filter((feature) => login.features.includes(feature) && isFree(feature));
  const key = features.join();
  const known = featureLists.get(key);
  if (known === undefined) featureLists.set(key, features);
  return known ?? features;
}

/** What a client is, once it is logged in. A client with a name does not have to go for others. */
export function standingOf(
  { username, features }: LoginMessage,
): { readonly kind: "plain" | "anonymous" } | { readonly kind: "named"; readonly username: string } {
  if (username !== ANONYMOUS) return { kind: "named", username };
  return { kind: features.length === 0 ? "plain" : "anonymous" };
}

/** A secret that comes along all the same is not looked at. */
function onScramLogin(
  { registrations }: Extract<Session, { kind: "unidentified" | "registered" }>,
  message: LoginMessage,
  scram: string,
  { channel }: Pick<SessionFacts, "channel">,
): SessionStep {
  const first = readClientFirst(scram, channel?.serverEndPoint);
  if (first === undefined || first.username !== message.username) {
    return refuse("INVALID_MESSAGE", '"scram" must be the first message of an exchange for this username');
  }
  if (isUnbindable(first)) return refuseChannel();
  return {
    session: { kind: "verifying", message, registrations },
    effects: [{ kind: "challenge", first, login: message }],
  };
}

/** Whoever it connected to by TLS was somebody in between, or its proof is for another connection. */
function refuseChannel(): SessionStep {
  const info = "this login is bound to a TLS connection that does not end here: somebody is in between";
  return refuse("LOGIN_FAILED", info, "OTHER_CHANNEL");
}

/** It has said already who it is. */
function isKnown({ kind }: Session): SessionStep {
  return refuse(
    "INVALID_MESSAGE",
    kind === "challenged"
      ? "only RESPONSE may follow CHALLENGE"
      : kind === "greeted"
      ? "only AUTHENTICATE may follow PEER_CHALLENGE"
      : "this connection is logged in already",
  );
}

function beginSession(checked: CheckedLogin): SessionStep {
  const { login, may } = checked;
  const features = featuresInForce(login, may);
  return {
    session: { kind: "client", username: login.username, features, isPlain: login.features.length === 0, may },
    effects: [{ kind: "beginSession", ...checked }],
  };
}

function refuseLogin(reason: LoginProblem): SessionStep {
  return refuse("LOGIN_FAILED", LOGIN_PROBLEMS[reason], reason);
}
