/**
 * Finds where a text stops being JSON. `JSON.parse` decides whether it is JSON, but its message does not always name
 * the place. A person with a broken config file needs the line. Pure.
 */

import { quoted } from "./values.ts";

/** The first place that JSON does not allow. Lines and columns count from 1, columns in characters. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** What JSON allows in that place, in words. */
  readonly expected: string;
  /** What the text has there, in words. */
  readonly found: string;
}

/**
 * The fault of `text`, or `undefined` if there is none. Recurses once per level of nesting: for files that people
 * write.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  let at = 0;
  let expected: string | undefined;

  return document() ? undefined : fault();

  function document(): boolean {
    if (!value("a value")) return false;
    skipSpace();
    return at === text.length || refuse("the end of the file");
  }

  function value(name: string): boolean {
    skipSpace();
    switch (text[at]) {
      case "{":
        return list("}", member);
      case "[":
        return list("]", () => value("a value"));
      case '"':
        return string("a string that ends on its line, with its special characters escaped");
      default:
        return take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y) || take(/true|false|null/y) || refuse(name);
    }
  }

  function list(end: "}" | "]", item: () => boolean): boolean {
    at++;
    skipSpace();
    if (takeText(end)) return true;
    for (;;) {
      if (!item()) return false;
      skipSpace();
      if (takeText(end)) return true;
      if (!takeText(",")) return refuse(`"," or "${end}"`);
    }
  }

  function member(): boolean {
    skipSpace();
    if (!string("a key in double quotes")) return false;
    skipSpace();
    return takeText(":") ? value("a value") : refuse('":" after the key');
  }

  function string(name: string): boolean {
    // deno-lint-ignore no-control-regex -- JSON forbids exactly these in a string.
    return take(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y) || refuse(name);
  }

  function skipSpace(): void {
    take(/[ \t\r\n]*/y);
  }

  function take(pattern: RegExp): boolean {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  }

  function takeText(given: string): boolean {
    if (!text.startsWith(given, at)) return false;
    at += given.length;
    return true;
  }

  function refuse(name: string): false {
    expected = name;
    return false;
  }

  function fault(): JsonFault {
    const lines = text.slice(0, at).split("\n");
    // One character only, as the rest may be a secret without its quotes.
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    const found = at === text.length ? "the end of the file" : character === '"' ? "a double quote" : quoted(character);
    return { line: lines.length, column: [...lines.at(-1)!].length + 1, expected: expected!, found };
  }
}
