/**
 * Who may have a seat at a server, and who has to go when there is none. While there are seats, everybody gets one.
 * Then a newcomer waits in the lobby, where it is heard until it has said who it is. A server gets a seat at once. A
 * user with a name gets the seat of a connection that has said nothing, or of an anonymous client. An anonymous client
 * gets such a seat, too, if its address has fewer. The address with the most seats gives first.
 * `server/session/connections.ts` does what is decided here. Pure.
 */

import { Crowd } from "./crowd.ts";

/** What is at the other end. */
export type Standing =
  /** It has said nothing yet that counts. */
  | { readonly kind: "new" }
  /** The server checks its secret. */
  | { readonly kind: "trying" }
  /** An anonymous client that asked for no feature; an anonymous client with features, or a guest. */
  | { readonly kind: "plain" }
  | { readonly kind: "anonymous" }
  | { readonly kind: "named"; readonly username: string }
  | { readonly kind: "peer" };

/** How many seats there are. */
export interface SeatLimits {
  readonly maxSeats: number;
  /** So many seats are for users with a name, and for servers, if they want them. */
  readonly kept: number;
  readonly maxLobby: number;
}

/** What becomes of a newcomer. */
export interface Arrival<T> {
  /** Who has to leave the lobby. */
  readonly out?: T;
}

/** What becomes of a connection that has said who it is. */
export interface Entry<T> {
  /** Whether it has a seat; if not, it waits for one. */
  readonly isIn: boolean;
  /** Who has to go for it. */
  readonly out?: T;
}

/** What is known of a connection. */
export interface SeatFacts<T> {
  /** Whether it has come just now, so that its first bytes may not have been read yet. */
  isFresh(guest: T): boolean;
  /** Whether it has said nothing for a while. */
  isIdle(guest: T): boolean;
}

interface Guest {
  readonly network: string;
  readonly standing: Standing;
  /** Where a connection is counted. `"waits"` and `"lobby"` have no seat. */
  readonly at: "seat" | "lobby" | "waits";
}

/** One user, or one address, may have so many connections before some of them have to go for other users. */
const FEW_CONNECTIONS = 8;
/** If less than this part of all seats is left, seats are short. */
const SHORT_PART = 0.1;
/** So many connections of one owner are looked at, to find one that is idle. */
const TRIES = 16;

