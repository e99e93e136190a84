/**
 * Which records of operators say nothing any more: bans and invitations that have ended by themselves, long ago. What
 * has no end of its own stays, also what was taken back: an older record that comes later must not hold again. Pure.
 */

import { INVITATIONS, invitationsOf, USES } from "./invitations.ts";
import type { Records } from "./records.ts";

/** Which record. */
export interface RecordName {
  readonly of: string;
  readonly key: string;
}

/** The kinds that end at an `until` in their values. */
const BANS = ["ban", "bannedAddress"] as const;

/** Those that ended before `endedBefore`, in milliseconds since 1970; with an invitation its used places. */
export function endedRecords(records: Pick<Records, "of" | "get">, endedBefore: number): RecordName[] {
  const bans = BANS.flatMap((of) =>
    [...records.of(of)].filter(([, value]) => untilOf(value) < endedBefore).map(([key]) => ({ of, key }))
  );
  const ended = new Set(
    invitationsOf(records, endedBefore).filter(({ until }) => until !== null && until < endedBefore).map(({ key }) =>
      key
    ),
  );
  if (ended.size === 0) return bans;
  const places = [...records.of(USES)].filter(([place]) => ended.has(place.slice(0, place.indexOf(":"))));
  return [
    ...bans,
    ...[...ended].map((key) => ({ of: INVITATIONS, key })),
    ...places.map(([key]) => ({ of: USES, key })),
  ];
}

function untilOf(value: unknown): number {
  const until = (value as { readonly until?: unknown } | null)?.until;
  return typeof until === "number" ? until : Infinity;
}
