/**
 * The log between servers: what each peer is sent, what comes from them into the journal, and who has what. One feed
 * for each link; what to send and what to let in is decided by `peer_feed.ts`, `wants.ts` and `log/hold_back.ts`.
 */

import { getLogger } from "@logtape/logtape";
import { HoldBack, type HoldBackFacts } from "../../log/hold_back.ts";
import type { Audience, Segment } from "../../log/segment.ts";
import { sequenceOf, type Vector } from "../../log/vector.ts";
import { beginFeed, type Feed, type FeedPart, feedSegment, onWant } from "./peer_feed.ts";
import { Holes } from "./holes.ts";
import { type AccountClaim, type Intake, takeLines, type TakenLine } from "./entry_intake.ts";
import { type Had, planWants, type Source, wantedFrom } from "./wants.ts";
import type { Clock } from "../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";
import { parseEntryId } from "../../protocol/entry_id.ts";
import { joinBytes } from "../../protocol/join_bytes.ts";
import { encodeEntries } from "../../protocol/peer/peer_codec.ts";
import type { EntriesMessage, WireAudience } from "../../protocol/peer/peer_message.ts";
import { formatRange, type Trace } from "../../trace/trace_event.ts";
import type { AwaitingCommit } from "../journal/commit.ts";
import type { Journal } from "../journal/journal.ts";
import type { ArrivedLines, PeerLink } from "./peer_link.ts";

/** What replication asks of the mesh. */
export interface ReplicationOwner {
  /** What peers could send, by what they announced. */
  sources(): readonly Source[];
  /** Something came into the log from another server, and is stored. */
  onReplicated(): void;
  /** Numbers that this server has given out are others' as well: it cannot go on under its name. */
  onOldCopy(): void;
  /** Whether the origin's server belongs to the network, as far as is known: it may publish at any time. */
  isMember(origin: string): boolean;
  /** Whether these lines are what was given a number that others had, and counts no more. */
  isRetracted(header: EntriesMessage, lines: readonly string[]): boolean;
  /** Whether there is space for what comes from other servers. */
  hasReserve(): boolean;
  /** A message came over this link that was sent at `lamport`. The time after it here. */
  heard(link: PeerLink, lamport: number | undefined): number;
  /** Whether an account that comes is none, as it was claimed later than it says. */
  isVoid(account: AccountClaim, sender: string): boolean;
  /** A server does not answer: its link has to end. */
  silent(serverId: string, why: string): void;
  /** What counts here of a time that came over this link. */
  counts(link: PeerLink, lamport: number): number;
}

type Taken = Extract<Intake, { readonly ok: true }>;
type TakenEntries = Taken["entries"];

interface Peer {
  readonly link: PeerLink;
  readonly feed: Feed;
  /** How far it has this server's own origin. */
  hasOwn: number;
  /** The origins of the last WANT that it was sent: by the plan, as one text, and all. */
  wanted: string;
  asked: ReadonlySet<string>;
  /** What it has said in this turn that it wants. */
  wants: Vector | undefined;
  isPumping: boolean;
  /**
   * Since when it is not known whether it has others under numbers of this server: until then it is sent nothing of it,
   * and what it has does not count.
   */
  heldSinceMs: number | undefined;
}

interface Waiting {
  /** That of this server's own entry; another one when the server has taken a new name. */
  sequence: number;
  readonly done: () => void;
}

/** One that is to be told when it waits for long. */
interface LongWaiting {
  readonly sinceMs: number;
  readonly pending: () => void;
}

/** A login that waits for what it comes after. */
interface WaitingLogin {
  readonly origin: string;
  isHere(): boolean;
  run(): void;
  readonly sinceMs: number;
  /** When there was a way to the origin last. */
  reachableAtMs: number;
}

/** Another server answers within milliseconds as a rule. Whoever waits for longer than this is told that it waits. */
const PENDING_MS = 2_000;
/** A little less than clients wait for the answer to a login. */
const LOGIN_PATIENCE_MS = 8_000;
/** For so long a peer may not say what it has under this server's numbers. */
const HELD_MS = 5_000;
/** Read for one peer at once, and reads in one turn: as the hub does for clients. */
const READ_BYTES = 262_144;
const READS_PER_TURN = 4;
/** Origins of which it is remembered that something was said. */
const MAX_ODD_ORIGINS = 1_000;
/** What comes of a server's own entries, which it does not take back. */
const NOTHING: Intake = { ok: true, entries: [], lamport: 0, oddity: undefined };
const logger = getLogger(["thrum", "mesh"]);
/** What a server has had for less is new to its peers too. */
const TOLD_AGE_MS = 1_000;
const encoder = new TextEncoder();

