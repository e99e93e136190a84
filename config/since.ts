/** What `listen --since` takes: a span of time, an entry, or everything. Pure. */

import type { Reader } from "./values.ts";

/** From where on the past is wanted. */
export type Since =
  | { readonly kind: "span"; readonly ms: number }
  /** After the entry of this id. */
  | { readonly kind: "entry"; readonly id: string }
  /** All that is kept. */
  | { readonly kind: "all" };

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads where the past begins. */
export const SINCE: Reader<Since> = {
  allowed: "a time span (30s, 10m, 2h, 3d), the id of an activity, or all",
  read: parseSince,
};

/** What `given` means; `undefined` when it means nothing. */
export function parseSince(given: string): Since | undefined {
  if (given === "all") return { kind: "all" };
  const [, count, unit] = /^(\d{1,9}(?:\.\d+)?)([smhd])$/.exec(given) ?? [];
  if (count !== undefined) return { kind: "span", ms: Number(count) * UNITS[unit as keyof typeof UNITS] };
  return /^[^\s:]{1,64}:[1-9]\d{0,15}$/.test(given) ? { kind: "entry", id: given } : undefined;
}

/** The same as `Client.history` takes it, at the moment `nowMs`, in milliseconds since 1970. */
export function sinceOf(since: Since | undefined, nowMs: number): string | number | undefined {
  switch (since?.kind) {
    case "span":
      return Math.max(0, Math.floor(nowMs - since.ms));
    case "entry":
      return since.id;
    default:
      return undefined;
  }
}
