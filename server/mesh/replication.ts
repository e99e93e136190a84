/**
 * The log between servers, and in which order its three parts are told of anything: what goes out
 * (`entries/peer_reader.ts`), what comes in (`entries/arrivals.ts`), and who waits for whom (`entries/entry_waits.ts`).
 * Decides itself whether this server may go on under its name.
 */

import { getLogger } from "@logtape/logtape";
import type { Segment } from "../../log/segment.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";
import type { Clock } from "../../platform/clock.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import { parseEntryId } from "../../protocol/entry_id.ts";
import type { Trace } from "../../trace/trace_event.ts";
import type { Journal } from "../journal/journal.ts";
import { Arrivals, type ArrivalsOwner, type AskedPeer } from "./entries/arrivals.ts";
import { EntryWaits } from "./entries/entry_waits.ts";
import { PeerReader, type PeerReaderParts } from "./entries/peer_reader.ts";
import type { ArrivedLines, PeerLink } from "./peer_link.ts";

/** What replication asks of the mesh. */
export interface ReplicationOwner extends ArrivalsOwner {
  /** Something came into the log from another server, and is stored. */
  onReplicated(): void;
  /** Numbers that this server has given out are others' as well: it cannot go on under its name. */
  onOldCopy(): void;
  /** A server does not answer: its link has to end. */
  silent(serverId: string, why: string): void;
}

interface Peer extends AskedPeer {
  /** While it is held, what the peer has does not count. */
  readonly reader: PeerReader;
  /** How far it has this server's own origin. */
  hasOwn: number;
}

/** For so long a peer may not say what it has under this server's numbers. */
const HELD_MS = 5_000;
const logger = getLogger(["thrum", "mesh"]);

/** Sends this server's log, and takes in what others send of theirs. */
export class Replication {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #owner: ReplicationOwner;
  readonly #peers = new Map<string, Peer>();
  readonly #readerParts: PeerReaderParts;
  readonly #arrivals: Arrivals;
  readonly #waits: EntryWaits;
  /**
   * The highest of this server's own entries that a peer said to have, and that one was sent since the
   * start or under this name.
   */
  #ownElsewhere = 0;
  #ownSent = 0;

