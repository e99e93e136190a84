/**
 * Where users stand whose connections were lost, at this server or another one. A place holds until its user logs in
 * somewhere. Then it is taken up, everywhere. A place is *told* when it is an entry of the log. It is *concluded* when
 * its server was lost, or was started anew and has not told it yet. Pure: changes to keep come out.
 */

import { RecentMap } from "../../log/recent.ts";
import type { Position } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";

/** How much of the log somebody has. */
export interface Standing {
  /** Everything up to this position of this server's log … */
  readonly position: Position;
  /** … but of these origins exactly so much. */
  readonly except: Vector;
}

/** Where one lost connection stood. */
export interface LostPlace extends Standing {
  /** Grows, so that the oldest has the lowest. Means something at this server only. */
  readonly id: number;
  readonly username: string;
  /** The server that the connection was with. */
  readonly server: string;
  /** Which entry of that server tells of it; 0 for a concluded one. */
  readonly sequence: number;
  /** Lamport time of the loss: who took up a concluded place of this server later than this had it from this one. */
  readonly lostAt: number;
  /** Whether its client can say itself what it has, if it comes back. */
  readonly canResume: boolean;
  /** When it was noted here, by the clock that the log forgets by. */
  readonly notedAt: number;
  /** Of a concluded one: when its server had been started that was lost, by that server's calendar; if known. */
  readonly run?: number;
}

/** What another server, or this one, says of a lost connection without an entry of its server. */
export type Conclusion = Omit<LostPlace, "id" | "sequence">;

/** A server that was lost. */
export interface LostServer {
  readonly server: string;
  /** Lamport time of the loss. */
  readonly lostAt: number;
  readonly notedAt: number;
  readonly run?: number;
}

/** Names a place in the whole network: an entry of its server, or with 0 what is concluded of it. */
export interface PlaceName {
  readonly server: string;
  readonly sequence: number;
}

/** What is to be kept of what was done. */
export interface PlaceChanges {
  readonly saved: readonly LostPlace[];
  readonly ended: readonly number[];
}

/** Somebody who was at a server when it was lost, with how many connections of either kind. */
export interface LostUser extends Standing {
  readonly username: string;
  readonly plain: number;
  readonly resuming: number;
  /** Lamport time from which on it was there, or was known to be: nothing earlier is about these connections. */
  readonly since: number;
}

/** Taken up before it came here. */
interface TakenEarly {
  count: number;
  /** Lamport time of the newest. */
  at: number;
}

/** Places of one user; the oldest is given up beyond that. */
const MAX_PER_USER = 16;
/** Places of all users: some 30 MB. */
const MAX_PLACES = 100_000;
/** Of what was taken up before it came here; what is forgotten of that may come a second time. */
const MAX_EARLY = 10_000;

/** The places that one server knows of. */
export class LostPlaces {
  /** Oldest first. */
  readonly #places: RecentMap<number, LostPlace>;
  readonly #byUser = new Map<string, Set<number>>();
  /** Concluded ones, by server. */
  readonly #concluded = new Map<string, Set<number>>();
  /** Of connections of this server, by user: how many others concluded that it did not know of. */
  readonly #adopted = new RecentMap<string, number>(MAX_EARLY);
  /** By the name of the place. */
  readonly #takenEarly = new RecentMap<string, TakenEarly>(MAX_EARLY);
  /** Whose connection seems to be at that server now, by place: then that server's loss is no second one. */
  readonly #presumedAt = new Map<number, string>();
  #nextId = 1;
  #saved = new Map<number, LostPlace>();
  #ended: number[] = [];

  constructor(maxPlaces: number = MAX_PLACES) {
    this.#places = new RecentMap(maxPlaces);
  }

  get size(): number {
    return this.#places.size;
  }

  /** An id that nothing else has, for what its owner keeps beside the places. */
  allotId(): number {
    return this.#nextId++;
  }

