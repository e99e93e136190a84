/** The bytes for a terminal that keep a line whole while it is typed and others write above it. Pure. */

import { textEnd, textStart, textWidth } from "./text_width.ts";
import { visible } from "./visible.ts";

/** A prompt, and the typed text behind it. */
export interface PromptLine {
  readonly prompt: string;
  readonly text: string;
  /** Index into `text`. */
  readonly cursor: number;
  /** Columns that there are. */
  readonly columns: number;
}

/** Back to the first column, and erase from there: to the end of the row, or of the screen. */
const ERASE = "\r\x1b[K";
const ERASE_BELOW = "\r\x1b[J";
/** The terminal knows best how wide a text is: it is asked to keep the place of the cursor, not to go to a column. */
const KEEP_CURSOR = "\x1b7";
const RESTORE_CURSOR = "\x1b8";
/**
 * More code units than any real grapheme has. A text is cut to this many units a column first, as the whole text would
 * be slow at every key.
 */
const MAX_UNITS_A_COLUMN = 16;

/** Draws the line anew, in its place, in one row: of a long text the part around the cursor is shown. */
export function drawPrompt(line: PromptLine): string {
  const { before, after } = shownParts(line);
  return ERASE + line.prompt + before + (after === "" ? "" : KEEP_CURSOR + after + RESTORE_CURSOR);
}

/** Takes the line away, before something else is written or the program ends. */
export function erasePrompt(): string {
  return ERASE;
}

/** Writes `lines` where the prompt is, and the prompt below. They may take any number of rows. */
export function drawAbove(lines: string, prompt: PromptLine): string {
  return `${ERASE}${lines.replaceAll("\n", "\r\n")}\r\n${drawPrompt(prompt)}`;
}

/** Writes `line` in the place of the row above the prompt. Both have to fit into one row. */
export function redrawAbove(line: string, prompt: PromptLine): string {
  return `${ERASE}\x1b[A${ERASE}${line}\r\n${drawPrompt(prompt)}`;
}

/**
 * Draws the line anew after the terminal got another width. Terminals break rows that became too long. So the line that
 * was drawn as `before` may now take several rows, with the cursor in a lower one.
 */
export function redrawResized(before: PromptLine, now: PromptLine): string {
  const cursorColumn = textWidth(before.prompt) + textWidth(shownParts(before).before);
  const rows = Math.floor(cursorColumn / Math.max(1, now.columns));
  return (rows > 0 ? `\x1b[${rows}A` : "") + ERASE_BELOW + drawPrompt(now);
}

/** The parts before and behind the cursor that are shown, with "…" where something is left out. */
function shownParts({ prompt, text, cursor, columns }: PromptLine): { before: string; after: string } {
  // One column stays free for the cursor: a terminal may break the line when the last one is filled.
  const room = Math.max(1, columns - textWidth(prompt) - 1);
  const before = text.slice(0, cursor);
  const after = text.slice(cursor);
  const maxUnits = MAX_UNITS_A_COLUMN * room;
  const nearBefore = visible(before.slice(-maxUnits));
  const nearAfter = visible(after.slice(0, maxUnits));
  const isAll = before.length <= maxUnits && after.length <= maxUnits;
  if (isAll && textWidth(nearBefore) + textWidth(nearAfter) <= room) return { before: nearBefore, after: nearAfter };
  // A person who edits in the middle wants to see some of the following text.
  const roomAfter = Math.max(room - textWidth(nearBefore), Math.floor(room / 3));
  const shownAfter = head(nearAfter, roomAfter, after.length > maxUnits);
  return { before: tail(nearBefore, room - textWidth(shownAfter), before.length > maxUnits), after: shownAfter };
}

/** As much of the beginning of `text` as fits, with "…" behind it when that is not all. */
function head(text: string, columns: number, isCut: boolean): string {
  if (!isCut && textWidth(text) <= columns) return text;
  return `${textStart(text, columns - 1)}…`;
}

/** As much of the end of `text` as fits, with "…" before it when that is not all. */
function tail(text: string, columns: number, isCut: boolean): string {
  if (!isCut && textWidth(text) <= columns) return text;
  return `…${textEnd(text, columns - 1)}`;
}
