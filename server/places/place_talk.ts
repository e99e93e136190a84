/**
 * What servers tell each other so that a user who changes servers misses nothing. They tell how many connections each
 * user has and who is behind, in case a server is lost. They tell a server that was away what is known of lost servers.
 * And before a login they ask whether everything is known. `place_keeper.ts` keeps the answers.
 */

import { sequenceOf, type Vector } from "../../log/vector.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Announced } from "../backplane/backplane.ts";
import { MAX_TALKED_USERS } from "../../protocol/peer/place_talk_codec.ts";
import type {
  OnlineChangeMessage,
  OnlineMessage,
  PlacesMessage,
  PlaceTalkMessage,
} from "../../protocol/peer/peer_message.ts";
import type { ConcludedPlace, PlaceKeeper, ReadingCounts } from "./place_keeper.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";

/** What is needed of the node. */
export interface PlaceTalkParts {
  serverId(): string;
  /** What this server was called before, since it was started. */
  formerNames(): readonly string[];
  /** When it was started, as it announces that. */
  readonly startedAt: number;
  readonly clock: Clock;
  readonly keeper: PlaceKeeper;
  /** Says it to one server, or to all that can be reached. */
  say(message: PlaceTalkMessage, to?: string): void;
  /** The newest entry of this server, be it stored or about to be. */
  lastOwn(): number;
  /** The Lamport time of this server. */
  lamport(): number;
  /** The last that a server has announced of what it has. */
  announcedBy(serverId: string): Vector;
  hasAccount(username: string): boolean;
  /** Calls `run` once the entry is here, or cannot be waited for any longer. */
  whenHere(id: string, run: () => void): void;
  /** Calls `run` when all that was taken in so far is committed. */
  whenCommitted(run: () => void): void;
  /** Whether it is here by now. */
  isHere(id: string): boolean;
  /** Where a user is logged in; whether it has lost a connection a moment ago and may be back. */
  whereabouts(username: string): { readonly servers: readonly string[]; readonly isAway: boolean };
  /** Who is logged in at `serverId`. */
  usersAt(serverId: string): readonly string[];
}

/** What is known of a server that is linked. */
interface Peer {
  readonly serverId: string;
  /** Whether it answers. */
  answers: boolean;
  /** Whether it has said what it concluded of others, and of a former run of this server, or has had time to. */
  hasSpoken: boolean;
  /** When it was started, by its own calendar; `undefined` until it says so. */
  startedAt: number | undefined;
  /** Whether it is told what was concluded of its former runs, or was. */
  isTold: boolean;
  /** What is said to it after that; absent when it was said, or there is nothing of that kind. */
  afterTold: (() => void)[] | undefined;
  readonly counts: Map<string, ReadingCounts>;
  /** Lamport times: when this server heard who is there, and when users came who were not there then. */
  listedAt: number;
  readonly cameAt: Map<string, number>;
  lags: Map<string, Vector>;
  /**
   * Users who lost their connection there, as far as the entry that says where they stood has not come: it may be
   * overtaken. With what the server had announced by then: what came later may be what they were ended for.
   */
  readonly leaving: Map<string, Vector>;
  /** What it has announced, where somebody is leaving since. */
  hasNow: Vector | undefined;
}

/** A login that waits. */
interface Asking {
  readonly of: Set<string>;
  readonly run: () => void;
  readonly timer: Timer;
}

/** Longer than it takes to find out that a server is dead; less than clients wait. */
const PATIENCE_MS = 6_000;
/** Logins at another server that wait for an answer; who is beyond that waits as long as it may. */
const MAX_WAITING_ANSWERS = 10_000;
/** What is taken of a user of whom a server has said nothing else. */
const ONE_THAT_RESUMES: ReadingCounts = Object.freeze({ plain: 0, resuming: 1 });

/** The talk of one server with the others. */
export class PlaceTalk {
  readonly #parts: PlaceTalkParts;
  readonly #peers = new Map<string, Peer>();
  readonly #asking = new Map<number, Asking>();
  #nextAsk = 1;
  #saidBehind = false;
  /** Who waits until this server has told who was here before it was started; absent when it has. */
  #untold: (() => void)[] | undefined = [];

  constructor(parts: PlaceTalkParts) {
    this.#parts = parts;
  }

