/**
 * Used ids in memory alone, the oldest first: a ring of uses in the order in which they came, and a hash table that
 * finds them. A use has 40 bytes in typed arrays, and twice as many when the ring has just grown. The collector of the
 * runtime has nothing to look at. Pure.
 */

/** A use of an id. */
export interface RingId {
  /** The number of the origin's name. */
  readonly origin: number;
  readonly sequence: number;
  /** In milliseconds since 1970. */
  readonly usedAt: number;
}

/** Uses in the smallest ring. A power of two, as all sizes are. */
const FIRST_SIZE = 16;
/** Slots of the table for each use in a full ring: at most half of them are taken. */
const SLOTS_EACH = 2;
const EMPTY = 0;
/** Of a use that was taken out. */
const NONE = 0;

/** The uses of one kind of users. Hashes are three signed words that nobody can choose. */
export class IdRing {
  #hashes!: Int32Array;
  /** The number of the origin and 1, or `NONE`. */
  #origins!: Uint32Array;
  #sequences!: Float64Array;
  #usedAt!: Float64Array;
  /** The place in the ring and 1, or `EMPTY`. */
  #slots!: Uint32Array;
  /** Places are numbered on and on. From this one to the one before `#end` there are uses, or what is left of some. */
  #first = 0;
  #end = 0;
  #size = 0;
  /** How far a sweep has come; `undefined` when none is under way. */
  #swept: number | undefined;

  constructor() {
    this.#make(FIRST_SIZE);
  }

  /** The number of uses. */
  get size(): number {
    return this.#size;
  }

  /** Its memory. */
  get bytes(): number {
    const arrays = [this.#hashes, this.#origins, this.#sequences, this.#usedAt, this.#slots];
    return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** The use of this hash. */
  find(h0: number, h1: number, h2: number): RingId | undefined {
    const at = this.#placeOf(h0, h1, h2);
    return at === undefined
      ? undefined
      : { origin: this.#origins[at]! - 1, sequence: this.#sequences[at]!, usedAt: this.#usedAt[at]! };
  }

  /** Adds a use, if there is none of this hash. */
  add(h0: number, h1: number, h2: number, { origin, sequence, usedAt }: RingId): void {
    if (this.#placeOf(h0, h1, h2) !== undefined) return;
    const places = this.#origins.length;
    // Where most of the ring is left over from uses that are gone, the same room is enough.
    if (this.#end - this.#first === places) this.#remake(2 * this.#size > places ? 2 * places : places);
    this.#append(h0, h1, h2, origin + 1, sequence, usedAt);
  }

  /** Forgets the oldest while there are more than `most`. */
  trim(most: number): void {
    while (this.#size > most) this.#takeOut(this.#first++);
    this.#dropGone();
  }

  /** Looks at the next `budget` uses, and forgets those from before `usedBefore`. Whether there are more to look at. */
  forget(usedBefore: number, budget: number): boolean {
    let place = Math.max(this.#swept ?? 0, this.#first);
    const end = Math.min(place + budget, this.#end);
    for (; place < end; place++) {
      if (this.#usedAt[place & this.#mask]! < usedBefore) this.#takeOut(place);
    }
    this.#dropGone();
    this.#swept = place < this.#end ? place : undefined;
    return this.#swept !== undefined;
  }

  /** Takes out the uses of an origin after `sequence`. O(n). */
  cut(origin: number, sequence: number): void {
    for (let place = this.#first; place < this.#end; place++) {
      const at = place & this.#mask;
      if (this.#origins[at] === origin + 1 && this.#sequences[at]! > sequence) this.#takeOut(place);
    }
    this.#dropGone();
  }

  /** Forgets everything. */
  clear(): void {
    this.#make(FIRST_SIZE);
    this.#first = this.#end = this.#size = 0;
    this.#swept = undefined;
  }

  get #mask(): number {
    return this.#origins.length - 1;
  }

  #make(places: number): void {
    this.#hashes = new Int32Array(3 * places);
    this.#origins = new Uint32Array(places);
    this.#sequences = new Float64Array(places);
    this.#usedAt = new Float64Array(places);
    this.#slots = new Uint32Array(SLOTS_EACH * places);
  }

  #append(h0: number, h1: number, h2: number, mark: number, sequence: number, usedAt: number): void {
    const at = this.#end & this.#mask;
    this.#hashes[3 * at] = h0;
    this.#hashes[3 * at + 1] = h1;
    this.#hashes[3 * at + 2] = h2;
    this.#origins[at] = mark;
    this.#sequences[at] = sequence;
    this.#usedAt[at] = usedAt;
    const slots = this.#slots;
    let slot = this.#homeOf(h0);
    while (slots[slot] !== EMPTY) slot = this.#after(slot);
    slots[slot] = at + 1;
    this.#end++;
    this.#size++;
  }

  /** Where in the ring a hash is. */
  #placeOf(h0: number, h1: number, h2: number): number | undefined {
    const hashes = this.#hashes;
    for (let slot = this.#homeOf(h0);; slot = this.#after(slot)) {
      const at = this.#slots[slot]! - 1;
      if (at < 0) return undefined;
      if (hashes[3 * at] === h0 && hashes[3 * at + 1] === h1 && hashes[3 * at + 2] === h2) return at;
    }
  }

  /** Takes out what is at `place`, if it is there still. */
  #takeOut(place: number): void {
    const at = place & this.#mask;
    if (this.#origins[at] === NONE) return;
    this.#origins[at] = NONE;
    this.#size--;
    const slots = this.#slots;
    let hole = this.#homeOf(this.#hashes[3 * at]!);
    while (slots[hole] !== at + 1) hole = this.#after(hole);
    // Those behind it move up, unless that would be before their home: so none has a hole before it.
    for (let slot = this.#after(hole); slots[slot] !== EMPTY; slot = this.#after(slot)) {
      const home = this.#homeOf(this.#hashes[3 * (slots[slot]! - 1)]!);
      const mask = slots.length - 1;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot]!;
      hole = slot;
    }
    slots[hole] = EMPTY;
  }

  /** Nothing is left of the oldest: their places are free. */
  #dropGone(): void {
    while (this.#first < this.#end && this.#origins[this.#first & this.#mask] === NONE) this.#first++;
  }

  /** The same uses in a ring with room for `places`. */
  #remake(places: number): void {
    const [hashes, origins, sequences, usedAt, mask] = [
      ...[this.#hashes, this.#origins, this.#sequences, this.#usedAt] as const,
      this.#mask,
    ];
    const [first, end, swept] = [this.#first, this.#end, this.#swept];
    this.#make(places);
    this.#first = this.#end = this.#size = 0;
    if (swept !== undefined) this.#swept = 0;
    for (let place = first; place < end; place++) {
      const at = place & mask;
      if (origins[at] === NONE) continue;
      const [h0, h1, h2] = [hashes[3 * at]!, hashes[3 * at + 1]!, hashes[3 * at + 2]!];
      this.#append(h0, h1, h2, origins[at]!, sequences[at]!, usedAt[at]!);
      if (swept !== undefined && place < swept) this.#swept = this.#end;
    }
  }

  #homeOf(h0: number): number {
    return h0 & (this.#slots.length - 1);
  }

  #after(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }
}
