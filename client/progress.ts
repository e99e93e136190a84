/**
 * What a client has received, so that it can ask for exactly the rest when it comes back: a vector, and during a replay how much of it is still
 * to come. Acts on nothing and reads no clock; lives as long as the client, over all its connections.
 */

import { merge, sequenceOf, type Vector } from "../log/vector.ts";
import { parseEntryId } from "../protocol/entry_id.ts";

/** What an activity's arrival means. */
export type Arrival =
  /** It is new. */
  | "new"
  /** It is new, and with it everything has come that was missed. */
  | "caughtUp"
  /** It was received before. The server promises that this does not happen. */
  | "duplicate"
  /** Its identity makes no sense. */
  | "invalid";

/** How far a client got. */
export class Progress {
  #received: Record<string, number>;
  #replay: { readonly vector: Vector; missing: number } | undefined;

  /** Begins with what the client has from earlier. */
  constructor(received: Vector = {}) {
    this.#received = { ...received };
  }

  /** Everything up to here has been received. A copy. */
  get received(): Vector {
    return { ...this.#received };
  }

  /**
   * A login was answered: once `replayed` activities have come, the client has all of `vector`. That may well be more than the activities add up
   * to, as other users' messages and the like count too; so it is taken over at the end of the replay, and not at all if the connection
   * is lost before: the next login brings a promise of its own. A server that has less of an origin than the client has lost the rest and will give its
   * numbers anew: what comes of it next is new. Returns whether the client has caught up already.
   */
  begin(vector: Vector, replayed: number): boolean {
    for (const origin of Object.keys(vector)) {
      if (vector[origin]! < sequenceOf(this.#received, origin)) this.#received[origin] = vector[origin]!;
    }
    this.#replay = { vector, missing: replayed };
    return this.#finishReplay();
  }

  /** Activity `id` came. Activities of one origin come in order, so each stands for all before it. */
  receive(id: string): Arrival {
    const entry = parseEntryId(id);
    if (entry === undefined) return "invalid";
    if (entry.sequence <= sequenceOf(this.#received, entry.origin)) return "duplicate";
    this.#received[entry.origin] = entry.sequence;
    if (this.#replay === undefined) return "new";
    this.#replay.missing--;
    return this.#finishReplay() ? "caughtUp" : "new";
  }

  #finishReplay(): boolean {
    if (this.#replay === undefined || this.#replay.missing > 0) return false;
    this.#received = merge(this.#received, this.#replay.vector) as Record<string, number>;
    this.#replay = undefined;
    return true;
  }
}
