/** Rights by channel, beside the simplest way to find them: the first rule that has the name. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import * as fc from "fast-check";
import { matches } from "../../../protocol/channels/channel_name.ts";
import { PatternSet } from "../../../protocol/channels/pattern_set.ts";
import { ChannelRight, type ChannelRule } from "../../../server/rights/channel_right.ts";

const level = fc.constantFrom("a", "b");
const name = fc.array(level, { minLength: 1, maxLength: 3 }).map((levels) => levels.join("/"));
const pattern = fc.oneof(
  { weight: 4, arbitrary: name },
  { weight: 4, arbitrary: name.map((base) => `${base}/*`) },
  { weight: 4, arbitrary: name.map((base) => `${base}/**`) },
  { weight: 3, arbitrary: fc.constantFrom("", "*", "**") },
);
const rule: fc.Arbitrary<ChannelRule> = fc.record({
  patterns: fc.array(pattern, { minLength: 1, maxLength: 3 }),
  isAllowed: fc.boolean(),
});
const rules = fc.array(rule, { maxLength: 5 });
/** With a level that no pattern names, and deeper than any pattern: so each pattern has names that only it has. */
const NAMES = namesUpTo(5, ["a", "b", "z"]);

function namesUpTo(depth: number, levels: readonly string[]): string[] {
  let last = [""];
  const all = [""];
  for (let at = 0; at < depth; at++) {
    last = last.flatMap((base) => levels.map((next) => base === "" ? next : `${base}/${next}`));
    all.push(...last);
  }
  return all;
}

function naive(rules: readonly ChannelRule[], otherwise: boolean, name: string): boolean {
  return rules.find(({ patterns }) => patterns.some((each) => matches(each, name)))?.isAllowed ?? otherwise;
}

Deno.test("the first rule that is about a channel counts, whichever pattern says so", () => {
  const right = new ChannelRight([
    { patterns: ["lab/open"], isAllowed: true },
    { patterns: ["lab/**"], isAllowed: false },
    { patterns: ["", "*"], isAllowed: true },
  ], false);
  const allowed = ["lab/open", "hall", ""];
  const denied = ["lab", "lab/door", "lab/open/1", "hall/door"];
  for (const channel of [...allowed, ...denied]) {
    assertEquals(right.allows(channel), allowed.includes(channel), channel);
  }
});

Deno.test("ChannelRight finds what a search of all rules finds, for names and for all or some names of a pattern", () => {
  fc.assert(
    fc.property(rules, fc.boolean(), pattern, (rules, otherwise, pattern) => {
      const right = new ChannelRight(rules, otherwise);
      const all = NAMES.filter((name) => matches(pattern, name));
      const allowed = all.filter((name) => naive(rules, otherwise, name));
      for (const name of all) assertEquals(right.allows(name), allowed.includes(name), name);
      assertEquals(right.allowsSome(pattern), allowed.length > 0, `some of ${pattern}`);
      assertEquals(right.allowsAll(pattern), allowed.length === all.length, `all of ${pattern}`);
      assertEquals(right.isEverything && !NAMES.every((name) => right.allows(name)), false);
    }),
    { numRuns: 300 },
  );
});

Deno.test("a set with a limit stands for what both allow, whatever is added or taken away", () => {
  fc.assert(
    fc.property(rules, fc.boolean(), fc.array(pattern, { maxLength: 3 }), pattern, (rules, otherwise, some, one) => {
      const right = new ChannelRight(rules, otherwise);
      const sets: [PatternSet, string[]][] = [
        [new PatternSet(some, right), some],
        [new PatternSet(some, right).with([one]), [...some, one]],
        [new PatternSet([...some, one], right).without([one]), some.filter((each) => each !== one)],
      ];
      for (const [set, patterns] of sets) {
        for (const name of NAMES.slice(0, 121)) {
          const wanted = patterns.some((each) => matches(each, name)) && right.allows(name);
          assertEquals(set.wants(name), wanted, `${patterns} of ${name}`);
        }
        assertEquals(set.isEverything && !right.isEverything && !right.allowsAll("**"), false);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("sets with the same patterns are the same where their limits take the same away, and else are not", () => {
  const noLab = new ChannelRight([{ patterns: ["lab/**"], isAllowed: false }], true);
  const alike = new ChannelRight(
    [{ patterns: ["lab/**"], isAllowed: false }, { patterns: ["hall"], isAllowed: true }],
    true,
  );
  const noHall = new ChannelRight([{ patterns: ["hall"], isAllowed: false }], true);
  const key = (patterns: string[], limit?: ChannelRight) => new PatternSet(patterns, limit).key;
  assertEquals(key(["**"], noLab), key(["**"], alike));
  assertNotEquals(key(["**"], noLab), key(["**"]));
  assertNotEquals(key(["**"], noLab), key(["**"], noHall));
  // What is not touched by a limit is not limited.
  assertEquals(key(["", "garden/*"], noLab), key(["", "garden/*"]));
  assert(new PatternSet(["garden"], noLab).limit === undefined);
  assertEquals(new PatternSet(["garden"], noLab).with(["lab"]).wants("lab"), false);
});