/** Sends this server's log, and takes in what others send of theirs. */
export class Replication {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #owner: ReplicationOwner;
  readonly #trace: () => Trace | undefined;
  readonly #faults: FaultGuard;
  readonly #peers = new Map<string, Peer>();
  readonly #holdBack: HoldBack<TakenLine>;
  readonly #facts: HoldBackFacts<TakenLine>;
  readonly #had: Had;
  readonly #holes = new Holes();
  /** Origins with an entry that breaks the rules, as far as that was said. */
  readonly #oddOrigins = new Set<string>();
  #plan: ReadonlyMap<string, string> = new Map();
  readonly #holdBackMs: number;
  readonly #waitingForEntry = new Set<WaitingLogin>();
  /** Origins of which something came in this turn. */
  readonly #changed = new Set<string>();
  readonly #awaiting: AwaitingCommit = { committed: () => this.#tellHave() };
  /** Whether something of another server was taken in in this turn. */
  #hasReplicated = false;
  /**
   * Who waits for one peer to have an entry of this server, and who waits for all; each in the order of the entries.
   */
  readonly #untold = new Map<Waiting, LongWaiting>();
  readonly #waitingForOne: Waiting[] = [];
  readonly #waitingForAll: Waiting[] = [];
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
    this.#trace = trace;
    this.#faults = faults;
    this.#journal = journal;
    this.#clock = clock;
    this.#owner = owner;
    this.#holdBackMs = holdBackMs;
    this.#holdBack = new HoldBack(holdBackMs);
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

  /**
   * Origins of which something came that stands under another name by now: asked for again until what
   * belongs there comes.
   */
  readonly #refused = new Set<string>();
  /** Origins of which something came for which there was no space. */
  readonly #leftOut = new Set<string>();

  /** Entries of other servers that came into the log since the start. */
  replicated = 0;

  /** Entries that have come and may not enter the log yet. */
  get held(): number {
    return this.#holdBack.size;
  }

  /** Whether there is a way to `origin`: a link, or one of a peer. */
  isReachable(origin: string): boolean {
    return origin === this.#journal.serverId || this.#peers.has(origin) ||
      this.#owner.sources().some(({ linkedTo }) => linkedTo.has(origin));
  }

  /**
   * A link is up; `vector` is what its server has. `isHeld`: it is not known yet whether that are the same
   * entries (`release`).
   */
  begin(link: PeerLink, vector: Vector, isHeld: boolean): void {
    const { serverId } = this.#journal;
    const hasOwn = sequenceOf(vector, serverId);
    const feed = beginFeed(serverId, vector, this.#journal.vector, (has) => this.#startFor(has));
    const peer = {
      link,
      feed,
      hasOwn,
      wanted: "",
      asked: new Set<string>(),
      wants: undefined,
      isPumping: false,
      heldSinceMs: isHeld ? this.#clock.nowMs() : undefined,
    };
    this.#peers.set(link.serverId, peer);
    this.replan();
    this.#pump(peer);
    this.#settle();
  }

  /** The peer has the same entries under numbers of this server. */
  release(link: PeerLink): void {
    const peer = this.#peers.get(link.serverId);
    if (peer?.link !== link) return;
    peer.heldSinceMs = undefined;
    this.#pump(peer);
    this.#settle();
  }

  /** What was here of `origin` is gone, and wanted from who has what belongs there. */
  cutBack(origin: string): void {
    this.#holdBack.askAgain();
    this.replan();
    this.#askAgain(origin);
  }

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
    for (const waiting of [...this.#waitingForOne, ...this.#waitingForAll]) {
      waiting.sequence = numbers.get(waiting.sequence) ?? 0;
    }
    this.replan();
    this.#settle();
  }

  /**
   * What others had of this server's own before it numbered anything, and was never sent to them since, was
   * given out a second time.
   */
  get #isOldCopy(): boolean {
    const { acceptedAfter } = this.#journal.origins;
    return acceptedAfter !== undefined && this.#ownElsewhere > Math.max(acceptedAfter, this.#ownSent);
  }

