/**
 * Turns the bytes of a keyboard into keys. A cursor key is several bytes; it is read as a whole, so that no part of it
 * ends up in a text. Pure.
 */

/** A key that is no text. */
export type KeyName =
  | "enter"
  | "tab"
  | "backspace"
  | "delete"
  | "left"
  | "right"
  | "wordLeft"
  | "wordRight"
  | "home"
  | "end"
  /** Towards older lines. */
  | "up"
  | "down"
  /** Ctrl-W: the word before the cursor. */
  | "eraseWord"
  /** Ctrl-U: all before the cursor. */
  | "eraseBefore"
  /** Ctrl-K: all behind it. */
  | "eraseAfter"
  /** Ctrl-L. */
  | "redraw"
  /** Ctrl-C. */
  | "interrupt"
  /** Ctrl-D. */
  | "endOfInput";

/** A key, or several characters in a row, as when text is pasted. */
export type Key = { readonly kind: "text"; readonly text: string } | { readonly kind: KeyName };

/** Keys of one character. */
const CONTROLS = new Map<string, KeyName>([
  ["\r", "enter"],
  ["\n", "enter"],
  ["\t", "tab"],
  ["\b", "backspace"],
  ["\x7f", "backspace"],
  ["\x01", "home"],
  ["\x02", "left"],
  ["\x03", "interrupt"],
  ["\x04", "endOfInput"],
  ["\x05", "end"],
  ["\x06", "right"],
  ["\x0b", "eraseAfter"],
  ["\x0c", "redraw"],
  ["\x0e", "down"],
  ["\x10", "up"],
  ["\x15", "eraseBefore"],
  ["\x17", "eraseWord"],
]);

/** The bytes after ESC. Modifiers are left out if the key means the same with them. */
const SEQUENCES = new Map<string, KeyName>([
  ["[A", "up"],
  ["[B", "down"],
  ["[C", "right"],
  ["[D", "left"],
  ["[H", "home"],
  ["[F", "end"],
  ["[1~", "home"],
  ["[7~", "home"],
  ["[4~", "end"],
  ["[8~", "end"],
  ["[3~", "delete"],
  // With Ctrl, and with Alt.
  ["[1;5C", "wordRight"],
  ["[1;5D", "wordLeft"],
  ["[1;3C", "wordRight"],
  ["[1;3D", "wordLeft"],
  ["f", "wordRight"],
  ["b", "wordLeft"],
  ["\x7f", "eraseWord"],
  ["\b", "eraseWord"],
  // Keypads of some terminals send these for the first six.
  ["OA", "up"],
  ["OB", "down"],
  ["OC", "right"],
  ["OD", "left"],
  ["OH", "home"],
  ["OF", "end"],
]);

/** Reads keys out of chunks, cut anywhere. */
export class KeyReader {
  readonly #decoder = new TextDecoder();
  /** The bytes of an escape sequence so far, after ESC; `undefined` outside of one. */
  #sequence: string | undefined;

  /** The keys that `bytes` complete. Keys without a meaning here are left out. */
  push(bytes: Uint8Array): Key[] {
    const keys: Key[] = [];
    let text = "";
    const add = (kind: KeyName | undefined) => {
      if (kind === undefined) return;
      if (text !== "") keys.push({ kind: "text", text });
      text = "";
      keys.push({ kind });
    };
    for (const character of this.#decoder.decode(bytes, { stream: true })) {
      if (character === "\x1b") this.#sequence = "";
      else if (this.#sequence !== undefined) add(this.#inSequence(this.#sequence, character));
      else if (character < " " || character === "\x7f") add(CONTROLS.get(character));
      else if (!(character >= "\x80" && character <= "\x9f")) text += character;
    }
    if (text !== "") keys.push({ kind: "text", text });
    return keys;
  }

  /** `character` after ESC and `begun`: ESC [ … letter, ESC O letter, or ESC and one more. */
  #inSequence(begun: string, character: string): KeyName | undefined {
    const sequence = begun + character;
    this.#sequence = undefined;
    // Escape as a key of its own, and then Ctrl-C: the second counts.
    if (character < " " && !SEQUENCES.has(sequence)) return CONTROLS.get(character);
    const isWhole = sequence === "[" || sequence === "O"
      ? false
      : begun.startsWith("[")
      ? character >= "@" && character <= "~"
      : true;
    if (isWhole) return SEQUENCES.get(sequence);
    this.#sequence = sequence;
    return undefined;
  }
}
