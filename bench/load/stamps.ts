/**
 * Time stamps inside of publications: a `~` and then digits, microseconds on the generator's own clock. Every product
 * passes them on unchanged, and nothing else in any protocol here holds a `~`, so a reader finds them without knowing
 * where a message begins. Pure.
 */

const TILDE = 0x7e;
const ZERO = 0x30;

/** Always so many, so that a stamp can be written over another. Eleven days of microseconds. */
export const STAMP_DIGITS = 12;

/** `microseconds` as it stands in a message after the `~`. */
export function stampText(microseconds: number): string {
  return String(microseconds).padStart(STAMP_DIGITS, "0");
}

/** Writes `number` as `STAMP_DIGITS` digits over what `bytes` has at `offset`. */
export function writeStamp(bytes: Uint8Array, offset: number, number: number): void {
  for (let at = offset + STAMP_DIGITS - 1, rest = number; at >= offset; at--) {
    bytes[at] = ZERO + rest % 10;
    rest = Math.floor(rest / 10);
  }
}

/** Finds the stamps in one connection's bytes. */
export class StampReader {
  #missing = 0;
  #value = 0;

  /** Takes the next bytes, of any chunking, and calls `onStamp` for each stamp that they complete. */
  push(bytes: Uint8Array, onStamp: (microseconds: number) => void): void {
    let at = 0;
    for (;;) {
      if (this.#missing === 0) {
        at = bytes.indexOf(TILDE, at) + 1;
        if (at === 0) return;
        this.#missing = STAMP_DIGITS;
        this.#value = 0;
      }
      for (; this.#missing > 0 && at < bytes.length; this.#missing--) {
        this.#value = this.#value * 10 + bytes[at++]! - ZERO;
      }
      if (this.#missing > 0) return;
      onStamp(this.#value);
    }
  }
}
