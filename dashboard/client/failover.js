// @ts-check
/**
 * Where the page goes when it has no connection, and when: to the gateway of a backup of the server that it lost, to
 * one that it was redirected to, or once more to one that did not answer. The same rules as those of the client
 * library. Remembers; the time and the chance come in.
 */

import { afterConnection, NO_FAILURES, STABLE_AFTER_MS, stepBackoff } from "./backoff.js";
import { nextBest, nextInTurn } from "./gateways.js";

/** @typedef {{ at: number, chance: number }} Moment */

/**
 * What the end of a connection says about coming back.
 * @typedef {{ advice: "now" | "backoff" | "never", retryAfterMs: number, isOrderly: boolean }} Farewell
 */

/** A network of servers keeps a client after 3; more means that they send it in circles. */
const MAX_REDIRECTS = 5;
/** How often in a row servers may not know a user whom one of them did know, before it is believed. */
const MAX_DOUBTS = 5;
/** Nothing was said. @type {Farewell} */
const UNREACHABLE = Object.freeze({ advice: "backoff", retryAfterMs: 0, isOrderly: false });

/** Keeps the gateways that the page knows, and how it went with them. */
export class Failover {
  /** @type {readonly string[]} */
  #known;
  #current;
  #state = NO_FAILURES;
  #redirects = 0;
  #doubts = 0;
  /** @type {number | undefined} */
  #openedAt;
  #hasBeenOpen = false;

  /** @param {string} home The page's own gateway. */
  constructor(home) {
    this.#known = [home];
    this.#current = home;
  }

  /** The gateway to call, or that was called last. */
  get current() {
    return this.#current;
  }

  /** How many attempts failed in a row. */
  get failures() {
    return this.#state.failures;
  }

  /** Redirects that were followed since the page last had to find a server by itself. */
  get redirects() {
    return this.#redirects;
  }

  /** Whether there is another one to go to. */
  get hasOthers() {
    return this.#known.some((gateway) => gateway !== this.#current);
  }

  /** @param {readonly string[]} gateways All that are known, best first. */
  learn(gateways) {
    this.#known = gateways;
  }

  /** The person wants it now: counting starts anew. */
  anew() {
    this.#state = NO_FAILURES;
    this.#redirects = 0;
    this.#doubts = 0;
  }

  /** Nobody is logged in any more: what is known of this user's connections is over. @param {string} home */
  forget(home) {
    this.anew();
    this.#hasBeenOpen = false;
    this.#openedAt = undefined;
    this.#current = home;
  }

  /** The page is logged in. @param {number} at */
  opened(at) {
    this.#openedAt = at;
    this.#hasBeenOpen = true;
    this.#doubts = 0;
  }

  /**
   * The gateway did not answer. How long to wait before `current` is called.
   * @param {Moment} now
   * @returns {number}
   */
  unreachable(now) {
    return this.#again(now, 0, UNREACHABLE, nextInTurn(this.#known, this.#current)) ?? 0;
  }

  /**
   * The login was refused. How long to wait before the next is asked; `undefined` when it is to be believed.
   * @param {Moment} now
   * @param {unknown} reason
   * @returns {number | undefined}
   */
  refused(now, reason) {
    const isDoubted = reason === "UNKNOWN_USER" && this.#servers > 1 && this.#doubts < MAX_DOUBTS;
    if (!this.#hasBeenOpen || !(isDoubted || reason === "LOGGED_IN_ELSEWHERE")) return undefined;
    if (isDoubted) this.#doubts++;
    this.#closed(now.at);
    return this.unreachable(now);
  }

  /**
   * The connection is over. How long to wait; `undefined` when the same again would end the same way.
   * @param {Moment} now
   * @param {Farewell} farewell
   * @returns {number | undefined}
   */
  lost(now, farewell) {
    const lastedMs = this.#closed(now.at);
    if (lastedMs === undefined) return this.#again(now, 0, farewell, nextInTurn(this.#known, this.#current));
    this.#redirects = 0;
    return this.#again(now, lastedMs, farewell, nextBest(this.#known, this.#current));
  }

  /**
   * The server named another one. Where that has no gateway that the page knows, the page calls the same one again: a
   * server keeps whom it has sent away a few times.
   * @param {Moment} now
   * @param {string | undefined} gateway
   * @returns {number}
   */
  redirected(now, gateway) {
    const lastedMs = this.#closed(now.at) ?? 0;
    this.#state = afterConnection(this.#state, lastedMs);
    if (lastedMs >= STABLE_AFTER_MS) this.#redirects = 0;
    if (++this.#redirects > MAX_REDIRECTS) {
      this.#redirects = 0;
      return this.#again(now, 0, UNREACHABLE, this.#current) ?? 0;
    }
    this.#current = gateway ?? this.#current;
    return 0;
  }

  get #servers() {
    return this.#known.length + (this.#known.includes(this.#current) ? 0 : 1);
  }

  /** Returns how long the page was logged in, if it was. @param {number} at */
  #closed(at) {
    const lastedMs = this.#openedAt === undefined ? undefined : at - this.#openedAt;
    this.#openedAt = undefined;
    return lastedMs;
  }

  /**
   * @param {Moment} now
   * @param {number} lastedMs
   * @param {Farewell} farewell
   * @param {string} next
   */
  #again({ chance }, lastedMs, farewell, next) {
    const { state, delayMs } = stepBackoff(this.#state, { lastedMs, chance, servers: this.#servers, ...farewell });
    this.#state = state;
    this.#current = next;
    return delayMs;
  }
}
