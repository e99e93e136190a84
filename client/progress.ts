/**
 * The entries that a client has received, so that it asks for exactly the rest when it comes back: a vector, and the
 * remaining number during a replay. Lives as long as the client, over all its connections. Acts on nothing and reads no
 * clock.
 */

import { merge, sequenceOf, type Vector } from "../log/vector.ts";
import type { WireVector } from "../protocol/message.ts";
import { parseEntryId } from "../protocol/entry_id.ts";

/** The meaning of an arrived activity, direct message or receipt. */
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
  /** The vector of the client after all missed activities have come. */
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
  /** Origins that the network has forgotten, with the client's sequences. */
  #forgotten: Vector = {};

  /** Begins with what the client has from earlier. */
  constructor(received?: Vector) {
    this.#received = { ...received };
    this.#hasBegun = received !== undefined;
  }

  /** Whether the client has a vector and can ask for the rest. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Everything up to here has been received. A copy. */
  get received(): Vector {
    return { ...this.#received };
  }

  /** Whether missed entries are still to come. */
  get isBehind(): boolean {
    return this.#replay !== undefined;
  }

  /**
   * The login was answered. After `replayed` activities the client has all of `vector`. That may be more than the
   * activities add up to, as other users' messages count, too. So the vector is taken over at the end of the replay. If
   * the connection is lost before, it is not taken over, and the next login brings a new promise. A new client misses
   * nothing: it begins with all of `vector` at once.
   *
   * A server with less of its *own* origin than the client has lost the rest and gives the numbers anew: its next
   * entries are new. A server with less of another origin has only not heard of the rest yet. The client keeps its
   * sequence there, or it would get those entries twice. The client drops origins that the network has forgotten.
   *
   * Returns the origin whose numbers are given anew, if there is one.
   */
  begin({ serverId, vector, replayed, forgotten = [], isTold = false }: Beginning): string | undefined {
    let renumbered: string | undefined;
    if (serverId !== undefined && Object.hasOwn(vector, serverId)) {
      const end = vector[serverId]!;
      if (end < sequenceOf(this.#received, serverId)) {
        this.#received[serverId] = end;
        renumbered = serverId;
      }
    }
    if (!this.#hasBegun) this.#received = { ...vector };
    this.#hasBegun = true;
    this.#replay = { vector, missing: isTold ? Infinity : replayed };
    this.#forgotten = Object.fromEntries(forgotten.map((origin) => [origin, sequenceOf(this.#received, origin)]));
    this.#finishReplay();
    return renumbered;
  }

  /** The server has sent all missed entries. The client now has this vector. */
  caughtUp(vector: WireVector): void {
    if (this.#replay === undefined) return;
    this.#replay = { vector, missing: 0 };
    this.#finishReplay();
  }

  /** The server says that the client has all of this. While missed entries are to come, that is said again later. */
  stands(vector: WireVector): void {
    if (this.#replay === undefined) this.#received = merge(this.#received, vector) as Record<string, number>;
  }

  /** The connection is over. Entries that were promised on it do not come any more. */
  cutOff(): void {
    this.#replay = undefined;
  }

  /**
   * Activity `id` came, or another entry of the log. Entries of one origin come in order, so each stands for all before
   * it. During a replay, each counts as one of the promised entries.
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
