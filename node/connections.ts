/**
 * Who is served by one server, whichever door they came through; and the links that wait for a place where there are as many as there may be.
 */

import { getLogger } from "@logtape/logtape";
import type { Link } from "../platform/transport.ts";
import type { CloseReason } from "../protocol/close_reason.ts";
import type { Door } from "../view/network_view.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionOrigin, ServedConnection } from "./connection_services.ts";
import type { Counters } from "./counters.ts";

/** What is needed of the node. */
export interface ConnectionsParts {
  /** How many are served. */
  readonly maxConnections: number;
  readonly counters: Counters;
  /** Whether the server is about to end: then nobody is taken in any more. */
  isClosing(): boolean;
  /** Makes a connection of a link. */
  connect(link: Link, origin: ConnectionOrigin): Connection;
}

/** Links that may wait for a place; more are turned away. */
const MAX_WAITING_LINKS = 1_024;
const logger = getLogger(["thrum", "server"]);

/** Those that are served, in the order in which they came. */
export class Connections implements Iterable<ServedConnection> {
  readonly #parts: ConnectionsParts;
  readonly #served = new Set<ServedConnection>();
  readonly #waiting: { readonly link: Link; readonly over: Door }[] = [];
  #made = 0;
  #allGone: (() => void) | undefined;

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
  }

  [Symbol.iterator](): Iterator<ServedConnection> {
    return this.#served.values();
  }

  /** How many are served. */
  get size(): number {
    return this.#served.size;
  }

  /** Links that wait for a place. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether there is no place for one more. */
  get isFull(): boolean {
    return this.#served.size >= this.#parts.maxConnections;
  }

  /** What the next connection is called. */
  nextId(): string {
    return String(++this.#made);
  }

  /** Serves whoever is at the other end of `link`, as soon as there is a place. */
  accept(link: Link, over: Door): void {
    if (this.#parts.isClosing()) return link.destroy();
    if (!this.isFull) return this.#serve(link, over);
    logger.warning("{limit} connections are served: one more has to wait", { limit: this.#parts.maxConnections });
    this.#waiting.push({ link, over });
    if (this.#waiting.length <= MAX_WAITING_LINKS) return;
    // Nobody reads from those that wait, so one that has left is not noticed. The oldest is the likeliest to have.
    logger.error("{limit} connections wait for a place: the oldest is turned away", { limit: MAX_WAITING_LINKS });
    this.#waiting.shift()?.link.destroy();
  }

  /** Counts one among those that are served. */
  add(connection: ServedConnection): void {
    this.#parts.counters.accepted++;
    this.#served.add(connection);
  }

  /** One is gone, and there may be a place for the next. */
  gone(connection: ServedConnection): void {
    this.#served.delete(connection);
    const next = this.#parts.isClosing() ? undefined : this.#waiting.shift();
    if (next !== undefined) this.#serve(next.link, next.over);
    if (this.#served.size === 0) this.#allGone?.();
  }

  /** Sends those away that wait for a place. */
  turnAwayWaiting(): void {
    for (const { link } of this.#waiting.splice(0)) link.destroy();
  }

  /** Ends all that are served: nothing more is said to them. */
  end(reason: CloseReason): void {
    for (const connection of this.#served) connection.end(reason);
  }

  /** As `end`; resolves when they are gone. */
  async endAll(reason: CloseReason): Promise<void> {
    if (this.#served.size === 0) return;
    const allGone = new Promise<void>((resolve) => this.#allGone = resolve);
    this.end(reason);
    await allGone;
  }

  #serve(link: Link, over: Door): void {
    const connection = this.#parts.connect(link, { id: this.nextId(), over });
    this.add(connection);
    connection.start();
  }
}
