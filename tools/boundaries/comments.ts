/**
 * Comments have up to 120 columns, as code has: `deno fmt` wraps code and leaves comments as they are. Longer ones
 * stand in a list with their number, and the list may only get shorter.
 */

import { commentsOf, lineAt } from "../source_text.ts";
import type { Texts, Violation } from "./house.ts";

/** As for code: `lineWidth` in `deno.json`. */
const MAX_COLUMNS = 120;

/** How many lines of comments are still too long, by file. Only ever fewer. */
const LONG_COMMENTS: Readonly<Record<string, number>> = {};

/** Lines of comments in `texts` that are too long, and entries of `known` that are too high. */
export function* checkComments(texts: Texts, known = LONG_COMMENTS): Generator<Violation> {
  for (const [path, text] of texts) {
    const long = longLines(text);
    const allowed = known[path] ?? 0;
    if (long.length > allowed) {
      const hint = `wrap it${allowed === 0 ? "" : ` (LONG_COMMENTS allows ${allowed})`}`;
      for (const { line, columns } of long.slice(allowed)) {
        yield { path, line, what: `a comment of ${columns} columns, more than ${MAX_COLUMNS}`, hint };
      }
    }
  }
  for (const [path, allowed] of Object.entries(known)) {
    const count = longLines(texts.get(path) ?? "").length;
    if (count >= allowed) continue;
    const hint = count === 0 ? "take it out of LONG_COMMENTS" : `write ${count} for it in LONG_COMMENTS`;
    yield { path, line: 1, what: `has ${count} long lines of comments, and LONG_COMMENTS allows ${allowed}`, hint };
  }
}

function longLines(text: string): { line: number; columns: number }[] {
  const lines = text.split("\n");
  const long = new Map<number, number>();
  for (const { begin, end } of commentsOf(text)) {
    for (let line = lineAt(text, begin); line <= lineAt(text, end); line++) {
      const columns = [...lines[line - 1]!].length;
      if (columns > MAX_COLUMNS && !isOneWord(lines[line - 1]!)) long.set(line, columns);
    }
  }
  return [...long].map(([line, columns]) => ({ line, columns }));
}

/** An address of a page, or a word for a tool, has no place to break. */
function isOneWord(line: string): boolean {
  return /^\s*(?:\/\/|\/?\*+)?\s*(?:\S+(?:\s*\*\/)?|deno-lint-ignore .*)$/.test(line);
}