  /**
   * Calls `run` when all is known and stored of where `username` was before: at once, unless it seems to be, or has
   * just been, at another server, or another server has only just been met, or was lost in this turn.
   */
  whenKnown(username: string, run: () => void): void {
    if (this.#untold !== undefined) return void this.#untold.push(() => this.whenKnown(username, run));
    const { servers, isAway } = this.#parts.whereabouts(username);
    const asked = [...this.#peers.values()].filter(({ answers, hasSpoken, serverId }) =>
      answers && (isAway || !hasSpoken || servers.includes(serverId))
    );
    const known = () => this.#parts.keeper.whenStored(username, run);
    if (asked.length === 0) known();
    else this.#ask(asked, known);
  }

  /** A user has another number of connections here. A new one that is `behind` has only so much of these origins. */
  countsChanged(username: string, behind?: Vector): void {
    const counts = this.#parts.keeper.countsOf(username);
    const lag = behind === undefined ? {} : { behind };
    // The next BEHIND ends it.
    if (behind !== undefined) this.#saidBehind = true;
    this.#parts.say({ command: "SESSIONS", users: [{ username, ...counts, ...lag }] });
  }

  /** This server has joined. */
  joined(told: () => void): void {
    this.#parts.keeper.tellOwn();
    this.#parts.whenCommitted(() => {
      told();
      const waiting = this.#untold ?? [];
      this.#untold = undefined;
      for (const peer of this.#peers.values()) this.#askOnce(peer);
      for (const run of waiting) run();
    });
  }

