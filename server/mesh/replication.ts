/**
 * The log between servers. It has three parts, and this file tells them of everything in the right order. Entries go
 * out (`entries/peer_reader.ts`) and come in (`entries/arrivals.ts`), and some are waited for
 * (`entries/entry_waits.ts`). This file decides whether this server may go on under its name.
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../../config/config.ts";
import type { Segment } from "../../log/segment.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";
import type { Clock } from "../../platform/clock.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import { parseEntryId } from "../../protocol/entry_id.ts";
import type { Trace } from "../../trace/trace_event.ts";
import type { Journal } from "../journal/journal.ts";
import { Arrivals, type ArrivalsOwner, type AskedPeer } from "./entries/arrivals.ts";
import { EntryWaits } from "./entries/entry_waits.ts";
import { ReplicatedTimes } from "./entries/replicated_times.ts";
import { PeerReader, type PeerReaderParts } from "./entries/peer_reader.ts";
import type { ArrivedLines } from "./linking/peer_link_parts.ts";
import type { PeerLink } from "./peer_link.ts";

/** The mesh, as replication needs it. */
export interface ReplicationOwner extends ArrivalsOwner {
  /** An entry of another server is stored in the log. */
  onReplicated(): void;
  /** Others have other entries under numbers of this server. It cannot go on under its name. */
  onOldCopy(): void;
  /** A server does not answer: its link has to end. */
  silent(serverId: string, why: string): void;
}

interface Peer extends AskedPeer {
  /** While the link is held, the entries of the peer do not count. */
  readonly reader: PeerReader;
  /** The last entry of this server's own origin that the peer has. */
  hasOwn: number;
}

/** The longest time in which a link is not read as the disk cannot follow: most disks can, within this. */
const MOST_UNREAD_MS = 500;
/** The longest time in which a peer may not say what it has under this server's numbers. */
const HELD_MS = 5_000;
const logger = getLogger(["thrum", "mesh"]);

/** Sends this server's log, and takes in entries of others. */
export class Replication {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #owner: ReplicationOwner;
  readonly #peers = new Map<string, Peer>();
  readonly #readerParts: PeerReaderParts;
  readonly #arrivals: Arrivals;
  readonly #waits: EntryWaits;
  readonly #times: ReplicatedTimes;
  /**
   * The highest of this server's own entries that a peer says it has, or that a peer was sent since the start or under
   * this name.
   */
  #ownElsewhere = 0;
  #ownSent = 0;

