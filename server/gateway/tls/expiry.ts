/** When it is time to say that a certificate ends. Pure: the time comes in. */

import { counted } from "../../../protocol/counted.ts";

/** How near the end is: `"soon"` within 30 days, `"near"` within 7, and `"over"`. */
export type ExpiryStage = "far" | "soon" | "near" | "over";

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;
const NEAR_MS = 7 * DAY_MS;

/** How near the end at `endsAt` is. Both are milliseconds since 1970. */
export function expiryStage(endsAt: number, nowMs: number): ExpiryStage {
  const leftMs = endsAt - nowMs;
  return leftMs <= 0 ? "over" : leftMs <= NEAR_MS ? "near" : leftMs <= SOON_MS ? "soon" : "far";
}

/** The rest of a sentence about a certificate. `dayOf` writes the day of a moment. */
export function expirySentence(endsAt: number, nowMs: number, dayOf: (wallMs: number) => string): string {
  const leftMs = endsAt - nowMs;
  const day = dayOf(endsAt);
  if (leftMs <= 0) return `has ended on ${day}: clients refuse it. Renew it (thrum-server tls-init) and send SIGHUP`;
  const days = Math.floor(leftMs / DAY_MS);
  const left = days === 0 ? "within a day" : `in ${counted(days, "day")}`;
  return `ends ${left}, on ${day}: renew it (thrum-server tls-init) and send SIGHUP`;
}
