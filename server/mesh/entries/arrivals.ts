/**
 * The entries that come in. Decides nothing itself: `server/mesh/wants.ts` says which origins to ask which peer for.
 * `server/mesh/entry_intake.ts`, `server/mesh/holes.ts` and `log/hold_back.ts` say which entries enter the journal.
 * This file carries that out, and tells those who wait for an entry.
 */

import { getLogger } from "@logtape/logtape";
import { HoldBack, type HoldBackFacts } from "../../../log/hold_back.ts";
import { sequenceOf, type Vector } from "../../../log/vector.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { EntriesMessage } from "../../../protocol/peer/peer_message.ts";
import { formatRange, type Trace } from "../../../trace/trace_event.ts";
import type { AwaitingCommit } from "../../journal/commit.ts";
import type { Journal } from "../../journal/journal.ts";
import { type AccountClaim, type Intake, takeLines, type TakenLine } from "../entry_intake.ts";
import { Holes } from "../holes.ts";
import type { ArrivedLines } from "../linking/peer_link_parts.ts";
import type { PeerLink } from "../peer_link.ts";
import { type Had, planWants, type Source, wantedFrom } from "../wants.ts";
import { DiskPace } from "./disk_pace.ts";

/** What is asked of the mesh about what comes in. */
export interface ArrivalsOwner {
  /** What peers could send, by what they announced. */
  sources(): readonly Source[];
  /** Whether the origin's server belongs to the network, as far as is known: it may publish at any time. */
  isMember(origin: string): boolean;
  /** Whether these lines are what was given a number that others had, and counts no more. */
  isRetracted(header: EntriesMessage, lines: readonly string[]): boolean;
  /** Whether there is space for what comes from other servers. */
  hasReserve(): boolean;
  /** Whether the disk follows: else too much waits for it. */
  hasRoom(): boolean;
  /** A message came over this link that was sent at `lamport`. The time after it here. */
  heard(link: PeerLink, lamport: number | undefined): number;
  /** Whether an account that comes is none, as it was claimed later than it says. */
  isVoid(account: AccountClaim, sender: string): boolean;
  /** What counts here of a time that came over this link. */
  counts(link: PeerLink, lamport: number): number;
}

/** A peer that is asked for entries. */
export interface AskedPeer {
  readonly link: PeerLink;
  /** The origins of the last WANT that it was sent: by the plan, as one text, and all. */
  wanted: string;
  asked: ReadonlySet<string>;
}

/** What arrivals are made with. */
export interface ArrivalsParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly holdBackMs: number;
  /** As `DiskPaceParts.patienceMs`. */
  readonly unreadMs: number;
  readonly trace: () => Trace | undefined;
  /** Those that are linked, by their names. */
  readonly peers: ReadonlyMap<string, AskedPeer>;
}

type Taken = Extract<Intake, { readonly ok: true }>;
type TakenEntries = Taken["entries"];

/** Origins of which it is remembered that something was said. */
const MAX_ODD_ORIGINS = 1_000;
/** What comes of a server's own entries, which it does not take back. */
const NOTHING: Intake = { ok: true, entries: [], lamport: 0, oddity: undefined };
const logger = getLogger(["thrum", "mesh"]);

/** Those of one server. */
export class Arrivals {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #owner: ArrivalsOwner;
  readonly #trace: () => Trace | undefined;
  readonly #peers: ReadonlyMap<string, AskedPeer>;
  readonly #holdBack: HoldBack<TakenLine>;
  readonly #facts: HoldBackFacts<TakenLine>;
  readonly #had: Had;
  readonly #holes = new Holes();
  /** Origins with an entry that breaks the rules, as far as that was said. */
  readonly #oddOrigins = new Set<string>();
  #plan: ReadonlyMap<string, string> = new Map();
  /** Origins of which something came in this turn. */
  readonly #changed = new Set<string>();
  readonly #awaiting: AwaitingCommit = {
    committed: () => this.#tellHave(this.#takeChanged()),
    sealed: () => {
      const changed = this.#takeChanged();
      return { committed: () => this.#tellHave(changed) };
    },
  };
  /** Whether something of another server was taken in in this turn. */
  #hasReplicated = false;
  /**
   * Origins that are asked for again soon. Something came that stands under another name by now: until what belongs
   * there comes. Or another server said what is in a hole: what its own server had sent behind the hole was dropped.
   */
  readonly #refused = new Set<string>();
  /** Origins of which something came for which there was no space, or which the disk could not follow. */
  readonly #leftOut = new Set<string>();
  readonly #pace: DiskPace;

  /** Entries of other servers that came into the log since the start. */
  replicated = 0;

