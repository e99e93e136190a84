/**
 * A peer of the older dialect, as PROTOCOL section 4 has it: what its lines do here, and which lines it gets for what
 * happens here. Such a server is a leaf: what it sends is taken in as this server's own, and passed on by it. Pure:
 * lines, facts and times come in, effects go out; `legacy_servers.ts` carries them out. Nothing of this is known
 * outside of the files `older_*.ts` and `activity_order.ts`.
 *
 * No secret of an account ever goes to such a peer. A name is locked there with a secret that is made
 * for it and forgotten.
 */

import { RecentSet } from "../../log/recent.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { rawValue } from "../../protocol/raw_json.ts";
import { encodeLine } from "../../protocol/server_codec.ts";
import type { LegacyActivity } from "./activity_order.ts";
import { isActivity, nextSendTime } from "./send_times.ts";
import {
  encodeLegacyActivity,
  encodeLegacyAnnounce,
  encodeLegacyBackups,
  encodeLegacyLock,
  encodeLegacyLockAllowed,
  encodeLegacyLockDenied,
  encodeLegacyRefusal,
  encodeLegacySuccess,
  encodeUserUpdate,
  type Family,
  isThirdFamily,
  isUsable,
  type LegacyServer,
  type LegacyUser,
  NO_SUCH_DIALECT,
  parseLegacyLine,
} from "./legacy_codec.ts";

/** What has to be known of this server and its network. */
export interface LegacyFacts {
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: number;
  readonly self: LegacyServer;
  /** The other live servers of this dialect. */
  readonly members: readonly LegacyServer[];
  /** Users for the greeting, those that are logged in first; only as many as fit into a line are taken. */
  readonly users: Iterable<{ readonly username: string; readonly isOnline: boolean }>;
  /** How long a `messageId` is remembered (`store.messageIdRetentionMs`): what is older would be taken in again. */
  readonly rememberedMs: number;
  hasAccount(username: string): boolean;
  isOnline(username: string): boolean;
  /** Another one with each call, that nobody can guess. */
  makeSecret(): string;
}

/** What is to be done. In order. */
export type LegacyEffect =
  /** With its end. */
  | { readonly kind: "send"; readonly line: string }
  /**
   * To be put in order (`ActivityOrder.add`), then published here under its identity as `messageId`; after that
   * `published` is to be told.
   */
  | { readonly kind: "takeActivity"; readonly activity: LegacyActivity; readonly isHistory: boolean }
  /**
   * To be registered here like a client's. With `isAsked` the peer waits for `answer`: a name that is taken already is
   * allowed if the secret is its account's. Without, nobody there is told. In both cases `answer` is.
   */
  | { readonly kind: "takeAccount"; readonly username: string; readonly secret: string; readonly isAsked: boolean }
  /** The peer has answered `claim`, or has had its time. */
  | { readonly kind: "claimAnswered"; readonly username: string; readonly isAllowed: boolean }
  /** A server of that dialect, near or far. No client must be redirected to it: thrum's names are locked there. */
  | { readonly kind: "announced"; readonly server: LegacyServer }
  /** `line` is the last word, if any. */
  | { readonly kind: "close"; readonly line: string | undefined; readonly why: string };

/** A name that is being locked there. */
interface Lock {
  readonly secret: string;
  readonly askedAt: number;
  isAllowed: boolean;
  /** A registration here waits for the answer. */
  isClaim: boolean;
  /** The account exists here. */
  isRegistered: boolean;
}

/** How often `tick` is to be called. */
export const LEGACY_ANNOUNCE_MS = 5_000;
/** How long a registration waits for such a peer. A silent one must not hang it. */
export const CLAIM_PATIENCE_MS = 1_000;
/** After that a lock that was never answered is forgotten. */
const LOCK_MEMORY_MS = 60_000;
/**
 * Accounts that are being taken in from one peer at once: each costs a derivation, and a list comes again in 5 seconds.
 */
const MAX_BEING_TAKEN = 50;
/** Names that are mended with one USER_SYNC. */
const MAX_MENDED = 100;
/** Longest name of a server that an activity came through. */
const MAX_VIA_LENGTH = 64;
/** Entries, names and times of one peer that are remembered, each. */
const MAX_REMEMBERED = 10_000;

