/**
 * How far a connection got, as servers tell each other. Not every server knows the same origins, and a place does not
 * name ten thousand of them. Pure.
 */

import type { Position } from "../../log/segment.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";
import type { Standing } from "./lost_places.ts";

/** A place as it is said. */
export interface PlaceVector {
  /** So much of these origins. */
  readonly vector: Vector;
  /** Nothing of any other origin. Without this: of any other one all that the reader has. */
  readonly whole?: boolean;
}

/** What a server has of the log. */
export interface KnownLog {
  readonly serverId: string;
  readonly head: Position;
  readonly vector: Vector;
  /** Origins that are forgotten whole, and where they were. */
  readonly origins: { readonly tombstones: ReadonlyMap<string, number> };
}

/**
 * A place names all origins up to so many. That is some 2 kB. With more of them a place names only origins of which
 * another server may have more or less.
 */
const MAX_WHOLE = 64;

/** The vector `at`, for servers of which `others` is known. */
export function placeVector(
  at: Vector,
  { serverId, vector, origins: { tombstones } }: KnownLog,
  others: Iterable<{ readonly serverId: string; readonly vector: Vector }>,
): PlaceVector {
  const known = Object.keys(vector);
  const named: Record<string, number> = at === vector
    ? {}
    : { ...differing(at, vector, [...Object.keys(at), ...known]) };
  named[serverId] = sequenceOf(at, serverId);
  for (const other of others) {
    named[other.serverId] = sequenceOf(at, other.serverId);
    for (const origin of Object.keys(other.vector)) {
      if (other.vector[origin] !== sequenceOf(vector, origin)) named[origin] = sequenceOf(at, origin);
    }
  }
  if (known.length + tombstones.size > MAX_WHOLE) return { vector: named };
  // Another server may keep what is forgotten here.
  for (const [origin, last] of tombstones) named[origin] = last;
  for (const origin of known) named[origin] = sequenceOf(at, origin);
  return { vector: named, whole: true };
}

/** Where somebody stands in the log of the server that reads `place`. */
export function standingOf({ vector, whole = false }: PlaceVector, log: KnownLog): Standing {
  const { tombstones } = log.origins;
  // What is forgotten whole comes to nobody any more.
  const named = Object.keys(vector).filter((origin) => vector[origin]! > (tombstones.get(origin) ?? -1));
  const origins = whole ? [...named, ...Object.keys(log.vector)] : named;
  return { position: log.head, except: differing(vector, log.vector, origins) };
}

/** What of `at` is another sequence than in `known`, among `origins`. */
export function differing(at: Vector, known: Vector, origins: readonly string[] = Object.keys(known)): Vector {
  const different: Record<string, number> = {};
  for (const origin of origins) {
    const sequence = sequenceOf(at, origin);
    if (sequence !== sequenceOf(known, origin)) different[origin] = sequence;
  }
  return different;
}
