/**
 * All connections of one server, whatever door they came through. `server/session/limits/seats.ts` decides who has a
 * seat, who waits for one, and who has to go. This file does it.
 */

import { getLogger } from "@logtape/logtape";
import type { RefusalLog } from "../accounts/refusal_log.ts";
import type { Rulings } from "../accounts/rulings.ts";
import type { LimitsConfig } from "../../config/config.ts";
import { networkOf } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Link } from "../../platform/transport.ts";
import { CLOSE_REASONS, type CloseReason } from "../../protocol/close_reason.ts";
import { lineBytes } from "../../protocol/server_codec.ts";
import type { Door } from "../../view/network_view.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionOrigin, SeatGiver, ServedConnection } from "./served_connection.ts";
import type { MetricCounters } from "../../view/metric_counters.ts";
import type { LimitName } from "./limits/limit_names.ts";
import { Seats, type Standing } from "./limits/seats.ts";

/** What they are kept with. */
export interface ConnectionsParts {
  readonly limits: Pick<
    LimitsConfig,
    "maxConnections" | "keptForNamedPercent" | "maxConnectionsPerAddress" | "maxUnidentifiedPerAddress"
  >;
  readonly clock: Pick<Clock, "nowMs" | "endOfTurn">;
  /** How many connections without a seat are heard. */
  readonly maxLobby: number;
  readonly counters: MetricCounters<LimitName>;
  readonly refusals: Pick<RefusalLog, "refused">;
  readonly rulings: Pick<Rulings, "barredAddress">;
  /** Whether the server is about to end. Then nobody is taken in any more. */
  isClosing(): boolean;
  /** Makes a connection of a link. */
  connect(link: Link, origin: ConnectionOrigin): Connection;
}

/** Connections that may wait for a seat. Beyond this number, somebody is turned away. */
export const MAX_LOBBY = 1_024;
/** How long the last line to a client that has to go may take to leave. Others wait for its seat. */
const HURRY_MS = 250;
/** For so long, and until it was read once, no connection has to go because it says nothing. */
const FRESH_MS = 1_000;
/** The shortest time between two equal words to an operator. */
const TELL_MS = 10_000;
const logger = getLogger(["thrum", "server"]);

