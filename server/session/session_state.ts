/**
 * What a connection is to the protocol, what follows from a line, and the steps by which a server refuses. `session.ts`
 * and `server/session/login/logging_in.ts` decide which step is taken. Pure.
 */

import type { Endpoint } from "../../platform/address.ts";
import type { SecureChannel } from "../../platform/tls/secure_channel.ts";
import type { Challenge, OwnChange } from "../accounts/accounts.ts";
import type { Proven } from "../accounts/credential.ts";
import type { Admitted, LinkGreeting, PeerAdmission } from "../backplane/peer_admission.ts";
import type { ActivityFailedMessage } from "../../protocol/ack_message.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type {
  AuthenticateMessage,
  DirectMessageFailedMessage,
  EndConnectionMessage,
  Feature,
  LoginMessage,
  RefusalMessage,
  RegisterMessage,
  RegisterSuccessMessage,
  SendDirectMessage,
  WireVector,
} from "../../protocol/message.ts";
import type { ChannelMessage, SubscribeFailedMessage } from "../../protocol/channels/channel_message.ts";
import type { HistoryFailedMessage, HistoryMessage } from "../../protocol/history_message.ts";
import type { UserListFailedMessage, UserScope } from "../../protocol/presence/presence_message.ts";
import type { PeerChallengeMessage } from "../../protocol/peer/peer_message.ts";
import type { AccountChangedMessage } from "../../protocol/login/account_change.ts";
import type { ReadersQuestion } from "../presence/reader_board.ts";
import type { ClientFirst } from "../../protocol/login/scram.ts";
import type { Permissions } from "../rights/permissions.ts";
import type { Registrant, RegistrationRefusal } from "../rights/registration.ts";
import type { ChallengeMessage } from "../../protocol/login/scram_message.ts";

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
  /** Its `LOGIN` told no secret: it has to prove that it knows it. */
  | {
    readonly kind: "challenged";
    readonly message: LoginMessage;
    readonly challenge: Challenge;
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
    /** What the user may do. */
    readonly may: Permissions;
  }
  /** It is a server, by its word, and has to prove that it knows the secret of the network. */
  | { readonly kind: "greeted"; readonly greeting: LinkGreeting; readonly registrations: 0 }
  /** Another server: what follows is not the business of a session. */
  | { readonly kind: "peer" }
  | { readonly kind: "closed"; readonly reason: CloseReason };

/** What to do for a client that is logged in. */
export type ClientEffect =
  /** Take the message into the log, for one user. */
  | { readonly kind: "sendDirect"; readonly message: SendDirectMessage }
  | { readonly kind: "listUsers"; readonly scope: UserScope }
  /** Tell who reads a channel. */
  | { readonly kind: "listReaders"; readonly question: ReadersQuestion }
  | { readonly kind: "tellPast"; readonly question: HistoryMessage }
  | { readonly kind: "changeChannels"; readonly message: ChannelMessage }
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
      | ChallengeMessage
      | PeerChallengeMessage
      | RegisterSuccessMessage
      | AccountChangedMessage
      | DirectMessageFailedMessage
      | UserListFailedMessage
      | HistoryFailedMessage
      | SubscribeFailedMessage
      | EndConnectionMessage;
    /** Whom the one that is refused asked for; absent where the session says it, or nobody wants to know. */
    readonly username?: string;
  }
  /** Find out whether it may log in, and whether all entries are here that it comes after. */
  | { readonly kind: "checkLogin"; readonly login: LoginMessage }
  /** Find out whether the client may be asked for a proof. */
  | { readonly kind: "challenge"; readonly first: ClientFirst; readonly login: LoginMessage }
  /** Check its proof; then as `checkLogin`. */
  | {
    readonly kind: "checkAnswer";
    readonly login: LoginMessage;
    readonly challenge: Challenge;
    readonly response: string;
    readonly sealed?: string | undefined;
  }
  | { readonly kind: "register"; readonly registrant: Registrant }
  /** Change the account of the user that has just proved its secret. */
  | ({ readonly kind: "changeAccount" } & ProvenChange)
  /** Log it in: answer, find where it begins in the log, and read from there. */
  | ({ readonly kind: "beginSession" } & CheckedLogin)
  /** Answer as if it were logged in, and send it to another server. `close` follows. */
  | ({ readonly kind: "redirect"; readonly to: Endpoint } & CheckedLogin)
  /** Hand the link over, with what came after the line. */
  | { readonly kind: "becomePeer"; readonly admission: Admitted }
  | ClientEffect
  /** Nothing follows. `why` is for the log. */
  | { readonly kind: "close"; readonly reason: CloseReason; readonly why: string };

