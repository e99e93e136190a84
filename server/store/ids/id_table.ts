/**
 * The recent part of the index: a hash table in memory. A slot has 36 bytes in typed arrays, so the collector of the
 * runtime has nothing to look at. Slots are in the order of the hashes but for a few places, so a sorted file is made
 * of a table without sorting all of it at once. Pure.
 */

/** A use of an id, as the index keeps it. */
export interface KeptId {
  /** The number of the origin's name. */
  readonly origin: number;
  readonly sequence: number;
  /** Whole milliseconds since 1970. */
  readonly usedAt: number;
  /** Of a client without a name: which of all their ids it is, from 1. 0 for others. */
  readonly ordinal: number;
}

/** A use with its hash. The words are signed; hashes are in the order of the unsigned ones. */
export interface HashedId extends KeptId {
  readonly h0: number;
  readonly h1: number;
  readonly h2: number;
}

/** Of 100 slots this many are used at most. */
const MAX_LOAD = 0.75;
/**
 * Slots behind the last home of an id: where the ids of the last homes go that find theirs taken. At this load 512 are
 * too few once in a hundred million tables.
 */
const TAIL_SLOTS = 512;
const SLOT_BYTES = 36;
const EMPTY = 0;
/** An id that was taken out: those behind it must still be found. */
const TAKEN_OUT = 0xffffffff;

/** The lower hash first. */
export function compareHashes(
  a: { readonly h0: number; readonly h1: number; readonly h2: number },
  b: { readonly h0: number; readonly h1: number; readonly h2: number },
): number {
  return (a.h0 >>> 0) - (b.h0 >>> 0) || (a.h1 >>> 0) - (b.h1 >>> 0) || (a.h2 >>> 0) - (b.h2 >>> 0);
}

/** One table. */
export class IdTable {
  #bits: number;
  #hashes: Int32Array;
  /** The number of the origin and 1, or a mark. */
  #origins: Uint32Array;
  #sequences: Float64Array;
  #usedAt: Float64Array;
  /** Behind `firstOrdinal`. */
  #ordinals: Uint32Array;
  /** The ordinals in it are after this one. */
  readonly firstOrdinal: number;
  /** Slots that are not empty, and ids among them. */
  #taken = 0;
  #size = 0;

  /** With room for `2 ** bits` ids or more. The ordinals in it are above `firstOrdinal`. */
  constructor(bits: number, firstOrdinal: number) {
    this.#bits = bits;
    this.firstOrdinal = firstOrdinal;
    const slots = 2 ** bits + TAIL_SLOTS;
    this.#hashes = new Int32Array(3 * slots);
    this.#origins = new Uint32Array(slots);
    this.#sequences = new Float64Array(slots);
    this.#usedAt = new Float64Array(slots);
    this.#ordinals = new Uint32Array(slots);
  }

  /** The number of ids. */
  get size(): number {
    return this.#size;
  }

  /** Its memory. */
  get bytes(): number {
    return this.#origins.length * SLOT_BYTES;
  }

  /** The logarithm of its slots. */
  get bits(): number {
    return this.#bits;
  }

  /** The slot of a hash; -1 if it is not here. */
  find(h0: number, h1: number, h2: number): number {
    const [hashes, origins] = [this.#hashes, this.#origins];
    for (let slot = h0 >>> (32 - this.#bits); slot < origins.length; slot++) {
      const mark = origins[slot]!;
      if (mark === EMPTY) return -1;
      const at = 3 * slot;
      if (hashes[at] === h0 && hashes[at + 1] === h1 && hashes[at + 2] === h2 && mark !== TAKEN_OUT) return slot;
    }
    return -1;
  }

  /** The use in a slot that `find` gave. */
  at(slot: number): KeptId {
    const ordinal = this.#ordinals[slot]!;
    return {
      origin: this.#origins[slot]! - 1,
      sequence: this.#sequences[slot]!,
      usedAt: this.#usedAt[slot]!,
      ordinal: ordinal === 0 ? 0 : this.firstOrdinal + ordinal,
    };
  }

  /** Puts a use in, in place of one with the same hash. */
  put(h0: number, h1: number, h2: number, { origin, sequence, usedAt, ordinal }: KeptId): void {
    if (this.#taken >= MAX_LOAD * 2 ** this.#bits) this.#grow();
    let slot = this.find(h0, h1, h2);
    if (slot < 0) {
      slot = h0 >>> (32 - this.#bits);
      while (this.#origins[slot] !== EMPTY && slot < this.#origins.length) slot++;
      // All of the tail is taken. Strangers cannot choose hashes, so a larger table has room.
      if (slot === this.#origins.length) {
        this.#grow();
        return this.put(h0, h1, h2, { origin, sequence, usedAt, ordinal });
      }
      this.#taken++;
      this.#size++;
    }
    this.#hashes[3 * slot] = h0;
    this.#hashes[3 * slot + 1] = h1;
    this.#hashes[3 * slot + 2] = h2;
    this.#origins[slot] = origin + 1;
    this.#sequences[slot] = sequence;
    this.#usedAt[slot] = usedAt;
    this.#ordinals[slot] = ordinal === 0 ? 0 : ordinal - this.firstOrdinal;
  }

  /** Takes out the uses of an origin after `sequence`. O(n). */
  cut(origin: number, sequence: number): void {
    for (let slot = 0; slot < this.#origins.length; slot++) {
      if (this.#origins[slot] !== origin + 1 || this.#sequences[slot]! <= sequence) continue;
      this.#origins[slot] = TAKEN_OUT;
      this.#size--;
    }
  }

  /**
   * The uses whose hashes begin with `from` up to, and not including, `to`, in the order of the hashes. Both are of
   * `bits` bits.
   */
  sorted(from: number, to: number): HashedId[] {
    const found: HashedId[] = [];
    for (let slot = from; slot < this.#origins.length; slot++) {
      const mark = this.#origins[slot]!;
      if (mark === EMPTY && slot >= to) break;
      if (mark === EMPTY || mark === TAKEN_OUT) continue;
      const h0 = this.#hashes[3 * slot]!;
      const home = h0 >>> (32 - this.#bits);
      if (home < from || home >= to) continue;
      found.push({ h0, h1: this.#hashes[3 * slot + 1]!, h2: this.#hashes[3 * slot + 2]!, ...this.at(slot) });
    }
    return found.sort(compareHashes);
  }

  #grow(): void {
    const larger = new IdTable(this.#bits + 1, this.firstOrdinal);
    for (let slot = 0; slot < this.#origins.length; slot++) {
      const mark = this.#origins[slot]!;
      if (mark === EMPTY || mark === TAKEN_OUT) continue;
      const at = 3 * slot;
      larger.put(this.#hashes[at]!, this.#hashes[at + 1]!, this.#hashes[at + 2]!, this.at(slot));
    }
    this.#bits = larger.#bits;
    this.#hashes = larger.#hashes;
    this.#origins = larger.#origins;
    this.#sequences = larger.#sequences;
    this.#usedAt = larger.#usedAt;
    this.#ordinals = larger.#ordinals;
    this.#taken = larger.#taken;
    this.#size = larger.#size;
  }
}
