/** Writes a value once for all its receivers. The bytes are forgotten together with the value. */

const encoder = new TextEncoder();

/** Bytes of values that do not change. */
export class WrittenOnce<T extends object> {
  readonly #textOf: (value: T) => string;
  readonly #bytes = new WeakMap<T, Uint8Array>();

  constructor(textOf: (value: T) => string) {
    this.#textOf = textOf;
  }

  /** The bytes of `value`. Every call with the same value gives the same bytes. */
  bytesOf(value: T): Uint8Array {
    let bytes = this.#bytes.get(value);
    if (bytes === undefined) {
      bytes = encoder.encode(this.#textOf(value));
      this.#bytes.set(value, bytes);
    }
    return bytes;
  }
}