/** A change of an account, and the server's own proof for the client that wants it. */
export interface ProvenChange {
  readonly username: string;
  readonly change: OwnChange;
  readonly serverFinal: string;
}

/** A session that is logged in. */
export type LoggedIn = Extract<Session, { kind: "client" }>;

/** A `LOGIN` that is good. */
export interface CheckedLogin {
  readonly login: LoginMessage;
  /** Not there for a client that needs no account. */
  readonly proven: Proven | undefined;
  /** The server's own proof, for a client that has proved that it knows its secret. */
  readonly serverFinal?: string | undefined;
  /** What the user may do. */
  readonly may: Permissions;
  /** Patterns that the client asked for and of which it may read nothing. `login` has them no more. */
  readonly refused?: readonly string[];
}

/** A state, and what to do on the way to it. */
export interface SessionStep {
  readonly session: Session;
  readonly effects: readonly SessionEffect[];
}

/** What a decision takes beside the message. */
export interface SessionFacts {
  /** Whether a server that says this is let in; `greeting` was said before. */
  admit(message: AuthenticateMessage, greeting: LinkGreeting | undefined): PeerAdmission;
  /** The address that the connection comes from. */
  readonly remoteHost: string;
  /** How it is protected; `undefined` where all of it can be read. */
  readonly channel?: SecureChannel | undefined;
  readonly maxRegistrations: number;
  /** Whether secrets may come in clear: the operator lets them, or they cross no network. */
  readonly takesClearSecrets: boolean;
  /** Whether every server of the network is known to understand channels. */
  readonly takesChannels: boolean;
  /** Why a client may not read so many channels and patterns; `undefined` where it may. */
  channelRefusal(count: number): string | undefined;
  hasAccount(username: string): boolean;
  /** Whether somebody may come in without a name. */
  readonly allowsAnonymous: boolean;
  /** Why nobody may register this now. */
  registrationRefusal(registrant: Registrant): RegistrationRefusal | undefined;
  /** Whether the store has space for more than it needs itself. */
  readonly hasSpace: boolean;
  /**
   * Whether this user has published or sent something under this `messageId` before. Asked only when there is no space.
   */
  isRepeated(username: string, messageId: string): boolean;
  /** Whether this is the secret that the connection logged in with. Asked only when a message carries one. */
  matchesSecret(secret: string): boolean;
}

/** Why somebody is refused for now, and when it may try again. */
export interface Limit {
  readonly info: string;
  readonly retryAfterMs: number;
}

/** Said of everything that the store would have to take. */
export const NO_SPACE = "this server has no space left for it";

/** Said to an address that has tried too many wrong secrets. */
export const TOO_MANY_SECRETS = "too many wrong secrets came from this address";

/** A connection that was just made. */
export const NEW_SESSION: Extract<Session, { kind: "unidentified" }> = Object.freeze({
  kind: "unidentified",
  registrations: 0,
});

/** Says why, and closes. `username`: whom it asked for. */
export function refuse(
  command: RefusalMessage["command"],
  info: string,
  reason?: string,
  username?: string,
): SessionStep {
  const message = { command, info, ...(reason === undefined ? {} : { reason }) };
  const step = close(command, info);
  const send = { kind: "send", message, ...(username === undefined ? {} : { username }) } as const;
  return { session: step.session, effects: [send, ...step.effects] };
}

/** Closes. `why` is for the log. */
export function close(reason: CloseReason, why: string): SessionStep {
  return { session: { kind: "closed", reason }, effects: [{ kind: "close", reason, why }] };
}

/** Nothing follows. */
export function stay(session: Session): SessionStep {
  return { session, effects: [] };
}

/** A client that is not plain is told when to come back. */
export function notForNow(limit: Limit, isPlain: boolean): SessionStep {
  const { retryAfterMs } = limit;
  const words = wordsOf(limit);
  const message = isPlain
    ? { command: "LOGIN_FAILED", info: words, reason: "TOO_MANY" } as const
    : { command: "END_CONNECTION", reason: "TOO_MANY", info: words, reconnect: "backoff", retryAfterMs } as const;
  const step = close("TOO_MANY", words);
  return { session: step.session, effects: [{ kind: "send", message }, ...step.effects] };
}

/** For people: why, and when to try again. */
export function wordsOf({ info, retryAfterMs }: Limit): string {
  return `${info}: try again in ${Math.ceil(retryAfterMs / 1000)} s`;
}
