/**
 * The servers of the older dialect that hang on this one, and their activities. `legacy_dialect.ts` decides what lines
 * mean and what is said. `activity_order.ts` decides the order of activities. `given_activities.ts` recognises those of
 * this network. `legacy_link.ts` has each link.
 */

import { getLogger } from "@logtape/logtape";
import type { RefusalLog } from "../accounts/refusal_log.ts";
import { toHex } from "../../platform/hex.ts";
import { ActivityOrder, type LegacyActivity } from "./activity_order.ts";
import { GivenActivities } from "./given_activities.ts";
import type { Family, LegacyServer } from "./legacy_codec.ts";
import { LegacyLink, type LegacyLinkOwner } from "./legacy_link.ts";
import { LEGACY_ANNOUNCE_MS, LegacyDialect, type LegacyEffect, type LegacyFacts } from "./legacy_dialect.ts";
import { RecentSet } from "../../log/recent.ts";
import type { Position } from "../../log/segment.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import type { Link } from "../../platform/transport.ts";
import { formatEntryId } from "../../protocol/entry_id.ts";
import type { LineFramer } from "../../protocol/line_framer.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { quoteUsername } from "../../protocol/server_codec.ts";
import type { Journal } from "../journal/journal.ts";
import { guardedHandler } from "../journal/unreadable_store.ts";
import type { Sessions } from "../hub/sessions.ts";

/** What is needed of the node. */
export interface LegacyServersParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly faults: FaultGuard;
  readonly crypto: SecretCrypto;
  readonly activityCheckIntervalMs: number;
  /** How long a `messageId` is remembered. */
  readonly rememberedMs: number;
  self(): LegacyServer;
  members(): readonly LegacyServer[];
  readonly sessions: Sessions;
  /** Whether what they publish is taken: there is space for it. */
  hasSpace(): boolean;
  /** Whether what such a server at `address` says as this user is published. */
  mayPublish(username: string, address: string): boolean;
  /** Counts those that are refused again and again. */
  readonly refusals: Pick<RefusalLog, "isQuiet" | "refused">;
  /** Registers a user like a client's, or, where there is such an account, finds out whether the secret is its own. */
  takeAccount(
    account: { readonly username: string; readonly secret: string; readonly remoteHost: string },
    told: (isTaken: boolean) => void,
  ): void;
}

/** A claim of a name that waits for such peers. */
interface Claim {
  readonly waitingFor: Set<LegacyLink>;
  readonly told: (isAllowed: boolean) => void;
}

/** An activity that waits until it is known whose it is. */
interface HeldActivity {
  readonly from: LegacyLink;
  readonly activity: LegacyActivity;
  readonly isHistory: boolean;
}

const logger = getLogger(["thrum", "older"]);
/** Activities that wait until it is known whose they are. */
const MAX_HELD = 10_000;
/** Activities that are known to be this network's own. */
const MAX_CAME_BACK = 50_000;
/** Users of whom the log has said that they may not publish. */
const MAX_TOLD_OF = 1_000;
/** Activities of which their server was told that they are not taken. Its history brings them again and again. */
const MAX_REFUSED = 10_000;
/** After so much silence the operating system asks whether they are still there: they know no heartbeat. */
const KEEP_ALIVE_MS = 10_000;

/** All of them. */
export class LegacyServers implements LegacyLinkOwner {
  readonly #parts: LegacyServersParts;
  readonly #links = new Set<LegacyLink>();
  readonly #order: ActivityOrder<LegacyLink>;
  readonly #claims = new Map<string, Claim>();
  readonly #given: GivenActivities;
  /** What came while the log was read: it may be what was given out. */
  #held: HeldActivity[] = [];
  /** By identity: what was given out here and has come back, which it does every 5 seconds. */
  readonly #cameBack = new RecentSet<string>(MAX_CAME_BACK);
  /** Users who may not publish, of whom the log has said so. */
  readonly #toldOf = new RecentSet<string>(MAX_TOLD_OF);
  /** By identity: activities of which their server was told that they are not taken. */
  readonly #refused = new RecentSet<string>(MAX_REFUSED);
  #dueTimer: Timer | undefined;
  #tickTimer: Timer | undefined;
  #patienceTimer: Timer | undefined;

  constructor(parts: LegacyServersParts) {
    this.#parts = parts;
    this.#order = new ActivityOrder(parts.activityCheckIntervalMs);
    const { journal, clock, rememberedMs } = parts;
    this.#given = new GivenActivities({ journal, clock, rememberedMs, ready: () => this.#takeHeld() });
  }

  /**
   * Takes over a link on which such a server has said AUTHENTICATE. `serverId` is there for family A alone. `ended` is
   * told when it is gone.
   */
  accept(link: Link, framer: LineFramer, serverId: string | undefined, ended: () => void): LegacyLink {
    const peer = this.#begin(link, framer, serverId === undefined ? "S" : "A", serverId, ended);
    const begin = () => peer.carryOut(peer.peer.accepted(this.facts()));
    if (serverId === undefined) peer.holdBack(begin);
    else begin();
    return peer;
  }

