/**
 * How large a file and a room may be. What is larger today stands in two lists that may only get shorter: an entry that
 * is not needed any more is a fault, too.
 */

import { needless, NOT_SHIPPED, roomOf, type Texts, type Violation } from "./house.ts";

/** More lines have more than one thing to decide. */
const MAX_LINES = 450;
/** More names at one level nobody takes in at a look. */
const MAX_FILES = 20;

/**
 * A client of its own, in JavaScript: it goes when the library runs in browsers (`client_seam.ts`), so
 * nobody divides it before.
 */
const WAITING = "dashboard/client/";

/** Files that are still too long. Only ever shorter. */
const LONG_FILES: readonly string[] = [];
/** Folders that still have too many files. Only ever shorter. */
const CROWDED_FOLDERS: readonly string[] = [];

/** Files of `texts` that are too long, and entries of `known` that are not. */
export function* checkLengths(texts: Texts, known = LONG_FILES): Generator<Violation> {
  const long = new Set<string>();
  for (const [path, text] of texts) {
    const lines = text.split("\n").length - 1;
    if (isWaiting(path) || !/\.(?:ts|js|css)$/.test(path) || lines <= MAX_LINES) continue;
    long.add(path);
    if (known.includes(path)) continue;
    const hint = "ask what it decides, and split it there";
    yield { path, line: MAX_LINES + 1, what: `has ${lines} lines, more than ${MAX_LINES}`, hint };
  }
  for (const path of known) {
    if (!long.has(path)) yield needless(path, "LONG_FILES", `has no more than ${MAX_LINES} lines`);
  }
}

/** Folders of `paths` with too many files at one level, and entries of `known` that have not. */
export function* checkFolders(paths: Iterable<string>, known = CROWDED_FOLDERS): Generator<Violation> {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    if (folder !== "" && isCounted(path)) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const crowded = [...counts].filter(([, count]) => count > MAX_FILES);
  for (const [folder, count] of crowded) {
    if (known.includes(folder)) continue;
    const hint = "find the ideas in it, and give each a folder or a room";
    yield { path: folder, line: 1, what: `has ${count} files at one level, more than ${MAX_FILES}`, hint };
  }
  for (const folder of known) {
    if (!crowded.some(([name]) => name === folder)) {
      yield needless(folder, "CROWDED_FOLDERS", `has no more than ${MAX_FILES} files`);
    }
  }
}

/** Whether the size of its folder counts. Folders of tests may be as large as what they test. */
function isCounted(path: string): boolean {
  return !NOT_SHIPPED.includes(roomOf(path)) && !isWaiting(path);
}

function isWaiting(path: string): boolean {
  return path.startsWith(WAITING);
}
