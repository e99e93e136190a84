/** What a terminal has to be sent so that a line being typed stays whole while others write above it. Pure. */

import { textEnd, textWidth } from "./text_width.ts";
import { visible } from "./visible.ts";

/** A prompt and what is typed behind it. */
export interface PromptLine {
  readonly prompt: string;
  readonly text: string;
  /** Columns that there are. */
  readonly columns: number;
}

/** Back to the first column, and erase from there. */
const ERASE = "\r\x1b[K";

/** Draws the line anew, in its place, in one row: of a long text its end is shown. The cursor stands behind it. */
export function drawPrompt({ prompt, text, columns }: PromptLine): string {
  // One column stays free for the cursor: a terminal may break the line when the last one is filled.
  return ERASE + prompt + tail(visible(text), columns - textWidth(prompt) - 1);
}

/** Takes the line away, before something else is written or the program ends. */
export function erasePrompt(): string {
  return ERASE;
}

/** Writes `lines` where the prompt is, and the prompt below. They may take any number of rows. */
export function drawAbove(lines: string, prompt: PromptLine): string {
  return `${ERASE}${lines.replaceAll("\n", "\r\n")}\r\n${drawPrompt(prompt)}`;
}

/** As much of the end of `text` as fits, with "…" before it when that is not all. */
function tail(text: string, columns: number): string {
  // Characters may be many units long; but the whole of a long text would be slow at every key.
  const end = text.slice(-16 * Math.max(1, columns));
  if (end.length === text.length && textWidth(text) <= columns) return text;
  return `…${textEnd(end, columns - 1)}`;
}
