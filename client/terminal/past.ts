/**
 * The past, before what comes live: what a chat and `listen` begin with. Nothing is shown twice: the vector that the
 * client began with says what does not come live.
 */

import type { Vector } from "../../log/vector.ts";
import type { Activity, Client } from "../options.ts";
import { isCovered } from "../past.ts";

/** The part of the past that is wanted. */
export interface WantedPast {
  /** The newest so many; all when it is left out. */
  readonly last?: number | undefined;
  /** As `HistoryOptions.since`. */
  readonly since?: string | number | undefined;
}

/** Asked for at once. */
const PAGE_ACTIVITIES = 500;
/** So many of the oldest pages are kept until they are shown. The others are asked for once more then. */
const KEPT_PAGES = 3;

interface Page {
  readonly before: string | undefined;
  readonly limit: number;
  activities: readonly Activity[] | undefined;
}

/**
 * What was said before `client` began with the vector `start`, the oldest first. Servers tell the past backwards, so
 * the pages are found first. However long the past is, few pages are in memory.
 * @throws the errors of `Client.history`.
 */
export async function* pastOf(
  client: Pick<Client, "history">,
  start: Vector,
  { last = Infinity, since }: WantedPast,
  signal?: AbortSignal,
): AsyncGenerator<Activity> {
  const options = { ...(since === undefined ? {} : { since }), ...(signal === undefined ? {} : { signal }) };
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
