/** The limits at which a server refuses somebody or sends somebody away. Its metrics count by these names. */

import { RATE_NAMES } from "./address_rates.ts";

/** All of them, in the order of the metrics. */
export const LIMIT_NAMES = [
  "places",
  "lobby",
  "connections",
  "unidentified",
  ...RATE_NAMES,
  "secrets",
  "channels",
  "inbox",
] as const;
/** One of them. */
export type LimitName = typeof LIMIT_NAMES[number];
