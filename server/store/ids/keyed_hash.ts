/**
 * The key of a used message id in the index: the first 96 bits of Chaskey-12 (ISO/IEC 29192-6) of the user's name and
 * the id, under the secret key of the data folder. Nobody who does not know the key can make two ids collide on
 * purpose. Two ids of ten million collide by chance once in 10^15 folders.
 *
 * A name and an id of 50 characters together cost 0.3 µs, the half of it for reading the characters. SHA-256 by
 * node:crypto costs 1.3 to 1.7 µs, SipHash-2-4 with halves of its 64-bit words 0.7 µs, HalfSipHash twice the same as
 * this (with keys of only 64 bits). Written files keep their hashes: never change this. Pure.
 */

/** Bytes of the secret key. */
export const SECRET_BYTES = 16;
/** 32-bit words of a hash that are kept. */
export const HASH_WORDS = 3;

const ROUNDS = 12;
const BLOCK_WORDS = 4;
/** Set in the first word where characters have two bytes each. */
const WIDE = 1 << 31;

/** The key of a MAC, and what is made of it for whole and for padded last blocks. */
export interface ChaskeyKeys {
  readonly key: Int32Array;
  readonly whole: Int32Array;
  readonly padded: Int32Array;
}

/** Makes ready the 16 bytes of a key. */
export function chaskeyKeys(bytes: Uint8Array): ChaskeyKeys {
  if (bytes.length !== SECRET_BYTES) throw new RangeError(`A key has ${SECRET_BYTES} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const key = Int32Array.from({ length: BLOCK_WORDS }, (_, index) => view.getInt32(4 * index, true));
  const whole = doubled(key);
  return { key, whole, padded: doubled(whole) };
}

/**
 * The MAC of the first `length` bytes in `words`, four in each, the lowest first. Whatever stands behind them in the
 * last block must be 0; it is changed. The result comes into `out`.
 */
export function chaskey(words: Int32Array, length: number, keys: ChaskeyKeys, out: Int32Array, rounds = ROUNDS): void {
  const { key, whole, padded } = keys;
  const isWhole = length > 0 && (length & 15) === 0;
  const last = isWhole ? whole : padded;
  if (!isWhole) words[length >> 2]! |= 1 << ((length & 3) << 3);
  const end = isWhole ? length >> 2 : ((length >> 4) + 1) * BLOCK_WORDS;
  let [v0, v1, v2, v3] = [key[0]!, key[1]!, key[2]!, key[3]!];
  for (let at = 0; at < end; at += BLOCK_WORDS) {
    v0 ^= words[at]!;
    v1 ^= words[at + 1]!;
    v2 ^= words[at + 2]!;
    v3 ^= words[at + 3]!;
    if (at + BLOCK_WORDS === end) {
      v0 ^= last[0]!;
      v1 ^= last[1]!;
      v2 ^= last[2]!;
      v3 ^= last[3]!;
    }
    for (let round = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 13) | (v3 >>> 19)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 7) | (v1 >>> 25)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
  }
  out[0] = v0 ^ last[0]!;
  out[1] = v1 ^ last[1]!;
  out[2] = v2 ^ last[2]!;
  out[3] = v3 ^ last[3]!;
}

/** Hashes the ids of one folder. */
export class KeyedHash {
  /** The last result: its first `HASH_WORDS` words count. */
  readonly out: Int32Array = new Int32Array(BLOCK_WORDS);
  readonly #keys: ChaskeyKeys;
  #words = new Int32Array(128);

  /** `secret` has `SECRET_BYTES`. */
  constructor(secret: Uint8Array) {
    this.#keys = chaskeyKeys(secret);
  }

  /** Puts the hash of a pair into `out`. */
  hash(username: string, messageId: string): void {
    const count = username.length + messageId.length;
    // At most two bytes for each character, the first word, and the padding.
    const needed = (count >> 1) + 2 * BLOCK_WORDS;
    if (this.#words.length < needed) this.#words = new Int32Array(2 * needed);
    const words = this.#words;
    let used = narrow(words, username, messageId);
    if (used < 0) used = wide(words, username, messageId);
    chaskey(words, used, this.#keys, this.out);
  }
}

// UTF-16 units go in as they are. UTF-8 would make lone surrogates equal, and costs a call into the runtime.
// The first word has the length of the name, so no two pairs give the same bytes.

/** Writes the pair with one byte for each character. Gives the number of bytes, or -1 if a character needs two. */
function narrow(words: Int32Array, username: string, messageId: string): number {
  const length = 4 + username.length + messageId.length;
  clear(words, length);
  words[0] = username.length;
  let all = 0;
  let at = 4;
  for (let index = 0; index < username.length; index++, at++) {
    const unit = username.charCodeAt(index);
    all |= unit;
    words[at >> 2]! |= unit << ((at & 3) << 3);
  }
  for (let index = 0; index < messageId.length; index++, at++) {
    const unit = messageId.charCodeAt(index);
    all |= unit;
    words[at >> 2]! |= unit << ((at & 3) << 3);
  }
  return all > 0xff ? -1 : length;
}

/** The same with two bytes for each. */
function wide(words: Int32Array, username: string, messageId: string): number {
  const length = 4 + 2 * (username.length + messageId.length);
  clear(words, length);
  words[0] = username.length | WIDE;
  let at = 2;
  for (const text of [username, messageId]) {
    for (let index = 0; index < text.length; index++, at++) {
      words[at >> 1]! |= text.charCodeAt(index) << ((at & 1) << 4);
    }
  }
  return length;
}

/** Up to the end of the block behind `length` bytes. */
function clear(words: Int32Array, length: number): void {
  const end = ((length >> 4) + 1) * BLOCK_WORDS;
  for (let at = 0; at < end; at++) words[at] = 0;
}

/** Twice the number in the field of 2^128 elements. */
function doubled(key: Int32Array): Int32Array {
  const result = new Int32Array(BLOCK_WORDS);
  for (let at = 0; at < BLOCK_WORDS; at++) {
    const below = at === 0 ? (key[BLOCK_WORDS - 1]! < 0 ? 0x87 : 0) : key[at - 1]! >>> 31;
    result[at] = (key[at]! << 1) ^ below;
  }
  return result;
}
