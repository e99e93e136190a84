/**
 * Tickets: what a server gives a client at login, so that its next login, at whichever server, needs no derivation from the secret. A server that
 * fails would otherwise have all its clients' secrets derived elsewhere at once. A ticket is worth nothing without its server's key, which only
 * servers know, without the secret that it was given for, nor once the account's secret is another. Pure but for the cryptography that it is handed.
 */

import type { SecretCrypto } from "../../platform/crypto.ts";
import { toHex } from "./verifier.ts";

/** What a ticket vouches for. Times are milliseconds since 1970. */
export interface TicketClaims {
  /** The server that made it, and whose key it was made with. */
  readonly serverId: string;
  readonly username: string;
  /** What the user has proved to know. */
  readonly secret: string;
  /** The account's verifier at that time: a ticket is over when it changes. */
  readonly verifier: string;
  /** When the secret was derived and found right. A ticket that takes the place of another one keeps this. */
  readonly provenAtMs: number;
  /** From then on it is worth nothing. */
  readonly expiresAtMs: number;
}

/** What a ticket is to be good for. */
export interface TicketQuestion extends Pick<TicketClaims, "username" | "secret" | "verifier"> {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** How long ago the secret may have been derived. */
  readonly maxAgeMs: number;
}

/** What a ticket is worth. */
export type TicketWorth =
  /** The secret is the right one. */
  | { readonly kind: "good"; readonly provenAtMs: number }
  /** The secret is another one than that for which it was given. */
  | { readonly kind: "wrongSecret" }
  /** It says nothing: it is none, another's, or not of this time. */
  | { readonly kind: "nothing" };

/** How long a ticket is good for. A server that keeps running gives out a new one with each login. */
export const TICKET_LIFETIME_MS = 24 * 3_600_000;
/** By so much the clocks of two servers may differ. */
export const TICKET_SKEW_MS = 600_000;

/**
 * Server, expiry and derivation in base 36, digest of the secret, code. The server's name may hold dots; the rest cannot. Tickets of version 0.1.0 have neither derivation nor
 * digest: they are none here, as these are none there.
 */
const TICKET = /^(.+)\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([0-9a-f]{32})\.([0-9a-f]{64})$/;
const KEY_BYTES = 32;
const DIGEST_DIGITS = 32;
const NOTHING: TicketWorth = Object.freeze({ kind: "nothing" });
const encoder = new TextEncoder();

/** A new key, as 64 hexadecimal digits. */
export function makeTicketKey(crypto: SecretCrypto): string {
  return toHex(crypto.randomBytes(KEY_BYTES));
}

/** When a ticket that is made now expires, so that renewing it does not make it good for longer than `maxAgeMs`. */
export function ticketExpiry(provenAtMs: number, nowMs: number, maxAgeMs: number): number {
  return Math.min(nowMs + TICKET_LIFETIME_MS, provenAtMs + maxAgeMs);
}

/** Whether what was proved at that time counts: not if it is too long ago, nor if a clock was wrong and it is still to come. */
export function stillProven(provenAtMs: number, nowMs: number, maxAgeMs: number): boolean {
  return provenAtMs <= nowMs + TICKET_SKEW_MS && nowMs - provenAtMs < maxAgeMs;
}

/** Makes a ticket with the key of `claims.serverId`: `"<serverId>.<expiry>.<derivation>.<digest>.<code>"`. */
export function makeTicket(key: string, claims: TicketClaims, crypto: SecretCrypto): string {
  const { serverId, username, secret, verifier, provenAtMs, expiresAtMs } = claims;
  const stated = [serverId, expiresAtMs.toString(36), provenAtMs.toString(36), digestOf(key, username, secret, crypto)];
  return [...stated, codeOf(key, stated, username, verifier, crypto)].join(".");
}

/**
 * What `ticket` is worth for the account of that username and verifier. `keyOf` gives the key of a server; `undefined` where it is not
 * known. Never throws, whatever `ticket` is.
 */
export function checkTicket(
  ticket: string,
  { username, secret, verifier, nowMs, maxAgeMs }: TicketQuestion,
  keyOf: (serverId: string) => string | undefined,
  crypto: SecretCrypto,
): TicketWorth {
  const [, serverId, expiry, derivation, digest, code] = TICKET.exec(ticket) ?? [];
  if (serverId === undefined || code === undefined) return NOTHING;
  const key = keyOf(serverId);
  if (key === undefined) return NOTHING;
  const isEqual = (a: string, b: string) => crypto.isEqual(encoder.encode(a), encoder.encode(b));
  const expected = codeOf(key, [serverId, expiry!, derivation!, digest!], username, verifier, crypto);
  if (!isEqual(code, expected)) return NOTHING;
  const provenAtMs = Number.parseInt(derivation!, 36);
  const expiresAtMs = Number.parseInt(expiry!, 36);
  const isOfThisTime = nowMs < expiresAtMs && expiresAtMs <= nowMs + TICKET_LIFETIME_MS + TICKET_SKEW_MS;
  if (!isOfThisTime || !stillProven(provenAtMs, nowMs, maxAgeMs)) return NOTHING;
  return isEqual(digest!, digestOf(key, username, secret, crypto))
    ? { kind: "good", provenAtMs }
    : { kind: "wrongSecret" };
}

function codeOf(
  key: string,
  stated: readonly string[],
  username: string,
  verifier: string,
  crypto: SecretCrypto,
): string {
  // No name that is known holds a NUL, so that no two tickets are written the same.
  return crypto.hmac(key, ["ticket", ...stated, username, verifier].join("\0"));
}

/** Keyed, so that nobody can try secrets with a ticket alone. */
function digestOf(key: string, username: string, secret: string, crypto: SecretCrypto): string {
  return crypto.hmac(key, ["secret", username, secret].join("\0")).slice(0, DIGEST_DIGITS);
}
