/**
 * The rows that a chat has shown, and looking through them a page at a time. The terminal breaks long rows itself, so a
 * page counts how many of its rows each one takes. Pure.
 */

import { textWidth } from "./text_width.ts";

/** The size of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A page: the rows from `first` up to and not including `end`. */
export interface Page {
  readonly first: number;
  readonly end: number;
}

/** More than anybody looks through. */
export const MAX_SHOWN_ROWS = 2_000;
/** The same in UTF-16 units, styles included: rows may be long. */
export const MAX_SHOWN_LENGTH = 1_048_576;
// deno-lint-ignore no-control-regex -- what our own styles are made of
const STYLES = /\x1b\[[0-9;]*m/g;

/** The width of a row without its styles. */
export function rowWidth(row: string): number {
  return textWidth(row.replaceAll(STYLES, ""));
}

/** The newest rows, oldest first. */
export class ShownRows {
  #rows: string[] = [];
  #length = 0;

  /** What there is. */
  get rows(): readonly string[] {
    return this.#rows;
  }

  /** `text` was shown, in one row or several. */
  add(text: string): void {
    for (const row of text.split("\n")) {
      this.#rows.push(row);
      this.#length += row.length;
    }
    while (this.#rows.length > MAX_SHOWN_ROWS || this.#length > MAX_SHOWN_LENGTH) {
      this.#length -= this.#rows.shift()!.length;
    }
  }

  /** The last row is now another one. */
  mend(row: string): void {
    const last = this.#rows.pop() ?? "";
    this.#length -= last.length;
    this.add(row);
  }
}

/** The page that ends before row `end`; its last row on the terminal is for a status. */
export function pageBefore(rows: readonly string[], end: number, size: Size): Page {
  let left = size.rows - 1;
  let first = end;
  while (first > 0) {
    const height = heightOf(rows[first - 1]!, size);
    // A row that is higher than the whole terminal is shown all the same: its end.
    if (height > left && first < end) break;
    left -= height;
    first--;
    if (left <= 0) break;
  }
  return { first, end };
}

/**
 * The page before the one that is seen; `undefined` if there is nothing above it. One row is on both, so that the eye
 * finds its way.
 */
export function olderPage(rows: readonly string[], seen: Page, size: Size): Page | undefined {
  if (seen.first === 0) return undefined;
  return pageBefore(rows, Math.min(seen.first + 1, rows.length), size);
}

/** The page behind the one that is seen; `undefined` when that is where the chat itself is. */
export function newerPage(rows: readonly string[], seen: Page, size: Size): Page | undefined {
  if (seen.end >= rows.length) return undefined;
  let left = size.rows - 1;
  let end = seen.end - 1;
  while (end < rows.length) {
    left -= heightOf(rows[end]!, size);
    if (left < 0) break;
    end++;
  }
  const next = Math.max(end, seen.end + 1);
  return next >= rows.length ? undefined : pageBefore(rows, next, size);
}

function heightOf(row: string, { columns }: Size): number {
  return Math.max(1, Math.ceil(rowWidth(row) / Math.max(1, columns)));
}
