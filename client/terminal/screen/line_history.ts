/** Submitted lines, for the arrow keys. Kept only in memory. Pure. */

/** Submitted lines, and which of them is being looked at. */
export interface History {
  /** Oldest first. */
  readonly lines: readonly string[];
  /** Index of the line that is looked at; `lines.length` is the line being typed. */
  readonly at: number;
  /** The typed text when looking back began. */
  readonly draft: string;
}

/** More than anybody looks through. */
export const MAX_HISTORY_LINES = 500;

/** Nothing was submitted. */
export const NO_HISTORY: History = Object.freeze({ lines: [], at: 0, draft: "" });

/** `line` was submitted. The same one twice in a row is kept once. */
export function remembered({ lines }: History, line: string): History {
  const kept = lines.at(-1) === line ? lines : [...lines, line].slice(-MAX_HISTORY_LINES);
  return { lines: kept, at: kept.length, draft: "" };
}

/** One line back, while `text` is shown; `undefined` if there is none. */
export function older({ lines, at, draft }: History, text: string): { history: History; text: string } | undefined {
  if (at === 0) return undefined;
  const history = { lines, at: at - 1, draft: at === lines.length ? text : draft };
  return { history, text: lines[at - 1]! };
}

/** One line forward, and at the end the text that was being typed; `undefined` if that is shown already. */
export function newer({ lines, at, draft }: History): { history: History; text: string } | undefined {
  if (at === lines.length) return undefined;
  return { history: { lines, at: at + 1, draft }, text: lines[at + 1] ?? draft };
}
