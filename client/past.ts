/**
 * The past, as a client asks for it: the lines of a page are collected until the page is whole, and pages are asked for
 * until there is enough. Keeps the page that is coming; sends nothing itself.
 */

import { formatEntryId, parseEntryId } from "../protocol/entry_id.ts";
import type { HistoryFailedMessage, HistoryPageMessage, WireBeginning } from "../protocol/history_message.ts";
import type { ActivityBroadcastMessage } from "../protocol/message.ts";
import { activityOf } from "./activity.ts";
import { RefusedError } from "./errors.ts";
import type { HistoryOptions } from "./calls/call_options.ts";
import type { Activity, Past } from "./options.ts";

/** What a server says about the past. */
export type PastMessage = ActivityBroadcastMessage | HistoryPageMessage | HistoryFailedMessage;

/** A whole page. */
export interface WholePage {
  readonly command: "HISTORY_PAGE";
  /** The oldest first. */
  readonly activities: readonly Activity[];
  readonly end: HistoryPageMessage;
}

/** A question for one page. */
export interface PageQuestion {
  readonly limit: number;
  readonly before?: string;
  readonly since?: string | number;
  readonly channel?: string;
}

/** How many activities are meant by who does not say it. */
export const DEFAULT_LIMIT = 20;
/** Servers have fewer in a page. Of a server that has more, the rest is passed over. */
const MAX_LINES = 10_000;

/** The page that is coming on one connection. */
export class ComingPage {
  #activities: Activity[] = [];

  /** Takes what the server said. Gives the answer when it is whole. */
  take(message: PastMessage): WholePage | HistoryFailedMessage | undefined {
    if (message.command === "ACTIVITY_BROADCAST") {
      if (this.#activities.length < MAX_LINES) this.#activities.push(activityOf(message));
      return undefined;
    }
    const activities = this.#activities;
    this.#activities = [];
    return message.command === "HISTORY_FAILED" ? message : { command: message.command, activities, end: message };
  }

  /** The connection is over: the rest of the page does not come. */
  cutOff(): void {
    this.#activities = [];
  }
}

/**
 * Asks for pages, the newest first, until `limit` activities are there or nothing is left. What comes twice, as servers
 * may have different orders, is left out.
 * @throws {RangeError} when `limit` is no whole number from 1 on, or `since` is no time.
 */
export async function collectPast(
  { limit = DEFAULT_LIMIT, before, since, channel }: HistoryOptions,
  ask: (question: PageQuestion) => Promise<WholePage>,
): Promise<Past> {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError('"limit" must be a whole number from 1 on');
  const from = {
    ...(since === undefined ? {} : { since: sinceField(since) }),
    ...(channel === undefined ? {} : { channel }),
  };
  const pages: (readonly Activity[])[] = [];
  const ids = new Set<string>();
  let begins: WireBeginning | undefined;
  let isForgotten = false;
  let next = before;
  for (;;) {
    const question = { limit: limit - ids.size, ...(next === undefined ? {} : { before: next }), ...from };
    let page: WholePage;
    try {
      page = await ask(question);
    } catch (error) {
      // A server that the client came to meanwhile has not got so far. What there is is true, and more can be asked.
      const isElsewhere = error instanceof RefusedError && error.command === "HISTORY_FAILED" && pages.length > 0;
      if (!isElsewhere) throw error;
      return pastOf({ begins, isForgotten, next });
    }
    const { activities, end } = page;
    const fresh = activities.filter(({ id }) => !ids.has(id));
    for (const { id } of fresh) ids.add(id);
    pages.unshift(fresh);
    begins = end.begins;
    isForgotten = end.forgotten === true;
    const isStuck = end.more && (end.before === undefined || end.before === next);
    next = end.more && !isStuck ? end.before : undefined;
    if (next === undefined || ids.size >= limit) return pastOf({ begins, isForgotten, next });
  }

  function pastOf({ begins, isForgotten, next }: {
    readonly begins: WireBeginning | undefined;
    readonly isForgotten: boolean;
    readonly next: string | undefined;
  }): Past {
    return {
      activities: pages.flat(),
      before: next,
      begins: begins === undefined ? undefined : { id: begins.id, takenAt: begins.at },
      isForgotten,
    };
  }
}

/** The question as the line has it. */
export function historyMessage(
  question: PageQuestion,
): { readonly command: "HISTORY"; readonly [field: string]: unknown } {
  return { command: "HISTORY", ...question };
}

/** The error for a page that there is not. */
export function noPage({ info, reason }: HistoryFailedMessage): RefusedError {
  return new RefusedError(`Cannot tell the past: ${info}`, { command: "HISTORY_FAILED", info, reason });
}

/** An id as it is, and a time in whole milliseconds. */
function sinceField(since: string | number | Date): string | number {
  if (typeof since === "string") return since;
  const ms = Number(since);
  if (Number.isNaN(ms)) throw new RangeError('"since" is no time');
  return Math.min(Math.max(0, Math.floor(ms)), Number.MAX_SAFE_INTEGER);
}

/** Whether a client with this vector has the entry `id`, so that it does not come live. */
export function isCovered(id: string, vector: Readonly<Record<string, number>>): boolean {
  const entry = parseEntryId(id);
  return entry !== undefined && formatEntryId(entry) === id && entry.sequence <= (vector[entry.origin] ?? 0);
}