  /** From here on ids are above this one. */
  skipId(id: number): void {
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  /** Begins with one that was kept. */
  restore(place: LostPlace): void {
    this.skipId(place.id);
    this.#insert(place);
  }

  /** What has changed since this was asked last. */
  takeChanges(): PlaceChanges {
    const changes = { saved: [...this.#saved.values()], ended: this.#ended };
    this.#saved = new Map();
    this.#ended = [];
    return changes;
  }

  /** Those of a user, oldest first. */
  of(username: string): LostPlace[] {
    return [...this.#byUser.get(username) ?? []].map((id) => this.#places.get(id)!);
  }

  /** Servers of which something is concluded. */
  get concludedServers(): string[] {
    return [...this.#concluded.keys()];
  }

  /** Those that are concluded of `server`, oldest first. */
  concludedOf(server: string): LostPlace[] {
    return [...this.#concluded.get(server) ?? []].map((id) => this.#places.get(id)!);
  }

  /** A connection was lost, as an entry of its server says; unless it was taken up before this came. */
  told(place: Omit<LostPlace, "id">): void {
    const { username, server, sequence, lostAt } = place;
    if (this.#takenEarly.delete(exactKey({ server, sequence }))) return;
    const key = concludedKey(username, server);
    const taken = this.#takenEarly.get(key);
    // Who was taken for lost with its server, and came back before that server told of it.
    if (taken !== undefined && lostAt < taken.at) {
      if (--taken.count === 0) this.#takenEarly.delete(key);
      return;
    }
    // Its server speaks for itself now.
    const concluded = this.#concludedAt(username, server)[0];
    if (concluded !== undefined) this.#drop(concluded.id);
    this.#add(place);
  }

  /** This server was started anew: a connection that it had stood there. */
  concludeOwn(place: Conclusion): void {
    this.#add({ ...place, sequence: 0 });
  }

  /**
   * Another server says where users stood when a third one was lost to it. What is known of that here is not noted a
   * second time.
   */
  concludedElsewhere(places: readonly Conclusion[]): void {
    const known = new Map<string, number>();
    for (const place of places) {
      const { username, server } = place;
      const left = known.get(username) ?? this.of(username).filter((one) => one.server === server).length;
      known.set(username, Math.max(0, left - 1));
      if (left === 0) this.#conclude(place);
    }
  }

  /**
   * Another server says where users stood when it lost a former run of this one, beyond what this one has told: its
   * data is from before they came. Several servers may say so of the same connections.
   */
  concludedOfOwn(places: readonly Conclusion[]): void {
    const counts = new Map<string, number>();
    for (const place of places) {
      const { username } = place;
      const count = (counts.get(username) ?? 0) + 1;
      counts.set(username, count);
      if (count <= (this.#adopted.get(username) ?? 0)) continue;
      this.#adopted.renew(username, count);
      this.#conclude(place);
    }
  }

  /** What was concluded has become an entry. */
  toldNow(id: number, sequence: number): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    removeFrom(this.#concluded, place.server, id);
    this.#places.set(id, { ...place, sequence });
    this.#saved.set(id, this.#places.get(id)!);
  }

  /** The server that was called `former` is `server` now, and entries of it have new numbers. */
  renamed(former: string, server: string, numbers: ReadonlyMap<number, number>): void {
    for (const place of [...this.#places.values()]) {
      const sequence = numbers.get(place.sequence);
      // An entry that keeps its number is one of the former origin still.
      if (place.server !== former || (place.sequence > 0 && sequence === undefined)) continue;
      removeFrom(this.#concluded, former, place.id);
      const renamed = { ...place, server, sequence: sequence ?? 0 };
      this.#places.set(place.id, renamed);
      this.#saved.set(place.id, renamed);
      if (place.sequence === 0) setIn(this.#concluded, server).add(place.id);
    }
  }

  /** A server cannot be reached any more; these were logged in there. */
  serverLost(lost: LostServer, users: Iterable<LostUser>): void {
    const { server } = lost;
    for (const { username, plain, resuming, position, except, since } of users) {
      let known = this.#concludedAt(username, server).length;
      for (const place of this.of(username)) {
        // It was lost before, and seems to have been there since.
        if (this.#presumedAt.get(place.id) !== server) continue;
        this.#presumedAt.delete(place.id);
        known++;
      }
      const key = concludedKey(username, server);
      const taken = this.#takenEarly.get(key);
      // Else an earlier loss was meant, and the user has come back to that server since.
      const isOfThese = taken !== undefined && taken.at > since;
      if (isOfThese) this.#takenEarly.delete(key);
      let count = plain + resuming - known - (isOfThese ? taken.count : 0);
      for (let left = plain; left > 0 && count > 0; left--, count--) {
        this.#add({ ...lost, username, sequence: 0, canResume: false, position, except });
      }
      for (; count > 0; count--) {
        this.#add({ ...lost, username, sequence: 0, canResume: true, position, except });
      }
    }
  }

  /**
   * All that `server` has to tell of those who were there is here now, and it has been running since `run`: nothing has
   * to be concluded of that run.
   */
  serverSpoke(server: string, run: number): void {
    for (const { id, run: of } of this.concludedOf(server)) if (of === run) this.#drop(id);
  }

  /**
   * A user who was nowhere else at `server` logs in there: what is known of earlier losses may be
   * what is taken up there.
   */
  came(server: string, username: string): void {
    for (const { id, server: of } of this.of(username)) {
      if (of !== server && !this.#presumedAt.has(id)) this.#presumedAt.set(id, server);
    }
  }

  /** The user logs in here without saying what it has. Gives the oldest place, which it has taken up with this. */
  takeUp(username: string): LostPlace | undefined {
    return this.#takeFirst(this.of(username));
  }

  /** The user has come back with what it has: the oldest place of such a client is taken up. */
  takeAway(username: string): LostPlace | undefined {
    return this.#takeFirst(this.of(username).filter(({ canResume }) => canResume));
  }

  /**
   * At the server `by` a user has taken up a place, at this Lamport time there. `isOwn` says that it
   * is one of this server. Gives the place that ends with it here.
   */
  takenElsewhere(
    by: string,
    username: string,
    name: PlaceName,
    lamport: number,
    isOwn = false,
  ): LostPlace | undefined {
    for (const { id } of this.of(username)) {
      if (this.#presumedAt.get(id) === by) this.#presumedAt.delete(id);
    }
    const { server, sequence } = name;
    const places = this.of(username).filter((place) => place.server === server);
    const place = sequence > 0
      ? places.find((place) => place.sequence === sequence)
      // What others concluded of this server may be an earlier loss, of which it knows what became: what it has noted
      // since is not given up for that.
      : places.find((place) => place.sequence === 0 && (!isOwn || place.lostAt < lamport)) ??
        places.find(({ lostAt }) => lostAt < lamport);
    if (place === undefined) this.#noteEarly(sequence > 0 ? exactKey(name) : concludedKey(username, server), lamport);
    else this.#drop(place.id);
    return place;
  }

  /** The name belongs to somebody else now. */
  forgetUser(username: string): void {
    for (const { id } of this.of(username)) this.#drop(id);
  }

  /** Forgets what was noted before this. */
  expire(notedBefore: number): void {
    for (const { id, notedAt } of this.#places.values()) {
      if (notedAt >= notedBefore) return;
      this.#drop(id);
    }
  }

  #takeFirst([place]: readonly LostPlace[]): LostPlace | undefined {
    if (place !== undefined) this.#drop(place.id);
    return place;
  }

  #concludedAt(username: string, server: string): LostPlace[] {
    return this.of(username).filter((place) => place.server === server && place.sequence === 0);
  }

  /** Unless it was taken up before this came. */
  #conclude(place: Conclusion): void {
    const taken = this.#takenEarly.get(concludedKey(place.username, place.server));
    if (taken === undefined || taken.at < place.lostAt) this.#add({ ...place, sequence: 0 });
  }

  #noteEarly(key: string, lamport: number): void {
    const known = this.#takenEarly.get(key);
    this.#takenEarly.renew(key, { count: (known?.count ?? 0) + 1, at: Math.max(known?.at ?? 0, lamport) });
  }

  #add(place: Omit<LostPlace, "id">): void {
    const added = { id: this.#nextId++, ...place };
    this.#insert(added);
    this.#saved.set(added.id, added);
  }

  #insert(place: LostPlace): void {
    const { id, username, server, sequence } = place;
    const ids = setIn(this.#byUser, username);
    ids.add(id);
    if (sequence === 0) setIn(this.#concluded, server).add(id);
    if (ids.size > MAX_PER_USER) this.#drop(ids.values().next().value!);
    const oldest = this.#places.set(id, place);
    if (oldest !== undefined) this.#dropped(oldest);
  }

  #drop(id: number): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    this.#dropped(place);
  }

  /** It is not among the places any more. */
  #dropped({ id, username, server }: LostPlace): void {
    this.#presumedAt.delete(id);
    removeFrom(this.#byUser, username, id);
    removeFrom(this.#concluded, server, id);
    // What was never kept has not to be ended; but it may have been, under the same id, before it was changed.
    this.#saved.delete(id);
    this.#ended.push(id);
  }
}

function setIn(sets: Map<string, Set<number>>, key: string): Set<number> {
  const known = sets.get(key);
  if (known !== undefined) return known;
  const made = new Set<number>();
  sets.set(key, made);
  return made;
}

function removeFrom(sets: Map<string, Set<number>>, key: string, id: number): void {
  const ids = sets.get(key);
  if (ids?.delete(id) && ids.size === 0) sets.delete(key);
}

function exactKey({ server, sequence }: PlaceName): string {
  return `${server}:${sequence}`;
}

function concludedKey(username: string, server: string): string {
  // No name of a server has a blank.
  return `${server} ${username}`;
}
