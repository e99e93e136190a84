/** From the bytes of a keyboard to keys. Cursor keys and the like are several bytes: read whole, so that no part of them ends up in a text. Pure. */

/** A key, or several characters in a row, as when text is pasted. */
export type Key =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "enter" }
  | { readonly kind: "backspace" }
  /** Ctrl-W: the word before the cursor. */
  | { readonly kind: "eraseWord" }
  /** Ctrl-U: all. */
  | { readonly kind: "eraseLine" }
  /** Ctrl-L. */
  | { readonly kind: "redraw" }
  /** Ctrl-C. */
  | { readonly kind: "interrupt" }
  /** Ctrl-D. */
  | { readonly kind: "endOfInput" };

const CONTROLS = new Map<string, Key>([
  ["\r", { kind: "enter" }],
  ["\n", { kind: "enter" }],
  ["\b", { kind: "backspace" }],
  ["\x7f", { kind: "backspace" }],
  ["\x17", { kind: "eraseWord" }],
  ["\x15", { kind: "eraseLine" }],
  ["\x0c", { kind: "redraw" }],
  ["\x03", { kind: "interrupt" }],
  ["\x04", { kind: "endOfInput" }],
]);

/** Reads keys out of chunks, cut anywhere. */
export class KeyReader {
  readonly #decoder = new TextDecoder();
  /** Within an escape sequence: just after ESC, or in one that goes on until its last character. */
  #sequence: "none" | "begun" | "long" | "oneMore" = "none";

  /** The keys that `bytes` complete. Those that mean nothing here are left out. */
  push(bytes: Uint8Array): Key[] {
    const keys: Key[] = [];
    let text = "";
    const endText = () => {
      if (text !== "") keys.push({ kind: "text", text });
      text = "";
    };
    for (const character of this.#decoder.decode(bytes, { stream: true })) {
      if (this.#isInSequence(character)) continue;
      const key = CONTROLS.get(character);
      if (key !== undefined) {
        endText();
        keys.push(key);
      } else if (character >= " " && !(character >= "\x7f" && character <= "\x9f")) text += character;
    }
    endText();
    return keys;
  }

  /** Whether `character` belongs to an escape sequence: ESC [ … letter, ESC O letter, or ESC and one more. */
  #isInSequence(character: string): boolean {
    switch (this.#sequence) {
      case "none":
        if (character !== "\x1b") return false;
        this.#sequence = "begun";
        return true;
      case "begun":
        this.#sequence = character === "[" ? "long" : character === "O" ? "oneMore" : "none";
        // Escape as a key of its own, and then Ctrl-C: that one counts.
        return !CONTROLS.has(character);
      case "oneMore":
        this.#sequence = "none";
        return true;
      case "long":
        if (character >= "@" && character <= "~") this.#sequence = "none";
        return true;
    }
  }
}
