/**
 * A file is the unit of a room: who needs something imports the file that has it. So a room has no file that only hands
 * on what others have. The library's `mod.ts` is the one that does.
 */

import { lineAt } from "../source_text.ts";
import { roomOf, type Violation } from "./house.ts";

/** The names that such a file usually has. */
const INDEX = /\/(?:mod|index)\.ts$/;
/** An `export … from`. */
const HANDED_ON = /\bexport\s+(?:type\s+)?(?:\*(?:\s*as\s+\w+)?|\{[^{}]*\})\s*from\b/g;

/** What the file at `path` hands on for other files of its room. `code` is its source without comments and strings. */
export function* checkUnit(path: string, code: string): Generator<Violation> {
  if (roomOf(path) === path) return;
  const hint = "let those who need it import the file that has it";
  if (INDEX.test(path)) yield { path, line: 1, what: "a room has no file for all of it", hint };
  for (const { index } of code.matchAll(HANDED_ON)) {
    yield { path, line: lineAt(code, index), what: "hands on what another file has", hint };
  }
}
