/**
 * The ends of connections whose server was lost. A killed server tells nothing, but the others know who was there: from
 * presence always, and in detail while somebody looked. The ends count as soon as this server takes the other for dead.
 * They are taken back when it turns out that it was there all the time, as after a partition. Pure: the time comes in.
 */

import { CLOSE_REASONS } from "../../protocol/close_reason.ts";
import { type ConnectionView, type EndView, MAX_ENDS } from "../../view/network_view.ts";
import type { MemberState } from "../backplane/member.ts";

/** The way to a server was lost. */
export interface LostServer {
  readonly serverId: string;
  /** `HOST:PORT`. */
  readonly name: string;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** When it was started; `undefined` if it has not said. */
  readonly startedAt: number | undefined;
  /** Its users, by presence. */
  readonly users: readonly string[];
  /** Its connections, as far as it has told. */
  readonly connections: Iterable<ConnectionView>;
}

/** What is known of the server by now. `undefined` if it is no member any more. */
export interface SeenServer {
  readonly state: MemberState;
  readonly startedAt: number | undefined;
}

/** What is new. */
export interface LostNews {
  /** These connections have ended. */
  readonly told: readonly EndView[];
  /** These servers were there all the time: what was told of their connections was wrong. */
  readonly takenBack: readonly string[];
}

interface Loss {
  readonly startedAt: number | undefined;
  readonly ends: readonly EndView[];
  readonly count: number;
  isTold: boolean;
}

/** Ends of one server that are remembered one by one. They must not push out all others. */
const MOST_OF_ONE = MAX_ENDS / 2;
/** Lost servers that are remembered. */
const MOST_SERVERS = 100;

/** What one server knows of connections that others had. */
export class LostClients {
  readonly #losses = new Map<string, Loss>();
  /** Of servers that were started anew. */
  #former: EndView[] = [];

  /** All ends that were told and hold, those of each server together. */
  get ends(): readonly EndView[] {
    return [...this.#former, ...[...this.#losses.values()].flatMap(({ ends, isTold }) => isTold ? ends : [])];
  }

  /** How many connections were lost with a server that is dead now. */
  countOf(serverId: string): number {
    const loss = this.#losses.get(serverId);
    return loss?.isTold ? loss.count : 0;
  }

  /** There is no way to the server any more. Maybe only the way is lost. */
  lost(server: LostServer): void {
    const { serverId, startedAt } = server;
    this.#settle(serverId, startedAt);
    const ends = endsOf(server);
    this.#losses.set(serverId, {
      startedAt,
      ends: ends.slice(-MOST_OF_ONE),
      count: ends.length,
      isTold: false,
    });
    if (this.#losses.size > MOST_SERVERS) this.#losses.delete(this.#losses.keys().next().value!);
  }

  /** Compares with what is known of the servers by now. */
  look(seen: (serverId: string) => SeenServer | undefined): LostNews {
    const told: EndView[] = [];
    const takenBack: string[] = [];
    for (const [serverId, loss] of this.#losses) {
      const { state, startedAt } = seen(serverId) ?? { state: "dead", startedAt: undefined };
      if (state === "dead") {
        if (!loss.isTold) told.push(...loss.ends);
        loss.isTold = true;
      } else if (state === "left") this.#losses.delete(serverId);
      // Until it says when it was started, it may be either.
      else if (state === "linked" && startedAt !== undefined) {
        const { isTold } = loss;
        const isSame = this.#settle(serverId, startedAt);
        if (isSame && isTold) takenBack.push(serverId);
        if (!isSame && !isTold) told.push(...loss.ends);
      }
    }
    return { told, takenBack };
  }

  /** The server is there, started at `startedAt`. Gives whether it was there all the time. */
  #settle(serverId: string, startedAt: number | undefined): boolean {
    const loss = this.#losses.get(serverId);
    if (loss === undefined) return true;
    this.#losses.delete(serverId);
    const isSame = loss.startedAt === undefined ? !loss.isTold : loss.startedAt === startedAt;
    if (!isSame) this.#former = [...this.#former, ...loss.ends].slice(-MAX_ENDS);
    return isSame;
  }
}

function endsOf({ serverId, name, at, users, connections }: LostServer): EndView[] {
  const { sentence } = CLOSE_REASONS.SERVER_LOST;
  const why = `${name} was killed or stands still, or the network to it is broken`;
  const lost = { server: serverId, at, reason: "SERVER_LOST", sentence, why, heartbeats: [] };
  const told = [...connections].filter(({ kind }) => kind !== "server" && kind !== "new");
  const known = new Set(told.map(({ user }) => user));
  return [
    ...told.map(({ user, address, since }) => ({ ...lost, user, address, since })),
    ...users.filter((user) => !known.has(user)).map((user) => ({ ...lost, user, address: "", since: 0 })),
  ];
}