/** The seats of one server, and its lobby. */
export class Seats<T> {
  readonly #limits: SeatLimits;
  readonly #guests = new Map<T, Guest>();
  /** Connections with a seat, by network: each kind but servers. */
  readonly #seated = {
    new: new Crowd<T>(),
    trying: new Crowd<T>(),
    plain: new Crowd<T>(),
    anonymous: new Crowd<T>(),
    named: new Crowd<T>(),
  };
  /** Connections with a name and a seat, by name. */
  readonly #byName = new Crowd<T>();
  #peers = 0;
  /**
   * Connections without a seat: strangers, those whose secret is checked, and those that wait, with and without a name.
   */
  readonly #lobby = new Crowd<T>();
  readonly #lobbyTrying = new Crowd<T>();
  readonly #waitingNamed = new Crowd<T>();
  readonly #waitingAnonymous = new Crowd<T>();
  /** All connections, by network. */
  readonly #all = new Crowd<T>();
  readonly #ask: SeatFacts<T>;

  constructor(limits: SeatLimits, ask: SeatFacts<T>) {
    this.#limits = limits;
    this.#ask = ask;
  }

  /** How many have a seat. */
  get taken(): number {
    const { new: fresh, trying, plain, anonymous, named } = this.#seated;
    return fresh.size + trying.size + plain.size + anonymous.size + named.size + this.#peers;
  }

  /** How many have no seat. */
  get inLobby(): number {
    return [this.#lobby, this.#lobbyTrying, this.#waitingNamed, this.#waitingAnonymous]
      .reduce((sum, { size }) => sum + size, 0);
  }

  /** Whether there is no seat for one more. */
  get isFull(): boolean {
    return this.taken >= this.#limits.maxSeats;
  }

  /** Whether few seats are left. Then nobody may take long to say who it is. */
  get isShort(): boolean {
    return this.taken >= this.#limits.maxSeats * (1 - SHORT_PART);
  }

  /** Whether this connection has a seat. */
  hasSeat(guest: T): boolean {
    return this.#guests.get(guest)?.at === "seat";
  }

  /** Connections of a network, and how many of them have not said who they are. */
  countOf(network: string): { readonly all: number; readonly unidentified: number } {
    const { new: fresh, trying } = this.#seated;
    const unidentified = [fresh, trying, this.#lobby, this.#lobbyTrying]
      .reduce((sum, crowd) => sum + crowd.sizeOf(network), 0);
    return { all: this.#all.sizeOf(network), unidentified };
  }

  /** A connection comes, and has a seat if there is one. */
  arrive(guest: T, network: string): Arrival<T> {
    const at = this.isFull ? "lobby" : "seat";
    this.#put(guest, { network, standing: { kind: "new" }, at });
    if (this.inLobby <= this.#limits.maxLobby) return {};
    const out = this.#silent(this.#lobby) ?? oldest(this.#waitingAnonymous) ?? oldest(this.#lobby) ??
      oldest(this.#lobbyTrying) ?? oldest(this.#waitingNamed);
    this.#take(out!);
    return { out: out! };
  }

  /** The server checks its secret; or has checked it, and the connection may say again who it is. */
  tries(guest: T, isTrying: boolean): void {
    const known = this.#guests.get(guest);
    if (known === undefined || known.at === "waits") return;
    this.#put(guest, { ...known, standing: { kind: isTrying ? "trying" : "new" } });
  }

  /** It has said who it is, and this is true. */
  enter(guest: T, standing: Standing): Entry<T> {
    const known = this.#guests.get(guest);
    if (known === undefined) return { isIn: true };
    const { network } = known;
    if (known.at === "seat" || !this.isFull) {
      this.#put(guest, { network, standing, at: "seat" });
      return { isIn: true };
    }
    const out = this.#whoGoes(standing, network);
    if (out !== undefined) this.#take(out);
    // A server does not wait, as it belongs to no network without the others.
    if (out === undefined && standing.kind !== "peer") {
      this.#put(guest, { network, standing, at: "waits" });
      return { isIn: false };
    }
    this.#put(guest, { network, standing, at: "seat" });
    return out === undefined ? { isIn: true } : { isIn: true, out };
  }

  /** A connection is gone. Returns the connection that has waited and has a seat now. */
  leave(guest: T): T | undefined {
    this.#take(guest);
    if (this.isFull) return undefined;
    const waited = this.#waitingNamed.next() ?? this.#waitingAnonymous.next();
    const next = waited ?? this.#lobbyTrying.next() ?? this.#lobby.next();
    if (next !== undefined) this.#put(next, { ...this.#guests.get(next)!, at: "seat" });
    return waited;
  }

  /** Whose seat a connection may have, if no seat is free. */
  #whoGoes({ kind }: Standing, network: string): T | undefined {
    const { new: fresh, trying, plain, anonymous, named } = this.#seated;
    const silent = this.#silent(fresh);
    if (silent !== undefined) return silent;
    if (kind === "plain" || kind === "anonymous") {
      // An owner that has more than one more has to share.
      const fair = (crowd: Crowd<T>) => crowd.most > this.#anonymousOf(network) + 1;
      return (fair(plain) ? this.#idle(plain, plain.largest) : undefined) ??
        (fair(plain) ? oldest(plain) : fair(anonymous) ? oldest(anonymous) : undefined);
    }
    const idle = this.#idle(plain, plain.largest);
    if (idle !== undefined) return idle;
    const isBelowShare = named.size + this.#peers < this.#limits.kept;
    const shares = isBelowShare ? oldest(plain) ?? oldest(anonymous) ?? oldest(fresh) ?? oldest(trying) : undefined;
    if (shares !== undefined) return shares;
    if (this.#byName.most > FEW_CONNECTIONS) return this.#idle(this.#byName, this.#byName.largest);
    // An address that has most of all seats gives some to others.
    const isMost = named.most > Math.max(FEW_CONNECTIONS, this.#limits.maxSeats / 2) &&
      named.most > 2 * named.sizeOf(network);
    return isMost ? this.#idle(named, named.largest) : undefined;
  }

  #anonymousOf(network: string): number {
    return this.#seated.plain.sizeOf(network) + this.#seated.anonymous.sizeOf(network);
  }

  #idle(crowd: Crowd<T>, owner: string | undefined): T | undefined {
    return owner === undefined ? undefined : crowd.oldestOf(owner, (guest) => this.#ask.isIdle(guest), TRIES);
  }

  /** A connection that has had the time to say something. */
  #silent(crowd: Crowd<T>): T | undefined {
    const silent = oldest(crowd);
    return silent === undefined || this.#ask.isFresh(silent) ? undefined : silent;
  }

  #put(guest: T, { network, standing, at }: Guest): void {
    this.#take(guest);
    this.#guests.set(guest, { network, standing, at });
    this.#all.add(network, guest);
    this.#crowdOf(standing, at)?.add(network, guest);
    if (at !== "seat") return;
    if (standing.kind === "peer") this.#peers++;
    if (standing.kind === "named") this.#byName.add(standing.username, guest);
  }

  #take(guest: T): void {
    const known = this.#guests.get(guest);
    if (known === undefined) return;
    const { network, standing, at } = known;
    this.#guests.delete(guest);
    this.#all.delete(network, guest);
    this.#crowdOf(standing, at)?.delete(network, guest);
    if (at !== "seat") return;
    if (standing.kind === "peer") this.#peers--;
    if (standing.kind === "named") this.#byName.delete(standing.username, guest);
  }

  #crowdOf({ kind }: Standing, at: Guest["at"]): Crowd<T> | undefined {
    if (at === "lobby") return kind === "trying" ? this.#lobbyTrying : this.#lobby;
    if (at === "waits") return kind === "named" ? this.#waitingNamed : this.#waitingAnonymous;
    return kind === "peer" ? undefined : this.#seated[kind];
  }
}

/** Of the owners with the most, the connection that came first. */
function oldest<T>(crowd: Crowd<T>): T | undefined {
  return crowd.largest === undefined ? undefined : crowd.oldestOf(crowd.largest, () => true, 1);
}
