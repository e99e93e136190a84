/** The line that is being typed, as a step function: state and key in, state and request out. Pure. */

import { found, type History, newer, NO_HISTORY, older, remembered, type Search } from "./line_history.ts";
import type { Key } from "./keys.ts";

/** A line, where the cursor stands in it, and the lines before it. */
export interface Editor {
  readonly text: string;
  /** Index into `text`: the next typed character goes there. */
  readonly cursor: number;
  readonly history: History;
  /** While an earlier line is looked for, which `text` shows. */
  readonly search?: Search;
}

/** The request of a key beyond a change of the line. */
export type EditorRequest =
  | { readonly kind: "submit"; readonly line: string }
  | PasteRequest
  | { readonly kind: "complete" }
  /** Clear the screen. */
  | { readonly kind: "clear" }
  | { readonly kind: "suspend" }
  /** Look through the rows above. */
  | { readonly kind: "lookBack" }
  | { readonly kind: "leave" };

/** Several lines were pasted: `lines`, with what stood before the cursor (`typed`) and behind it. */
export interface PasteRequest {
  readonly kind: "paste";
  readonly lines: readonly string[];
  readonly typed: string;
  /** There was more than is taken. */
  readonly isCut?: true;
}

/** The new line, and the request. */
export interface EditorStep {
  readonly editor: Editor;
  readonly request?: EditorRequest;
}

/** Longer than any activity. The rest of a longer pasted text is left out. */
export const MAX_TEXT_LENGTH = 65_536;

/** `text` without the space around it. A tab at the beginning is no slip of the hand: somebody pasted it. */
export function trimmed(text: string): string {
  return text.replace(/^[^\S\t]+/, "").trimEnd();
}

/** Nothing typed. */
export const EMPTY_EDITOR: Editor = Object.freeze({ text: "", cursor: 0, history: NO_HISTORY });

/** Longer than any grapheme that is meant as one; the whole of a long text would be slow at every key. */
const MAX_GRAPHEME_LENGTH = 64;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** What `key` does. */
export function stepEditor(editor: Editor, key: Key): EditorStep {
  return editor.search === undefined ? stepTyping(editor, key) : stepSearch(editor, editor.search, key);
}

function stepTyping(editor: Editor, key: Key): EditorStep {
  const { text, cursor, history } = editor;
  switch (key.kind) {
    case "text": {
      const typed = key.text.slice(0, Math.max(0, MAX_TEXT_LENGTH - text.length));
      return replaced(editor, cursor, cursor, typed);
    }
    case "paste":
      return pasted(editor, key);
    case "enter": {
      const line = trimmed(text);
      if (line === "") return { editor: withText(editor, "") };
      return {
        editor: { text: "", cursor: 0, history: remembered(history, line) },
        request: { kind: "submit", line },
      };
    }
    case "tab":
      return { editor, request: { kind: "complete" } };
    case "left":
      return moved(editor, before(text, cursor));
    case "right":
      return moved(editor, after(text, cursor));
    case "wordLeft":
      return moved(editor, wordBefore(text, cursor));
    case "wordRight":
      return moved(editor, cursor + /^\s*\S*/.exec(text.slice(cursor))![0].length);
    case "home":
      return moved(editor, 0);
    case "end":
      return moved(editor, text.length);
    case "up":
      return recalled(editor, older(history, text));
    case "down":
      return recalled(editor, newer(history));
    case "backspace":
      return replaced(editor, before(text, cursor), cursor);
    case "delete":
      return replaced(editor, cursor, after(text, cursor));
    case "eraseWord":
      return replaced(editor, wordBefore(text, cursor), cursor);
    case "eraseBefore":
      return replaced(editor, 0, cursor);
    case "eraseAfter":
      return replaced(editor, cursor, text.length);
    case "redraw":
      return { editor, request: { kind: "clear" } };
    case "search":
      return { editor: { ...editor, search: { query: "", at: undefined, text, cursor } } };
    case "cancel":
    case "pageDown":
      return { editor };
    case "pageUp":
      return { editor, request: { kind: "lookBack" } };
    case "suspend":
      return { editor, request: { kind: "suspend" } };
    case "interrupt":
      // As in a shell: it takes back what is being typed, and leaves where there is nothing to take back.
      return text === ""
        ? { editor, request: { kind: "leave" } }
        : { editor: { ...withText(editor, ""), history: { ...history, at: history.lines.length, draft: "" } } };
    case "endOfInput":
      // In the middle of a line it is a slip of the hand.
      return text === "" ? { editor, request: { kind: "leave" } } : { editor };
  }
}