  constructor(
    journal: Journal,
    clock: Clock,
    { holdBackMs, peerIntervalMs }: Pick<Config["cluster"], "holdBackMs" | "peerIntervalMs">,
    owner: ReplicationOwner,
    { trace, faults, replications }: {
      readonly trace: () => Trace | undefined;
      readonly faults: FaultGuard;
      readonly replications: { add(spanMs: number, times: number): void };
    },
  ) {
    this.#journal = journal;
    this.#clock = clock;
    this.#owner = owner;
    this.#times = new ReplicatedTimes((spanMs, times) => replications.add(spanMs, times));
    const sentOwn = (last: number) => this.#ownSent = Math.max(this.#ownSent, last);
    this.#readerParts = { journal, clock, faults, trace, sentOwn };
    const unreadMs = Math.min(MOST_UNREAD_MS, peerIntervalMs / 2);
    this.#arrivals = new Arrivals({ journal, clock, holdBackMs, unreadMs, trace, peers: this.#peers }, owner);
    this.#waits = new EntryWaits({
      journal,
      clock,
      faults,
      holdBackMs,
      isReachable: ({ origin, sequence }) =>
        origin === journal.serverId ? this.#mayBeElsewhere(sequence) : this.isReachable(origin),
      peersHave: () => this.#peersHave(),
      late: (sequence, patienceMs) => this.#late(sequence, patienceMs),
    });
  }

  /** Entries of other servers that came into the log since the start. */
  get replicated(): number {
    return this.#arrivals.replicated;
  }

  /** Entries that have come, and may not enter the log yet. */
  get held(): number {
    return this.#arrivals.held;
  }

  /** Whether there is a way to `origin`: a link, or one of a peer. */
  isReachable(origin: string): boolean {
    return this.#arrivals.isReachable(origin);
  }

  // ---- links -----------------------------------------------------------------------------------------------------

  /**
   * A link is up, and its server has `vector`. `isHeld` says that nobody knows yet whether these are the same entries
   * (`release`).
   */
  begin(link: PeerLink, vector: Vector, isHeld: boolean): void {
    const reader = new PeerReader(this.#readerParts, link, vector, isHeld);
    const hasOwn = sequenceOf(vector, this.#journal.serverId);
    this.#peers.get(link.serverId)?.reader.end();
    this.#peers.set(link.serverId, { link, reader, hasOwn, wanted: "", asked: new Set() });
    this.replan();
    reader.readOn();
    this.#settle();
  }

  /** The peer has the same entries under numbers of this server. */
  release(link: PeerLink): void {
    const peer = this.#peers.get(link.serverId);
    if (peer?.link !== link) return;
    peer.reader.release();
    this.#settle();
  }

  /** A link is gone. */
  end(link: PeerLink): void {
    this.#arrivals.ended(link);
    const peer = this.#peers.get(link.serverId);
    if (peer?.link !== link) return;
    peer.reader.end();
    this.#peers.delete(link.serverId);
    this.#arrivals.gone(link.serverId);
    this.#waits.settle();
  }

  /** The peer wants other origins, too, or its part of this one again. */
  wants(link: PeerLink, vector: Vector): void {
    this.#peers.get(link.serverId)?.reader.wants(vector);
  }

  /** The peer has stored this. */
  has(link: PeerLink, vector: Vector): void {
    const peer = this.#peers.get(link.serverId);
    if (peer === undefined) return;
    peer.hasOwn = Math.max(peer.hasOwn, sequenceOf(vector, this.#journal.serverId));
    this.#settle();
  }

  /** Its link takes data again. */
  drained(link: PeerLink): void {
    this.#peers.get(link.serverId)?.reader.readOn();
  }

  /** Lines of the log came from a peer. Gives their fault, in words. Then nothing of them was taken. */
  arrived(link: PeerLink, arrived: ArrivedLines): string | undefined {
    return this.#arrivals.arrived(link, arrived);
  }

  /** The entries or the links of peers have changed. With `moved`, only these origins have. */
  replan(moved?: readonly string[]): void {
    this.#arrivals.replan(moved);
  }

  // ---- the log here ----------------------------------------------------------------------------------------------

  /** These segments are committed, and are the end of the log now. */
  committed(segments: readonly Segment[]): void {
    this.#arrivals.committed();
    if (this.#isOldCopy) this.#owner.onOldCopy();
    if (this.#peers.size > 0) this.#timeOwn(segments);
    for (const { reader } of this.#peers.values()) reader.committed(segments);
  }

  /** The committed entries were delivered to the clients of this server. */
  delivered(): void {
    if (!this.#arrivals.takeReplicated()) return;
    // Not earlier: it may begin sessions, and these would be sent the turn's lines as well.
    this.#waits.letIn();
    this.#owner.onReplicated();
  }

  /** There is space again for entries that came meanwhile. They are asked for. */
  takeAgain(): void {
    this.#arrivals.takeAgain();
  }

  /** Entries of `origin` are gone here, and wanted from a peer that has what belongs there. */
  cutBack(origin: string): void {
    this.#arrivals.cutBack(origin);
  }

  /** Called regularly. Waits that are over end. */
  tick(): void {
    this.#waits.tellPending(this.#clock.nowMs());
    this.#endSilent(this.#clock.nowMs());
    this.#arrivals.askRefused();
    this.#waits.letInWithout(this.#clock.nowMs());
    this.#arrivals.tick();
  }

  // ---- this server's name ----------------------------------------------------------------------------------------

  /** Whether a peer that has `vector` has more of this server than it knows to have given out. */
  wouldDoubt(vector: Vector): boolean {
    const { acceptedAfter } = this.#journal.origins;
    const has = sequenceOf(vector, this.#journal.serverId);
    return acceptedAfter !== undefined && has > Math.max(acceptedAfter, this.#ownSent);
  }

  /**
   * A peer says that it has `vector`. Gives whether this server goes on under its name. It does not when others have
   * numbers that it has given out anew.
   */
  ownIsSafe(vector: Vector): boolean {
    this.#ownElsewhere = Math.max(this.#ownElsewhere, sequenceOf(vector, this.#journal.serverId));
    return !this.#isOldCopy;
  }

  /**
   * This server has a new name. `numbers` gives the new numbers of its entries. All links are gone.
   */
  renamed(numbers: ReadonlyMap<number, number>): void {
    this.#ownElsewhere = 0;
    this.#ownSent = 0;
    this.#waits.renamed(numbers);
    this.#times.renamed();
    this.replan();
    this.#waits.settle();
  }

  // ---- who waits -------------------------------------------------------------------------------------------------

  /** Entries of this server whose senders wait until another server has them. */
  get pending(): number {
    return this.#waits.pending;
  }

  /**
   * Calls `done` when one other server has this server's entry `sequence`, too. Before that it calls `pending` once, if
   * it takes long.
   */
  whenOneHas(sequence: number, done: () => void, pending?: () => void): void {
    this.#waits.whenOneHas(sequence, done, pending);
  }

  /** Calls `done` when all linked servers have this server's entry `sequence`, too. */
  whenAllHave(sequence: number, done: () => void): void {
    this.#waits.whenAllHave(sequence, done);
  }

  /**
   * As `whenAllHave`, and calls `done` after `patienceMs` at the latest. Then the links end whose servers got the entry
   * and do not say that they have it. A server that still has to be sent earlier entries is not waited for any longer.
   */
  whenAllHaveWithin(sequence: number, patienceMs: number, done: () => void): void {
    this.#waits.whenAllHaveWithin(sequence, patienceMs, done);
  }

  /**
   * As `EntryWaits.whenHere`: calls `run` when the entry `last` is here, or will not come. An old copy of this server's
   * data may lack an entry of its own. That one comes back from others that have it.
   */
  whenHere(last: string | undefined, run: () => void): void {
    const entry = last === undefined ? undefined : parseEntryId(last);
    const isLost = entry?.origin === this.#journal.serverId && !this.#mayBeElsewhere(entry.sequence);
    this.#waits.whenHere(isLost ? undefined : last, run);
  }

  /** No login is called any more, and nothing is asked for. */
  stop(): void {
    this.#arrivals.stop();
    this.#waits.stop();
  }

  // ---- inside ----------------------------------------------------------------------------------------------------

  /**
   * Numbers that others had before this server numbered anything, and that it never sent them since, were given out a
   * second time.
   */
  get #isOldCopy(): boolean {
    const { acceptedAfter } = this.#journal.origins;
    return acceptedAfter !== undefined && this.#ownElsewhere > Math.max(acceptedAfter, this.#ownSent);
  }

  /**
   * Whether another server has this server's own entry `sequence`, or says so on a link that is held: then it is asked
   * whether that is the same entry.
   */
  #mayBeElsewhere(sequence: number): boolean {
    return sequence <= this.#ownElsewhere || [...this.#peers.values()].some(({ hasOwn }) => hasOwn >= sequence);
  }

  #peersHave(): readonly number[] | undefined {
    // They have other entries under the same numbers.
    if (this.#isOldCopy) return undefined;
    return [...this.#peers.values()].map(({ hasOwn, reader }) => reader.heldSinceMs === undefined ? hasOwn : 0);
  }

  #settle(): void {
    this.#waits.settle();
    this.#times.has(Math.max(0, ...this.#peersHave() ?? []), this.#clock.nowMs());
  }

  /** Without a link nobody could have them soon. */
  #timeOwn(segments: readonly Segment[]): void {
    const { serverId, turnMs } = this.#journal;
    const own = segments.filter(({ origin, audience }) => origin === serverId && audience.kind !== "servers");
    const count = own.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    if (count > 0) this.#times.committed(own.at(-1)!.last, count, turnMs);
  }

  #late(sequence: number, patienceMs: number): void {
    const late = [...this.#peers.values()].filter(({ hasOwn }) => hasOwn < sequence);
    for (const { link, reader } of late) {
      if (reader.isAllSent) {
        this.#owner.silent(link.serverId, `it has not said HAVE of an account for ${patienceMs} ms`);
      } else logger.warning("{name} is too far behind and gets an account later", { name: link.name });
    }
  }

  #endSilent(nowMs: number): void {
    for (const { link, reader: { heldSinceMs } } of this.#peers.values()) {
      if (heldSinceMs === undefined || nowMs - heldSinceMs < HELD_MS) continue;
      this.#owner.silent(link.serverId, `it has not answered DIGESTS_ASK for ${HELD_MS} ms`);
    }
  }
}
