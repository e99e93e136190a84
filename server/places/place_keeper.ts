/**
 * Keeps the places of named users. Writes down how far each connection got. Tells the other servers when a connection
 * is lost, and hears it from them. Gives a user who logs in without a vector what came meanwhile. `lost_places.ts`
 * decides what becomes of places, and `place_talk.ts` has the questions between servers.
 */

import { getLogger } from "@logtape/logtape";
import type { Position } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";
import { type Conclusion, type LostPlace, LostPlaces, type Standing } from "./lost_places.ts";
import { Losses } from "./losses.ts";
import { differing, type PlaceVector, placeVector, standingOf } from "./place_vector.ts";
import type { Clock } from "../../platform/clock.ts";
import type { PlaceNote } from "../../protocol/peer/place_codec.ts";
import type { StoreState } from "../store/store.ts";
import type { Journal } from "../journal/journal.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";

/** A connection of a named user that reads. */
export interface ReadingConnection {
  readonly username: string;
  /** Whether its client can say itself what it has. */
  readonly canResume: boolean;
  /** How far it was sent the log, without what still waits in this process. */
  standsAt(): Position;
}

/** What they work with. */
export interface PlaceKeeperParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly opened: Pick<StoreState, "places" | "cursors" | "head" | "lamport">;
  /**
   * What others have of the log, as far as they said so: what they may have that is not here has to be named to them.
   */
  others(): Iterable<{ readonly serverId: string; readonly vector: Vector }>;
  /** A user has another number of connections here. A new one that is `behind` has only so much of these origins. */
  countsChanged(username: string, behind?: Vector): void;
}

/** How many connections a user has that read. */
export interface ReadingCounts {
  readonly plain: number;
  readonly resuming: number;
}

/** A server that cannot be reached any more. */
export interface ServerGone {
  readonly serverId: string;
  /** What it had when it said so last. */
  readonly vector: Vector;
  /** When it had been started, if known. */
  readonly run: number | undefined;
}

/** Somebody who was at another server when it was lost. */
export interface UserThere extends ReadingCounts {
  readonly username: string;
  /** What it had not got of what that server had, as `{origin: sequence}`. */
  readonly lag: Vector;
  /** Lamport time from which on it was there, or was known to be. */
  readonly since: number;
}

/** Where a user stood whose server is lost, as other servers are told. */
export interface ConcludedPlace extends PlaceVector {
  readonly username: string;
  readonly resumes: boolean;
  /** Lamport time of the loss. */
  readonly lostAt: number;
}

/** What is kept of a connection that has not ended. */
interface LiveRow {
  readonly live: true;
  readonly resumes: boolean;
  /** `null` at the end of the log. */
  readonly position: Position | null;
}

/** What is kept of one that was lost. */
type LostRow = Omit<LostPlace, "id" | "username">;

const logger = getLogger(["thrum", "places"]);

/** The places of one server. */
export class PlaceKeeper {
  readonly #parts: PlaceKeeperParts;
  readonly #table = new LostPlaces();
  readonly #connections = new Map<number, ReadingConnection>();
  readonly #counts = new Map<string, ReadingCounts>();
  /** Of lost servers: what is not in the table yet. Each user is settled before anything is asked or said of it. */
  readonly #losses: Losses;
  /** How often losses were noted, and up to which time that is in the store. */
  #noted = 0;
  #stored = 0;
  /** Connections that were lost here, and of which no other server can have heard: their turns wait for the disk. */
  #untold = 0;
  /** Places of this server that ended before it could say so; absent once it can. */
  #endedEarly: LostPlace[] | undefined = [];

