/**
 * What "Pure." in a file's header promises: the file only decides. It imports nothing that acts, takes no clock, and
 * waits for nothing. State of its own is allowed, so a class that remembers may be pure.
 */

import { type ImportStatement, lineAt } from "../source_text.ts";
import { resolve, type Texts, type Violation } from "./house.ts";
import type { Debts } from "./imports.ts";

/** Pure files that take a value from one that is not. Only ever shorter. */
export const PURITY_DEBTS: Debts = {};

/** Interfaces of things that act: who holds one of these decides no more, but does. */
const ACTING = ["platform/clock.ts", "platform/crypto.ts", "platform/transport.ts"];
/** Packages and modules that only compute. */
const COMPUTING = /^(?:valibot|@std\/cli\/parse-args|@std\/text\/[\w-]+|node:zlib)$/;

/** The promise, as a sentence of its own or with its reason: "Pure: the time comes in." */
const PROMISE = /(?:^|[.!?`)] )Pure[.:]/;
/** Any other word of it promises something that nobody checks. */
const VAGUE = /\bpure\b/i;
const WORDS_HINT = 'write "Pure." or "Pure: …" where the file only decides, and no "pure" elsewhere';

/** The words of the comment that `source` begins with, on one line. */
export function headerOf(source: string): string {
  const [, words = ""] = source.match(/^\/\*\*([^]*?)\*\//) ?? [];
  return words.replaceAll(/\s*\n\s*\*/g, "").replaceAll(/\s+/g, " ").trim();
}

/** Those of `files` whose headers promise it. */
export function pureFiles(files: Texts): ReadonlySet<string> {
  return new Set([...files].filter(([, source]) => PROMISE.test(headerOf(source))).map(([path]) => path));
}

/** A header that says "pure" in words which promise nothing. */
export function* checkPromise(path: string, source: string): Generator<Violation> {
  const rest = headerOf(source).replace(PROMISE, "");
  if (VAGUE.test(rest)) yield { path, line: 1, what: 'the header says "pure" in other words', hint: WORDS_HINT };
}

/** Where the pure file at `path` takes something that acts. */
export function* checkPureImports(
  path: string,
  statements: readonly ImportStatement[],
  pure: ReadonlySet<string>,
  debts: Debts = PURITY_DEBTS,
): Generator<Violation> {
  for (const { specifier, line, typesOnly } of statements) {
    const isFile = specifier.startsWith(".");
    const target = isFile ? resolve(path, specifier) : specifier;
    if (ACTING.includes(target)) {
      const hint = "take the time, the chance or the digest as an argument, and give back what is to be done";
      yield { path, line, what: `pure code imports ${target}, which acts`, hint };
    } else if (typesOnly || debts[path] === target) continue;
    else if (isFile && !pure.has(target)) {
      const hint = `let the one that acts call this one, or write "Pure." in the header of ${target} if it is`;
      yield { path, line, what: `pure code imports ${target}, which is not pure`, hint };
    } else if (!isFile && !COMPUTING.test(specifier)) {
      const hint = "give back what is to be done, and let the caller do it";
      yield { path, line, what: `pure code imports ${specifier}`, hint };
    }
  }
}

/** Where the pure file at `path` waits for something. */
export function* checkPureCode(path: string, source: string, code: string): Generator<Violation> {
  for (const { 0: word, index } of code.matchAll(/(?<![\w$.#])(?:async|await)(?![\w$]|\s*:)/g)) {
    const hint = "let the one that acts wait, and hand in what came";
    yield { path, line: lineAt(source, index), what: `pure code says ${word}`, hint };
  }
}
