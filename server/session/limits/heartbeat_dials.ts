/**
 * When a client may be called back on the port that it has named for heartbeats: one port of one address once in the
 * idle time of the supervision, and not more than some hundred ports of one address. Before the idle time nothing is
 * said on such a channel anyway; and whoever logs in again and again shall not make this server knock at doors. Pure.
 */

import type { Endpoint } from "../../../platform/address.ts";

/**
 * Ports of one address that may be called in the idle time: more than there are clients behind any
 * one address, as a rule.
 */
const MAX_PORTS = 256;
/** Addresses and ports that are remembered. Beyond that nobody is called. */
const MAX_REMEMBERED = 20_000;

/** The calls of one server. */
export class HeartbeatDials {
  readonly #spanMs: number;
  /** By address and port, in the order in which they may be called again: until when not. */
  readonly #calls = new Map<string, { readonly host: string; readonly until: number }>();
  readonly #ports = new Map<string, number>();

  /** No port is called twice within `spanMs`. */
  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** After how many milliseconds this port may be called, which is noted as done; `undefined` when it may not be. */
  delayFor({ host, port }: Endpoint, nowMs: number): number | undefined {
    this.#forget(nowMs);
    const key = `${host} ${port}`;
    const known = this.#calls.get(key);
    // One waits for its turn already, or it is here a second time.
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
      // What is behind one that waits its turn is forgotten a little later.
      if (until > nowMs) return;
      this.#calls.delete(key);
      const left = this.#ports.get(host)! - 1;
      if (left > 0) this.#ports.set(host, left);
      else this.#ports.delete(host);
    }
  }
}
