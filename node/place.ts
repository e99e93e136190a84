/**
 * Where in the log a session begins to read, and what it is told about that. Decides; reads the log.
 */

import type { Position } from "../log/segment.ts";
import { merge, sequenceOf, type Vector } from "../log/vector.ts";
import type { WireGap } from "../protocol/message.ts";
import type { Missing } from "../store/store.ts";

/** The beginning of a session. */
export interface Place {
  /** Read segments after this. */
  readonly after: Position;
  /** Whether that is the end of the log. */
  readonly isAtEnd: boolean;
  /** What the client has of the log: to be left out. */
  readonly has: Vector;
  /** For `LOGIN_SUCCESS`. */
  readonly resume: { readonly vector: Vector; readonly replayed: number; readonly gap?: readonly WireGap[] };
  /** For plain clients, who get no more than a sentence: empty when nothing is lost. */
  readonly lossInWords: string;
}

/** What is asked of the log. Throws where it cannot be read: then nothing may be said about what the client has. */
export interface PlacedLog {
  readonly serverId: string;
  readonly head: Position;
  readonly vector: Vector;
  missing(vector: Vector): Missing;
  missingAfter(position: Position): Missing;
}

/**
 * The place of a client that brings `vector`, or of a plain one whose lost connection stood at `lostAt`, or (neither) of one that begins now.
 */
export function placeOf(
  vector: Vector | undefined,
  lostAt: Position | undefined,
  log: PlacedLog,
): Place {
  if (vector === undefined && lostAt === undefined) {
    return { after: log.head, isAtEnd: true, has: {}, resume: { vector: log.vector, replayed: 0 }, lossInWords: "" };
  }
  const { has, lost } = withoutLostOnes(vector ?? {}, log);
  const missing = vector !== undefined ? log.missing(has) : log.missingAfter(lostAt!);
  const gaps = [...missing.gaps, ...lost, ...unknownOrigins(has, log.vector)];
  return {
    after: missing.after,
    isAtEnd: missing.after >= log.head,
    has,
    resume: {
      vector: merge(log.vector, has),
      replayed: missing.activities,
      ...(gaps.length === 0 ? {} : { gap: gaps }),
    },
    lossInWords: inWords(missing),
  };
}

/**
 * A client that has more of this server's own log than the server itself was here before an old copy of the data was put back. What it has above the log's
 * end is lost here, and its numbers will be given to other entries: it is told so, and gets those.
 */
function withoutLostOnes(
  vector: Vector,
  { serverId, vector: own }: { readonly serverId: string; readonly vector: Vector },
): { has: Vector; lost: WireGap[] } {
  const end = sequenceOf(own, serverId);
  const claimed = sequenceOf(vector, serverId);
  if (claimed <= end) return { has: vector, lost: [] };
  return { has: { ...vector, [serverId]: end }, lost: [{ origin: serverId, first: end + 1, last: claimed }] };
}

/** Of a server that is not known here anything may be missing: that is said rather than passed over. */
function unknownOrigins(vector: Vector, known: Vector): WireGap[] {
  return Object.keys(vector)
    .filter((origin) => vector[origin]! > 0 && sequenceOf(known, origin) === 0)
    .map((origin) => ({ origin, first: vector[origin]! + 1, last: null }));
}

function inWords({ gaps }: Missing): string {
  return gaps.length === 0 ? "" : "; some of what came while you were away is no longer kept";
}
