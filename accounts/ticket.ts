/**
 * Tickets: what a server gives a client at login, so that its next login, at whichever server, needs no derivation from the secret. A server that
 * fails would otherwise have all its clients' secrets derived elsewhere at once. A ticket is worth nothing without its server's key, which only
 * servers know, nor once the account's secret is another. Pure but for the cryptography that it is handed.
 */

import type { SecretCrypto } from "../platform/crypto.ts";
import { toHex } from "./verifier.ts";

/** What a ticket vouches for. */
export interface TicketClaims {
  /** The server that made it, and whose key it was made with. */
  readonly serverId: string;
  readonly username: string;
  /** The account's verifier at that time: a ticket is over when it changes. */
  readonly verifier: string;
  /** Milliseconds since 1970; from then on it is worth nothing. */
  readonly expiresAtMs: number;
}

/** How long a ticket is good for. A server that keeps running gives out a new one with each login. */
export const TICKET_LIFETIME_MS = 24 * 3_600_000;

/** Server, expiry in base 36, code. The server's name may hold dots; the rest cannot. */
const TICKET = /^(.+)\.([0-9a-z]{1,11})\.([0-9a-f]{64})$/;
const KEY_BYTES = 32;
const encoder = new TextEncoder();

/** A new key, as 64 hexadecimal digits. */
export function makeTicketKey(crypto: SecretCrypto): string {
  return toHex(crypto.randomBytes(KEY_BYTES));
}

/** Makes a ticket with the key of `claims.serverId`: `"<serverId>.<expiry>.<code>"`. */
export function makeTicket(key: string, claims: TicketClaims, crypto: SecretCrypto): string {
  const expiry = claims.expiresAtMs.toString(36);
  return `${claims.serverId}.${expiry}.${
    codeOf(key, claims.serverId, expiry, claims.username, claims.verifier, crypto)
  }`;
}

/**
 * Whether `ticket` is good for the account of that username and verifier now. `keyOf` gives the key of a server; `undefined` where it is not
 * known. Never throws, whatever `ticket` is.
 */
export function checkTicket(
  ticket: string,
  username: string,
  verifier: string,
  nowMs: number,
  keyOf: (serverId: string) => string | undefined,
  crypto: SecretCrypto,
): boolean {
  const [, serverId, expiry, code] = TICKET.exec(ticket) ?? [];
  if (serverId === undefined || expiry === undefined || code === undefined) return false;
  const key = keyOf(serverId);
  if (key === undefined || nowMs >= Number.parseInt(expiry, 36)) return false;
  const expected = codeOf(key, serverId, expiry, username, verifier, crypto);
  return crypto.isEqual(encoder.encode(code), encoder.encode(expected));
}

function codeOf(
  key: string,
  serverId: string,
  expiry: string,
  username: string,
  verifier: string,
  crypto: SecretCrypto,
): string {
  // No name that is known holds a NUL, so that no two tickets are written the same.
  return crypto.hmac(key, [serverId, expiry, username, verifier].join("\0"));
}
