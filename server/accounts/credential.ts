/**
 * Recognises a secret again without keeping it and without scrypt: by a digest with a key that only this process knows.
 * A logged-in connection checks every activity with it. A client that comes back soon is recognised by it.
 */

import { RecentMap } from "../../log/recent.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import { toHex } from "../../platform/hex.ts";

/** Of a username and its secret. Worth nothing outside this process. */
export type Digest = string;

/** A login that went well. */
export interface Proven {
  /** Of the secret. Absent where the server was never told the secret. */
  readonly digest: Digest | undefined;
  /** When the secret was derived and found right, in milliseconds since 1970: perhaps for an earlier login. */
  readonly provenAtMs: number;
}

/** A login with the secret itself. */
export interface Recognised extends Proven {
  readonly digest: Digest;
}

/** Accounts whose last good login is remembered. That many reconnects at once cost no scrypt. */
const MAX_REMEMBERED = 20_000;
const KEY_BYTES = 32;
const encoder = new TextEncoder();

/** The key of one process, and the logins that it recognises. */
export class Credentials {
  readonly #crypto: SecretCrypto;
  readonly #key: string;
  /** Oldest login first. */
  readonly #remembered = new RecentMap<string, Recognised & { readonly verifier: string }>(MAX_REMEMBERED);

  constructor(crypto: SecretCrypto) {
    this.#crypto = crypto;
    this.#key = toHex(crypto.randomBytes(KEY_BYTES));
  }

  /** The digest of a pair. */
  digest(username: string, secret: string): Digest {
    // Neither key nor username can hold a NUL, so no two pairs give the same text.
    return this.#crypto.digest(`${this.#key}\0${username}\0${secret}`);
  }

  /** Whether two digests are of the same pair, in constant time. */
  isEqual(a: Digest, b: Digest): boolean {
    return this.#crypto.isEqual(encoder.encode(a), encoder.encode(b));
  }

  /** Notes a login that was verified against `verifier`. */
  remember(username: string, { digest, provenAtMs }: Recognised, verifier: string): void {
    this.#remembered.renew(username, { digest, provenAtMs, verifier });
  }

  /**
   * The last good login, if it was made against this verifier and `digest` is of its secret. `undefined` says nothing
   * about the secret.
   */
  recognise(username: string, digest: Digest, verifier: string): Recognised | undefined {
    const known = this.#remembered.get(username);
    return known?.verifier === verifier && this.isEqual(known.digest, digest) ? known : undefined;
  }
}
