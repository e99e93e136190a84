/**
 * Where in the log a session begins to read, and what LOGIN_SUCCESS says of it. Decides, but reads the log, which may
 * fail. `server/session/entrance.ts` sends the answer.
 */

import { RIGHTS } from "../../../config/auth/auth_config.ts";
import { hasRight, type Permissions } from "../../rights/permissions.ts";
import { type Filter, PLAIN } from "../../../log/channel_lines.ts";
import type { Position } from "../../../log/segment.ts";
import { merge, sequenceOf, type Vector } from "../../../log/vector.ts";
import type {
  Feature,
  LoginMessage,
  LoginSuccessMessage,
  WireGap,
  WireHeartbeat,
  WireResume,
} from "../../../protocol/message.ts";
import type { Missing } from "../../store/store.ts";
import type { Retractions } from "../../journal/origins/retractions.ts";

/** The beginning of a session. */
export interface ResumePoint {
  /** Read segments after this. */
  readonly after: Position;
  /** Whether `after` is the end of the log. */
  readonly isAtEnd: boolean;
  /** What the client has of the log, and does not get again. */
  readonly has: Vector;
  /** The `serverId` in `LOGIN_SUCCESS`: the origin of which the client has to take a number back, if there is one. */
  readonly serverId: string;
  /** For `LOGIN_SUCCESS`. */
  readonly resume: WireResume;
  /** What the client has when it reaches the present end of the log. */
  readonly reaches: Vector;
  /** Whether the client brought a vector. */
  readonly isBrought: boolean;
  /** Activities that the client gets before the live ones. */
  readonly missed: number;
  /** For plain clients, which get no more than a sentence. Empty when nothing is lost. */
  readonly lossInWords: string;
}

/** The log. Throws if it cannot be read. Then nothing may be said about what the client has. */
export interface ResumedLog {
  readonly serverId: string;
  readonly head: Position;
  readonly vector: Vector;
  readonly origins: { readonly retractions: Pick<Retractions, "in"> };
  /** The sequence of the last entry of an origin that is forgotten whole; 0 for others. */
  readonly buriedAt: (origin: string) => number;
  missing(vector: Vector, filter?: Filter): Missing;
}

/** What LOGIN_SUCCESS says, beside the name. */
export interface LoginSuccessFacts {
  /** The features in force. */
  readonly features: readonly Feature[];
  /** Not there for a client that is sent on: the next server says what the client has. */
  readonly resumePoint: ResumePoint | undefined;
  /** This server. */
  readonly serverId: string;
  readonly lamport: number;
  readonly heartbeat: WireHeartbeat;
  /** For the next login; `undefined` for none. */
  readonly ticket: string | undefined;
  /** The server's own proof; `undefined` where the client gave none. */
  readonly serverFinal?: string | undefined;
  /** In place of the secret, if the client wants one. */
  readonly pass: string | undefined;
  /** What the user may do. */
  readonly may: Permissions;
  /** The patterns that the client named and reads nothing of, as its user may not. */
  readonly refused?: readonly string[] | undefined;
}

/** What a client has that begins now. One for all. */
const NOTHING: Vector = Object.freeze({});

/**
 * The resume point of a client that `brings` a vector, and wants what `filter` says. A client that does not know where
 * it was begins where a lost connection of its user `stood`. Without both, the client begins now.
 */
export function resumePointOf(
  brings: Vector | undefined,
  stood: Vector | undefined,
  log: ResumedLog,
  filter: Filter = PLAIN,
): ResumePoint {
  const vector = brings ?? stood;
  if (vector === undefined) {
    const resume = { vector: log.vector, replayed: 0 };
    return {
      after: log.head,
      isAtEnd: true,
      has: NOTHING,
      serverId: log.serverId,
      resume,
      reaches: log.vector,
      isBrought: false,
      missed: 0,
      lossInWords: "",
    };
  }
  const { has, lost, as } = withoutLostOnes(vector, log);
  const missing = log.missing(has, filter);
  const forgotten = forgottenIn(has, log);
  const known = forgotten.length === 0 ? has : without(has, forgotten);
  const gaps = [...missing.gaps, ...lost, ...unknownOrigins(known, log.vector)];
  const all = merge(log.vector, known);
  // The client takes a lower number back only from here, also 0. The ids of later entries tell it the rest.
  const reaches = lost.length === 0 ? all : { ...all, [as]: sequenceOf(has, as) };
  // A client that brought nothing believes the vector that it is told, and takes all that follows for new.
  const told = brings === undefined
    ? { vector: known, replayed: 0 }
    : { vector: reaches, replayed: missing.activities };
  return {
    after: missing.after,
    isAtEnd: missing.after >= log.head,
    // Nothing comes of an origin that is forgotten whole, so nothing of it is waited for.
    has: known,
    serverId: as,
    resume: {
      ...told,
      ...(gaps.length === 0 ? {} : { gap: gaps }),
      ...(forgotten.length === 0 ? {} : { forgotten }),
    },
    reaches,
    isBrought: brings !== undefined,
    missed: missing.activities,
    lossInWords: inWords(missing),
  };
}

