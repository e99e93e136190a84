/**
 * The links of one server to others. For each server one link counts, whichever side made it. Links that have not
 * greeted yet, or are about to end, are known here, too, until they are gone.
 */

import type { CloseReason } from "../../../protocol/close_reason.ts";
import type { PeerLink } from "../peer_link.ts";

/** All links, and in an iteration those that count. */
export class PeerLinks implements Iterable<PeerLink> {
  #own: string;
  readonly #sameMomentMs: number;
  /** Those that count. */
  readonly #byServer = new Map<string, PeerLink>();
  readonly #others = new Set<PeerLink>();
  /** When a link began to count, in milliseconds of a monotonic clock. */
  readonly #openedAtMs = new WeakMap<PeerLink, number>();
  #allGone: (() => void) | undefined;

  /** Of the server called `own`. Two servers that call each other within `sameMomentMs` do so at once. */
  constructor(own: string, sameMomentMs: number) {
    this.#own = own;
    this.#sameMomentMs = sameMomentMs;
  }

  [Symbol.iterator](): Iterator<PeerLink> {
    return this.#byServer.values();
  }

  /** This server has a new name. */
  renamed(own: string): void {
    this.#own = own;
  }

  /** How many count. */
  get size(): number {
    return this.#byServer.size;
  }

  /** Those that count, and the others. */
  get all(): PeerLink[] {
    return [...this.#byServer.values(), ...this.#others];
  }

  /** The one that counts for this server. */
  get(serverId: string): PeerLink | undefined {
    return this.#byServer.get(serverId);
  }

  /** Whether it is the one that counts. */
  counts(link: PeerLink): boolean {
    return this.#byServer.get(link.serverId) === link;
  }

  /** Notes one that does not count: it has not greeted yet. */
  add(link: PeerLink): void {
    this.#others.add(link);
  }

  /**
   * Whether a link that has greeted is to count instead of `known`. Of two that were made at once both ends keep the
   * same one: that which the server with the lower name has made.
   */
  replaces(link: PeerLink, known: PeerLink, nowMs: number): boolean {
    return this.isLost(link, known, nowMs) || link.isOwn === (this.#own < link.serverId);
  }

  /**
   * Whether the other side has not got the link `known` any more, as it greets on another one. Maybe
   * it was started anew.
   */
  isLost(link: PeerLink, known: PeerLink, nowMs: number): boolean {
    // Who makes one has none: where the known one is not of the same moment, the other side does not have it any more.
    return link.isOwn === known.isOwn || nowMs - (this.#openedAtMs.get(known) ?? 0) > this.#sameMomentMs;
  }

  /** It does not count any more. */
  setAside(link: PeerLink): void {
    this.#byServer.delete(link.serverId);
    this.#others.add(link);
  }

  /** It counts for its server from now on. */
  set(link: PeerLink, nowMs: number): void {
    this.#others.delete(link);
    this.#byServer.set(link.serverId, link);
    this.#openedAtMs.set(link, nowMs);
  }

  /** It is gone, or not a link of this dialect. Whether it was one that counts. */
  delete(link: PeerLink): boolean {
    this.#others.delete(link);
    const counts = this.counts(link);
    if (counts) this.#byServer.delete(link.serverId);
    if (this.#byServer.size + this.#others.size === 0) this.#allGone?.();
    return counts;
  }

  /** Ends all of them: nothing more is said on them. */
  end(reason: CloseReason): void {
    for (const link of this.all) link.end(reason);
  }

  /** As `end`; resolves when they are gone. */
  async endAll(reason: CloseReason): Promise<void> {
    if (this.all.length === 0) return;
    const gone = new Promise<void>((resolve) => this.#allGone = resolve);
    this.end(reason);
    await gone;
  }
}
