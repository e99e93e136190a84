/** The line that is being typed, as a step function: state and key in, state and what was asked for out. Pure. */

import type { Key } from "./keys.ts";

/** A line and the cursor, which is at its end. */
export interface Editor {
  readonly text: string;
}

/** What a key asks for beyond a change of the line. */
export type EditorRequest = { readonly kind: "submit"; readonly line: string } | { readonly kind: "leave" };

/** What became of a line, and what was asked for. */
export interface EditorStep {
  readonly editor: Editor;
  readonly request?: EditorRequest;
}

/** Longer than anything that can be published: what is pasted beyond it is left out. */
export const MAX_TEXT_LENGTH = 65_536;

/** Nothing typed. */
export const EMPTY_EDITOR: Editor = Object.freeze({ text: "" });

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** What `key` does. */
export function stepEditor(editor: Editor, key: Key): EditorStep {
  const { text } = editor;
  switch (key.kind) {
    case "text":
      return { editor: { text: (text + key.text).slice(0, MAX_TEXT_LENGTH) } };
    case "enter":
      return text.trim() === "" ? { editor: EMPTY_EDITOR } : {
        editor: EMPTY_EDITOR,
        request: { kind: "submit", line: text.trim() },
      };
    case "backspace":
      return { editor: { text: withoutLastGrapheme(text) } };
    case "eraseWord":
      return { editor: { text: text.replace(/\S+\s*$/, "") } };
    case "eraseLine":
      return { editor: EMPTY_EDITOR };
    case "redraw":
      return { editor };
    case "interrupt":
      return { editor: EMPTY_EDITOR, request: { kind: "leave" } };
    case "endOfInput":
      // In the middle of a line it is a slip of the hand.
      return text === "" ? { editor, request: { kind: "leave" } } : { editor };
  }
}

/** What people take for a character may be many: é, a flag, a family. */
function withoutLastGrapheme(text: string): string {
  // Long enough for any; the whole of a long text would be slow at every key.
  const from = Math.max(0, text.length - 64);
  const last = [...graphemes.segment(text.slice(from))].at(-1);
  return last === undefined ? "" : text.slice(0, text.length - last.segment.length);
}
