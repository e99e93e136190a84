/**
 * What a thing is given has one of three names: *Parts*, what it is made with; *Owner*, whom it tells; *Facts*, input
 * of a decision. A class uses each member of a large bag that its constructor takes. A class that needs only some
 * members names these, with a `Pick` or an interface of its own.
 */

import { lineAt } from "../source_text.ts";
import { resolve, type Texts, type Violation } from "./house.ts";
import type { Imports } from "./imports.ts";

/** Names that say nothing about what a bag is for. */
const OTHER_WORDS = /\b(?:interface|type)\s+(\w+(?:Options|Services|Dependencies|Deps|Context|Environment|Params))\b/g;
/** What the library takes from its users: `mod.ts` names these types. */
const LIBRARY = "mod.ts";
/** A bag with more members is a way to hand on everything, unless all of them are used. */
const MAX_MEMBERS = 8;
const BAG = /\binterface\s+(\w+(?:Parts|Owner))\b[^{]*\{/g;
const CONSTRUCTOR = /\bconstructor\s*\(/g;

/** Where `codes`, sources without comments and strings, give something a bag that is too large, or badly named. */
export function* checkBags(codes: Texts, imports: Imports): Generator<Violation> {
  const library = codes.get(LIBRARY) ?? "";
  const bags = new Map([...codes].map(([path, code]) => [path, bagsOf(code)]));
  for (const [path, code] of codes) {
    for (const { 1: name, index } of code.matchAll(OTHER_WORDS)) {
      if (new RegExp(`\\b${name}\\b`).test(library)) continue;
      const hint = "call it Parts, Owner or Facts (CONTRIBUTING.md); Options are what users of the library give";
      yield { path, line: lineAt(code, index), what: `${name} is none of the three words`, hint };
    }
    for (const { name, index } of takenBags(code)) {
      const sources = [path, ...imports.get(path)?.map(({ specifier }) => resolve(path, specifier)) ?? []];
      const bag = sources.flatMap((source) => bags.get(source) ?? []).find((bag) => bag.name === name);
      if (bag === undefined || bag.members.length <= MAX_MEMBERS) continue;
      const rest = without(code, name);
      const unused = bag.members.filter((member) => !new RegExp(`\\b${member}\\b`).test(rest));
      if (unused.length === 0) continue;
      const what = `takes all ${bag.members.length} members of ${name}, and does not use ${unused.join(", ")}`;
      yield { path, line: lineAt(code, index), what, hint: "take only what is used: a Pick, or a bag of its own" };
    }
  }
}

interface Bag {
  readonly name: string;
  readonly members: readonly string[];
}

/** Bags that `code` declares, with their own members. */
function bagsOf(code: string): Bag[] {
  return [...code.matchAll(BAG)].map(({ 0: head, 1: name, index }) => {
    const open = index + head.length - 1;
    const body = code.slice(open + 1, closing(code, open));
    return { name: name!, members: membersOf(body) };
  });
}

/** The names at the first level of an interface's `body`. */
function membersOf(body: string): string[] {
  const flat = body.replaceAll(/[{(<[][^{}()<>[\]]*[\])>}]/g, "");
  if (flat !== body) return membersOf(flat);
  return [...flat.matchAll(/(?:^|;)\s*(?:readonly\s+)?(\w+)/g)].map(([, name]) => name!);
}

/** Bags that constructors in `code` take whole. */
function* takenBags(code: string): Generator<{ readonly name: string; readonly index: number }> {
  for (const { 0: head, index } of code.matchAll(CONSTRUCTOR)) {
    const open = index + head.length - 1;
    const parameters = code.slice(open, closing(code, open));
    for (const { 1: name } of parameters.matchAll(/:\s*(\w+(?:Parts|Owner))\b/g)) yield { name: name!, index };
  }
}

/** `code` without the declaration of the bag `name`. */
function without(code: string, name: string): string {
  const declared = [...code.matchAll(BAG)].find((match) => match[1] === name);
  if (declared === undefined) return code;
  const open = declared.index + declared[0].length - 1;
  return code.slice(0, declared.index) + code.slice(closing(code, open));
}

/** Where the bracket at `open` is closed. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if ("({[".includes(code[at]!)) depth++;
    else if (")}]".includes(code[at]!) && --depth === 0) return at;
  }
  return code.length;
}
