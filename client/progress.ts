/**
 * What a client has received, so that it can ask for exactly the rest when it comes back: a vector, and during a replay how much of it is still
 * to come. Acts on nothing and reads no clock; lives as long as the client, over all its connections.
 */

import { merge, sequenceOf, type Vector } from "../log/vector.ts";
import type { WireVector } from "../protocol/message.ts";
import { parseEntryId } from "../protocol/entry_id.ts";

/** What the arrival of an activity, a direct message or a receipt means. */
export type Arrival =
  /** It is new. */
  | "new"
  /** It was received before. The server promises that this does not happen. */
  | "duplicate"
  /** Its identity makes no sense. */
  | "invalid";

/** What a server says when it answers a login. */
export interface Beginning {
  /** Whose origin the server is, if it says so. */
  readonly serverId?: string | undefined;
  /** What the client has once the activities have come that it missed. */
  readonly vector: WireVector;
  /** How many these are. */
  readonly replayed: number;
  /** Origins that the client named, and that the network has forgotten whole. */
  readonly forgotten?: readonly string[];
  /** Whether the server says when all has come (CAUGHT_UP): then `replayed` is not counted. */
  readonly isTold?: boolean;
}

/** How far a client got. */
export class Progress {
  #received: Record<string, number>;
  #hasBegun: boolean;
  #replay: { readonly vector: Vector; missing: number } | undefined;
  /** Origins that the network has forgotten, and what the client has of them. */
  #forgotten: Vector = {};

  /** Begins with what the client has from earlier. */
  constructor(received?: Vector) {
    this.#received = { ...received };
    this.#hasBegun = received !== undefined;
  }

  /** Whether the client knows what it has, and can ask for the rest. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Everything up to here has been received. A copy. */
  get received(): Vector {
    return { ...this.#received };
  }

  /** Whether some of what was missed is still to come. */
  get isBehind(): boolean {
    return this.#replay !== undefined;
  }

  /**
   * A login was answered: once `replayed` activities have come, the client has all of `vector`. That may well be more than the activities add up
   * to, as other users' messages and the like count too; so it is taken over at the end of the replay, and not at all if the connection
   * is lost before: the next login brings a promise of its own. A client that had nothing misses nothing; it begins with all of `vector` at once.
   *
   * A server that has less of its *own* origin than the client has lost the rest and will give its numbers anew: what comes of it next is new. One that
   * has less of another origin has only not heard of the rest yet; what the client has of that stays, or it would get it twice. Origins that are
   * forgotten whole the client need not know any more either.
   */
  begin({ serverId, vector, replayed, forgotten = [], isTold = false }: Beginning): void {
    if (serverId !== undefined && Object.hasOwn(vector, serverId)) {
      const end = vector[serverId]!;
      if (end < sequenceOf(this.#received, serverId)) this.#received[serverId] = end;
    }
    if (!this.#hasBegun) this.#received = { ...vector };
    this.#hasBegun = true;
    this.#replay = { vector, missing: isTold ? Infinity : replayed };
    this.#forgotten = Object.fromEntries(forgotten.map((origin) => [origin, sequenceOf(this.#received, origin)]));
    this.#finishReplay();
  }

  /** The server says that all has come that was missed, and that this is what the client has now. */
  caughtUp(vector: WireVector): void {
    if (this.#replay === undefined) return;
    this.#replay = { vector, missing: 0 };
    this.#finishReplay();
  }

  /** The connection is over: what was promised on it and has not come does not come any more. */
  cutOff(): void {
    this.#replay = undefined;
  }

  /**
   * Activity `id` came, or something else that has its place in the log. What is of one origin comes in order, so each stands for all before it. Whatever
   * it means, during a replay it is one of those that were promised.
   */
  receive(id: string): Arrival {
    const arrival = this.#note(id);
    if (this.#replay !== undefined) {
      this.#replay.missing--;
      this.#finishReplay();
    }
    return arrival;
  }

  #note(id: string): Arrival {
    const entry = parseEntryId(id);
    if (entry === undefined) return "invalid";
    if (entry.sequence <= sequenceOf(this.#received, entry.origin)) return "duplicate";
    this.#received[entry.origin] = entry.sequence;
    return "new";
  }

  #finishReplay(): void {
    if (this.#replay === undefined || this.#replay.missing > 0) return;
    this.#received = merge(this.#received, this.#replay.vector) as Record<string, number>;
    for (const origin of Object.keys(this.#forgotten)) {
      // Unless it has gone on meanwhile.
      if (this.#received[origin] === this.#forgotten[origin]) delete this.#received[origin];
    }
    this.#replay = undefined;
  }
}
