/**
 * When a client may be called back on the port that it has named for heartbeats. A port of an address is called once in
 * the idle time of the supervision, and at most some hundred ports of one address. Nothing is said on such a channel
 * before the idle time. And a client that logs in again and again cannot make this server knock at doors. Pure.
 */

import type { Endpoint } from "../../../platform/address.ts";

/** Ports of one address that may be called in the idle time. Few addresses have more clients. */
const MAX_PORTS = 256;
/** Addresses and ports that are remembered. Beyond that nobody is called. */
const MAX_REMEMBERED = 20_000;

/** The calls of one server. */
export class HeartbeatDials {
  readonly #spanMs: number;
  /** By address and port: when it may be called again. In this order. */
  readonly #calls = new Map<string, { readonly host: string; readonly until: number }>();
  readonly #ports = new Map<string, number>();

  /** No port is called twice within `spanMs`. */
  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** After how many milliseconds this port may be called, and notes the call; `undefined` if it may not be called. */
  delayFor({ host, port }: Endpoint, nowMs: number): number | undefined {
    this.#forget(nowMs);
    const key = `${host} ${port}`;
    const known = this.#calls.get(key);
    // A call waits for its turn already, or the client is here a second time.
    if (known !== undefined && known.until - nowMs > this.#spanMs) return undefined;
    const ports = this.#ports.get(host) ?? 0;
    if (known === undefined && (ports >= MAX_PORTS || this.#calls.size >= MAX_REMEMBERED)) return undefined;
    const at = Math.max(known?.until ?? nowMs, nowMs);
    this.#calls.delete(key);
    this.#calls.set(key, { host, until: at + this.#spanMs });
    if (known === undefined) this.#ports.set(host, ports + 1);
    return at - nowMs;
  }

  #forget(nowMs: number): void {
    for (const [key, { host, until }] of this.#calls) {
      // Calls behind one that waits are forgotten a little later.
      if (until > nowMs) return;
      this.#calls.delete(key);
      const left = this.#ports.get(host)! - 1;
      if (left > 0) this.#ports.set(host, left);
      else this.#ports.delete(host);
    }
  }
}
