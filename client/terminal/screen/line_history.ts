/** Submitted lines, for the arrow keys and for Ctrl-R. `../chat/history_file.ts` says which are kept. Pure. */

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

/** The lines of earlier sessions, oldest first. */
export function historyOf(lines: readonly string[]): History {
  const kept = lines.slice(-MAX_HISTORY_LINES);
  return { lines: kept, at: kept.length, draft: "" };
}

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

/** A search for an earlier line, as Ctrl-R begins it. */
export interface Search {
  readonly query: string;
  /** Index of the line that was found; `undefined` if none has the query. */
  readonly at: number | undefined;
  /** The line and the cursor before it, for who gives the search up. */
  readonly text: string;
  readonly cursor: number;
}

/** The newest line before `before` (or of all) that has `query`; `undefined` if there is none. */
export function found({ lines }: History, query: string, before = lines.length): number | undefined {
  if (query === "") return undefined;
  const wanted = query.toLowerCase();
  const at = lines.slice(0, before).findLastIndex((line) => line.toLowerCase().includes(wanted));
  return at < 0 ? undefined : at;
}