  constructor({ journal, clock, holdBackMs, unreadMs, trace, peers }: ArrivalsParts, owner: ArrivalsOwner) {
    this.#journal = journal;
    this.#clock = clock;
    this.#owner = owner;
    this.#trace = trace;
    this.#peers = peers;
    this.#holdBack = new HoldBack(holdBackMs);
    this.#pace = new DiskPace({
      ...{ clock, patienceMs: unreadMs },
      hasRoom: () => owner.hasRoom(),
      caughtUp: () => this.takeAgain(),
    });
    const { buriedAt } = journal;
    this.#had = { buriedAt, lastOf: (origin) => journal.lastOf(origin), isMember: (origin) => owner.isMember(origin) };
    this.#facts = {
      lastOf: (origin) => journal.lastOf(origin),
      isReachable: (origin) => this.isReachable(origin),
      letThrough: (origin, { sequence, value }) => {
        journal.replicate({ origin, sequence, ...value });
        this.#changed.add(origin);
        this.replicated++;
      },
    };
  }

  /** Entries that have come and may not enter the log yet. */
  get held(): number {
    return this.#holdBack.size;
  }

  /** Whether there is a way to `origin`: a link, or one of a peer. */
  isReachable(origin: string): boolean {
    return origin === this.#journal.serverId || this.#peers.has(origin) ||
      this.#owner.sources().some(({ linkedTo }) => linkedTo.has(origin));
  }

  /** What peers have, or whom they are linked to, has changed; `moved`: of these origins alone. */
  replan(moved?: readonly string[]): void {
    // Its own entries are wanted only by a server whose data is an old copy, and before it numbers new ones.
    const own = this.#journal.hasAccepted ? this.#journal.serverId : undefined;
    this.#plan = planWants(own, this.#had, this.#owner.sources(), this.#plan, moved);
    for (const peer of this.#peers.values()) {
      const wanted = Object.keys(wantedFrom(peer.link.serverId, this.#plan, this.#journal)).sort().join();
      if (wanted !== peer.wanted) this.#want(peer, {});
    }
  }

  /** More is committed, maybe the first entry of this server: it wants its own only as long as it has numbered none. */
  committed(): void {
    if (this.#plan.has(this.#journal.serverId) && this.#journal.hasAccepted) this.replan([]);
  }

  /** Whether something of another server was taken in since the last call. */
  takeReplicated(): boolean {
    const hasReplicated = this.#hasReplicated;
    this.#hasReplicated = false;
    return hasReplicated;
  }

  /** What was here of `origin` is gone, and wanted from who has what belongs there. */
  cutBack(origin: string): void {
    this.#holdBack.askAgain();
    this.replan();
    this.#askAgain(origin);
  }

  /** The link to `serverId` is gone: what it was asked for is asked of others. */
  gone(serverId: string): void {
    this.#holdBack.askAgain();
    for (const { origin, peer } of this.#holes.gone(serverId)) this.#askFor(origin, peer);
    this.replan();
  }

  /** Lines of the log came from a peer. What is wrong with them, in words: then nothing of them was taken. */
  arrived(link: PeerLink, { header, lines }: ArrivedLines): string | undefined {
    const { origin, after } = header;
    const isOwn = origin === this.#journal.serverId && this.#journal.hasAccepted;
    const intake: Intake = isOwn ? NOTHING : takeLines(link.serverId, header, lines, this.#owner.isVoid);
    if (!intake.ok) return intake.problem;
    const lamport = this.#owner.heard(link, header.lamport);
    this.#trace()?.({ event: "receive", peer: link.serverId, id: formatRange(header) }, lamport);
    if (isOwn || !this.#mayTell(link.serverId, origin)) return undefined;
    if (!this.#owner.hasReserve() || !this.#pace.takes(link)) {
      this.#leftOut.add(origin);
      return undefined;
    }
    if (this.#owner.isRetracted(header, lines)) {
      // Who sends it has not heard yet, or cannot know, what belongs there. Others may have that, or go on behind it.
      this.#refused.add(origin);
      this.#askOthers(origin, link.serverId);
      return undefined;
    }
    const { oddity } = intake;
    if (oddity !== undefined) this.#sayOnce(origin, oddity, link.name);
    const isOfHole = link.serverId !== origin && this.#holes.asks(origin, link.serverId);
    if (!this.#isBelieved(link, header)) return undefined;
    if (isOfHole) this.#refused.add(origin);
    const entries = this.#within(link, intake);
    const arrival = this.#holdBack.arrived(origin, after, entries, this.#clock.nowMs(), this.#facts);
    // Said also of what came a second time: the first HAVE may have been lost with a link that was replaced.
    if (this.#journal.lastOf(origin) >= header.last) this.#changed.add(origin);
    this.#tellWhenCommitted();
    this.#askForMore();
    if (arrival === "ask again") {
      const peer = this.#peers.get(link.serverId);
      if (peer !== undefined) this.#want(peer, { [origin]: this.#journal.lastOf(origin) });
    }
    return undefined;
  }

  /** The link is gone: it is not read again. */
  ended(link: PeerLink): void {
    this.#pace.forget(link);
  }

  /** Called once, at the end. */
  stop(): void {
    this.#pace.stop();
  }

  /** There is space again for what came meanwhile: it is asked for. */
  takeAgain(): void {
    for (const origin of this.#leftOut) this.#askAgain(origin);
    this.#leftOut.clear();
  }

  /** Called regularly: what was refused is asked for again. */
  askRefused(): void {
    for (const origin of this.#refused) this.#askAgain(origin);
    this.#refused.clear();
  }

  /** Called regularly: what has waited for long enough is let in. */
  tick(): void {
    const overdue = this.#holes.overdue(this.#clock.nowMs(), (origin) => this.#journal.lastOf(origin));
    for (const { origin, peer } of overdue) this.#askFor(origin, peer);
    if (this.#holdBack.size === 0) return;
    this.#holdBack.release(this.#clock.nowMs(), this.#facts);
    this.#tellWhenCommitted();
    this.#askForMore();
  }

  /** How far the turn goes in each of the origins of which something came in it. */
  #takeChanged(): readonly (readonly [origin: string, last: number])[] {
    const changed = [...this.#changed].map((origin) => [origin, this.#journal.lastOf(origin)] as const);
    this.#changed.clear();
    return changed;
  }

  /** What came in a turn is committed: its servers are told. */
  #tellHave(changed: readonly (readonly [origin: string, last: number])[]): void {
    for (const [origin, last] of changed) {
      this.#peers.get(origin)?.link.send({ command: "HAVE", vector: { [origin]: last } });
    }
    this.#hasReplicated = true;
  }

  /**
   * Whether `peer` may say what `origin` has accepted. Whose server is linked says so itself, from what was here
   * when the link came up: what others say of it unasked was under way then, or is made up, and would take the
   * numbers of what is true.
   */
  #mayTell(peer: string, origin: string): boolean {
    if (peer === origin || !this.#peers.has(origin)) return true;
    return this.#peers.get(peer)?.asked.has(origin) === true || this.#holes.asks(origin, peer);
  }

  /** Whether what came may be taken although something before it is missing. */
  #isBelieved({ serverId }: PeerLink, { origin, first, after }: EntriesMessage): boolean {
    const has = this.#journal.lastOf(origin);
    if (first <= has + 1) return true;
    if (after > has) return !this.#holes.isAsking(origin, has, serverId);
    const names = [...this.#haveMore(origin, has), serverId];
    const decision = this.#holes.claimed(origin, has, first, serverId, names, this.#clock.nowMs());
    if (decision.kind === "ask") this.#askFor(origin, decision.peer);
    return decision.kind === "take";
  }

  #haveMore(origin: string, has: number): string[] {
    return this.#owner.sources().filter(({ vector }) => sequenceOf(vector, origin) > has)
      .map(({ serverId }) => serverId);
  }

  #askOthers(origin: string, from: string): void {
    const has = this.#journal.lastOf(origin);
    const peer = this.#holes.refused(origin, has, from, this.#haveMore(origin, has), this.#clock.nowMs());
    if (peer !== undefined) this.#askFor(origin, peer);
  }

  #askFor(origin: string, serverId: string): void {
    const peer = this.#peers.get(serverId);
    if (peer !== undefined) this.#want(peer, { [origin]: this.#journal.lastOf(origin) });
  }

  /** Its entries, none of which moves the clock further than its link may. */
  #within(link: PeerLink, { entries, lamport }: Taken): TakenEntries {
    const reach = this.#owner.counts(link, lamport);
    if (reach >= lamport) return entries;
    return entries.map((entry) => ({
      ...entry,
      value: { ...entry.value, reach: Math.min(reach, entry.value.facts.lamport) },
    }));
  }

  /** Each origin's first one is enough to look for whoever made it. */
  #sayOnce(origin: string, oddity: string, from: string): void {
    if (this.#oddOrigins.has(origin) || this.#oddOrigins.size >= MAX_ODD_ORIGINS) return;
    this.#oddOrigins.add(origin);
    logger.warning(
      "{from} passes on an entry that breaks the rules. It is kept, but for servers only, and has no effect: {oddity}",
      { from, oddity },
    );
  }

  #tellWhenCommitted(): void {
    if (this.#changed.size > 0) this.#journal.whenCommitted(this.#awaiting);
  }

  #askForMore(): void {
    for (const origin of this.#holdBack.takeFree()) this.#askAgain(origin);
  }

  #askAgain(origin: string): void {
    const peer = this.#peers.get(origin) ?? this.#peers.get(this.#plan.get(origin) ?? "");
    if (peer !== undefined) this.#want(peer, { [origin]: this.#journal.lastOf(origin) });
  }

  #want(peer: AskedPeer, again: Vector): void {
    const wanted = wantedFrom(peer.link.serverId, this.#plan, this.#journal);
    peer.wanted = Object.keys(wanted).sort().join();
    const vector = { ...wanted, ...again };
    peer.asked = new Set(Object.keys(vector));
    peer.link.send({ command: "WANT", vector });
  }
}
