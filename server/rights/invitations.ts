/**
 * Invitations: codes with which somebody may register where registration is not open to all. An operator makes one for
 * a number of uses and until an end. The servers keep no code, but a digest of it. Each use is a numbered place of the
 * invitation, and is claimed in the network as a name is: so a place is used once, on whatever server. Pure.
 */

import type { Records } from "./records.ts";

/** The kind of record that an invitation is. Its key is `invitationKey` of the code. */
export const INVITATIONS = "invitation";
/** The kind of record that a used place is; its value is the name that was registered. */
export const USES = "use";

/** What an operator says of an invitation. */
export interface Invitation {
  /** How many names may be registered with it. */
  readonly uses: number;
  /** When it ends, in milliseconds since 1970; `null` for never. */
  readonly until: number | null;
  /** What it is for, for people. */
  readonly note?: string;
  /** Where the operator came from who made it. */
  readonly by?: string;
}

/** An invitation, and how it stands. */
export interface InvitationState extends Invitation {
  readonly key: string;
  /** How many places are used. */
  readonly used: number;
  readonly state: "open" | "usedUp" | "ended";
}

/** Why nobody can register with a code, in words. */
export const INVITATION_PROBLEMS = {
  unknown: "there is no such invitation",
  usedUp: "this invitation was used as often as it may be",
  ended: "this invitation has ended",
} as const;
/** A key of these. */
export type InvitationProblem = keyof typeof INVITATION_PROBLEMS;

/** The most uses that an invitation may have. */
export const MAX_USES = 100_000;
/** The longest note, in UTF-16 units. */
export const MAX_NOTE_LENGTH = 200;
/** Random bytes, and so characters of 5 bits each, in a code (`server/rights/readable_code.ts`): nobody guesses one. */
export const INVITATION_BYTES = 26;
/** So many digits of a key name an invitation at least, for people. */
export const MIN_ID_DIGITS = 4;
/** Places begin with a space, as no new name does. So servers of all versions lock them like names. */
const PLACE = /^ invitation ([0-9a-f]{32}) ([1-9]\d{0,5})$/;

/** By which servers know a code. People may write it in capitals, with spaces and with hyphens. */
export function invitationKey(code: string, digest: (text: string) => string): string {
  const plain = code.toLowerCase().replace(/[\s-]/g, "");
  return digest(`thrum invitation ${plain}`).slice(0, 32);
}

/** What is wrong with what an operator says of an invitation, in words. */
export function invitationFault({ uses, until, note }: Invitation): string | undefined {
  if (!Number.isSafeInteger(uses) || uses < 1 || uses > MAX_USES) {
    return `"uses" must be a number from 1 to ${MAX_USES}`;
  }
  if (until !== null && !Number.isSafeInteger(until)) return '"until" must be milliseconds since 1970, or null';
  if (
    note !== undefined && (note === "" || note.length > MAX_NOTE_LENGTH || !note.isWellFormed() || /\p{Cc}/u.test(note))
  ) {
    return `a note has 1 to ${MAX_NOTE_LENGTH} characters, on one line`;
  }
  return undefined;
}

/** Whether a name that is claimed is such a place. */
export function isPlaceOfInvitation(name: string): boolean {
  return PLACE.test(name);
}

/** The place `number`, as it is claimed. */
export function placeName(key: string, number: number): string {
  return ` invitation ${key} ${number}`;
}

/** The key of the record of a used place, from the name as which it is claimed. */
export function placeIn(name: string): string {
  const [, key, number] = PLACE.exec(name)!;
  return `${key}:${number}`;
}

/**
 * The key of the invitation that somebody means by `named`: its code, its key, or the beginning of its key. `"several"`
 * where more than one begins so, and `undefined` where none does.
 */
export function meantInvitation(
  named: string,
  records: Pick<Records, "of">,
  digest: (text: string) => string,
): { readonly key: string } | "several" | undefined {
  const keys = [...records.of(INVITATIONS)].map(([key]) => key);
  const ofCode = invitationKey(named, digest);
  if (keys.includes(ofCode)) return { key: ofCode };
  const digits = named.toLowerCase();
  const found = digits.length < MIN_ID_DIGITS ? [] : keys.filter((key) => key.startsWith(digits));
  return found.length > 1 ? "several" : found.length === 1 ? { key: found[0]! } : undefined;
}

/** All invitations that were not taken back. */
export function invitationsOf(records: Pick<Records, "of" | "get">, nowMs: number): InvitationState[] {
  const used = new Map<string, number>();
  for (const [place] of records.of(USES)) {
    const key = place.slice(0, place.indexOf(":"));
    used.set(key, (used.get(key) ?? 0) + 1);
  }
  return [...records.of(INVITATIONS)].flatMap(([key, value]) => {
    const invitation = readInvitation(value);
    if (invitation === undefined) return [];
    const count = used.get(key) ?? 0;
    const state = hasEnded(invitation, nowMs) ? "ended" : count >= invitation.uses ? "usedUp" : "open";
    return [{ key, ...invitation, used: count, state }];
  });
}

/** A place of the invitation `key` that is free here from `from` on, as it is claimed; or why there is none. */
export function freePlace(
  key: string,
  records: Pick<Records, "get">,
  nowMs: number,
  from = 1,
): { readonly ok: true; readonly place: string; readonly number: number } | {
  readonly ok: false;
  readonly problem: InvitationProblem;
} {
  const invitation = readInvitation(records.get(INVITATIONS, key));
  if (invitation === undefined) return { ok: false, problem: "unknown" };
  if (hasEnded(invitation, nowMs)) return { ok: false, problem: "ended" };
  for (let number = from; number <= invitation.uses; number++) {
    if (records.get(USES, `${key}:${number}`) === undefined) return { ok: true, place: placeName(key, number), number };
  }
  return { ok: false, problem: "usedUp" };
}

function hasEnded({ until }: Invitation, nowMs: number): boolean {
  return until !== null && nowMs >= until;
}

function readInvitation(value: unknown): Invitation | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { uses, until, note, by } = value as Partial<Invitation>;
  const invitation = {
    uses: uses!,
    until: until ?? null,
    ...(typeof note === "string" ? { note } : {}),
    ...(typeof by === "string" ? { by } : {}),
  };
  return invitationFault(invitation) === undefined ? invitation : undefined;
}