/** One such peer, from its AUTHENTICATE, or ours, to its end. */
export class LegacyDialect {
  #family: Family | undefined;
  readonly #serverId: string | undefined;
  /** By name. */
  readonly #locks = new Map<string, Lock>();
  /**
   * Accounts of this peer that are being taken in here; and those that were: they are its own, and
   * are not locked there.
   */
  readonly #beingTaken = new Set<string>();
  readonly #taken = new RecentSet<string>(MAX_REMEMBERED);
  /**
   * Secrets that it says that users have whose names are accounts of this network: it is found out whose they are when
   * one of them publishes.
   */
  readonly #said = new Map<string, string>();
  /** What an S calls itself in its announcements. */
  #announcedId: string | undefined;
  /** Entries that are this peer's own activities. */
  readonly #published = new RecentSet<string>(MAX_REMEMBERED);
  /** When its own activities were sent. */
  readonly #sendTimes = new RecentSet<number>(MAX_REMEMBERED);
  #lastSendTime: number;

  /**
   * @param family `undefined` for a peer that this server has called and that has not shown yet what it is.
   * @param serverId what an A calls itself.
   * @param lastSendTime the send time of the newest activity that any such peer was given.
   */
  constructor(family: Family | undefined, serverId?: string, lastSendTime = 0) {
    this.#family = family;
    this.#serverId = serverId;
    this.#lastSendTime = lastSendTime;
  }

  /** As far as it is known. */
  get family(): Family | undefined {
    return this.#family;
  }

  /** The send time of the newest activity that was passed to it, or was its own. */
  get lastSendTime(): number {
    return this.#lastSendTime;
  }

