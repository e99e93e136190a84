import { assert, assertEquals, assertNotEquals } from "@std/assert";
import * as fc from "fast-check";
import { ChannelIndex } from "../../../protocol/channels/channel_index.ts";
import {
  channelProblem,
  covers,
  matches,
  NO_CHANNEL,
  normalName,
  patternProblem,
} from "../../../protocol/channels/channel_name.ts";
import { PatternSet } from "../../../protocol/channels/pattern_set.ts";

/** Few levels, so that names and patterns meet. */
const level = fc.constantFrom("a", "b", "ab", "ü");
const name = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
const channel = fc.oneof({ weight: 6, arbitrary: name }, { weight: 1, arbitrary: fc.constant(NO_CHANNEL) });
const pattern = fc.oneof(
  channel,
  name.map((base) => `${base}/*`),
  name.map((base) => `${base}/**`),
  fc.constantFrom("*", "**"),
);
/** All names of up to three levels, and none at all. Enough to tell any two patterns of these levels apart. */
const ALL = namesUpTo(5, ["a", "b", "ab", "ü"]);

function namesUpTo(depth: number, levels: readonly string[]): string[] {
  let last = [""];
  const all = [NO_CHANNEL];
  for (let at = 0; at < depth; at++) {
    last = last.flatMap((base) => levels.map((next) => base === "" ? next : `${base}/${next}`));
    all.push(...last);
  }
  return all;
}

/** The simplest matcher: level by level, as one would explain it. */
function naive(pattern: string, name: string): boolean {
  if (pattern === "**") return true;
  if (pattern === "" || name === "") return pattern === name;
  const [wanted, levels] = [pattern.split("/"), name.split("/")];
  for (let at = 0; at < wanted.length; at++) {
    if (wanted[at] === "**") return true;
    if (wanted[at] === "*") return levels.length === at + 1;
    if (at >= levels.length || levels[at] !== wanted[at]) return false;
    if (wanted[at + 1] === "**" && levels.length === at + 1) return true;
  }
  return levels.length === wanted.length;
}

Deno.test("matches() knows a name, one level, the rest and what has no channel", () => {
  const cases: [string, string, boolean][] = [
    ["a", "a", true],
    ["a", "a/b", false],
    ["a/*", "a/b", true],
    ["a/*", "a", false],
    ["a/*", "a/b/c", false],
    ["a/**", "a", true],
    ["a/**", "a/b/c", true],
    ["a/**", "ab", false],
    ["*", "a", true],
    ["*", "a/b", false],
    ["*", "", false],
    ["**", "a/b", true],
    ["**", "", true],
    ["", "", true],
    ["", "a", false],
  ];
  for (const [pattern, name, isOne] of cases) assertEquals(matches(pattern, name), isOne, `${pattern} for "${name}"`);
});

Deno.test("matches(), PatternSet and ChannelIndex find what a naive matcher finds", () => {
  fc.assert(fc.property(fc.array(fc.array(pattern, { maxLength: 5 }), { maxLength: 6 }), channel, (owners, name) => {
    const index = new ChannelIndex<number>();
    owners.forEach((patterns, owner) => patterns.forEach((one) => index.add(one, owner)));
    const found = new Set<number>();
    index.find(name, (owner) => found.add(owner));
    owners.forEach((patterns, owner) => {
      const isWanted = patterns.some((one) => naive(one, name));
      assertEquals(patterns.some((one) => matches(one, name)), isWanted);
      assertEquals(new PatternSet(patterns).wants(name), isWanted);
      assertEquals(found.has(owner), isWanted);
    });
  }));
});

Deno.test("ChannelIndex forgets what was removed, and nothing else", () => {
  fc.assert(fc.property(fc.uniqueArray(pattern, { maxLength: 8 }), fc.nat(7), channel, (patterns, gone, name) => {
    const index = new ChannelIndex<string>();
    for (const one of patterns) index.add(one, one);
    const removed = patterns[gone % Math.max(1, patterns.length)];
    if (removed !== undefined) index.remove(removed, removed);
    const found = new Set<string>();
    index.find(name, (owner) => found.add(owner));
    assertEquals(found, new Set(patterns.filter((one) => one !== removed && naive(one, name))));
    for (const one of patterns) index.remove(one, one);
    assert(index.isEmpty);
  }));
});

Deno.test("covers() says that of two patterns one has all names of the other", () => {
  fc.assert(
    fc.property(pattern, pattern, (wider, narrower) => {
      const isWider = ALL.every((name) => !naive(narrower, name) || naive(wider, name));
      assertEquals(covers(wider, narrower), isWider, `${wider} and ${narrower}`);
    }),
    { numRuns: 500 },
  );
});

Deno.test("PatternSet is the same for the same patterns, and changes only in what is named", () => {
  const set = new PatternSet(["b", "a", "b"]);
  assertEquals(set.patterns, ["a", "b"]);
  assertEquals(set.key, new PatternSet(["a", "b"]).key);
  assertNotEquals(new PatternSet([]).key, new PatternSet([NO_CHANNEL]).key);
  assertEquals(set.with(["c", "a"]).patterns, ["a", "b", "c"]);
  assertEquals(set.with(["a/**"]).without(["a"]).wants("a"), true, "another pattern stands for it, too");
  assertEquals(new PatternSet(["a", "**"]).isEverything, true);
  assertEquals(new PatternSet(["a/**"]).isEverything, false);
});

Deno.test("channelProblem() and patternProblem() say what is wrong", () => {
  for (const good of ["a", "lab/1", "räume/küche", "x".repeat(128), "😀".repeat(128), "a b"]) {
    assertEquals(channelProblem(good), undefined, good);
    assertEquals(patternProblem(good), undefined, good);
  }
  for (const good of ["", "*", "**", "a/*", "a/b/**"]) assertEquals(patternProblem(good), undefined, good);
  for (const bad of ["/a", "a/", "a//b", "/", "a\u0000", "a\nb", "a\u2028", "\ud800", "x".repeat(129), "a*"]) {
    assert(channelProblem(bad) !== undefined, JSON.stringify(bad));
    assert(patternProblem(bad) !== undefined, JSON.stringify(bad));
  }
  for (const bad of ["", "*", "**", "a/*", "a/**"]) assert(channelProblem(bad) !== undefined, bad);
  for (const bad of ["*/a", "a/*/b", "a**", "***", "**/a", "/**", "a//**", "//*"]) {
    assert(patternProblem(bad) !== undefined, bad);
  }
});

Deno.test("normalName() makes one name of two ways to write it", () => {
  assertEquals(normalName("ku\u0308che"), normalName("k\u00fcche"));
});
