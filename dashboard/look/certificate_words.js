// @ts-check
/** When a page says that a certificate ends. Pure: the time comes in. */

import { plural } from "../format.js";

const DAY_MS = 86_400_000;
/** As the servers say it in their logs. */
const SOON_DAYS = 30;
const NEAR_DAYS = 7;

/**
 * What to say of a certificate that ends at `endsAt`; `undefined` while that is far away, or nobody knows.
 *
 * @param {number | null | undefined} endsAt In milliseconds since 1970, as `now`.
 * @param {number} now
 * @returns {{ readonly text: string, readonly state: "warn" | "bad" } | undefined}
 */
export function certificateNote(endsAt, now) {
  if (endsAt == null) return undefined;
  const days = (endsAt - now) / DAY_MS;
  if (days <= 0) return { text: "a certificate has ended", state: "bad" };
  if (days > SOON_DAYS) return undefined;
  const left = days < 1 ? "within a day" : `in ${plural(Math.floor(days), "day")}`;
  return { text: `a certificate ends ${left}`, state: days <= NEAR_DAYS ? "bad" : "warn" };
}