  /** There is a way to a server. It has heard what this one has, and hears next who is logged in here. */
  met(serverId: string): void {
    this.#peers.set(serverId, {
      serverId,
      answers: false,
      hasSpoken: false,
      startedAt: undefined,
      isTold: false,
      afterTold: undefined,
      counts: new Map(),
      listedAt: this.#parts.lamport(),
      cameAt: new Map(),
      lags: new Map(),
      leaving: new Map(),
      hasNow: undefined,
    });
    const behind = this.#behind();
    if (behind !== undefined && behind.length > 0) {
      this.#saidBehind = true;
      this.#parts.say({ command: "BEHIND", users: behind }, serverId);
    }
  }

  /** The server knows who is logged in here. */
  tellSessions(serverId: string): void {
    const { keeper, say } = this.#parts;
    const users = [...keeper.users].map((username) => ({ username, ...keeper.countsOf(username) }))
      .filter((counts) => !isUsual(counts));
    for (const portion of portions(users)) say({ command: "SESSIONS", users: portion }, serverId);
  }

  /**
   * Another server said how it is: whether all that it knows of lost connections is in what it `has` of its own log.
   */
  announced(serverId: string, { startedAt, has, tells, formerly }: Announced): void {
    const peer = this.#peers.get(serverId);
    if (peer === undefined) return;
    // Servers that do not say it say 0.
    if (startedAt > 0) peer.startedAt = startedAt;
    if (!tells) return;
    peer.hasNow = undefined;
    this.#settle(peer, has);
    this.#parts.keeper.whenNoted(() => {
      if (this.#peers.get(serverId) !== peer) return;
      if (!peer.answers) {
        peer.answers = true;
        this.#tellConcluded(peer);
        this.#askOnce(peer);
      }
      this.#compare(peer, has, formerly);
    });
  }

  /**
   * This server announces what it has, next: who has not got all of that? If that cannot be read, all links end before
   * anything is announced. Whether what it has tells of all connections that were lost here.
   */
  announcesNext(): boolean {
    const users = this.#behind();
    if (users !== undefined && (users.length > 0 || this.#saidBehind)) {
      this.#saidBehind = users.length > 0;
      this.#parts.say({ command: "BEHIND", users });
    }
    return this.#parts.keeper.isTold;
  }

  /** A server says who is online there; before anybody else is told. */
  heardOnline(serverId: string, message: OnlineMessage | OnlineChangeMessage): void {
    const peer = this.#peers.get(serverId);
    if (message.command === "ONLINE") {
      if (peer === undefined) return;
      peer.counts.clear();
      peer.cameAt.clear();
      peer.listedAt = this.#parts.lamport();
      return;
    }
    const { event, username, lamport } = message;
    if (event === "joined") {
      peer?.leaving.delete(username);
      peer?.cameAt.set(username, lamport);
      return this.#parts.keeper.cameElsewhere(serverId, username);
    }
    peer?.counts.delete(username);
    const wasThere = this.#parts.whereabouts(username).servers.includes(serverId);
    if (peer === undefined) return;
    if (event !== "lost" || !wasThere) return void peer.cameAt.delete(username);
    // One copy for all who are lost between two announcements.
    peer.hasNow ??= { ...this.#parts.announcedBy(serverId) };
    peer.leaving.set(username, peer.hasNow);
  }

  /** An entry of that server says where a user stood. */
  heardPlace(serverId: string, username: string): void {
    const peer = this.#peers.get(serverId);
    if (peer !== undefined) hasLeft(peer, username);
  }

  /** A server cannot be reached any more; before anybody else is told. */
  gone(serverId: string): void {
    const { keeper, announcedBy, usersAt, hasAccount } = this.#parts;
    const peer = this.#peers.get(serverId);
    this.#peers.delete(serverId);
    const vector = announcedBy(serverId);
    const leaving = peer?.leaving ?? new Map<string, Vector>();
    const there = (username: string) => {
      // Guests of another door have none, and do not come back as who they were.
      if (!hasAccount(username)) return undefined;
      const had = leaving.get(username);
      const lag = { ...had === undefined ? {} : lacking(had, vector), ...peer?.lags.get(username) };
      const since = peer?.cameAt.get(username) ?? peer?.listedAt ?? 0;
      return { username, ...peer?.counts.get(username) ?? ONE_THAT_RESUMES, lag, since };
    };
    const usernames = [...new Set([...usersAt(serverId), ...leaving.keys()])];
    keeper.serverLost({ serverId, vector, run: peer?.startedAt }, usernames, there);
    for (const ask of [...this.#asking.keys()]) this.#answered(ask, serverId);
  }

  /** A server says something about lost connections. */
  heard(from: string, message: PlaceTalkMessage): void {
    const peer = this.#peers.get(from);
    if (peer === undefined) return;
    const { lastOwn, whenHere, say } = this.#parts;
    switch (message.command) {
      case "PLACE_ASK": {
        const answer = () => say({ command: "PLACE_SAID", ask: message.ask, sequence: lastOwn() }, from);
        // With the turn: the user's connection here may have ended before the question came, and be read after it.
        return this.#parts.clock.endOfTurn(() =>
          this.#parts.keeper.whenNoted(() => {
            if (peer.afterTold === undefined) answer();
            else if (peer.afterTold.length < MAX_WAITING_ANSWERS) peer.afterTold.push(answer);
          })
        );
      }
      case "PLACE_SAID": {
        const { ask, sequence } = message;
        return whenHere(`${from}:${sequence}`, () => this.#answered(ask, from));
      }
      case "SESSIONS":
        for (const { username, behind, ...counts } of message.users) {
          if (behind !== undefined) peer.lags.set(username, behind);
          if (isUsual(counts)) peer.counts.delete(username);
          else peer.counts.set(username, counts);
        }
        return;
      case "BEHIND":
        peer.lags = new Map(message.users.map(({ username, vector }) => [username, vector]));
        return;
      case "PLACES":
        return this.#heardPlaces(message);
    }
  }

  renamed(former: string, numbers: ReadonlyMap<number, number>): void {
    this.#parts.keeper.renamed(former, numbers);
  }

  stop(): void {
    for (const { timer } of this.#asking.values()) timer.cancel();
    this.#asking.clear();
    this.#parts.keeper.stop();
  }

  /** Users that have not got all that is here; `undefined` if that cannot be read. */
  #behind(): { readonly username: string; readonly vector: Vector }[] | undefined {
    const lagging = unlessUnreadable(() => this.#parts.keeper.lagging(MAX_TALKED_USERS));
    return lagging && [...lagging].map(([username, vector]) => ({ username, vector }));
  }

  /** Of those who have lost their connection there, none is waited for once all that the server had since is here. */
  #settle(peer: Peer, has: number): void {
    const { serverId, leaving } = peer;
    if (leaving.size === 0) return;
    const left = [...leaving.keys()];
    const id = `${serverId}:${has}`;
    this.#parts.whenHere(id, () => {
      // Else it is not waited for any longer, as its server is gone.
      if (this.#parts.isHere(id)) { for (const username of left) hasLeft(peer, username); }
    });
  }

  /** One that may have been away learns where users stood whose servers are gone. */
  #tellConcluded({ serverId: to }: Peer): void {
    const { serverId, keeper } = this.#parts;
    for (const server of keeper.concludedServers) {
      if (server === serverId() || server === to) continue;
      for (const [run, places] of keeper.concludedOf(server)) this.#sayPlaces(server, run, places, to);
    }
  }

  #sayPlaces(server: string, run: number | undefined, places: readonly ConcludedPlace[], to: string): void {
    const of = { server, ...(run === undefined ? {} : { startedAt: run }) };
    for (const users of portions(places)) this.#parts.say({ command: "PLACES", ...of, users }, to);
  }

  /**
   * A server tells of those who were there, in its log up to `has`. If it was only out of reach, also under another
   * name, nothing more is concluded of it. If it was started anew, what it tells replaces what is concluded one by one:
   * its data may be from before the rest of them came. Then it is told of the rest, once.
   */
  #compare(peer: Peer, has: number, formerly: readonly string[]): void {
    const { keeper, whenHere, isHere } = this.#parts;
    const { serverId, startedAt } = peer;
    const names = [serverId, ...formerly].filter((name) => keeper.concludedServers.includes(name));
    if (names.length === 0 || startedAt === undefined) return;
    if (!peer.isTold) peer.afterTold = [];
    peer.isTold = true;
    const id = `${serverId}:${has}`;
    whenHere(id, () => {
      const after = peer.afterTold ?? [];
      if (this.#peers.get(serverId) !== peer) return;
      if (isHere(id)) {
        for (const name of names) keeper.serverSpoke(name, startedAt);
        if (peer.afterTold !== undefined) this.#tellOfItself(serverId);
      }
      peer.afterTold = undefined;
      for (const say of after) say();
    });
  }

  #tellOfItself(serverId: string): void {
    for (const [run, places] of this.#parts.keeper.concludedOf(serverId)) {
      if (run !== undefined) this.#sayPlaces(serverId, run, places, serverId);
    }
  }

  #heardPlaces({ server, startedAt: run, users }: PlacesMessage): void {
    const { serverId, formerNames, startedAt, keeper } = this.#parts;
    const isOwn = server === serverId();
    // This run tells itself.
    if (run === startedAt && (isOwn || formerNames().includes(server))) return;
    if (isOwn) {
      if (run !== undefined && this.#untold === undefined) keeper.concludedOfOwn(users, run);
      return;
    }
    // Who is linked here tells of itself.
    if (!this.#peers.has(server)) keeper.concludedElsewhere(server, users, run);
  }

  /** What it concluded of others it says before it answers. */
  #askOnce(peer: Peer): void {
    if (peer.answers && this.#untold === undefined) this.#ask([peer], () => peer.hasSpoken = true);
  }

  #ask(asked: readonly Peer[], run: () => void): void {
    const ask = this.#nextAsk++;
    const { clock } = this.#parts;
    // A server that stood still meanwhile reads first what has come: the answer, or that the other one is gone.
    const timer = clock.after(PATIENCE_MS, () => clock.endOfTurn(() => this.#answered(ask, undefined)));
    this.#asking.set(ask, { of: new Set(asked.map(({ serverId }) => serverId)), run, timer });
    for (const { serverId } of asked) this.#parts.say({ command: "PLACE_ASK", ask }, serverId);
  }

  /** One of those that were asked has answered, or cannot; or (`undefined`) it takes too long. */
  #answered(ask: number, serverId: string | undefined): void {
    const asking = this.#asking.get(ask);
    if (asking === undefined) return;
    if (serverId !== undefined && (!asking.of.delete(serverId) || asking.of.size > 0)) return;
    this.#asking.delete(ask);
    asking.timer.cancel();
    asking.run();
  }
}

/** How far `had` was, of the origins of which `has` has more. */
function lacking(had: Vector, has: Vector): Vector {
  const origins = Object.keys(has).filter((origin) => sequenceOf(had, origin) < has[origin]!);
  return Object.fromEntries(origins.map((origin) => [origin, sequenceOf(had, origin)]));
}

/** What is to be known of a user who lost a connection there is here. */
function hasLeft({ leaving, cameAt }: Peer, username: string): void {
  if (leaving.delete(username)) cameAt.delete(username);
}

function isUsual({ plain, resuming }: ReadingCounts): boolean {
  return plain === 0 && resuming === 1;
}

function* portions<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += MAX_TALKED_USERS) yield all.slice(at, at + MAX_TALKED_USERS);
}
