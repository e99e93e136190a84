/**
 * Calls the other servers of the network, and calls them again. `server/mesh/members.ts` decides whom to call and when.
 * The mesh gets the links.
 */

import { getLogger } from "@logtape/logtape";
import type { NetworkSecrets } from "../../backplane/network_secrets.ts";
import type { Members } from "../members.ts";
import type { Joining } from "./joining.ts";
import { endpointText } from "../../../config/values.ts";
import type { Endpoint } from "../../../platform/address.ts";
import type { Clock, Timer } from "../../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../../platform/faults.ts";
import type { Link, Transport } from "../../../platform/transport.ts";
import { SELF } from "./peer_greeting.ts";
import type { PeerEnd } from "./peer_link_parts.ts";
import type { PeerLink } from "../peer_link.ts";

/** What the caller works with. */
export interface DialerParts {
  readonly members: Members;
  readonly joining: Joining;
  readonly clock: Clock;
  readonly transport: Transport;
  /** How long a connection may take to be made. */
  readonly timeoutMs: number;
  readonly faults: FaultGuard;
  /** From 0 up to but not including 1. */
  chance(): number;
  /** Whether the secret may be told in clear to a server that asks for no proof. */
  readonly mayTellSecret: boolean;
  /** Whether the server there is told the secret first, as it may be one of the older dialect that was never met. */
  tellsFirst(address: Endpoint): boolean;
  /** Somebody took the call. `isInClear`: it is told the secret. `former`: one of before is proved to it. */
  greet(link: Link, isInClear: boolean, former?: string): PeerLink;
  readonly secrets: Pick<NetworkSecrets, "former">;
  /** A call came to nothing. */
  onFailed(): void;
}

/** What is added where a server wants the secret itself. */
const CLEAR_ONLY_HINT =
  '; an earlier version has to be told the secret: "cluster.clearSecret" does so, and --older-dialect for older servers';
const logger = getLogger(["thrum", "mesh"]);

/** The calls of one server. */
export class Dialer {
  readonly #parts: DialerParts;
  readonly #dialing = new AbortController();
  /** The addresses that were called for links. */
  readonly #calls = new Map<PeerLink, Endpoint>();
  /** Links for which a server is called the second time, in the other way. */
  readonly #second = new WeakSet<PeerLink>();
  /** Links for which a former secret of the network is proved. */
  readonly #former = new WeakMap<PeerLink, string>();
  /** Told of as warnings until then: somebody waits for it. */
  isJoined = false;
  #timer: Timer | undefined;

  constructor(parts: DialerParts) {
    this.#parts = parts;
  }

  /**
   * Calls everybody whose time has come, and sees to it that the others are called in theirs. To be called
   * whenever members change.
   */
  callDue(): void {
    this.#timer?.cancel();
    if (this.#dialing.signal.aborted) return;
    const { members, clock } = this.#parts;
    for (const address of members.takeDue(clock.nowMs())) this.#call(address);
    const next = members.nextCallAt;
    if (next === undefined) return;
    this.#timer = clock.after(Math.max(0, next - clock.nowMs()), () => this.callDue());
  }

  /** The address that was called for this link; `undefined` when it was made by the other side. */
  calledAt(link: PeerLink): Endpoint | undefined {
    return this.#calls.get(link);
  }

  /**
   * The same, once: the link is over, or somebody else takes it. Whoever asked tells what became of the call, by
   * `ended` or `failed`.
   */
  takeCall(link: PeerLink): Endpoint | undefined {
    const address = this.#calls.get(link);
    this.#calls.delete(link);
    return address;
  }

  /** A call was taken, but its link has not become the one to its server. */
  ended(link: PeerLink, address: Endpoint, end: PeerEnd, why: string): void {
    const { members, clock, joining } = this.#parts;
    if (end === "duplicate") {
      members.called(address, clock.nowMs());
      this.callDue();
    } else if (end === "refused" && why === SELF) members.isSelf(address);
    // It may have been away while the secret was changed. Each former one is tried once.
    else if (end === "otherSecret" && this.#formerAfter(link) !== undefined) {
      this.#call(address, { former: this.#formerAfter(link)! });
    } // Once: whoever wants the other way each time is called no more often than others.
    else if (end === "proofOnly" && !this.#second.has(link)) this.#call(address, "proof");
    else if (end === "clearOnly" && this.#parts.mayTellSecret && !this.#second.has(link)) this.#call(address, "clear");
    else if (end === "clearOnly") this.failed(address, `${why}${CLEAR_ONLY_HINT}`);
    else {
      const isRefused = end === "refused" || end === "otherSecret";
      joining.ended(endpointText(address), why, isRefused);
      this.failed(address, why, isRefused);
    }
  }

  /** The former secret that comes after the one that was proved on `link`; `undefined` where there is none. */
  #formerAfter(link: PeerLink): string | undefined {
    const { former } = this.#parts.secrets;
    const tried = this.#former.get(link);
    return tried === undefined ? former[0] : former[former.indexOf(tried) + 1 || former.length];
  }

  /** Nobody was there, or not somebody to link with. */
  failed(address: Endpoint, why: string, isRefused = false, isClosed = isRefused): void {
    if (this.#dialing.signal.aborted) return;
    const { members, clock, chance } = this.#parts;
    const told = { host: address.host, port: address.port, why };
    if (isRefused) logger.error("{host}:{port} refuses this server: {why}", told);
    else if (!this.isJoined) logger.warning("cannot reach {host}:{port}: {why}", told);
    else logger.debug("cannot reach {host}:{port}: {why}", told);
    members.callFailed(address, clock.nowMs(), chance(), isClosed);
    this.callDue();
    this.#parts.onFailed();
  }

  /** Calls nobody any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#dialing.abort();
  }

  /** `again` says how, where the server wants it otherwise than it was greeted. */
  #call(address: Endpoint, again?: "proof" | "clear" | { readonly former: string }): void {
    const { transport, timeoutMs, tellsFirst, greet } = this.#parts;
    const begin = (link: Link) => {
      const former = typeof again === "object" ? again.former : undefined;
      const called = greet(link, again === undefined ? tellsFirst(address) : again === "clear", former);
      if (again !== undefined) this.#second.add(called);
      if (former !== undefined) this.#former.set(called, former);
      this.#calls.set(called, address);
    };
    transport.dial({ ...address, timeoutMs, signal: this.#dialing.signal }).then(
      (link) => {
        if (this.#dialing.signal.aborted) link.destroy();
        else this.#guarded(() => begin(link), () => link.destroy());
      },
      (error) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#parts.joining.unreachable(endpointText(address), why);
        const isClosed = (error as { code?: unknown })?.code === "ECONNREFUSED";
        this.#guarded(() => this.failed(address, why, false, isClosed), () => {});
      },
    );
  }

  #guarded(act: () => void, contain: () => void): void {
    guarded(this.#parts.faults, "peers", act, contain);
  }
}