  /** Its AUTHENTICATE was accepted. An S gets no answer to it: it would break on one. */
  accepted(facts: LegacyFacts): LegacyEffect[] {
    const answer = this.#family === "A" ? [encodeLegacySuccess(facts.self, facts.users, facts.wallMs)] : [];
    return [...answer, ...this.#state(facts)].map(send);
  }

  /** To be called every `LEGACY_ANNOUNCE_MS`, and at once for a peer that this server has called. */
  tick(facts: LegacyFacts): LegacyEffect[] {
    for (const [username, { askedAt, isClaim }] of this.#locks) {
      if (!isClaim && facts.nowMs - askedAt >= LOCK_MEMORY_MS) this.#locks.delete(username);
    }
    return this.#state(facts).map(send);
  }

  /** When `giveUp` is to be called, in milliseconds of a monotonic clock. */
  get patienceEndsAt(): number | undefined {
    for (const { isClaim, askedAt } of this.#locks.values()) if (isClaim) return askedAt + CLAIM_PATIENCE_MS;
    return undefined;
  }

  /** Waits no more for answers that are overdue: a peer that says nothing has nothing against it. */
  giveUp(nowMs: number): LegacyEffect[] {
    const effects: LegacyEffect[] = [];
    for (const [username, lock] of this.#locks) {
      if (!lock.isClaim || nowMs - lock.askedAt < CLAIM_PATIENCE_MS) continue;
      lock.isClaim = false;
      effects.push({ kind: "claimAnswered", username, isAllowed: true });
    }
    return effects;
  }

  /** A client here wants a name: the peer is asked. Nothing for a name that came from there. */
  claim(username: string, facts: LegacyFacts): LegacyEffect[] {
    if (this.#isItsOwn(username)) return [{ kind: "claimAnswered", username, isAllowed: true }];
    return [this.#lock(username, facts, { isClaim: true, isRegistered: false })];
  }

  /** A name has an account here now, from wherever. */
  registered(username: string, facts: LegacyFacts): LegacyEffect[] {
    if (this.#isItsOwn(username)) return [];
    const lock = this.#locks.get(username);
    if (lock === undefined) {
      // A flood of names from elsewhere: they are denied to the peer all the same, as long as it is linked.
      if (this.#locks.size >= MAX_REMEMBERED) return [];
      return [this.#lock(username, facts, { isClaim: false, isRegistered: true })];
    }
    lock.isRegistered = true;
    return this.#finishLock(username, lock, facts);
  }

  /** A `takeAccount` that was not asked for, or one that was, has come to its end. */
  answer(user: LegacyUser, isTaken: boolean, isAsked: boolean, facts: LegacyFacts): LegacyEffect[] {
    this.#beingTaken.delete(user.username);
    if (isTaken) this.#taken.add(user.username);
    if (!isAsked) return [];
    return [send(isTaken ? encodeLegacyLockAllowed(user, facts.self.serverId) : encodeLegacyLockDenied(user))];
  }

  /**
   * As whom an activity of this peer is published. It answers for users whose accounts came from it, and for nobody
   * else: an account of this network is not published for, and of a name that nobody has here it is told by way of whom
   * it came. `hasAccount`: there is such an account here.
   */
  authorOf(username: string, hasAccount: boolean): { readonly username: string; readonly via?: string } {
    if (username === ANONYMOUS || this.#taken.has(username)) return { username };
    const via = (this.#serverId ?? this.#announcedId ?? "older").slice(0, MAX_VIA_LENGTH);
    return { username: hasAccount ? ANONYMOUS : username, via };
  }

  /** An activity that came from this peer is the entry `id` now. To be told before that entry is passed on. */
  published(id: string): void {
    this.#published.add(id);
  }

  /**
   * What the peer gets of an entry that is for everyone; `undefined` for its own, and for what is no activity.
   * `line` is the log's.
   */
  pass(line: string): string | undefined {
    if (!isActivity(line)) return undefined;
    const { id, sentAt } = JSON.parse(line);
    // Also of its own: the time of an entry follows from the log alone.
    this.#lastSendTime = nextSendTime(sentAt, this.#lastSendTime);
    if (this.#published.delete(id)) return undefined;
    // An A takes two of one time for one, be they ours or its own. (What it publishes at this moment cannot be known.)
    while (this.#sendTimes.has(this.#lastSendTime)) this.#lastSendTime++;
    return encodeLegacyActivity(id, rawValue(line, "activity")!, this.#lastSendTime, this.#family);
  }

  /** An activity of the peer is not taken by this server, for the reason `info`. What it is told, if anything. */
  refused(activity: LegacyActivity, info: string, serverId: string): LegacyEffect[] {
    const line = encodeLegacyRefusal(info, activity, serverId, this.#family);
    return line === undefined ? [] : [send(line)];
  }

  /** What a line of the peer does. */
  receive(line: string, facts: LegacyFacts): LegacyEffect[] {
    if (isThirdFamily(line)) return [THIRD_FAMILY];
    const message = parseLegacyLine(line, facts.wallMs);
    switch (message.command) {
      case "":
        return [refuse(message.info)];
      case "ACTIVITY_BROADCAST":
        return message.activity === undefined ? [] : this.#takeActivity(message.activity, false, facts);
      case "ACTIVITY_SYNC":
        return this.#takeHistory(message.activities, facts);
      case "USER_SYNC":
        return this.#takeUsers(message.users, facts);
      case "LOCK_REQUEST":
        return this.#onLockRequest(message);
      case "LOCK_ALLOWED":
      case "LOCK_DENIED":
        return this.#onLockAnswer(message, message.command === "LOCK_ALLOWED", facts);
      case "SERVER_ANNOUNCE":
        this.#family ??= message.family;
        this.#announcedId ??= message.server.serverId;
        return [{ kind: "announced", server: message.server }];
      case "AUTHENTICATION_SUCC":
        // It was slow to answer, and taken for one that never does. It is called again.
        if (message.isThrum) return [{ kind: "close", line: undefined, why: "it is none of the older dialect" }];
        this.#family = "A";
        return [...this.#takeUsers(message.users, facts), ...this.#takeHistory(message.activities, facts)];
      case "AUTHENTICATION_FAIL":
      case "INVALID_MESSAGE":
        return [{ kind: "close", line: undefined, why: `the peer answered ${message.command}: ${message.info}` }];
      case "BACKUP_LIST":
      case "ACTIVITY_UPDATE":
      case "USER_REGISTER_RESULT":
        // Where servers are is known from elsewhere, who got what does not matter here, and a registration that failed
        // there deletes no account here.
        return [];
    }
  }

  /** What is said regularly. */
  #state({ self, members, wallMs }: LegacyFacts): string[] {
    if (this.#family !== "A") return [encodeLegacyAnnounce(self, this.#family, wallMs)];
    // Without the peer itself: it stops there when it looks for another parent.
    const others = members.filter(({ serverId }) => serverId !== this.#serverId);
    return [
      encodeLegacyBackups(others),
      ...[self, ...others].map((server) => encodeLegacyAnnounce(server, this.#family, wallMs)),
    ];
  }

  #takeHistory(activities: readonly LegacyActivity[], facts: LegacyFacts): LegacyEffect[] {
    return activities
      .filter(({ sendTime }) => sendTime > facts.wallMs - facts.rememberedMs)
      .flatMap((activity) => this.#takeActivity(activity, true, facts));
  }

  #takeActivity(activity: LegacyActivity, isHistory: boolean, facts: LegacyFacts): LegacyEffect[] {
    this.#sendTimes.add(activity.sendTime);
    return [...this.#findOut(activity.username, facts), { kind: "takeActivity", activity, isHistory }];
  }

  /**
   * Whether an account that is here is this peer's, as its secret is the one that it says. Costs a derivation, so only
   * for who publishes, and once.
   */
  #findOut(username: string, facts: LegacyFacts): LegacyEffect[] {
    const secret = this.#said.get(username);
    const isKnown = secret === undefined || this.#isItsOwn(username) || !facts.hasAccount(username);
    if (isKnown || this.#beingTaken.size >= MAX_BEING_TAKEN) return [];
    this.#said.delete(username);
    this.#beingTaken.add(username);
    return [{ kind: "takeAccount", username, secret, isAsked: false }];
  }

  #takeUsers(users: readonly LegacyUser[], facts: LegacyFacts): LegacyEffect[] {
    const effects: LegacyEffect[] = [];
    for (const user of users) {
      const { username, secret } = user;
      if (facts.hasAccount(username)) {
        const isUnknown = secret !== "" && !this.#isItsOwn(username) && !this.#locks.has(username);
        if (isUnknown && this.#said.size < MAX_REMEMBERED && isUsable(user)) this.#said.set(username, secret);
        // A has made an account of what stood in our answer to AUTHENTICATE, and anybody could log in
        // with an empty secret.
        if (secret === "" && effects.length < MAX_MENDED && this.#family === "A") {
          const update = { username, secret: facts.makeSecret() };
          effects.push(send(encodeUserUpdate(update, facts.isOnline(username), facts.wallMs)));
        }
      } else if (isUsable(user) && !this.#beingTaken.has(username) && this.#beingTaken.size < MAX_BEING_TAKEN) {
        this.#beingTaken.add(username);
        effects.push({ kind: "takeAccount", username, secret, isAsked: false });
      }
    }
    return effects;
  }

  #onLockRequest({ username, secret }: LegacyUser): LegacyEffect[] {
    const isBusy = this.#beingTaken.has(username) || this.#beingTaken.size >= MAX_BEING_TAKEN;
    const isOurs = this.#locks.get(username)?.isClaim === true;
    if (!isUsable({ username, secret }) || isBusy || isOurs) {
      return [send(encodeLegacyLockDenied({ username, secret }))];
    }
    this.#beingTaken.add(username);
    return [{ kind: "takeAccount", username, secret, isAsked: true }];
  }

  #onLockAnswer({ username, secret }: LegacyUser, isAllowed: boolean, facts: LegacyFacts): LegacyEffect[] {
    const lock = this.#locks.get(username);
    // What others have asked for is not our business.
    if (lock === undefined || lock.secret !== secret) return [];
    const answered: LegacyEffect[] = lock.isClaim ? [{ kind: "claimAnswered", username, isAllowed }] : [];
    lock.isClaim = false;
    lock.isAllowed = isAllowed;
    if (!isAllowed) this.#locks.delete(username);
    return isAllowed ? [...answered, ...this.#finishLock(username, lock, facts)] : answered;
  }

  #lock(
    username: string,
    { makeSecret, nowMs }: LegacyFacts,
    what: { isClaim: boolean; isRegistered: boolean },
  ): LegacyEffect {
    const secret = makeSecret();
    // The oldest stays first.
    this.#locks.delete(username);
    this.#locks.set(username, { secret, askedAt: nowMs, isAllowed: false, ...what });
    return send(encodeLegacyLock({ username, secret }));
  }

  /** Allowed there and registered here: an A is told that the user exists. An S has kept the pair already. */
  #finishLock(username: string, { secret, isAllowed, isRegistered }: Lock, facts: LegacyFacts): LegacyEffect[] {
    if (!isAllowed || !isRegistered) return [];
    this.#locks.delete(username);
    if (this.#family !== "A") return [];
    return [send(encodeUserUpdate({ username, secret }, facts.isOnline(username), facts.wallMs))];
  }

  #isItsOwn(username: string): boolean {
    return this.#beingTaken.has(username) || this.#taken.has(username);
  }
}

/** The third family gives up only when it is refused. */
const THIRD_FAMILY: LegacyEffect = Object.freeze({
  kind: "close",
  line: encodeLine({ command: "AUTHENTICATION_FAIL", info: NO_SUCH_DIALECT }),
  why: "it speaks a dialect that is not known here",
});

function send(line: string): LegacyEffect {
  return { kind: "send", line };
}

function refuse(info: string): LegacyEffect {
  return { kind: "close", line: encodeLine({ command: "INVALID_MESSAGE", info }), why: info };
}