  /** Begins with what the store knew when it was opened. */
  constructor(parts: PlaceKeeperParts) {
    this.#parts = parts;
    this.#losses = new Losses(parts.clock);
    const { journal, opened: { places, cursors, head, lamport } } = parts;
    const left: { username: string; resumes: boolean; position: Position }[] = [];
    for (const { id, username, place } of places) {
      const row: LiveRow | LostRow = JSON.parse(place);
      this.#table.skipId(id);
      if ("live" in row) {
        left.push({ username, resumes: row.resumes, position: Math.min(row.position ?? head, head) });
        journal.places.end(id);
        // The end of the log may have been lost in a power cut.
      } else this.#table.restore({ ...row, id, username, position: Math.min(row.position, head) });
    }
    // As they were kept before there were places.
    for (const { id, username, position = head } of cursors) {
      left.push({ username, resumes: false, position });
      journal.places.endCursor(id);
    }
    const { serverId } = journal;
    for (const { username, resumes: canResume, position } of left) {
      const notedAt = this.#now();
      const concluded = { username, server: serverId, lostAt: lamport, canResume, position, except: {}, notedAt };
      this.#table.concludeOwn(concluded);
    }
    this.#keep();
  }

  // ---- connections of this server --------------------------------------------------------------------------------

  /**
   * A connection begins to read, at the end of the log or (`position`) before; it has `has`. Gives the name under which
   * the other calls know it.
   */
  begin(connection: ReadingConnection, position: Position | undefined, has: Vector): number {
    const id = this.#table.allotId();
    this.#connections.set(id, connection);
    this.moved(id, position);
    // Others know of its login, and may know of its former place, before this server announces itself again.
    this.#count(connection, 1, position === undefined ? {} : differing(has, this.#parts.journal.vector));
    return id;
  }

  /** It was sent everything up to `position`, or is at the end of the log (`undefined`). */
  moved(id: number, position: Position | undefined): void {
    const { username, canResume } = this.#connections.get(id)!;
    const row: LiveRow = { live: true, resumes: canResume, position: position ?? null };
    this.#parts.journal.places.save({ id, username, place: JSON.stringify(row) });
  }