/** The connections that are served, in the order in which they came, and those that wait for a seat. */
export class Connections implements Iterable<ServedConnection>, SeatGiver {
  readonly #parts: ConnectionsParts;
  /** All connections, with the moment and the turn of the event loop in which each came. */
  readonly #open = new Map<ServedConnection, { readonly at: number; readonly turn: number }>();
  /** Counts the turns in which a connection came. */
  #turn = 0;
  #turnEnds = false;
  readonly #seats: Seats<ServedConnection>;
  /** For connections that have said who they are and wait for a seat: how to tell them that they have one. */
  readonly #granted = new Map<ServedConnection, () => void>();
  readonly #toldAt = new Map<LimitName, number>();
  #made = 0;
  #allGone: (() => void) | undefined;

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
    const { maxConnections, keptForNamedPercent } = parts.limits;
    const kept = Math.ceil(maxConnections * keptForNamedPercent / 100);
    const limits = { maxSeats: maxConnections, kept, maxLobby: parts.maxLobby };
    this.#seats = new Seats(limits, {
      isFresh: (connection) => this.#isFresh(connection),
      isIdle: (connection) => connection.isQuiet,
    });
  }

  [Symbol.iterator](): Iterator<ServedConnection> {
    return this.#open.keys();
  }

  /** How many have a seat. */
  get size(): number {
    return this.#seats.taken;
  }

  /** How many wait for a seat. */
  get waiting(): number {
    return this.#seats.inLobby;
  }

  /** Whether there is no seat for one more. */
  get isFull(): boolean {
    return this.#seats.isFull;
  }

  get isShort(): boolean {
    return this.#seats.isShort;
  }

  /** What the next connection is called. */
  nextId(): string {
    return String(++this.#made);
  }

  /** Hears the client at the other end of `link`. When it has said who it is, it gets a seat, or waits for one. */
  accept(link: Link, over: Door): void {
    const { isClosing, connect } = this.#parts;
    if (isClosing()) return link.destroy();
    const barred = this.#parts.rulings.barredAddress(link.remoteHost);
    if (barred !== undefined) return this.#refuse(link, "BANNED", barred.info, "a banned address calls");
    const network = networkOf(link.remoteHost);
    const limit = this.#limitOf(network);
    if (limit !== undefined) return this.#refuseLimited(link, limit);
    const connection = connect(link, { id: this.nextId(), over });
    this.#add(connection, network);
    try {
      connection.start();
    } catch (error) {
      // Nobody would hear of its end, and it would be counted for ever.
      this.gone(connection);
      throw error;
    }
  }

  /** Counts a guest of another door as a connection. Only called when the server is not full. */
  add(guest: ServedConnection & { readonly remoteHost: string }): void {
    this.#add(guest, networkOf(guest.remoteHost));
    this.#seats.enter(guest, { kind: "anonymous" });
  }

  tries(connection: ServedConnection, isTrying: boolean): void {
    this.#seats.tries(connection, isTrying);
  }

  enter(connection: ServedConnection, standing: Standing, granted: () => void): boolean {
    const { isIn, out } = this.#seats.enter(connection, standing);
    if (out !== undefined) this.#sendAway(out, "places", "somebody else needs the place");
    if (isIn) return true;
    this.#tell("places", "{limit} connections are served: {waiting} wait for a place");
    this.#granted.set(connection, granted);
    return false;
  }

  /** A connection is gone, and there may be a seat for the next. */
  gone(connection: ServedConnection): void {
    this.#open.delete(connection);
    this.#granted.delete(connection);
    const next = this.#seats.leave(connection);
    if (this.#open.size === 0) this.#allGone?.();
    if (next === undefined) return;
    const granted = this.#granted.get(next);
    this.#granted.delete(next);
    granted?.();
  }

  /** Sends all away that wait for a seat. */
  turnAwayWaiting(): void {
    for (const connection of [...this.#open.keys()]) {
      if (!this.#seats.hasSeat(connection)) connection.end("SERVER_STOPPING");
    }
  }

  /** Ends all. */
  end(reason: CloseReason): void {
    for (const connection of this.#open.keys()) connection.end(reason);
  }

  /** Ends all; resolves when they are gone. */
  async endAll(reason: CloseReason): Promise<void> {
    if (this.#open.size === 0) return;
    const allGone = new Promise<void>((resolve) => this.#allGone = resolve);
    this.end(reason);
    await allGone;
  }

  #add(connection: ServedConnection, network: string): void {
    this.#parts.counters.accepted++;
    this.#open.set(connection, { at: this.#parts.clock.nowMs(), turn: this.#turn });
    this.#countTurn();
    const { out } = this.#seats.arrive(connection, network);
    if (out === undefined) return;
    this.#tell("lobby", `${this.#parts.maxLobby} connections wait for a place: some are turned away`);
    this.#sendAway(out, "lobby", "too many wait for a place");
  }

  /** Whether its first bytes may not have been read yet: many connections can come in one turn, before any is read. */
  #isFresh(connection: ServedConnection): boolean {
    const came = this.#open.get(connection);
    return came !== undefined && (this.#turn - came.turn < 2 || this.#parts.clock.nowMs() - came.at < FRESH_MS);
  }

  #countTurn(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    this.#parts.clock.endOfTurn(() => {
      this.#turnEnds = false;
      this.#turn++;
    });
  }

  /** The limit that `network` has reached, if the operator has set one. */
  #limitOf(network: string): LimitName | undefined {
    const { maxConnectionsPerAddress, maxUnidentifiedPerAddress } = this.#parts.limits;
    if (maxConnectionsPerAddress === 0 && maxUnidentifiedPerAddress === 0) return undefined;
    const { all, unidentified } = this.#seats.countOf(network);
    if (maxConnectionsPerAddress > 0 && all >= maxConnectionsPerAddress) return "connections";
    return maxUnidentifiedPerAddress > 0 && unidentified >= maxUnidentifiedPerAddress ? "unidentified" : undefined;
  }

  #refuseLimited(link: Link, limit: LimitName): void {
    this.#parts.counters.limited(limit);
    const what = limit === "connections" ? "connections" : "connections without a login";
    const told = `address has reached its limit of ${what}`;
    this.#refuse(link, "TOO_MANY", `this ${told}`, `an ${told}`);
  }

  /** Answers, and makes no connection of `link`. `told` is for the log. */
  #refuse(link: Link, reason: CloseReason, info: string, told: string): void {
    this.#parts.counters.ended(reason);
    if (this.#parts.refusals.refused(link.remoteHost, `${info} (${reason})`)) {
      logger.warning(`${told}: {address}`, { address: link.remoteHost });
    }
    const { reconnect } = CLOSE_REASONS[reason];
    link.write(lineBytes({ command: "END_CONNECTION", reason, info, reconnect }));
    link.end(HURRY_MS);
  }

  #sendAway(connection: ServedConnection, limit: LimitName, why: string): void {
    this.#parts.counters.limited(limit);
    connection.end("TOO_MANY", why, HURRY_MS);
  }

  /** Not for each connection, as strangers decide how many come. */
  #tell(limit: LimitName, what: string): void {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs - (this.#toldAt.get(limit) ?? -Infinity) < TELL_MS) return;
    this.#toldAt.set(limit, nowMs);
    const { limits: { maxConnections } } = this.#parts;
    logger.warning(what, { limit: maxConnections, waiting: this.waiting });
  }
}
