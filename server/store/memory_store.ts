/**
 * A store in memory: fast, and gone with the process. For `--ephemeral`, tests and the simulator. `forget` bounds its
 * size, and message ids have a bound of their own. Accounts and entries for servers stay, as on disk. Cursors, members,
 * places and the Lamport clock are useful only after a restart. There is none here, so they are dropped.
 */

import type { Filter } from "../../log/channel_lines.ts";
import { lostLinesIn } from "../../log/forgotten_lines.ts";
import { type LogPortion, portionOf, type Wanted } from "../../log/portion.ts";
import { hasActivities, type Position, type Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";
import { accountsAfter } from "./account_order.ts";
import { channelColumn } from "./channels/channel_column.ts";
import type { KeptByChannel } from "./channels/channel_counts.ts";
import { withLost } from "./channels/lost_channels.ts";
import { type KeptActivities, MemoryChannels } from "./channels/memory_channels.ts";
import { inboxChange } from "./inbox.ts";
import { MemoryMessageIds } from "./memory_message_ids.ts";
import { Queue } from "./queue.ts";
import { MemoryInbox } from "./memory_inbox.ts";
import {
  type ActivityRow,
  append,
  boundOf,
  checkBatch,
  emptyLog,
  findBeginning,
  findBuriable,
  findMissing,
  forgottenAtEnd,
  type Lookup,
  type OriginLog,
  planForgetting,
  planForgettingForUsers,
  vectorAt,
} from "./origin_log.ts";
import {
  type Account,
  type Batch,
  type Beginning,
  type BurialLimits,
  type EntryRange,
  type ForgetLimits,
  type Forgotten,
  type InboxPortion,
  MAX_ANONYMOUS_IDS,
  type Missing,
  type Renaming,
  type Store,
  type StoreState,
  type UsedMessageId,
  type WaitingMessage,
} from "./store.ts";

/** What a memory store is opened with. */
export interface MemoryStoreParts {
  /** This server's name as an origin: never used before, by any server. Made of `a-z`, `0-9` and `-`. */
  readonly serverId: string;
  /** Beyond this many message ids the oldest are forgotten, however young they are. */
  readonly maxMessageIds?: number;
  /** The same for clients without a name. */
  readonly maxAnonymousIds?: number;
}

/** With these the process grows by 11 MB. Without a bound, one client takes all memory within minutes. */
const MAX_MESSAGE_IDS = 250_000;
/** Work that one call of `forget` does at most: a millisecond. No bytes are touched, so only rows count. */
const FORGET_BUDGET = { rows: 1_000, bytes: Infinity, directMessages: 1_000, messageIds: 10_000 };

/** Opens an empty store. */
export function openMemoryStore(
  { serverId, maxMessageIds = MAX_MESSAGE_IDS, maxAnonymousIds = MAX_ANONYMOUS_IDS }: MemoryStoreParts,
): Store {
  return new MemoryStore(serverId, new MemoryMessageIds(maxMessageIds, maxAnonymousIds));
}

interface Origin {
  log: OriginLog;
  readonly activities: Queue<KeptActivities>;
  readonly forUsers: Queue<{ readonly segment: Segment }>;
  readonly forServers: Queue<{ readonly segment: Segment }>;
}

class MemoryStore implements Store {
  readonly opened: StoreState;
  readonly #origins = new Map<string, Origin>();
  readonly #channels = new MemoryChannels();
  readonly #tombstones = new Map<string, number>();
  readonly #accounts = new Map<string, Account>();
  readonly #inbox = new MemoryInbox();
  readonly #notes = new Map<string, string>();
  readonly hasRoom = true;
  readonly #messageIds: MemoryMessageIds;
  #serverId: string;
  #head: Position = 0;
  /** When the newest segment was taken in. */
  #takenAt = 0;

  readonly #lookup: Lookup = {
    activityAfter: (origin, sequence) => {
      const { activities } = this.#origins.get(origin)!;
      const kept = activities.at(activities.search(({ segment }) => segment.last > sequence));
      return kept && activityRow(kept);
    },
    firstMissing: (origin, sequence) => this.#lookup.activityAfter(origin, sequence),
    forUserAfter: (origin, sequence) => {
      const segment = segmentAfter(this.#origins.get(origin)!.forUsers, sequence);
      return segment && { ...segment, size: segment.bytes.length };
    },
    otherAfter: (origin, sequence) => {
      const { forUsers, forServers } = this.#origins.get(origin)!;
      const found = [forUsers, forServers].flatMap((queue) => segmentAfter(queue, sequence)?.position ?? []);
      return found.length === 0 ? undefined : Math.min(...found);
    },
  };

  constructor(serverId: string, messageIds: MemoryMessageIds) {
    this.#messageIds = messageIds;
    this.#serverId = serverId;
    this.opened = {
      serverId,
      lamport: 0,
      head: 0,
      vector: {},
      cursors: [],
      members: [],
      places: [],
      notes: {},
      tombstones: {},
    };
  }

  commit(batch: Batch): void {
    const { renamed } = batch;
    const sequenceAt = (origin: string) =>
      origin === renamed?.former
        ? renamed.after
        : this.#origins.get(origin)?.log.last ?? this.#tombstones.get(origin) ?? 0;
    checkBatch(batch, this.#head, this.#serverId, sequenceAt);
    if (batch.renamed !== undefined) this.#rename(batch.renamed);
    const change = inboxChange(batch, sequenceAt, this.#takenAt);
    for (const [origin, last] of Object.entries(batch.buried ?? {})) this.#bury(origin, last);
    for (const segment of batch.segments) {
      const origin = this.#origin(segment.origin);
      origin.log = append(origin.log, segment);
      const { activities, activityBytes } = origin.log;
      if (hasActivities(segment.audience)) {
        const kept: KeptActivities = { segment, size: segment.bytes.length, activities, activityBytes };
        origin.activities.push(kept);
        this.#channels.push(kept);
      } else if (segment.audience.kind === "user") origin.forUsers.push({ segment });
      else origin.forServers.push({ segment });
      this.#head = segment.position;
      this.#takenAt = segment.takenAt;
    }
    this.#inbox.apply(change);
    for (const account of batch.accounts) this.#accounts.set(account.username, account);
    this.#messageIds.write(batch.messageIds);
    for (const [key, value] of Object.entries(batch.notes ?? {})) {
      if (value === null) this.#notes.delete(key);
      else this.#notes.set(key, value);
    }
  }

  segmentsAfter(position: Position, maxBytes: number): Segment[] {
    const sources = [...this.#origins.values()]
      .flatMap(({ activities, forUsers, forServers }) => [activities, forUsers, forServers])
      .map((queue) => ({ queue, index: queue.search(({ segment }) => segment.position > position) }));
    const segments: Segment[] = [];
    let bytes = 0;
    for (;;) {
      let next: { source: (typeof sources)[number]; segment: Segment } | undefined;
      for (const source of sources) {
        const segment = source.queue.at(source.index)?.segment;
        if (segment !== undefined && (next === undefined || segment.position < next.segment.position)) {
          next = { source, segment };
        }
      }
      if (next === undefined) return segments;
      bytes += next.segment.bytes.length;
      if (segments.length > 0 && bytes > maxBytes) return segments;
      segments.push(next.segment);
      next.source.index++;
    }
  }

  portionAfter(position: Position, maxBytes: number, wanted: Wanted): LogPortion {
    return portionOf(this.segmentsAfter(position, maxBytes), position, wanted);
  }

  segmentsBefore(position: Position, maxBytes: number): Segment[] {
    const sources = [...this.#origins.values()]
      .flatMap(({ activities, forUsers, forServers }) => [activities, forUsers, forServers])
      .map((queue) => ({ queue, count: queue.search(({ segment }) => segment.position >= position) }));
    const segments: Segment[] = [];
    for (let bytes = 0;;) {
      let next: { source: (typeof sources)[number]; segment: Segment } | undefined;
      for (const source of sources) {
        const segment = source.count === 0 ? undefined : source.queue.at(source.count - 1)!.segment;
        if (segment !== undefined && segment.position > (next?.segment.position ?? 0)) next = { source, segment };
      }
      bytes += next?.segment.bytes.length ?? 0;
      if (next === undefined || (segments.length > 0 && bytes > maxBytes)) return segments.reverse();
      segments.push(next.segment);
      next.source.count--;
    }
  }

  boundOf(origin: string, sequence: number): Position | undefined {
    return boundOf(this.#origins.get(origin)?.log, sequence, this.#lookup);
  }

  beginning(): Beginning {
    return findBeginning({ logs: this.#logs(), tombstones: this.#tombstones });
  }

  missing(vector: Vector, filter?: Filter): Missing {
    const whole = { logs: this.#logs(), head: this.#head, tombstones: this.#tombstones };
    return findMissing(whole, vector, this.#lookup, filter);
  }

  missingAfter(position: Position): Missing {
    const missing = this.missing(this.vectorAt(position));
    return { ...missing, after: Math.min(position, this.#head) };
  }

  vectorAt(position: Position): Vector {
    return vectorAt(this.#logs(), position, this.#lookup);
  }

  account(username: string): Account | undefined {
    return this.#accounts.get(username);
  }

  accountsAfter(username: string, limit: number): Account[] {
    return accountsAfter(this.#accounts.values(), username, limit);
  }

  usernames(): string[] {
    return [...this.#accounts.keys()].sort();
  }

  note(key: string): string | undefined {
    return this.#notes.get(key);
  }

  buriable(
    before: BurialLimits,
    limit: number,
    { among, mayGo = () => true }: { among?: Iterable<string>; mayGo?(origin: string): boolean } = {},
  ): Vector {
    return findBuriable(this.#logs(among), before, limit, mayGo, (origin) => this.#inbox.awaits(origin));
  }

  segmentOf(name: string, sequence: number): Segment | undefined {
    const origin = this.#origins.get(name);
    if (origin === undefined) return undefined;
    const { activities, forUsers, forServers } = origin;
    const found = [activities, forUsers, forServers].map((queue) => segmentAfter(queue, sequence - 1));
    return found.find((segment) => segment !== undefined && segment.first <= sequence);
  }

  newestActivity(name: string): Position {
    const activities = this.#origins.get(name)?.activities;
    return activities?.at(activities.size - 1)?.segment.position ?? 0;
  }

  inboxOf(username: string, portion?: InboxPortion): WaitingMessage[] {
    return this.#inbox.of(username, portion);
  }

  inboxRange(username: string, range: EntryRange, maxBytes: number): WaitingMessage[] {
    return this.#inbox.rangeOf(username, range, maxBytes);
  }

  get inboxSize(): number {
    return this.#inbox.size;
  }

  get inboxSizes(): ReadonlyMap<string, number> {
    return this.#inbox.sizes;
  }

  get inboxOldest(): number | undefined {
    return this.#inbox.oldest;
  }

  usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    const used = this.#messageIds.find(username, messageId);
    // A forgotten origin has no entry to name. A search for its ids would go through all ids.
    return used !== undefined && this.#tombstones.has(used.origin) ? undefined : used;
  }

  forget(limits: ForgetLimits): Forgotten {
    const counted = { ...limits, maxBytes: this.#channels.maxBytes(limits) };
    const plan = planForgetting(this.#logs(), counted, FORGET_BUDGET, this.#lookup);
    for (const log of plan.logs) {
      const origin = this.#origins.get(log.origin)!;
      origin.log = log;
      const oldest = log.oldest?.position ?? Infinity;
      const count = origin.activities.search(({ segment }) => segment.position >= oldest);
      this.#channels.gone(origin.activities, 0, count);
      origin.activities.drop(count);
    }
    const channels = this.#channels.forget(limits, (name, facts) => {
      const origin = this.#origins.get(name)!;
      origin.log = { ...origin.log, lost: withLost(origin.log.lost, facts) };
    });
    const moreMessages = this.#inbox.forget(limits.directMessagesBefore, FORGET_BUDGET.directMessages);
    const forUsersLimits = { takenBefore: limits.directMessagesBefore, heldFrom: this.#inbox.heldFrom };
    const forUsers = planForgettingForUsers(this.#logs(), forUsersLimits, FORGET_BUDGET, this.#lookup);
    for (const { origin, position } of forUsers.rows) {
      const queue = this.#origins.get(origin)!.forUsers;
      queue.drop(queue.search(({ segment }) => segment.position > position));
    }
    for (const [name, oldestForUser] of forUsers.oldest) {
      const origin = this.#origins.get(name)!;
      origin.log = { ...origin.log, oldestForUser };
    }
    const moreMessageIds = this.#messageIds.forget(limits.usedBefore, FORGET_BUDGET.messageIds);
    const more = plan.more || forUsers.more || moreMessages || moreMessageIds || channels.more;
    const ofChannels = channels.upTo.size === 0 ? {} : { channels: channels.upTo };
    return { entries: plan.entries, upTo: plan.upTo, more, ...ofChannels };
  }

  keptByChannel(): KeptByChannel {
    let bytes = 0;
    for (const { activityBytes, oldest } of this.#logs()) {
      if (oldest !== undefined) bytes += activityBytes - oldest.activityBytes + oldest.size;
    }
    return this.#channels.kept(bytes);
  }

  diskUse(): undefined {
    return undefined;
  }

  checkFiles(): void {
    // There are none.
  }

  close(): void {
    this.#origins.clear();
    this.#tombstones.clear();
    this.#accounts.clear();
    this.#inbox.clear();
    this.#notes.clear();
    this.#messageIds.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #bury(name: string, last: number): void {
    this.#tombstones.set(name, Math.max(last, this.#tombstones.get(name) ?? 0));
    // Early deliveries of an origin that never came too.
    this.#inbox.forgetOrigin(name);
    const activities = this.#origins.get(name)?.activities;
    if (activities !== undefined) this.#channels.gone(activities, 0, activities.size);
    this.#origins.delete(name);
  }

  /** Removes everything with a number beyond the end of the former origin. */
  #rename({ former, after, serverId }: Renaming): void {
    this.#serverId = serverId;
    this.#inbox.cut(former, after);
    this.#messageIds.cut(former, after);
    const origin = this.#origins.get(former);
    if (origin === undefined) return;
    const isCut = ({ segment }: { readonly segment: Segment }) => segment.last > after;
    this.#channels.gone(origin.activities, origin.activities.search(isCut), origin.activities.size);
    for (const queue of [origin.activities, origin.forUsers, origin.forServers]) queue.cut(queue.search(isCut));
    const newest = [origin.activities, origin.forUsers, origin.forServers].map((queue) =>
      queue.at(queue.size - 1)?.segment
    )
      .reduce((a, b) => (b?.position ?? 0) > (a?.position ?? 0) ? b : a, undefined);
    const { activities = 0, activityBytes = 0 } = origin.activities.at(origin.activities.size - 1) ?? {};
    const oldest = origin.activities.at(0);
    const forUser = origin.forUsers.at(0)?.segment;
    if (after === 0) this.#origins.delete(former);
    origin.log = {
      ...origin.log,
      ...forgottenAtEnd(origin.log, after, newest && { ...newest, lost: lostLinesIn(newest) }),
      last: after,
      newest: newest?.position ?? 0,
      newestTakenAt: newest?.takenAt ?? 0,
      activities,
      activityBytes,
      oldest: oldest && activityRow(oldest),
      oldestForUser: forUser && { ...forUser, size: forUser.bytes.length },
    };
  }

  #origin(name: string): Origin {
    let origin = this.#origins.get(name);
    if (origin === undefined) {
      origin = { log: emptyLog(name), activities: new Queue(), forUsers: new Queue(), forServers: new Queue() };
      this.#origins.set(name, origin);
      this.#tombstones.delete(name);
    }
    return origin;
  }

  *#logs(names?: Iterable<string>): Iterable<OriginLog> {
    if (names === undefined) { for (const { log } of this.#origins.values()) yield log; }
    else {
      for (const name of names) {
        const origin = this.#origins.get(name);
        if (origin !== undefined) yield origin.log;
      }
    }
  }
}

/** The first segment that ends after `sequence`. */
function segmentAfter(queue: Queue<{ readonly segment: Segment }>, sequence: number): Segment | undefined {
  return queue.at(queue.search(({ segment }) => segment.last > sequence))?.segment;
}

function activityRow({ segment, size, activities, activityBytes }: KeptActivities): ActivityRow {
  const { position, first, last, takenAt } = segment;
  return {
    ...{ position, first, last, takenAt, size, activities, activityBytes },
    // A look-up seldom needs it.
    get channels() {
      return channelColumn(segment);
    },
  };
}
