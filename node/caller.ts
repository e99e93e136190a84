/** Calls the other servers of the network, and calls them again. Whom and when is decided in `mesh/members.ts`; what becomes of a link that came about is the mesh's. */

import { getLogger } from "@logtape/logtape";
import type { Address, Members } from "../mesh/members.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Link, Transport } from "../platform/transport.ts";

/** What the caller works with. */
export interface CallerParts {
  readonly members: Members;
  readonly clock: Clock;
  readonly transport: Transport;
  /** How long a connection may take to be made. */
  readonly timeoutMs: number;
  /** From 0 up to but not including 1. */
  chance(): number;
  /** Somebody answered. How that ends is to be told by `ended`. */
  onLink(link: Link, address: Address): void;
  /** A call came to nothing. */
  onFailed(): void;
}

const logger = getLogger(["thrum", "mesh"]);

/** The calls of one server. */
export class Caller {
  readonly #parts: CallerParts;
  readonly #dialing = new AbortController();
  /** Told of as warnings until then: somebody waits for it. */
  isJoined = false;
  #timer: Timer | undefined;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  /** Calls everybody whose time has come, and sees to it that the others are called in theirs. To be called whenever members change. */
  callDue(): void {
    this.#timer?.cancel();
    if (this.#dialing.signal.aborted) return;
    const { members, clock } = this.#parts;
    for (const address of members.takeDue(clock.nowMs())) this.#call(address);
    const next = members.nextCallAt;
    if (next === undefined) return;
    this.#timer = clock.after(Math.max(0, next - clock.nowMs()), () => this.callDue());
  }

  /** Nobody was there, or not somebody to link with. */
  failed(address: Address, why: string, isRefused = false): void {
    if (this.#dialing.signal.aborted) return;
    const { members, clock, chance } = this.#parts;
    const told = { host: address.host, port: address.port, why };
    if (isRefused) logger.error("{host}:{port} does not take this server: {why}", told);
    else if (!this.isJoined) logger.warning("cannot reach {host}:{port}: {why}", told);
    else logger.debug("cannot reach {host}:{port}: {why}", told);
    members.callFailed(address, clock.nowMs(), chance());
    this.callDue();
    this.#parts.onFailed();
  }

  /** Calls nobody any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#dialing.abort();
  }

  #call(address: Address): void {
    const { transport, timeoutMs } = this.#parts;
    transport.dial({ ...address, timeoutMs, signal: this.#dialing.signal }).then(
      (link) => {
        if (this.#dialing.signal.aborted) link.destroy();
        else this.#parts.onLink(link, address);
      },
      (error) => this.failed(address, error instanceof Error ? error.message : String(error)),
    );
  }
}