  /**
   * Takes over a link that this server has made, to one that turned out to be of this dialect: `line` is what it said
   * first, if anything. `ended` is told when it is gone.
   */
  called(link: Link, framer: LineFramer, line: string | undefined, ended: () => void): LegacyLink {
    const peer = this.#begin(link, framer, undefined, undefined, ended, true);
    peer.carryOut(peer.peer.tick(this.facts()));
    if (line !== undefined) peer.take([line], undefined);
    return peer;
  }

  /** More is committed: each is sent the log from where it stands. */
  committed(): void {
    if ([...this.#links].some(({ peer }) => peer.family !== "S")) this.#given.read();
    for (const link of [...this.#links]) link.reader.committed();
  }

  /** Asks all of them for a name; `told` at once where there are none. */
  claim(username: string, told: (isAllowed: boolean) => void): void {
    if (this.#links.size === 0) return told(true);
    this.#claims.set(username, { waitingFor: new Set(this.#links), told });
    const facts = this.facts();
    for (const link of [...this.#links]) {
      // Its time to answer begins when it is asked.
      const nowMs = Math.max(facts.nowMs, link.speaksAtMs);
      link.carryOut(link.peer.claim(username, { ...facts, nowMs }));
    }
    this.#waitPatiently();
  }

  /** A name has an account now. */
  registered(username: string): void {
    for (const link of this.#links) link.carryOut(link.peer.registered(username, this.facts()));
  }

  /** Ends all. What waits to be put in order is taken in before. */
  stop(): void {
    this.#publish(Infinity);
    this.end();
  }

  /** Ends all: nothing more is said to them. */
  end(): void {
    // Whoever waits for an answer to a claim is about to be told that the server ends.
    this.#claims.clear();
    this.#given.stop();
    for (const timer of [this.#dueTimer, this.#tickTimer, this.#patienceTimer]) timer?.cancel();
    for (const link of [...this.#links]) link.close("this server is stopping");
  }

  facts(): LegacyFacts {
    const { clock, crypto, rememberedMs, self, members, journal, sessions } = this.#parts;
    return {
      wallMs: clock.wallMs(),
      nowMs: clock.nowMs(),
      self: self(),
      members: members(),
      users: usersOf(sessions, journal),
      rememberedMs,
      hasAccount: (username) => journal.hasAccount(username),
      isOnline: (username) => sessions.of(username).length > 0,
      makeSecret: () => toHex(crypto.randomBytes(16)),
    };
  }

  // ---- links speak -----------------------------------------------------------------------------------------------

  carryOut(link: LegacyLink, effect: LegacyEffect): void {
    switch (effect.kind) {
      case "send":
        return link.write(effect.line);
      case "takeActivity":
        return this.#takeActivity({ from: link, ...effect });
      case "takeAccount": {
        const { username, secret, isAsked } = effect;
        return this.#parts.takeAccount({ username, secret, remoteHost: link.remoteHost }, (isTaken) => {
          link.carryOut(link.peer.answer({ username, secret }, isTaken, isAsked, this.facts()));
        });
      }
      case "claimAnswered":
        return this.#claimAnswered(link, effect.username, effect.isAllowed);
      case "announced":
        return;
      case "close":
        if (effect.line === undefined) return link.close(effect.why);
        return link.refuse(effect.line, effect.why);
      default:
        effect satisfies never;
    }
  }

  gone(link: LegacyLink): void {
    if (!this.#links.delete(link)) return;
    for (const username of [...this.#claims.keys()]) this.#claimAnswered(link, username, true);
  }

  gave(sendTime: number, position: Position): void {
    this.#given.gave(sendTime, position);
  }

  // ---- inside ----------------------------------------------------------------------------------------------------

  #begin(
    link: Link,
    framer: LineFramer,
    family: Family | undefined,
    serverId: string | undefined,
    ended: () => void,
    isOwn = false,
  ): LegacyLink {
    if (family !== "S") this.#given.read();
    const peer = new LegacyDialect(family, serverId, this.#given.lastSendTime);
    const older = new LegacyLink(link, framer, peer, serverId, this, { ...this.#parts, isOwn }, ended);
    this.#links.add(older);
    link.attach(guardedHandler(older));
    link.keepAlive(KEEP_ALIVE_MS);
    // One that was refused a moment ago has to stay for a while first.
    if (!this.#parts.refusals.isQuiet(older.remoteHost)) older.tell();
    if (this.#tickTimer === undefined) this.#tickLater();
    return older;
  }

  #tickLater(): void {
    this.#tickTimer = this.#parts.clock.after(LEGACY_ANNOUNCE_MS, () => {
      this.#tickTimer = undefined;
      try {
        for (const link of [...this.#links]) {
          link.tell();
          if (!link.isHeldBack) this.#guarded(link, () => link.carryOut(link.peer.tick(this.facts())));
        }
      } finally {
        if (this.#links.size > 0) this.#tickLater();
      }
    });
  }

  #claimAnswered(link: LegacyLink, username: string, isAllowed: boolean): void {
    const claim = this.#claims.get(username);
    if (claim === undefined || !claim.waitingFor.delete(link)) return;
    if (isAllowed && claim.waitingFor.size > 0) return;
    this.#claims.delete(username);
    claim.told(isAllowed);
  }

  /** Peers that do not answer are not waited for for ever. */
  #waitPatiently(): void {
    this.#patienceTimer?.cancel();
    const { clock } = this.#parts;
    const ends = [...this.#links].flatMap(({ peer }) => peer.patienceEndsAt ?? []);
    if (ends.length === 0) return;
    this.#patienceTimer = clock.after(Math.max(0, Math.min(...ends) - clock.nowMs()), () => {
      for (const link of [...this.#links]) {
        this.#guarded(link, () => link.carryOut(link.peer.giveUp(clock.nowMs())));
      }
      this.#waitPatiently();
    });
  }

  /** A fault on the way to one of them is nobody else's. */
  #guarded(link: LegacyLink, act: () => void): void {
    guarded(this.#parts.faults, "peers", act, () => link.faulted());
  }

  #takeActivity(held: HeldActivity): void {
    const { from, activity, isHistory } = held;
    // An S is given no times, and so sends none back.
    if (from.peer.family === "S") return this.#putInOrder(held);
    if (activity.isTimed && this.#given.isReading) {
      if (this.#held.length < MAX_HELD) return void this.#held.push(held);
      // A history comes again.
      return isHistory ? undefined : this.#putInOrder(held);
    }
    const { identity } = activity;
    if (identity !== undefined && this.#cameBack.has(identity)) return;
    const giver = this.#given.whose(activity);
    if (giver === "ours") {
      if (identity !== undefined) this.#cameBack.add(identity);
      return;
    }
    if (giver === "unknown" && isHistory) return from.tellTooOld();
    this.#putInOrder(held);
  }

  /** It is the peer's own. */
  #putInOrder({ from, activity, isHistory }: HeldActivity): void {
    this.#order.add(activity, from, isHistory, this.#parts.clock.nowMs());
    this.#publishLater();
  }

  /** Who said it may not publish: its server is told so for each activity, and this server's log once for each user. */
  #refuse(activity: LegacyActivity, username: string, from: LegacyLink): void {
    const { identity } = activity;
    if (identity === undefined || !this.#refused.has(identity)) {
      if (identity !== undefined) this.#refused.add(identity);
      const { serverId } = this.#parts.self();
      from.carryOut(from.peer.refused(activity, `${username} may not publish here`, serverId));
    }
    if (this.#toldOf.has(username)) return;
    this.#toldOf.add(username);
    logger.warning("{username} may not publish: what the server of the older dialect at {address} says is dropped", {
      ...{ username, address: from.remoteHost },
    });
  }

  #takeHeld(): void {
    for (const held of this.#held.splice(0)) this.#guarded(held.from, () => this.#takeActivity(held));
  }

  #publishLater(): void {
    const { clock } = this.#parts;
    this.#dueTimer?.cancel();
    const { dueAt } = this.#order;
    if (dueAt === undefined) return;
    this.#dueTimer = clock.after(Math.max(0, dueAt - clock.nowMs()), () => {
      try {
        this.#publish(clock.nowMs());
      } finally {
        this.#publishLater();
      }
    });
  }

  #publish(nowMs: number): void {
    for (const { activity, from } of this.#order.due(nowMs)) {
      const { text, username, identity } = activity;
      // It knows no answer that would say so. What it sends when it comes back is taken if there is space then.
      if (!this.#parts.hasSpace()) {
        from.close("there is no space for its message");
        continue;
      }
      const { journal } = this.#parts;
      const author = from.peer.authorOf(username, username !== ANONYMOUS && journal.hasAccount(username));
      // It may have come before it was known whose the name is, or when that was known.
      const isKnown = identity !== undefined &&
        [username, ANONYMOUS].some((name) => name !== author.username && journal.hasUsed(name, identity));
      if (isKnown) continue;
      // Its other users may publish all the same.
      if (!this.#parts.mayPublish(author.username, from.remoteHost)) {
        this.#refuse(activity, author.username, from);
        continue;
      }
      const said = { activity: text, messageId: identity, lamport: undefined };
      const publication = { ...said, ...author, quotedUsername: quoteUsername(author.username) };
      from.peer.published(formatEntryId(journal.publish(publication)));
    }
  }
}

/** Every user once, those that are logged in first. */
function* usersOf(sessions: Sessions, journal: Journal): LegacyFacts["users"] {
  const online = new Set([...sessions].map(({ username }) => username).filter((username) => username !== ANONYMOUS));
  for (const username of online) yield { username, isOnline: true };
  for (const username of journal.usernames()) if (!online.has(username)) yield { username, isOnline: false };
}
