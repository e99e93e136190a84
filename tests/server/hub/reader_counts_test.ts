/** How many read a channel, kept as readers come and go, is what asking each of them would give. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { covers, matches, NO_CHANNEL } from "../../../protocol/channels/channel_name.ts";
import { PatternSet } from "../../../protocol/channels/pattern_set.ts";
import { countedOf, ReaderCounts } from "../../../server/hub/reader_counts.ts";
import { ReaderGroups } from "../../../server/hub/reader_groups.ts";

const name = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 3 }).map((levels) => levels.join("/"));
const channel = fc.oneof(name, fc.constant(NO_CHANNEL));
const pattern = fc.oneof(
  channel,
  name.map((base) => `${base}/*`),
  name.map((base) => `${base}/**`),
  fc.constantFrom("*", "**"),
);
const patterns = fc.uniqueArray(pattern, { maxLength: 5 });

/** Whether some pattern for one level and another for a rest meet in `channel`: the one case that counts twice. */
function meetsTwice(all: readonly string[], channel: string): boolean {
  return countedOf(all).filter((pattern) => matches(pattern, channel)).length > 1;
}

Deno.test("the readers of a channel are as many as want it, whoever has come and gone", () => {
  fc.assert(fc.property(fc.array(patterns), fc.array(fc.nat()), channel, (readers, leaving, asked) => {
    const groups = new ReaderGroups<number>();
    const here = readers.map((all) => ({ all, group: groups.enter(new PatternSet(all)) }));
    for (const which of leaving) {
      const [gone] = here.length === 0 ? [] : here.splice(which % here.length, 1);
      if (gone !== undefined) groups.leave(gone.group);
    }
    const wanting = here.filter(({ all }) => all.some((pattern) => matches(pattern, asked)));
    const twice = wanting.filter(({ all }) => meetsTwice(all, asked)).length;
    assertEquals(groups.counts.of(asked), wanting.length + twice);
    if (here.length === 0) assertEquals([...groups.counts.names], []);
  }));
});

Deno.test("a reader counts for what no other of its patterns stands for", () => {
  fc.assert(fc.property(patterns, (all) => {
    const expected = all.filter((one) => !all.some((other) => other !== one && covers(other, one)));
    assertEquals([...countedOf(all)].sort(), expected.sort());
  }));
  assertEquals(countedOf(["a/*", "a/b/**"]).filter((one) => matches(one, "a/b")).length, 2);
});

Deno.test("channels that are asked for by name are listed, and no patterns", () => {
  const counts = new ReaderCounts();
  counts.add(["a", "b/*", ""], 1);
  assertEquals([[...counts.names].sort(), counts.nameCount], [["", "a"], 2]);
  counts.add(["a", "b/*", ""], -1);
  assert(counts.nameCount === 0);
});