/** What was pasted goes where the cursor stands, if it is one line. The end of a single line submits nothing. */
function pasted(editor: Editor, { text, isCut }: Extract<Key, { kind: "paste" }>): EditorStep {
  const lines = text.replace(/(?:\r\n|\r|\n)$/, "").split(/\r\n|\r|\n/);
  if (lines.length === 1) return stepTyping(editor, { kind: "text", text: lines[0]! });
  const whole = [...lines];
  whole[0] = editor.text.slice(0, editor.cursor) + whole[0];
  whole[whole.length - 1] += editor.text.slice(editor.cursor);
  return {
    editor,
    request: { kind: "paste", lines: whole, typed: editor.text.slice(0, editor.cursor), ...(isCut ? { isCut } : {}) },
  };
}

/** As in a shell: letters make the query longer, Ctrl-R goes on to older lines, Enter submits what was found. */
function stepSearch(editor: Editor, search: Search, key: Key): EditorStep {
  const { history } = editor;
  const show = (query: string, at: number | undefined): EditorStep => {
    const text = at === undefined ? query === "" ? "" : editor.text : history.lines[at]!;
    const cursor = at === undefined
      ? Math.min(editor.cursor, text.length)
      : text.toLowerCase().indexOf(query.toLowerCase());
    return { editor: { ...editor, text, cursor, search: { ...search, query, at } } };
  };
  const { search: _over, ...typing } = editor;
  switch (key.kind) {
    case "text":
    case "paste": {
      const query = search.query + key.text.replace(/[\r\n]+$/, "");
      return show(query, found(history, query, search.at === undefined ? undefined : search.at + 1));
    }
    case "backspace": {
      const query = search.query.slice(0, before(search.query, search.query.length));
      return show(query, found(history, query));
    }
    case "search":
      return show(search.query, found(history, search.query, search.at) ?? search.at);
    case "interrupt":
    case "cancel":
      return { editor: { ...typing, text: search.text, cursor: search.cursor } };
    case "redraw":
    case "suspend":
      return { editor, request: { kind: key.kind === "redraw" ? "clear" : "suspend" } };
    case "endOfInput":
      return { editor: typing };
    default:
      return stepTyping(typing, key);
  }
}

/** `editor` with another line, and the cursor at its end. */
function withText(editor: Editor, text: string): Editor {
  return { ...editor, text, cursor: text.length };
}

function moved(editor: Editor, cursor: number): EditorStep {
  return { editor: { ...editor, cursor } };
}

function recalled(editor: Editor, found: { history: History; text: string } | undefined): EditorStep {
  return { editor: found === undefined ? editor : { ...withText(editor, found.text), history: found.history } };
}

/** Replaces the text between `from` and `to` by `by`. The cursor stands behind it. */
function replaced(editor: Editor, from: number, to: number, by = ""): EditorStep {
  const text = editor.text.slice(0, from) + by + editor.text.slice(to);
  return { editor: { ...editor, text, cursor: from + by.length } };
}

/** Where the grapheme before `cursor` begins. One character for people may be many code units: é, a flag, a family. */
function before(text: string, cursor: number): number {
  const last = [...graphemes.segment(text.slice(Math.max(0, cursor - MAX_GRAPHEME_LENGTH), cursor))].at(-1);
  return cursor - (last?.segment.length ?? 0);
}

/** Where the grapheme behind `cursor` ends. */
function after(text: string, cursor: number): number {
  const [first] = graphemes.segment(text.slice(cursor, cursor + MAX_GRAPHEME_LENGTH));
  return cursor + (first?.segment.length ?? 0);
}

/** Where the word before `cursor` begins. */
function wordBefore(text: string, cursor: number): number {
  // Walked, not matched: a pattern at the end of a long text of spaces is slow.
  let from = cursor;
  while (from > 0 && isSpace(text, from - 1)) from--;
  while (from > 0 && !isSpace(text, from - 1)) from--;
  return from;
}

function isSpace(text: string, index: number): boolean {
  return /\s/.test(text.charAt(index));
}
