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
  /** Ctrl-R: looks for an earlier line. */
  | "search"
  /** Ctrl-G: gives the search up. */
  | "cancel"
  | "pageUp"
  | "pageDown"
  /** Ctrl-Z. */
  | "suspend"
  /** Ctrl-C. */
  | "interrupt"
  /** Ctrl-D. */
  | "endOfInput";

/** A key, several characters in a row, or what a terminal says was pasted: with its lines and tabs. */
export type Key =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "paste"; readonly text: string; readonly isCut?: true }
  | { readonly kind: KeyName };

/** Asks a terminal to say what is pasted, and not to say it any more. */
export const PASTE_MODE = { on: "\x1b[?2004h", off: "\x1b[?2004l" } as const;
/** More than anybody pastes into a chat on purpose, in UTF-16 units. The rest is left out. */
export const MAX_PASTE_LENGTH = 1_048_576;

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
  ["\x07", "cancel"],
  ["\x0b", "eraseAfter"],
  ["\x0c", "redraw"],
  ["\x0e", "down"],
  ["\x10", "up"],
  ["\x12", "search"],
  ["\x15", "eraseBefore"],
  ["\x17", "eraseWord"],
  ["\x1a", "suspend"],
]);

/** The bytes after ESC with which a paste begins, and the whole of what ends it. */
const PASTE_BEGIN = "[200~";
const PASTE_END = "\x1b[201~";
/** Control characters within a paste that are no text. A tab and the end of a line are. */
// deno-lint-ignore no-control-regex -- these are what it is about
const NO_PASTED_TEXT = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

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
  ["[5~", "pageUp"],
  ["[6~", "pageDown"],
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
  /** What was pasted so far; `undefined` outside of a paste. */
  #paste: string | undefined;

  /** The keys that `bytes` complete. Keys without a meaning here are left out. */
  push(bytes: Uint8Array): Key[] {
    const keys: Key[] = [];
    let text = "";
    const flush = () => {
      if (text !== "") keys.push({ kind: "text", text });
      text = "";
    };
    const add = (kind: KeyName | undefined) => {
      if (kind === undefined) return;
      flush();
      keys.push({ kind });
    };
    const typed = this.#decoder.decode(bytes, { stream: true });
    // A terminal that never says where a paste ends must not keep the person in it.
    if (typed === "\x03") this.#paste = undefined;
    for (let at = 0; at < typed.length;) {
      if (this.#paste !== undefined) {
        const { paste, length } = this.#inPaste(this.#paste, typed.slice(at));
        if (paste !== undefined) keys.push(paste);
        at += length;
        continue;
      }
      const character = String.fromCodePoint(typed.codePointAt(at)!);
      at += character.length;
      if (character === "\x1b") this.#sequence = "";
      else if (this.#sequence !== undefined) {
        add(this.#inSequence(this.#sequence, character));
        if (this.#paste !== undefined) flush();
      } else if (character < " " || character === "\x7f") add(CONTROLS.get(character));
      else if (!(character >= "\x80" && character <= "\x9f")) text += character;
    }
    flush();
    return keys;
  }

  /** Takes what of `typed` belongs to the paste that began with `begun`. Gives its length, and the paste at its end. */
  #inPaste(begun: string, typed: string): { readonly paste?: Key; readonly length: number } {
    const all = begun + typed;
    // Its end may have come in two parts.
    const end = all.indexOf(PASTE_END, Math.max(0, begun.length - PASTE_END.length));
    if (end >= 0) {
      this.#paste = undefined;
      const text = all.slice(0, Math.min(end, MAX_PASTE_LENGTH)).replace(NO_PASTED_TEXT, "");
      const cut = end > MAX_PASTE_LENGTH ? { isCut: true } as const : {};
      return { paste: { kind: "paste", text, ...cut }, length: end + PASTE_END.length - begun.length };
    }
    // Of what is too long, only what may be the beginning of its end is still needed.
    this.#paste = all.length <= MAX_PASTE_LENGTH + PASTE_END.length
      ? all
      : all.slice(0, MAX_PASTE_LENGTH) + all.slice(-PASTE_END.length);
    return { length: typed.length };
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
    if (sequence === PASTE_BEGIN) this.#paste = "";
    if (isWhole) return SEQUENCES.get(sequence);
    this.#sequence = sequence;
    return undefined;
  }
}