/** The resume point of a client that gets nothing of the log: it has nothing, and misses nothing. */
export function unreadPoint({ head, serverId }: Pick<ResumedLog, "head" | "serverId">): ResumePoint {
  return {
    after: head,
    isAtEnd: true,
    has: NOTHING,
    serverId,
    resume: { vector: {}, replayed: 0 },
    reaches: {},
    isBrought: false,
    missed: 0,
    lossInWords: "",
  };
}

/** LOGIN_SUCCESS for `login`. A plain client gets a sentence. Others get what they asked for, and where they stand. */
export function loginSuccess(
  { username, features: asked, receive, ackRanges }: LoginMessage,
  { features, resumePoint, serverId, lamport, heartbeat, ticket, pass, serverFinal, may, refused }: LoginSuccessFacts,
): LoginSuccessMessage {
  const knowsChannels = features.includes("channels");
  const missing = RIGHTS.filter((right) => !hasRight(may, right, knowsChannels));
  const info = `logged in as ${username}${missing.length === 0 ? "" : `, without the right to ${missing.join(", ")}`}`;
  const proof = serverFinal === undefined ? {} : { scram: serverFinal };
  if (asked.length === 0) {
    return { command: "LOGIN_SUCCESS", info: `${info}${resumePoint?.lossInWords ?? ""}`, ...proof };
  }
  const resume = features.includes("resume") ? resumePoint?.resume : undefined;
  return {
    command: "LOGIN_SUCCESS",
    info,
    ...proof,
    features,
    ...(receive === undefined ? {} : { receive }),
    // Who may do everything is told nothing of it.
    ...(missing.length === 0 ? {} : { may: RIGHTS.filter((right) => !missing.includes(right)) }),
    ...(refused === undefined ? {} : { refused }),
    ...(ackRanges && features.includes("ack") ? { ackRanges } : {}),
    serverId: resumePoint?.serverId ?? serverId,
    lamport,
    heartbeat,
    ...(resume === undefined ? {} : { resume }),
    ...(ticket === undefined ? {} : { ticket }),
    ...(pass === undefined ? {} : { pass }),
  };
}

/**
 * A client may have more of this server's own log than the server: it was here before an old copy of the data was put
 * back. Entries beyond the end of the log are lost here, and other entries get their numbers. The client is told so,
 * and gets the other entries.
 *
 * A client may also end in numbers of another origin that were given out twice, and may have seen other entries under
 * them. It is told the same, and gets what the log has. `as` is the origin that this is about, else this server.
 */
function withoutLostOnes(vector: Vector, log: ResumedLog): { has: Vector; lost: WireGap[]; as: string } {
  const { serverId, vector: own, origins: { retractions } } = log;
  const end = sequenceOf(own, serverId);
  const claimed = sequenceOf(vector, serverId);
  if (claimed > end) {
    const lost = [{ origin: serverId, first: end + 1, last: claimed }];
    return { has: { ...vector, [serverId]: end }, lost, as: serverId };
  }
  const retracted = retractions.in(vector);
  if (retracted === undefined) return { has: vector, lost: [], as: serverId };
  const { origin, first } = retracted;
  const lost = [{ origin, first, last: sequenceOf(vector, origin) }];
  return { has: { ...vector, [origin]: first - 1 }, lost, as: origin };
}

/** Anything may be missing of a server that is not known here. The client is told so. */
function unknownOrigins(vector: Vector, known: Vector): WireGap[] {
  return Object.keys(vector)
    .filter((origin) => vector[origin]! > 0 && sequenceOf(known, origin) === 0)
    .map((origin) => ({ origin, first: vector[origin]! + 1, last: null }));
}

/** Its origins that are forgotten whole. The client misses the rest of them, and nothing more comes. */
function forgottenIn(vector: Vector, { vector: own, buriedAt }: ResumedLog): string[] {
  return Object.keys(vector).filter((origin) => {
    const last = buriedAt(origin);
    return last > 0 && last >= vector[origin]! && !Object.hasOwn(own, origin);
  });
}

function without(vector: Vector, origins: readonly string[]): Vector {
  const rest: Record<string, number> = { ...vector };
  for (const origin of origins) delete rest[origin];
  return rest;
}

function inWords({ gaps }: Missing): string {
  return gaps.length === 0 ? "" : "; the server no longer has some entries from the time that you were away";
}