  /** A link is gone. */
  end(link: PeerLink): void {
    if (this.#peers.get(link.serverId)?.link !== link) return;
    this.#peers.delete(link.serverId);
    this.#holdBack.askAgain();
    for (const { origin, peer } of this.#holes.gone(link.serverId)) this.#askFor(origin, peer);
    this.replan();
    this.#settle();
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

  /** The peer wants to have other origins too, or its part of this one again. */
  wants(link: PeerLink, vector: Vector): void {
    const peer = this.#peers.get(link.serverId);
    if (peer === undefined) return;
    const { serverId } = this.#journal;
    const isFirst = peer.wants === undefined;
    // The newest one holds; but that it wants this server's own part again stays said.
    const own = peer.wants?.[serverId];
    peer.wants = own === undefined ? vector : { [serverId]: own, ...vector };
    // Once for all that came in a turn: to find where it begins costs some look-ups for each origin.
    if (isFirst) this.#clock.endOfTurn(() => this.#takeWants(peer));
  }

  #takeWants(peer: Peer): void {
    const { wants } = peer;
    peer.wants = undefined;
    if (wants === undefined || this.#peers.get(peer.link.serverId) !== peer) return;
    onWant(peer.feed, this.#journal.serverId, wants, this.#journal.vector, (has) => this.#startFor(has));
    this.#pump(peer);
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
    const peer = this.#peers.get(link.serverId);
    if (peer !== undefined) this.#pump(peer);
  }

  /** These are committed, and are the end of the log now. */
  committed(segments: readonly Segment[]): void {
    // It wants its own entries only as long as it has numbered none.
    if (this.#plan.has(this.#journal.serverId) && this.#journal.hasAccepted) this.replan([]);
    if (this.#isOldCopy) this.#owner.onOldCopy();
    const before = segments[0]!.position - 1;
    for (const peer of this.#peers.values()) {
      this.#guarded(peer, () => {
        if (peer.heldSinceMs !== undefined || peer.feed.position !== before || peer.link.isFull) this.#pump(peer);
        else this.#send(peer, segments);
      });
    }
  }

  /** A fault on the way to one peer is nobody else's. It links again, and says what it has. */
  #guarded({ link }: Peer, act: () => void): void {
    guarded(this.#faults, "peers", act, () => link.faulted());
  }

  /** What is committed was delivered to the clients that are here. */
  delivered(): void {
    if (!this.#hasReplicated) return;
    this.#hasReplicated = false;
    // Not earlier: it may begin sessions, which would be sent the turn's lines as well.
    this.#letIn();
    this.#owner.onReplicated();
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
    if (!this.#owner.hasReserve()) {
      this.#leftOut.add(origin);
      return undefined;
    }
    if (this.#owner.isRetracted(header, lines)) {
      // Who sends it has not heard yet, or cannot know, what belongs there.
      this.#refused.add(origin);
      return undefined;
    }
    const { oddity } = intake;
    if (oddity !== undefined) this.#sayOnce(origin, oddity, link.name);
    if (!this.#isBelieved(link, header)) return undefined;
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

  /** There is space again for what came meanwhile: it is asked for. */
  takeAgain(): void {
    for (const origin of this.#leftOut) this.#askAgain(origin);
    this.#leftOut.clear();
  }

  /** Called regularly: what has waited for long enough is let in. */
  tick(): void {
    this.#tellPending(this.#clock.nowMs());
    this.#endSilent(this.#clock.nowMs());
    for (const origin of this.#refused) this.#askAgain(origin);
    this.#refused.clear();
    this.#letInWithout(this.#clock.nowMs());
    const overdue = this.#holes.overdue(this.#clock.nowMs(), (origin) => this.#journal.lastOf(origin));
    for (const { origin, peer } of overdue) this.#askFor(origin, peer);
    if (this.#holdBack.size === 0) return;
    this.#holdBack.release(this.#clock.nowMs(), this.#facts);
    this.#tellWhenCommitted();
    this.#askForMore();
  }

  /** Entries of this server that somebody waits for until another server has them. */
  get pending(): number {
    return this.#waitingForOne.length;
  }

  /**
   * Calls `done` once one other server has this server's entry `sequence` as well; before that, once,
   * `pending` when it takes long.
   */
  whenOneHas(sequence: number, done: () => void, pending?: () => void): void {
    const waiting = { sequence, done };
    this.#waitingForOne.push(waiting);
    if (pending !== undefined) this.#untold.set(waiting, { sinceMs: this.#clock.nowMs(), pending });
    this.#settle();
  }

  /** Calls `done` once all servers that are linked then have this server's entry `sequence` as well. */
  whenAllHave(sequence: number, done: () => void): void {
    this.#waitingForAll.push({ sequence, done });
    this.#settle();
  }

  /**
   * As `whenAllHave`, and calls `done` after `patienceMs` at the latest. Then links end whose servers got the entry and
   * do not say that they have it; one that is still to be sent what comes before it is not waited for any longer.
   */
  whenAllHaveWithin(sequence: number, patienceMs: number, done: () => void): void {
    const timer = this.#clock.after(patienceMs, () => {
      const index = this.#waitingForAll.indexOf(waiting);
      if (index < 0) return;
      this.#waitingForAll.splice(index, 1);
      const late = [...this.#peers.values()].filter(({ hasOwn }) => hasOwn < sequence);
      for (const { link, feed } of late) {
        const isSent = !link.isFull && feed.position >= this.#journal.head;
        if (isSent) this.#owner.silent(link.serverId, `it has not said HAVE of an account for ${patienceMs} ms`);
        else {logger.warning("{name} is too far behind and gets an account later", {
            name: link.name,
          });}
      }
      done();
    });
    const waiting = {
      sequence,
      done: () => {
        timer.cancel();
        done();
      },
    };
    this.#waitingForAll.push(waiting);
    this.#settle();
  }

  /**
   * Calls `run` once the entry `last`, which a client says it published before, is here. Without it: when its origin
   * has been out of reach for as long as entries are held back, as it may be lost, or never have been; and when the
   * client loses its patience soon, however near the origin is.
   */
  whenHere(last: string | undefined, run: () => void): void {
    if (last === undefined || this.#journal.isHere(last)) return run();
    const nowMs = this.#clock.nowMs();
    const origin = parseEntryId(last)!.origin;
    const isHere = () => this.#journal.isHere(last);
    this.#waitingForEntry.add({ origin, isHere, run, sinceMs: nowMs, reachableAtMs: nowMs });
  }

  /** Nobody is called any more. */
  stop(): void {
    this.#waitingForEntry.clear();
  }

  /** What came in this turn is committed: its servers are told. */
  #tellHave(): void {
    for (const origin of this.#changed) {
      const peer = this.#peers.get(origin);
      const vector = { [origin]: this.#journal.lastOf(origin) };
      peer?.link.send({ command: "HAVE", vector });
    }
    this.#changed.clear();
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
    const others = this.#owner.sources().filter(({ vector }) => sequenceOf(vector, origin) > has);
    const names = [...others.map((source) => source.serverId), serverId];
    const decision = this.#holes.claimed(origin, has, first, serverId, names, this.#clock.nowMs());
    if (decision.kind === "ask") this.#askFor(origin, decision.peer);
    return decision.kind === "take";
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

  /** Whoever waited for an entry that is here now. */
  #letIn(): void {
    for (const waiting of this.#waitingForEntry) {
      if (!waiting.isHere()) continue;
      this.#waitingForEntry.delete(waiting);
      this.#call(waiting.run);
    }
  }

  /** Whoever has waited for long enough. */
  #letInWithout(nowMs: number): void {
    for (const waiting of this.#waitingForEntry) {
      if (this.isReachable(waiting.origin)) waiting.reachableAtMs = nowMs;
      const isLost = nowMs - waiting.reachableAtMs >= this.#holdBackMs;
      if (!isLost && nowMs - waiting.sinceMs < LOGIN_PATIENCE_MS) continue;
      this.#waitingForEntry.delete(waiting);
      this.#call(waiting.run);
    }
  }

  /** The others who wait are called, whatever becomes of this one. */
  #call(run: () => void): void {
    guarded(this.#faults, "session", run, () => {});
  }

  #askForMore(): void {
    for (const origin of this.#holdBack.takeFree()) this.#askAgain(origin);
  }

  #askAgain(origin: string): void {
    const peer = this.#peers.get(origin) ?? this.#peers.get(this.#plan.get(origin) ?? "");
    if (peer !== undefined) this.#want(peer, { [origin]: this.#journal.lastOf(origin) });
  }

  #settle(): void {
    // What they say to have are other entries of the same numbers.
    if (this.#isOldCopy) return;
    const has = [...this.#peers.values()].map(({ hasOwn, heldSinceMs }) => heldSinceMs === undefined ? hasOwn : 0);
    this.#settleUpTo(this.#waitingForOne, has.length === 0 ? 0 : Math.max(...has));
    this.#settleUpTo(this.#waitingForAll, has.length === 0 ? Infinity : Math.min(...has));
  }

  #settleUpTo(waiting: Waiting[], sequence: number): void {
    while (waiting.length > 0 && waiting[0]!.sequence <= sequence) {
      const settled = waiting.shift()!;
      this.#untold.delete(settled);
      this.#call(settled.done);
    }
  }

  /** Whoever has waited for long, and was not told so yet. */
  #tellPending(nowMs: number): void {
    for (const [waiting, { sinceMs, pending }] of this.#untold) {
      // In the order in which they came.
      if (nowMs - sinceMs < PENDING_MS) return;
      this.#untold.delete(waiting);
      this.#call(pending);
    }
  }

  #endSilent(nowMs: number): void {
    for (const { link, heldSinceMs } of this.#peers.values()) {
      if (heldSinceMs === undefined || nowMs - heldSinceMs < HELD_MS) continue;
      this.#owner.silent(link.serverId, `it has not answered DIGESTS_ASK for ${HELD_MS} ms`);
    }
  }

  #want(peer: Peer, again: Vector): void {
    const wanted = wantedFrom(peer.link.serverId, this.#plan, this.#journal);
    peer.wanted = Object.keys(wanted).sort().join();
    const vector = { ...wanted, ...again };
    peer.asked = new Set(Object.keys(vector));
    peer.link.send({ command: "WANT", vector });
  }

  /** Sends until the link is full, the log is at its end, or the peer's share of this turn is used up. */
  #pump(peer: Peer): void {
    if (peer.isPumping || peer.heldSinceMs !== undefined) return;
    for (let reads = 0; reads < READS_PER_TURN; reads++) {
      if (peer.link.isFull || peer.link.isOver) return;
      const segments = this.#journal.segmentsAfter(peer.feed.position, READ_BYTES);
      if (segments.length === 0) return;
      this.#send(peer, segments);
    }
    peer.isPumping = true;
    this.#clock.after(0, () => {
      peer.isPumping = false;
      this.#guarded(peer, () => this.#pump(peer));
    });
  }

  #send({ link, feed }: Peer, segments: readonly Segment[]): void {
    for (const segment of segments) {
      const part = feedSegment(feed, segment);
      if (part === undefined) continue;
      if (segment.origin === this.#journal.serverId) this.#ownSent = Math.max(this.#ownSent, segment.last);
      const lamport = this.#journal.tick();
      const id = { origin: segment.origin, first: part.first, last: segment.last };
      this.#trace()?.({ event: "send", peer: link.serverId, id: formatRange(id) }, lamport);
      link.write(partBytes(part, lamport, this.#journal.retention.ageOf(segment)));
    }
  }

  #startFor(has: Vector): number {
    return this.#journal.missing(has).after;
  }
}

function partBytes({ segment, first, after, bytes }: FeedPart, lamport: number, ageMs: number): Uint8Array {
  const { origin, last, audience } = segment;
  const facts = { origin, first, last, after, to: wireAudience(audience), lamport };
  const header = encoder.encode(encodeEntries(ageMs < TOLD_AGE_MS ? facts : { ...facts, ageMs }));
  return joinBytes([header, bytes]);
}

function wireAudience(audience: Audience): WireAudience {
  return audience.kind === "user" ? { user: audience.username } : audience.kind;
}
