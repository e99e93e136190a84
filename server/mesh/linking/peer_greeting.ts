/** Decides whether a server that said AUTHENTICATE is a peer, or a server of the older dialect. Pure. */

import { type Endpoint, isUnspecified } from "../../../platform/address.ts";
import { type LinkGreeting, NO_DOOR, type PeerAdmission, type ProvenLink } from "../../backplane/peer_admission.ts";
import type { Member } from "../../backplane/member.ts";
import type { AuthenticateMessage } from "../../../protocol/message.ts";
import { parseFields } from "../../../protocol/client_codec.ts";
import { isObject } from "../../../protocol/fields.ts";
import { hostProblem } from "../../../protocol/peer/peer_codec.ts";
import { PEER_FEATURE } from "../../../protocol/peer/peer_message.ts";
import { LINK_NONCE } from "./link_proof.ts";
import { isServerId } from "../../../protocol/server_id.ts";

/** What the answer depends on. */
export interface AdmissionFacts {
  /** This server's. */
  readonly serverId: string;
  readonly incarnationId: string;
  /** Whether this server takes others at all. */
  readonly hasSecret: boolean;
  readonly takesLegacyDialect: boolean;
  readonly isStopping: boolean;
  /** How long the address has to wait for what it has tried before. */
  readonly waitMs: number;
  /** As in `LinkGreeting`. */
  readonly endPoint: string;
  /** What was said on this link before. */
  readonly greeting: LinkGreeting | undefined;
  /** Whether a server of this dialect may tell the secret in clear. */
  readonly takesClearSecret: boolean;
  /** Whether this is the secret of the network. */
  isSecret(secret: string): boolean;
  /** What follows from a proof; `undefined` if it proves nothing. */
  prove(proof: string, greeting: LinkGreeting): ProvenLink | undefined;
  /** A nonce that was never said before. */
  newNonce(): string;
  /** What is known of the server of this name. */
  member(serverId: string): (Endpoint & Pick<Member, "state">) | undefined;
}

/** For programs: a server of this dialect has to prove the secret. */
export const CLEAR_SECRET = "CLEAR_SECRET";
/** For programs: it may try a former secret of the network. */
export const OTHER_SECRET = "WRONG_SECRET";
const WRONG_SECRET = "the secret is not the one of this network";
/** What a server of 0.1.0 is told, and its operator. */
const NOT_IN_CLEAR =
  'this server takes the secret of the network from nobody in clear: its key "cluster.clearSecret" lets servers of earlier versions join';

/** What a server says to itself, when it was given its own address to join. */
export const SELF = "this is the same server";

/** What a server of the older dialect is told where none may join. */
const NO_OLDER_DIALECT = "this server takes no servers of the older dialect: its flag --older-dialect lets them join";

/** What servers of the older dialect may say to one that has just joined them, but for a refusal. */
const OLDER_COMMANDS = new Set([
  ...["AUTHENTICATION_SUCC", "SERVER_ANNOUNCE", "BACKUP_LIST", "USER_SYNC", "USER_UPDATE", "USER_REGISTER_RESULT"],
  ...["ACTIVITY_SYNC", "ACTIVITY_UPDATE", "ACTIVITY_BROADCAST", "LOCK_REQUEST", "LOCK_ALLOWED", "LOCK_DENIED"],
]);

/** What an operator is told when a server that was called speaks the older dialect, and this server does not. */
export const OLDER_DIALECT_HINT =
  "it speaks the older dialect of this protocol: start this server with --older-dialect to join it";

/** What is added where such a server may be the reason that nothing comes: one that is content may be silent. */
export const SILENCE_HINT = "; if it is an older server, which may be silent, --older-dialect helps";

/** Whether a server that was called, and answers with `line`, speaks the older dialect. */
export function speaksOlderDialect(line: string): boolean {
  const parsed = parseFields(line);
  if ("problem" in parsed) return false;
  const { command, activity, id } = parsed.fields;
  // What family A only passes on has no command.
  if (command === undefined) return isObject(activity) && id !== undefined;
  return typeof command === "string" && OLDER_COMMANDS.has(command);
}

/** Whether whoever said this, from `remoteHost`, may be a peer. */
export function admitPeer(message: AuthenticateMessage, remoteHost: string, facts: AdmissionFacts): PeerAdmission {
  if (!facts.hasSecret) return NO_DOOR;
  // Also the right one waits: else whoever guesses would only have to look which is answered otherwise.
  if (facts.waitMs > 0) return { kind: "notNow", retryAfterMs: facts.waitMs };
  const { serverId, port, host, features, vector, lamport = 0, incarnation, accounts, secret, nonce, proof } = message;
  if (nonce !== undefined) return greeted(serverId, nonce, facts);
  let proven: ProvenLink | undefined;
  if (proof !== undefined) {
    const { greeting } = facts;
    if (greeting === undefined || greeting.callerId !== serverId) return refused("this proof belongs to no greeting");
    proven = facts.prove(proof, greeting);
    if (proven === undefined) return { kind: "refused", info: WRONG_SECRET, reason: OTHER_SECRET };
  } else {
    // Also the right one: whoever tells it so has told it to a listener.
    const isOurs = features.includes(PEER_FEATURE);
    if (isOurs && !facts.takesClearSecret) return { kind: "refused", info: NOT_IN_CLEAR, reason: CLEAR_SECRET };
    if (secret === undefined || !facts.isSecret(secret)) return refused(WRONG_SECRET);
  }
  if (!features.includes(PEER_FEATURE)) {
    if (!facts.takesLegacyDialect) return refused(NO_OLDER_DIALECT);
    return { kind: "older", serverId };
  }
  if (serverId === undefined || port === undefined) return refused("a server has to say its serverId and its port");
  if (!isServerId(serverId)) return refused("this serverId is none that a server can have");
  // Another one of the same name runs on a copy of the data folder, or this one does: that is told on the link.
  if (serverId === facts.serverId && (incarnation === undefined || incarnation.id === facts.incarnationId)) {
    return refused(SELF);
  }
  const problem = hostProblem(host ?? "");
  if (problem !== undefined) return refused(problem);
  if (!Object.keys(vector).every(isServerId)) return refused("its vector has a name that no server can have");
  if (facts.isStopping) return refused("this server is stopping");
  const reachable = host === undefined || isUnspecified(host) ? remoteHost : host;
  const known = facts.member(serverId);
  // Of one that says which of its starts this is, it is seen from that.
  if (incarnation === undefined && known?.state === "linked" && (known.host !== reachable || known.port !== port)) {
    return refused(
      `the server ${serverId} is linked already, at ${known.host}:${known.port}: was a data folder copied?`,
    );
  }
  const peer = {
    ...{ serverId, host: reachable, port, vector, lamport, features },
    ...(incarnation === undefined ? {} : { incarnation }),
    ...(accounts === undefined ? {} : { accounts }),
  };
  return { kind: "peer", peer, ...(proven === undefined ? {} : { proven }) };
}

/** Whoever wants to prove the secret is asked for it. Nothing is told of this server yet. */
function greeted(serverId: string | undefined, callerNonce: string, facts: AdmissionFacts): PeerAdmission {
  if (
    facts.greeting !== undefined || serverId === undefined || !isServerId(serverId) || !LINK_NONCE.test(callerNonce)
  ) {
    return refused("a proof has to begin with a serverId and a nonce, once");
  }
  const { endPoint } = facts;
  return { kind: "challenged", greeting: { callerId: serverId, callerNonce, calledNonce: facts.newNonce(), endPoint } };
}

function refused(info: string): PeerAdmission {
  return { kind: "refused", info };
}
