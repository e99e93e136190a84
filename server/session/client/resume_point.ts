/**
 * Where in the log a session begins to read, and what LOGIN_SUCCESS says of it. Decides, but reads the log, which may
 * fail. `server/session/entrance.ts` sends the answer.
 */

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
  /** Whether that is the end of the log. */
  readonly isAtEnd: boolean;
  /** What the client has of the log: to be left out. */
  readonly has: Vector;
  /**
   * As whom this server speaks in `LOGIN_SUCCESS`: as the origin of which the client has to take a number
   * back, if there is one.
   */
  readonly serverId: string;
  /** For `LOGIN_SUCCESS`. */
  readonly resume: WireResume;
  /** What it has once it is at the end of the log as that is now. */
  readonly reaches: Vector;
  /** Whether the client brought a vector, and all that this names is here. */
  readonly isComplete: boolean;
  /** Activities that it gets before the live ones. */
  readonly missed: number;
  /** For plain clients, who get no more than a sentence: empty when nothing is lost. */
  readonly lossInWords: string;
}

/** What is asked of the log. Throws where it cannot be read: then nothing may be said about what the client has. */
export interface ResumedLog {
  readonly serverId: string;
  readonly head: Position;
  readonly vector: Vector;
  readonly origins: { readonly retractions: Pick<Retractions, "in"> };
  /** The last entry of an origin that is forgotten whole; 0 of others. */
  readonly buriedAt: (origin: string) => number;
  missing(vector: Vector): Missing;
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
}

/**
 * The resume point of a client that `brings` a vector; of one that does not know where it was, when its user's
 * connection was lost and `stood` there; or (neither) of one that begins now.
 */
export function resumePointOf(brings: Vector | undefined, stood: Vector | undefined, log: ResumedLog): ResumePoint {
  const vector = brings ?? stood;
  if (vector === undefined) {
    const resume = { vector: log.vector, replayed: 0 };
    return {
      after: log.head,
      isAtEnd: true,
      has: {},
      serverId: log.serverId,
      resume,
      reaches: log.vector,
      isComplete: false,
      missed: 0,
      lossInWords: "",
    };
  }
  const { has, lost, as } = withoutLostOnes(vector, log);
  const missing = log.missing(has);
  const forgotten = forgottenIn(has, log);
  const known = forgotten.length === 0 ? has : without(has, forgotten);
  const gaps = [...missing.gaps, ...lost, ...unknownOrigins(known, log.vector)];
  const all = merge(log.vector, known);
  // It takes a lower number back only from here, also where that is 0. The ids of what comes tell it the rest.
  const reaches = lost.length === 0 ? all : { ...all, [as]: sequenceOf(has, as) };
  // Who brought nothing takes what it is told for what it has, and all that follows for new.
  const told = brings === undefined
    ? { vector: known, replayed: 0 }
    : { vector: reaches, replayed: missing.activities };
  return {
    after: missing.after,
    isAtEnd: missing.after >= log.head,
    has,
    serverId: as,
    resume: {
      ...told,
      ...(gaps.length === 0 ? {} : { gap: gaps }),
      ...(forgotten.length === 0 ? {} : { forgotten }),
    },
    reaches,
    isComplete: brings !== undefined && Object.keys(known).every((of) => sequenceOf(log.vector, of) >= known[of]!),
    missed: missing.activities,
    lossInWords: inWords(missing),
  };
}

/** LOGIN_SUCCESS for `login`. A plain client gets a sentence. Others get what they asked for, and where they stand. */
export function loginSuccess(
  { username, features: asked }: LoginMessage,
  { features, resumePoint, serverId, lamport, heartbeat, ticket }: LoginSuccessFacts,
): LoginSuccessMessage {
  const info = `logged in as ${username}`;
  if (asked.length === 0) return { command: "LOGIN_SUCCESS", info: `${info}${resumePoint?.lossInWords ?? ""}` };
  const resume = features.includes("resume") ? resumePoint?.resume : undefined;
  return {
    command: "LOGIN_SUCCESS",
    info,
    features,
    serverId: resumePoint?.serverId ?? serverId,
    lamport,
    heartbeat,
    ...(resume === undefined ? {} : { resume }),
    ...(ticket === undefined ? {} : { ticket }),
  };
}

/**
 * A client that has more of this server's own log than the server itself was here before an old copy of the data was
 * put back. What it has above the log's end is lost here, and its numbers will be given to other entries: it is told
 * so, and gets those. One that ends in numbers of another origin which were given out twice may have seen other entries
 * under them: it is told the same, and gets what the log has. `as` is the origin that this is about, else this server.
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

/** Of a server that is not known here anything may be missing: that is said rather than passed over. */
function unknownOrigins(vector: Vector, known: Vector): WireGap[] {
  return Object.keys(vector)
    .filter((origin) => vector[origin]! > 0 && sequenceOf(known, origin) === 0)
    .map((origin) => ({ origin, first: vector[origin]! + 1, last: null }));
}

/** Those of its origins that are forgotten whole: what there was of them is missed, and nothing more comes. */
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
