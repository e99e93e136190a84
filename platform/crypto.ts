/** The cryptography that accounts need, from `node:crypto`. The only place that makes randomness for secrets. */

import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hash,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from "node:crypto";

/** What `server/accounts/` needs; tests bring a fast one. */
export interface SecretCrypto {
  /** Derives `length` bytes with scrypt, off the event loop. `cost` is N, with r = 8 and p = 1. */
  scrypt(secret: string, salt: Uint8Array, cost: number, length: number): Promise<Uint8Array>;
  randomBytes(length: number): Uint8Array;
  /** SHA-256, as 64 hexadecimal digits. */
  digest(text: string): string;
  /** HMAC-SHA-256, as 64 hexadecimal digits: only who knows `key` can make it. */
  hmac(key: string, text: string): string;
  /** SHA-256 of bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** HMAC-SHA-256 of bytes. */
  hmacOf(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  /**
   * Seals `text` with AES-256-GCM under a key of 64 hexadecimal digits, as base64. `about` stays readable, and has to
   * be the same when it is opened.
   */
  seal(key: string, text: string, about: string): string;
  /** What was sealed; `undefined` with another key, about something else, or if anything of it was changed. */
  open(key: string, sealed: string, about: string): string | undefined;
  /** Compares in a time that does not tell where the two differ. `false` for different lengths. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean;
}

const SEAL_NONCE_BYTES = 12;
const SEAL_TAG_BYTES = 16;

/** Chance from `crypto`, for what is handed no other: evenly distributed from 0 up to but not including 1. */
export function chanceOf(crypto: SecretCrypto): number {
  return new DataView(crypto.randomBytes(4).buffer).getUint32(0) / 2 ** 32;
}

/** The real one. */
export const nodeCrypto: SecretCrypto = {
  scrypt(secret, salt, cost, length) {
    return new Promise((resolve, reject) => {
      // scrypt takes 128 × N × r bytes; Node refuses more than 32 MiB unless told.
      const maxmem = 2 * 128 * cost * 8;
      scrypt(secret, salt, length, { N: cost, r: 8, p: 1, maxmem }, (error, key) => {
        if (error) reject(error);
        else resolve(new Uint8Array(key));
      });
    });
  },
  randomBytes(length) {
    return new Uint8Array(randomBytes(length));
  },
  digest(text) {
    return hash("sha256", text, "hex");
  },
  hmac(key, text) {
    return createHmac("sha256", key).update(text).digest("hex");
  },
  sha256(bytes) {
    return new Uint8Array(createHash("sha256").update(bytes).digest());
  },
  hmacOf(key, bytes) {
    return new Uint8Array(createHmac("sha256", key).update(bytes).digest());
  },
  seal(key, text, about) {
    const nonce = randomBytes(SEAL_NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", Buffer.from(key, "hex"), nonce);
    cipher.setAAD(Buffer.from(about));
    return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64");
  },
  open(key, sealed, about) {
    const bytes = Buffer.from(sealed, "base64");
    if (bytes.length < SEAL_NONCE_BYTES + SEAL_TAG_BYTES) return undefined;
    // There are other texts that stand for the same bytes: this server wrote none of them.
    if (bytes.toString("base64") !== sealed) return undefined;
    const nonce = bytes.subarray(0, SEAL_NONCE_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "hex"), nonce);
    decipher.setAAD(Buffer.from(about));
    decipher.setAuthTag(bytes.subarray(-SEAL_TAG_BYTES));
    try {
      const text = decipher.update(bytes.subarray(SEAL_NONCE_BYTES, -SEAL_TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString("utf8");
    } catch {
      // It was not sealed so.
      return undefined;
    }
  },
  isEqual(a, b) {
    return a.length === b.length && timingSafeEqual(a, b);
  },
};

/** Digits and letters that nobody mixes up when reading them out: 32, so that five bits are one of them. */
const SECRET_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Makes a secret of 100 random bits for somebody who has none, as people can type it: `"k3v9-07pm-…"`. */
export function makeSecret(): string {
  const characters = [...randomBytes(20)].map((byte) => SECRET_ALPHABET[byte % SECRET_ALPHABET.length]);
  return characters.join("").replace(/(.{4})(?=.)/g, "$1-");
}

/**
 * Makes the secret of a network: 32 letters, digits, `-` and `_` with 192 random bits, for programs and copying. The
 * first is a letter or a digit.
 */
export function makeNetworkSecret(): string {
  for (;;) {
    const secret = randomBytes(24).toString("base64url");
    // On a command line it would be taken for a flag otherwise.
    if (/^[A-Za-z0-9]/.test(secret)) return secret;
  }
}
