/**
 * What a chat has shown of late: two patterns may stand for one channel, and what was said before may come live, too.
 * Pure.
 */

import { RecentMap } from "../../../log/recent.ts";
import type { Activity } from "../../options.ts";

/** More than comes while somebody joins a channel. */
export const MAX_SHOWN = 10_000;

/** Keeps the newest ones. */
export class ShownActivities {
  /**
   * When each was published, by id: a server that lost its newest entries gives their ids to others. `undefined` where
   * only the id is known.
   */
  readonly #sentAt = new RecentMap<string, number | undefined>(MAX_SHOWN);

  /** Whether it was shown. */
  has({ id, sentAt }: Pick<Activity, "id" | "sentAt">): boolean {
    return this.#sentAt.has(id) && (this.#sentAt.get(id) ?? sentAt) === sentAt;
  }

  /** Whether what has this id was shown. */
  hasId(id: string): boolean {
    return this.#sentAt.has(id);
  }

  /** It is shown now. */
  add(id: string, sentAt?: number): void {
    this.#sentAt.renew(id, sentAt);
  }
}
