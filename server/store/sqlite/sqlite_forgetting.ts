/**
 * What one call of `forget` takes out of the SQLite store: a little of each table, so that no turn waits for it. A part
 * of `sqlite_store.ts`, which owns the transactions. `server/store/origin_log.ts` decides about the log.
 */

import type { KeptByChannel } from "../channels/channel_counts.ts";
import {
  type ChannelPlan,
  ChannelRetention,
  type ForgottenLines,
  type RowsAfter,
} from "../channels/channel_retention.ts";
import { withLost } from "../channels/lost_channels.ts";
import type { Position } from "../../../log/segment.ts";
import { type ForgetPlan, type ForUsersPlan, planForgetting, planForgettingForUsers } from "../origin_log.ts";
import type { ForgetLimits, Forgotten } from "../store.ts";
import type { SqliteInbox } from "./sqlite_inbox.ts";
import type { IdsPlan, SqliteMessageIds } from "./sqlite_message_ids.ts";
import type { SqliteOrigins } from "./sqlite_origins.ts";
import type { SqliteSegments } from "./sqlite_segments.ts";
import type { Statements } from "./sqlite_statements.ts";

/** What it forgets from. */
export interface ForgettingParts {
  readonly statements: Statements;
  readonly origins: SqliteOrigins;
  readonly segments: SqliteSegments;
  readonly inbox: SqliteInbox;
  readonly messageIds: SqliteMessageIds;
}

/** What one call takes away. */
export interface ForgettingPlan {
  /** Of the log: activities, and entries for single users. */
  readonly log: ForgetPlan;
  readonly forUsers: ForUsersPlan;
  /** Lines of single channels. */
  readonly channels: ChannelPlan;
  /** Waiting direct messages up to this place. */
  readonly inboxUpTo: number;
  readonly messageIds: IdsPlan;
  /** Whether there is nothing to forget. */
  readonly isIdle: boolean;
  /** The answer of the call. */
  readonly forgotten: Forgotten;
}

/** The most work of one call: about 3 ms. Large rows are read to be deleted, so bytes count, too. */
const BUDGET = { rows: 200, bytes: 2_097_152, directMessages: 100, messageIds: 250, rewritten: 20 };

/** Forgets in two steps: a plan, and what it says. The database has all turns of the log then. */
export class SqliteForgetting {
  readonly #parts: ForgettingParts;
  readonly #channels = new ChannelRetention();
  readonly #withChannels: RowsAfter = (position, limit) => this.#parts.segments.withChannels(position, limit);

  constructor(parts: ForgettingParts) {
    this.#parts = parts;
  }

  /** As `Store.keptByChannel`. */
  get kept(): KeptByChannel {
    let bytes = 0;
    for (const { activityBytes, oldest } of this.#parts.origins.logs()) {
      if (oldest !== undefined) bytes += activityBytes - oldest.activityBytes + oldest.size;
    }
    return this.#channels.kept(bytes);
  }

  /** Rows have gone otherwise. */
  restart(): void {
    this.#channels.restart();
  }

  /** What goes by `limits`. Only reads. Used message ids up to position `idsUpTo` need no line of the log. */
  plan(limits: ForgetLimits, idsUpTo: Position): ForgettingPlan {
    const { directMessagesBefore, usedBefore } = limits;
    const { origins } = this.#parts;
    this.#channels.count(limits.channels, this.#withChannels);
    // Before all is counted, nobody knows how many bytes are left.
    const maxBytes = this.#channels.isComplete ? limits.maxBytes + this.#channels.forgottenBytes : Infinity;
    const log = planForgetting(origins.logs(), { ...limits, maxBytes }, BUDGET, origins);
    const ids = { upTo: idsUpTo, usedBefore };
    const planned = this.#channels.plan(limits.channels, this.#withChannels, ids, BUDGET.rewritten);
    // What goes as a whole is not forgotten line by line before.
    const gone = new Set(log.rows.map(({ position }) => position));
    const channels = { ...planned, segments: planned.segments.filter(({ row }) => !gone.has(row.position)) };
    const left = { ...BUDGET, rows: BUDGET.rows - log.rows.length };
    const inbox = this.#parts.inbox.planForgetting(directMessagesBefore, BUDGET.directMessages);
    const forUsersLimits = { takenBefore: directMessagesBefore, heldFrom: inbox.heldFrom };
    const forUsers = planForgettingForUsers(origins.logs(), forUsersLimits, left, origins);
    const messageIds = this.#parts.messageIds.planForgetting(usedBefore, BUDGET.messageIds);
    const more = log.more || forUsers.more || inbox.rows === BUDGET.directMessages || messageIds.more ||
      channels.more || !this.#channels.isComplete;
    const { segments, upTo } = channels;
    return {
      log,
      forUsers,
      channels,
      inboxUpTo: inbox.upTo,
      messageIds,
      isIdle: log.rows.length + forUsers.rows.length + segments.length + inbox.rows + messageIds.count === 0,
      forgotten: { entries: log.entries, upTo: log.upTo, more, ...(segments.length === 0 ? {} : { channels: upTo }) },
    };
  }

  /** Deletes the rows, within a transaction, and takes them out of memory. */
  write({ log, forUsers, channels, inboxUpTo, messageIds }: ForgettingPlan): void {
    const { statements, origins, segments } = this.#parts;
    for (const row of log.rows) if (row.channels !== null) this.#channels.gone(segments.factsOf(row));
    for (const { position } of [...log.rows, ...forUsers.rows]) statements.deleteSegment.run(position);
    origins.writeForgotten(log.logs);
    this.#parts.inbox.forget(inboxUpTo);
    this.#parts.messageIds.forget(messageIds);
    for (const changed of log.logs) origins.set(changed);
    for (const [name, oldestForUser] of forUsers.oldest) {
      origins.set({ ...origins.get(name)!.log, oldestForUser });
    }
    for (const lines of channels.segments) this.#forgetLines(lines);
  }

  #forgetLines(lines: ForgottenLines): void {
    const { origins, segments } = this.#parts;
    const { row: { origin, position }, facts } = lines;
    this.#channels.forgot(lines, segments.forgetLines(lines));
    const { log } = origins.get(origin)!;
    const { oldest } = log;
    const isOldest = oldest?.position === position;
    const changed = {
      ...log,
      lost: withLost(log.lost, facts),
      oldest: isOldest ? origins.activityAfter(origin, oldest.first - 1) : oldest,
    };
    origins.writeForgotten([changed]);
    origins.set(changed);
  }
}
