/**
 * Tickets. A server gives one to a client at login, and the next login, at any server, needs no derivation from the
 * secret. Otherwise, after a server failed, all its clients' secrets would be derived elsewhere at once. A ticket is
 * worth nothing without the key of its server, which only servers know. It is worth nothing without its secret, or
 * after the account's secret changed.
 */

import type { SecretCrypto } from "../../platform/crypto.ts";
import { toHex } from "../../platform/hex.ts";

/** The facts that a ticket proves. Times are milliseconds since 1970. */
export interface TicketClaims {
  /** The server that made the ticket, with its key. */
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

/** The login that a ticket should prove. */
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
/** The most that the clocks of two servers may differ. */
export const TICKET_SKEW_MS = 600_000;

/**
 * Server, expiry and derivation in base 36, digest of the secret, code. Only the server's name may hold dots. Tickets
 * of version 0.1.0 have neither derivation nor digest: they are no tickets here, and these are none there.
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

/** When a ticket of now expires. Renewing a ticket does not make it good for longer than `maxAgeMs`. */
export function ticketExpiry(provenAtMs: number, nowMs: number, maxAgeMs: number): number {
  return Math.min(nowMs + TICKET_LIFETIME_MS, provenAtMs + maxAgeMs);
}

/** Whether a proof of that time counts. It does not if it is too old, or if a wrong clock put it in the future. */
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
 * Checks `ticket` for the account of this username and verifier. `keyOf` gives the key of a server; `undefined` if
 * unknown. Never throws, for any `ticket`.
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
  // No known name holds a NUL, so no two tickets give the same text.
  return crypto.hmac(key, ["ticket", ...stated, username, verifier].join("\0"));
}

/** With a key, so that nobody can try secrets with a ticket alone. */
function digestOf(key: string, username: string, secret: string, crypto: SecretCrypto): string {
  return crypto.hmac(key, ["secret", username, secret].join("\0")).slice(0, DIGEST_DIGITS);
}