  constructor(
    journal: Journal,
    clock: Clock,
    holdBackMs: number,
    owner: ReplicationOwner,
    { trace, faults }: { readonly trace: () => Trace | undefined; readonly faults: FaultGuard },
  ) {
    this.#journal = journal;
    this.#clock = clock;
    this.#owner = owner;
    const sentOwn = (last: number) => this.#ownSent = Math.max(this.#ownSent, last);
    this.#readerParts = { journal, clock, faults, trace, sentOwn };
    this.#arrivals = new Arrivals({ journal, clock, holdBackMs, trace, peers: this.#peers }, owner);
    this.#waits = new EntryWaits({
      journal,
      clock,
      faults,
      holdBackMs,
      isReachable: (origin) => this.isReachable(origin),
      peersHave: () => this.#peersHave(),
      late: (sequence, patienceMs) => this.#late(sequence, patienceMs),
    });
  }

  /** Entries of other servers that came into the log since the start. */
  get replicated(): number {
    return this.#arrivals.replicated;
  }

  /** Entries that have come and may not enter the log yet. */
  get held(): number {
    return this.#arrivals.held;
  }

  /** Whether there is a way to `origin`: a link, or one of a peer. */
  isReachable(origin: string): boolean {
    return this.#arrivals.isReachable(origin);
  }

  // ---- links -----------------------------------------------------------------------------------------------------

  /**
   * A link is up; `vector` is what its server has. `isHeld`: it is not known yet whether that are the same
   * entries (`release`).
   */
  begin(link: PeerLink, vector: Vector, isHeld: boolean): void {
    const reader = new PeerReader(this.#readerParts, link, vector, isHeld);
    const hasOwn = sequenceOf(vector, this.#journal.serverId);
    this.#peers.get(link.serverId)?.reader.end();
    this.#peers.set(link.serverId, { link, reader, hasOwn, wanted: "", asked: new Set() });
    this.replan();
    reader.readOn();
    this.#waits.settle();
  }

  /** The peer has the same entries under numbers of this server. */
  release(link: PeerLink): void {
    const peer = this.#peers.get(link.serverId);
    if (peer?.link !== link) return;
    peer.reader.release();
    this.#waits.settle();
  }

  /** A link is gone. */
  end(link: PeerLink): void {
    const peer = this.#peers.get(link.serverId);
    if (peer?.link !== link) return;
    peer.reader.end();
    this.#peers.delete(link.serverId);
    this.#arrivals.gone(link.serverId);
    this.#waits.settle();
  }

  /** The peer wants to have other origins too, or its part of this one again. */
  wants(link: PeerLink, vector: Vector): void {
    this.#peers.get(link.serverId)?.reader.wants(vector);
  }

  /** The peer has stored this. */
  has(link: PeerLink, vector: Vector): void {
    const peer = this.#peers.get(link.serverId);
    if (peer === undefined) return;
    peer.hasOwn = Math.max(peer.hasOwn, sequenceOf(vector, this.#journal.serverId));
    this.#waits.settle();
  }

  /** Its link takes data again. */
  drained(link: PeerLink): void {
    this.#peers.get(link.serverId)?.reader.readOn();
  }

  /** Lines of the log came from a peer. What is wrong with them, in words: then nothing of them was taken. */
  arrived(link: PeerLink, arrived: ArrivedLines): string | undefined {
    return this.#arrivals.arrived(link, arrived);
  }

  /** What peers have, or whom they are linked to, has changed; `moved`: of these origins alone. */
  replan(moved?: readonly string[]): void {
    this.#arrivals.replan(moved);
  }

  // ---- the log here ----------------------------------------------------------------------------------------------

  /** These are committed, and are the end of the log now. */
  committed(segments: readonly Segment[]): void {
    this.#arrivals.committed();
    if (this.#isOldCopy) this.#owner.onOldCopy();
    for (const { reader } of this.#peers.values()) reader.committed(segments);
  }

  /** What is committed was delivered to the clients that are here. */
  delivered(): void {
    if (!this.#arrivals.takeReplicated()) return;
    // Not earlier: it may begin sessions, which would be sent the turn's lines as well.
    this.#waits.letIn();
    this.#owner.onReplicated();
  }

  /** There is space again for what came meanwhile: it is asked for. */
  takeAgain(): void {
    this.#arrivals.takeAgain();
  }

  /** What was here of `origin` is gone, and wanted from who has what belongs there. */
  cutBack(origin: string): void {
    this.#arrivals.cutBack(origin);
  }

  /** Called regularly: what has waited for long enough goes on. */
  tick(): void {
    this.#waits.tellPending(this.#clock.nowMs());
    this.#endSilent(this.#clock.nowMs());
    this.#arrivals.askRefused();
    this.#waits.letInWithout(this.#clock.nowMs());
    this.#arrivals.tick();
  }

  // ---- this server's name ----------------------------------------------------------------------------------------

  /** Whether a peer that has `vector` has more of this server than it gave out, as far as is known. */
  wouldDoubt(vector: Vector): boolean {
    const { acceptedAfter } = this.#journal.origins;
    const has = sequenceOf(vector, this.#journal.serverId);
    return acceptedAfter !== undefined && has > Math.max(acceptedAfter, this.#ownSent);
  }

  /**
   * A peer says that it has `vector`. Whether this server goes on under its name: not when others have numbers that
   * it has given out anew.
   */
  ownIsSafe(vector: Vector): boolean {
    this.#ownElsewhere = Math.max(this.#ownElsewhere, sequenceOf(vector, this.#journal.serverId));
    return !this.#isOldCopy;
  }

  /**
   * This server has a new name, and its entries the numbers that `numbers` gives for their former
   * ones. All links are gone.
   */
  renamed(numbers: ReadonlyMap<number, number>): void {
    this.#ownElsewhere = 0;
    this.#ownSent = 0;
    this.#waits.renamed(numbers);
    this.replan();
    this.#waits.settle();
  }

  // ---- who waits -------------------------------------------------------------------------------------------------

  /** Entries of this server that somebody waits for until another server has them. */
  get pending(): number {
    return this.#waits.pending;
  }

  /**
   * Calls `done` once one other server has this server's entry `sequence` as well; before that, once,
   * `pending` when it takes long.
   */
  whenOneHas(sequence: number, done: () => void, pending?: () => void): void {
    this.#waits.whenOneHas(sequence, done, pending);
  }

  /** Calls `done` once all servers that are linked then have this server's entry `sequence` as well. */
  whenAllHave(sequence: number, done: () => void): void {
    this.#waits.whenAllHave(sequence, done);
  }

  /**
   * As `whenAllHave`, and calls `done` after `patienceMs` at the latest. Then links end whose servers got the entry and
   * do not say that they have it; one that is still to be sent what comes before it is not waited for any longer.
   */
  whenAllHaveWithin(sequence: number, patienceMs: number, done: () => void): void {
    this.#waits.whenAllHaveWithin(sequence, patienceMs, done);
  }

  /**
   * As `EntryWaits.whenHere`: calls `run` once the entry `last` is here, or does not come. One of this server's own
   * that an old copy of its data lacks comes back from others, as far as these have it.
   */
  whenHere(last: string | undefined, run: () => void): void {
    const entry = last === undefined ? undefined : parseEntryId(last);
    const isLost = entry?.origin === this.#journal.serverId && entry.sequence > this.#ownElsewhere;
    this.#waits.whenHere(isLost ? undefined : last, run);
  }

  /** No login is called any more. */
  stop(): void {
    this.#waits.stop();
  }

  // ---- inside ----------------------------------------------------------------------------------------------------

  /**
   * What others had of this server's own before it numbered anything, and was never sent to them since, was
   * given out a second time.
   */
  get #isOldCopy(): boolean {
    const { acceptedAfter } = this.#journal.origins;
    return acceptedAfter !== undefined && this.#ownElsewhere > Math.max(acceptedAfter, this.#ownSent);
  }

  #peersHave(): readonly number[] | undefined {
    // What they say to have are other entries of the same numbers.
    if (this.#isOldCopy) return undefined;
    return [...this.#peers.values()].map(({ hasOwn, reader }) => reader.heldSinceMs === undefined ? hasOwn : 0);
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
