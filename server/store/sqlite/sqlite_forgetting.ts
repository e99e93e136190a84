/**
 * What one call of `forget` takes out of the SQLite store: a little of each table, so that no turn waits for it. A part
 * of `sqlite_store.ts`, which owns the transactions. `server/store/origin_log.ts` decides about the log.
 */

import { type ForgetPlan, type ForUsersPlan, planForgetting, planForgettingForUsers } from "../origin_log.ts";
import type { ForgetLimits, Forgotten } from "../store.ts";
import type { SqliteInbox } from "./sqlite_inbox.ts";
import type { IdsPlan, SqliteMessageIds } from "./sqlite_message_ids.ts";
import type { SqliteOrigins } from "./sqlite_origins.ts";
import type { Statements } from "./sqlite_statements.ts";

/** What it forgets from. */
export interface ForgettingParts {
  readonly statements: Statements;
  readonly origins: SqliteOrigins;
  readonly inbox: SqliteInbox;
  readonly messageIds: SqliteMessageIds;
}

/** What one call takes away. */
export interface ForgettingPlan {
  /** Of the log: activities, and entries for single users. */
  readonly log: ForgetPlan;
  readonly forUsers: ForUsersPlan;
  /** Waiting direct messages up to this place. */
  readonly inboxUpTo: number;
  readonly messageIds: IdsPlan;
  /** Whether there is nothing to forget. */
  readonly isIdle: boolean;
  /** The answer of the call. */
  readonly forgotten: Forgotten;
}

/** The most work of one call: about 3 ms. Large rows are read to be deleted, so bytes count, too. */
const BUDGET = { rows: 200, bytes: 2_097_152, directMessages: 100, messageIds: 250 };

/** Forgets in two steps: a plan, and what it says. The database has all turns of the log then. */
export class SqliteForgetting {
  readonly #parts: ForgettingParts;

  constructor(parts: ForgettingParts) {
    this.#parts = parts;
  }

  /** What goes by `limits`. Only reads. */
  plan(limits: ForgetLimits): ForgettingPlan {
    const { directMessagesBefore, usedBefore } = limits;
    const { origins } = this.#parts;
    const log = planForgetting(origins.logs(), limits, BUDGET, origins);
    const left = { ...BUDGET, rows: BUDGET.rows - log.rows.length };
    const inbox = this.#parts.inbox.planForgetting(directMessagesBefore, BUDGET.directMessages);
    const forUsersLimits = { takenBefore: directMessagesBefore, heldFrom: inbox.heldFrom };
    const forUsers = planForgettingForUsers(origins.logs(), forUsersLimits, left, origins);
    const messageIds = this.#parts.messageIds.planForgetting(usedBefore, BUDGET.messageIds);
    const more = log.more || forUsers.more || inbox.rows === BUDGET.directMessages || messageIds.more;
    return {
      log,
      forUsers,
      inboxUpTo: inbox.upTo,
      messageIds,
      isIdle: log.rows.length + forUsers.rows.length + inbox.rows + messageIds.count === 0,
      forgotten: { entries: log.entries, upTo: log.upTo, more },
    };
  }

  /** Deletes the rows, within a transaction, and takes them out of memory. */
  write({ log, forUsers, inboxUpTo, messageIds }: ForgettingPlan): void {
    const { statements, origins } = this.#parts;
    for (const { position } of [...log.rows, ...forUsers.rows]) statements.deleteSegment.run(position);
    origins.writeForgotten(log.logs);
    this.#parts.inbox.forget(inboxUpTo);
    this.#parts.messageIds.forget(messageIds);
    for (const changed of log.logs) origins.set(changed);
    for (const [name, oldestForUser] of forUsers.oldest) {
      origins.set({ ...origins.get(name)!.log, oldestForUser });
    }
  }
}
