/**
 * Rulings: what an operator lays down about a user or about addresses, for all servers of the network. Each is a record
 * (`server/rights/records.ts`), so of two about one thing the later one holds everywhere. This file says what the
 * records hold, and reads them: another server may have written anything. Pure.
 */

import { addressRangeText, parseAddressRange } from "../../config/address_range.ts";
import type { Claimed } from "../../log/precedes.ts";
import { plainAddress } from "../../platform/address.ts";
import { isWhole } from "../../protocol/fields.ts";
import { usernameProblem } from "../../protocol/names.ts";
import { isServerId } from "../../protocol/server_id.ts";

/**
 * The kinds, as records name them. Append only. `ban`: the user is let in nowhere. `bannedAddress`: nobody from these
 * addresses is. `disabled`: the account can be used nowhere. `deleted`: the account is gone, and its name is nobody's
 * any more. `secret`: the account has another secret.
 */
export const RULING_KINDS = ["ban", "bannedAddress", "disabled", "deleted", "secret"] as const;
/** One of them. */
export type RulingKind = typeof RULING_KINDS[number];

/** What is said of a ruling. Which of these there are depends on its kind. */
export interface RulingTerms {
  /** Of a ban: when it ends by itself, in milliseconds since 1970. */
  readonly until?: number;
  /** What the one who is shown out reads. */
  readonly why?: string;
  /** Of a new secret. */
  readonly verifier?: string;
  /**
   * The registration that a new secret, or a deletion, is about. It says nothing of another account of this name, which
   * other servers may have taken in before they knew of this one.
   */
  readonly claim?: Claimed;
  /** Who wants it: `user`, or where the operator came from. */
  readonly by: string;
}

/** A ruling, with what it is about: a username, or a range of addresses. */
export interface Ruling {
  readonly kind: RulingKind;
  readonly about: string;
  /** `undefined` lifts an earlier one. */
  readonly terms: RulingTerms | undefined;
}

/** The longest reason, in UTF-16 units. */
export const MAX_WHY_LENGTH = 200;
const MAX_BY_LENGTH = 255;
const MAX_VERIFIER_LENGTH = 512;
/** The highest number of milliseconds since 1970 that is a date. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/** Whether records of this kind are rulings. */
export function isRulingKind(of: string): of is RulingKind {
  return (RULING_KINDS as readonly string[]).includes(of);
}

/** `ruling` in its one form, or what is wrong with it. */
export function checkRuling({ kind, about, terms }: Ruling): Ruling | { readonly problem: string } {
  const range = kind === "bannedAddress" ? parseAddressRange(plainAddress(about)) : undefined;
  const key = range === undefined ? about : addressRangeText(range);
  const problem = kind === "bannedAddress" && range === undefined
    ? `${JSON.stringify(about)} is no address and no range such as 10.0.0.0/8`
    : terms === undefined && (kind === "deleted" || kind === "secret")
    ? "this cannot be taken back"
    : keyProblem(kind, key) ?? (terms && termsProblem(kind, terms));
  return problem === undefined ? { kind, about: key, terms } : { problem };
}

/** The terms in a record; `undefined` if they make no sense. Nobody acts on such a record. */
export function readTerms(kind: RulingKind, key: string, value: unknown): RulingTerms | undefined {
  if (typeof value !== "object" || value === null || keyProblem(kind, key) !== undefined) return undefined;
  const terms = value as RulingTerms;
  return termsProblem(kind, terms) === undefined ? terms : undefined;
}

function keyProblem(kind: RulingKind, key: string): string | undefined {
  if (kind !== "bannedAddress") return usernameProblem(key);
  const range = parseAddressRange(key);
  return range === undefined || addressRangeText(range) !== key ? "this is no range of addresses" : undefined;
}

function termsProblem(kind: RulingKind, terms: RulingTerms): string | undefined {
  const { until, why, verifier, claim, by } = terms as Readonly<Record<keyof RulingTerms, unknown>>;
  const ends = kind === "ban" || kind === "bannedAddress";
  if (until !== undefined && !(ends && isWhole(until, MAX_TIME_MS))) return '"until" must be milliseconds since 1970';
  if (why !== undefined && (why === "" || !isText(why, MAX_WHY_LENGTH))) {
    return `a reason has 1 to ${MAX_WHY_LENGTH} characters, on one line`;
  }
  const isVerifier = typeof verifier === "string" && /^[\x21-\x7e]+$/.test(verifier) &&
    verifier.length <= MAX_VERIFIER_LENGTH;
  if (kind === "secret" ? !isVerifier : verifier !== undefined) return '"verifier" is none';
  const { lamport, origin } = (claim ?? {}) as Readonly<Record<keyof Claimed, unknown>>;
  const isClaim = isWhole(lamport, Number.MAX_SAFE_INTEGER) && typeof origin === "string" && isServerId(origin);
  if (kind === "secret" || kind === "deleted" ? !isClaim : claim !== undefined) return '"claim" is none';
  return isText(by, MAX_BY_LENGTH) ? undefined : `"by" has at most ${MAX_BY_LENGTH} characters`;
}

function isText(value: unknown, most: number): boolean {
  return typeof value === "string" && value.length <= most && value.isWellFormed() && !/\p{Cc}/u.test(value);
}
