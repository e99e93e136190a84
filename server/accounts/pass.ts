/**
 * Passes. With one, a page that was loaded anew goes on without its user's secret: it logs in once, for a few hours, at
 * any server, and the login gives the next one. A server keeps no pass. It makes one with its key, as it makes tickets,
 * and knows it again. What it keeps is a digest of each that must not count any more (`SpentPasses`). Others hear of
 * these.
 */

import type { SecretCrypto } from "../../platform/crypto.ts";
import { toHex } from "../../platform/hex.ts";

/** The facts that a pass proves. Times are milliseconds since 1970. */
export interface PassClaims {
  /** The server that made it, with its key. */
  readonly serverId: string;
  readonly username: string;
  /** The account's verifier: a pass is over when it changes. */
  readonly verifier: string;
  /** When the secret was derived and found right. */
  readonly provenAtMs: number;
  readonly expiresAtMs: number;
}

/** A pass that is right. Whether it is spent is another question. */
export interface GoodPass {
  readonly provenAtMs: number;
  readonly expiresAtMs: number;
  readonly digest: string;
}

/** The login that a pass should prove. */
export interface PassQuestion extends Pick<PassClaims, "username" | "verifier"> {
  readonly nowMs: number;
  /** How long a pass of this network is good for, at most. */
  readonly lifetimeMs: number;
}

/** A server's name, expiry and derivation in base 36, a number that nobody else has, the code. */
const PASS = /^(.+)\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([0-9a-f]{32})\.([0-9a-f]{64})$/;
const NONCE_BYTES = 16;
/** The most that the clocks of two servers may differ, as for tickets. */
const SKEW_MS = 600_000;
/** The part of its SHA-256 by which a pass is known. */
const DIGEST_DIGITS = 32;
/** So many passes that are spent, and have not expired. Beyond it no pass counts: nobody could tell which is spent. */
const MAX_SPENT = 200_000;
/** More than come at a time, so that they do not grow in number. */
const FORGET_AT_ONCE = 4;
const encoder = new TextEncoder();

/** Makes a pass with the key of `claims.serverId`. */
export function makePass(key: string, claims: PassClaims, crypto: SecretCrypto): string {
  const { serverId, expiresAtMs, provenAtMs } = claims;
  const nonce = toHex(crypto.randomBytes(NONCE_BYTES));
  const stated = [serverId, expiresAtMs.toString(36), provenAtMs.toString(36), nonce];
  return [...stated, codeOf(key, stated, claims, crypto)].join(".");
}

/**
 * What `pass` proves for the account of this username and verifier; `undefined` for nothing. `keyOf` gives the key of a
 * server. Never throws, for any `pass`.
 */
export function checkPass(
  pass: string,
  { username, verifier, nowMs, lifetimeMs }: PassQuestion,
  keyOf: (serverId: string) => string | undefined,
  crypto: SecretCrypto,
): GoodPass | undefined {
  const [, serverId, expiry, derivation, nonce, code] = PASS.exec(pass) ?? [];
  if (serverId === undefined || code === undefined) return undefined;
  const key = keyOf(serverId);
  if (key === undefined) return undefined;
  const expected = codeOf(key, [serverId, expiry!, derivation!, nonce!], { username, verifier }, crypto);
  if (!crypto.isEqual(encoder.encode(code), encoder.encode(expected))) return undefined;
  const expiresAtMs = Number.parseInt(expiry!, 36);
  // One that seems to come from the future was made by a wrong clock.
  if (nowMs >= expiresAtMs || expiresAtMs > nowMs + lifetimeMs + SKEW_MS) return undefined;
  return { provenAtMs: Number.parseInt(derivation!, 36), expiresAtMs, digest: passDigest(pass, crypto) };
}

/** By which a pass is known, and from which nobody can make it. */
function passDigest(pass: string, crypto: SecretCrypto): string {
  return crypto.digest(pass).slice(0, DIGEST_DIGITS);
}

function codeOf(
  key: string,
  stated: readonly string[],
  { username, verifier }: Pick<PassClaims, "username" | "verifier">,
  crypto: SecretCrypto,
): string {
  // Another word than in a ticket: none is the other. No known name holds a NUL, so no two give the same text.
  return crypto.hmac(key, ["pass", ...stated, username, verifier].join("\0"));
}

/** Passes that were used or given back, by their digests. */
export class SpentPasses {
  /** When each expires. In the order in which they came. */
  readonly #expiresAt = new Map<string, number>();

  /** Whether the pass with this digest must not count. */
  has(digest: string): boolean {
    return this.#expiresAt.has(digest) || this.#expiresAt.size >= MAX_SPENT;
  }

  /** It must not count from now on. Gives whether that is new. */
  add(digest: string, expiresAtMs: number, nowMs: number): boolean {
    if (!(expiresAtMs > nowMs) || this.#expiresAt.has(digest)) return false;
    if (this.#expiresAt.size >= MAX_SPENT) return false;
    this.#expiresAt.set(digest, expiresAtMs);
    return true;
  }

  /** At most the newest `limit`. */
  newest(limit: number): [digest: string, expiresAtMs: number][] {
    return [...this.#expiresAt].slice(-limit);
  }

  /** Forgets the oldest that have expired, a few at a time, and gives their digests. */
  forgetOld(nowMs: number): string[] {
    const old: string[] = [];
    for (const [digest, expiresAtMs] of this.#expiresAt) {
      if (expiresAtMs > nowMs || old.length >= FORGET_AT_ONCE) break;
      old.push(digest);
    }
    for (const digest of old) this.#expiresAt.delete(digest);
    return old;
  }
}