  /** It is gone, and has not said that it is for good; it was sent everything up to `position`. */
  lost(id: number, position: Position): void {
    const { journal } = this.#parts;
    const { username, canResume } = this.#ended(id);
    const at = position >= journal.head ? journal.vector : journal.vectorAt(position);
    const note = { event: "lost" as const, username, resumes: canResume, ...this.#wireVector(at) };
    const { origin, sequence, lamport } = journal.places.tell((lamport) => ({ ...note, lostAt: lamport }));
    const lostAt = lamport;
    this.#told({ username, server: origin, sequence, lostAt, canResume, position, except: {} });
    this.#untold++;
    journal.whenDelivered(() => this.#untold--);
  }

  /** Whether all that is known of connections that were lost here has been told. */
  get isTold(): boolean {
    return this.#untold === 0;
  }

  /** It is gone for good. */
  end(id: number): void {
    this.#ended(id);
  }

  /** How many connections `username` has here. */
  countsOf(username: string): ReadingCounts {
    return this.#counts.get(username) ?? { plain: 0, resuming: 0 };
  }

  /** Users that have connections here. */
  get users(): Iterable<string> {
    return this.#counts.keys();
  }

  /**
   * Those that have not got all that is here, and how far they are in the origins where they miss
   * something; `atMost` of them.
   */
  lagging(atMost: number): Map<string, Vector> {
    const { journal } = this.#parts;
    const positions = new Map<string, Position>();
    for (const { username, standsAt } of this.#connections.values()) {
      const position = standsAt();
      if (position >= journal.head) continue;
      positions.set(username, Math.min(position, positions.get(username) ?? Infinity));
      if (positions.size === atMost) break;
    }
    return new Map([...positions].map(([username, position]) => {
      return [username, differing(journal.vectorAt(position), journal.vector)];
    }));
  }

  // ---- users come back -------------------------------------------------------------------------------------------

  /**
   * A user logs in without knowing where it was. Gives what it had when its oldest lost connection ended; that place is
   * taken up with this, everywhere.
   */
  takeUp(username: string): Vector | undefined {
    this.#losses.settle(username);
    const place = this.#table.takeUp(username);
    if (place === undefined) return undefined;
    this.#taken(place);
    const stood = { ...this.#parts.journal.vectorAt(place.position), ...place.except };
    return Object.fromEntries(Object.entries(stood).filter(([, sequence]) => sequence > 0));
  }

  /** A user has come back with what it has: nobody else is given that once more. */
  takeAway(username: string): void {
    this.#losses.settle(username);
    const place = this.#table.takeAway(username);
    if (place !== undefined) this.#taken(place);
  }

  /** The name belongs to somebody else now. */
  forgetUser(username: string): void {
    this.#losses.settle(username);
    this.#table.forgetUser(username);
    this.#keep();
  }

  /** Forgets what was noted before this, by the clock that the log forgets by. */
  expire(notedBefore: number): void {
    this.#table.expire(notedBefore);
    this.#keep();
  }

  // ---- other servers ---------------------------------------------------------------------------------------------

  /** Another server's entry, or one of this server's that it got back. */
  heard(origin: string, sequence: number, lamport: number, note: PlaceNote): void {
    const { username } = note;
    this.#losses.settle(username);
    if (note.event === "taken") {
      const { serverId, origins } = this.#parts.journal;
      const isOwn = note.server === serverId || origins.formerNames.includes(note.server);
      const name = isOwn && note.sequence === 0 ? { server: serverId, sequence: 0 } : note;
      const ended = this.#table.takenElsewhere(origin, username, name, lamport, isOwn);
      // Whoever takes up what is concluded does not know of the entry. Others have it by now, or get it.
      if (isOwn && note.sequence === 0 && ended !== undefined && ended.sequence > 0) this.#endedHere(ended);
    } else {
      const { resumes: canResume, lostAt } = note;
      return this.#told({ username, server: origin, sequence, lostAt, canResume, ...this.#standing(note) });
    }
    this.#keep();
  }

  /**
   * A server cannot be reached any more, and these users were there. What is to be noted of each says `there`; nothing
   * where it says nothing.
   */
  serverLost(
    { serverId, vector, run }: ServerGone,
    usernames: readonly string[],
    there: (username: string) => UserThere | undefined,
  ): void {
    if (usernames.length === 0) return;
    const { journal } = this.#parts;
    const lostAt = journal.tick();
    logger.debug("{serverId} is gone; users that were there: {count}", { serverId, count: usernames.length });
    const conclude = (portion: readonly string[]) => {
      const users = portion.flatMap((username) => there(username) ?? []);
      // An announcement names all that its server has.
      const { position, except } = this.#standing({ vector, whole: true });
      const lost = users.map(({ lag, ...user }) => ({ ...user, position, except: { ...except, ...lag } }));
      const loss = { server: serverId, lostAt, notedAt: this.#now() };
      this.#table.serverLost({ ...loss, ...(run === undefined ? {} : { run }) }, lost);
      this.#keep();
      const noted = ++this.#noted;
      journal.whenDelivered(() => this.#stored = noted);
    };
    this.#losses.add({ usernames, conclude: (portion) => unlessUnreadable(() => conclude(portion)) });
  }

  /**
   * Calls `run` when it is stored where `username` stood at lost servers: at once, if it is. Whoever is let in earlier
   * takes up what nobody knows any more if this server ends in the same turn.
   */
  whenStored(username: string, run: () => void): void {
    this.#losses.settle(username);
    if (this.#stored === this.#noted) run();
    else this.#parts.journal.whenDelivered(run);
  }

  /** Calls `run` when all is noted of servers that were lost. */
  whenNoted(run: () => void): void {
    this.#losses.whenSettled(run);
  }

  /** Notes what is left of that: this server ends. */
  stop(): void {
    this.#losses.settleAll();
  }

  /** What is known of a server that is gone: for one that may not know it. By the run of that server, if known. */
  concludedOf(serverId: string): Map<number | undefined, ConcludedPlace[]> {
    const { journal } = this.#parts;
    const runs = Map.groupBy(this.#table.concludedOf(serverId), ({ run }) => run);
    const said = ({ username, canResume, lostAt, position, except }: LostPlace) => {
      const vector = this.#wireVector({ ...journal.vectorAt(position), ...except });
      return { username, resumes: canResume, lostAt, ...vector };
    };
    return new Map([...runs].map(([run, places]) => [run, places.map(said)]));
  }

  /** Servers of which something is concluded. */
  get concludedServers(): readonly string[] {
    return this.#table.concludedServers;
  }

  /** Another server says where users stood when this run of `server` was lost. */
  concludedElsewhere(server: string, places: readonly ConcludedPlace[], run: number | undefined): void {
    this.#table.concludedElsewhere(this.#conclusions(server, places, run));
    this.#keep();
  }

  /** The same of a former run of this server: it did not know who was there, as its data is older. */
  concludedOfOwn(places: readonly ConcludedPlace[], run: number): void {
    this.#table.concludedOfOwn(this.#conclusions(this.#parts.journal.serverId, places, run));
    this.tellOwn();
  }

  /** A user who was at no other place logs in at another server. */
  cameElsewhere(serverId: string, username: string): void {
    this.#losses.settle(username);
    this.#table.came(serverId, username);
  }

  /** All that `serverId` has to tell of those who were there in this run of it is here. */
  serverSpoke(serverId: string, run: number): void {
    this.#table.serverSpoke(serverId, run);
    this.#keep();
  }

  /**
   * Tells the others of those who were here before this server was started anew, unless they have been elsewhere since.
   */
  tellOwn(): void {
    const { journal } = this.#parts;
    for (const { id, username, canResume, lostAt, position, except } of this.#table.concludedOf(journal.serverId)) {
      const vector = this.#wireVector({ ...journal.vectorAt(position), ...except });
      const note = { event: "lost" as const, username, resumes: canResume, lostAt, ...vector };
      this.#table.toldNow(id, journal.places.tell(() => note).sequence);
    }
    const ended = this.#endedEarly ?? [];
    this.#endedEarly = undefined;
    for (const place of ended) this.#endedHere(place);
    this.#keep();
  }

  /** Places of this server have its new name, and new numbers where their entries have. */
  renamed(former: string, numbers: ReadonlyMap<number, number>): void {
    this.#table.renamed(former, this.#parts.journal.serverId, numbers);
    this.#keep();
  }

  // ---- inside ----------------------------------------------------------------------------------------------------

  #told(place: Omit<LostPlace, "id" | "notedAt">): void {
    this.#table.told({ ...place, notedAt: this.#now() });
    this.#keep();
  }

  #conclusions(server: string, places: readonly ConcludedPlace[], run: number | undefined): Conclusion[] {
    const notedAt = this.#now();
    return places.map((place) => {
      const { username, resumes: canResume, lostAt } = place;
      const of = { username, server, lostAt, canResume, notedAt, ...this.#standing(place) };
      return run === undefined ? of : { ...of, run };
    });
  }

  /** A place of this server that others know by its entry is taken up. */
  #endedHere(place: LostPlace): void {
    if (this.#endedEarly === undefined) this.#taken(place);
    else this.#endedEarly.push(place);
  }

  #taken({ username, server, sequence }: LostPlace): void {
    this.#parts.journal.places.tell(() => ({ event: "taken", username, server, sequence }));
    this.#keep();
  }

  /** By the clock that the log forgets by. */
  #now(): number {
    const { journal, clock } = this.#parts;
    return journal.retention.at(clock.nowMs());
  }

  #wireVector(at: Vector): PlaceVector {
    const { journal, others } = this.#parts;
    return placeVector(at, journal, others());
  }

  #standing(place: PlaceVector): Standing {
    return standingOf(place, this.#parts.journal);
  }

  #ended(id: number): ReadingConnection {
    const connection = this.#connections.get(id)!;
    this.#connections.delete(id);
    this.#parts.journal.places.end(id);
    this.#count(connection, -1);
    return connection;
  }

  #count({ username, canResume }: ReadingConnection, change: 1 | -1, behind: Vector = {}): void {
    const { plain, resuming } = this.countsOf(username);
    const counts = canResume ? { plain, resuming: resuming + change } : { plain: plain + change, resuming };
    if (counts.plain + counts.resuming === 0) this.#counts.delete(username);
    else this.#counts.set(username, counts);
    this.#parts.countsChanged(username, Object.keys(behind).length === 0 ? undefined : behind);
  }

  #keep(): void {
    const { saved, ended } = this.#table.takeChanges();
    const { journal } = this.#parts;
    for (const { id, username, ...row } of saved) journal.places.save({ id, username, place: JSON.stringify(row) });
    for (const id of ended) journal.places.end(id);
  }
}
