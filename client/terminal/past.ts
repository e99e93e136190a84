/**
 * The past, before what comes live: what a chat and `listen` begin with. Nothing is shown twice: the vector that the
 * client began with says what does not come live.
 */

import { RecentSet } from "../../log/recent.ts";
import type { Vector } from "../../log/vector.ts";
import { covers, NO_CHANNEL } from "../../protocol/channels/channel_name.ts";
import type { Activity, Client } from "../options.ts";
import { isCovered } from "../past.ts";

/** The part of the past that is wanted. */
export interface WantedPast {
  /** The newest so many; all when it is left out. */
  readonly last?: number | undefined;
  /** As `HistoryOptions.since`. */
  readonly since?: string | number | undefined;
  /** Names and patterns of channels; what has no channel when it is left out. */
  readonly channels?: readonly string[] | undefined;
}

/** Asked for at once. */
const PAGE_ACTIVITIES = 500;
/** So many of the oldest pages are kept until they are shown. The others are asked for once more then. */
const KEPT_PAGES = 3;
/** Ids of what was shown last, as two patterns may stand for one channel. */
const MAX_SHOWN = 10_000;

interface Page {
  readonly before: string | undefined;
  readonly limit: number;
  activities: readonly Activity[] | undefined;
}

/**
 * What was said before `client` began with the vector `start`, the oldest first. Servers tell the past backwards, so
 * the pages are found first. However long the past is, few pages are in memory; but with `last` and several channels
 * that do not stand for one another, the last so many are.
 * @throws the errors of `Client.history`.
 */
export async function* pastOf(
  client: Pick<Client, "history">,
  start: Vector,
  { channels = [NO_CHANNEL], ...wanted }: WantedPast,
  signal?: AbortSignal,
): AsyncGenerator<Activity> {
  const pasts = widest(channels).map((channel) => pastOfOne(client, start, { ...wanted, channel }, signal));
  const { last } = wanted;
  if (pasts.length === 1) return yield* pasts[0]!;
  if (last === undefined) return yield* merged(pasts);
  const kept: Activity[] = [];
  for await (const activity of merged(pasts)) {
    kept.push(activity);
    if (kept.length >= 2 * last) kept.splice(0, kept.length - last);
  }
  yield* kept.slice(Math.max(0, kept.length - last));
}

/** These without those that others of them stand for. */
function widest(patterns: readonly string[]): string[] {
  const each = [...new Set(patterns)];
  return each.filter((pattern) => !each.some((other) => other !== pattern && covers(other, pattern)));
}

/** All of these in one order, each once. Nobody but the server knows that of its log, so their times have to do. */
async function* merged(pasts: readonly AsyncGenerator<Activity>[]): AsyncGenerator<Activity> {
  const shown = new RecentSet<string>(MAX_SHOWN);
  const heads: { activity: Activity; readonly rest: AsyncGenerator<Activity> }[] = [];
  for (const rest of pasts) {
    const { value, done } = await rest.next();
    if (!done) heads.push({ activity: value, rest });
  }
  while (heads.length > 0) {
    const head = heads.reduce((one, other) => other.activity.lamport < one.activity.lamport ? other : one);
    if (!shown.has(head.activity.id)) yield head.activity;
    shown.add(head.activity.id);
    const { value, done } = await head.rest.next();
    if (done) heads.splice(heads.indexOf(head), 1);
    else head.activity = value;
  }
}

/** The same of one channel, or of one pattern. */
async function* pastOfOne(
  client: Pick<Client, "history">,
  start: Vector,
  { last = Infinity, since, channel }: Omit<WantedPast, "channels"> & { readonly channel: string },
  signal: AbortSignal | undefined,
): AsyncGenerator<Activity> {
  const options = {
    ...(since === undefined ? {} : { since }),
    // Servers that know no channels are not asked for one.
    ...(channel === NO_CHANNEL ? {} : { channel }),
    ...(signal === undefined ? {} : { signal }),
  };
  const pages: Page[] = [];
  let before: string | undefined;
  for (let left = last; left > 0;) {
    const page = await ask(before, Math.min(PAGE_ACTIVITIES, left));
    left -= page.activities!.length;
    pages.push(page);
    const old = pages.length - 1 - KEPT_PAGES;
    // The newest page has no end that could be named: what is said meanwhile would push out its beginning.
    if (old > 0) pages[old]!.activities = undefined;
    if (page.next === undefined) break;
    before = page.next;
  }
  for (const page of pages.toReversed()) {
    const activities = page.activities ?? (await ask(page.before, page.limit)).activities!;
    page.activities = undefined;
    yield* activities;
  }

  async function ask(before: string | undefined, limit: number): Promise<Page & { readonly next: string | undefined }> {
    const past = await client.history({ limit, ...(before === undefined ? {} : { before }), ...options });
    return { before, limit, activities: past.activities.filter(({ id }) => isCovered(id, start)), next: past.before };
  }
}
