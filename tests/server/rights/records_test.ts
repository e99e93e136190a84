/** What operators set: the same on every server, in whatever order it comes. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ConfigLayer } from "../../../config/config.ts";
import { checkEntry } from "../../../protocol/entry_check.ts";
import { encodeRecord, recordProblem } from "../../../protocol/peer/record_codec.ts";
import { Records, type StoredRecord, storedRecord } from "../../../server/rights/records.ts";
import { MeshWorld } from "../../support/mesh_world.ts";

function record(value: unknown, lamport: number, origin: string, key = "k"): StoredRecord {
  return { of: "ban", key, value, lamport, origin, keptAt: origin };
}

Deno.test("of one key the later record holds; at a tie a value beats what takes it back, then the higher origin", () => {
  const cases: [StoredRecord, StoredRecord][] = [
    [record(1, 5, "a"), record(2, 4, "b")],
    [record(1, 5, "a"), record(null, 5, "b")],
    [record(1, 5, "b"), record(2, 5, "a")],
    [record(null, 6, "a"), record(1, 5, "b")],
  ];
  for (const [holds, other] of cases) {
    for (const order of [[holds, other], [other, holds]]) {
      const records = new Records();
      for (const each of order) records.take(each);
      assertEquals(records.get("ban", "k"), holds.value ?? undefined);
    }
  }
});

Deno.test("records come to the same in any order, and after any number of restarts", () => {
  const one = fc.record({
    value: fc.constantFrom(null, 1, 2),
    lamport: fc.integer({ min: 1, max: 3 }),
    origin: fc.constantFrom("a", "b", "c"),
    key: fc.constantFrom("x", "y/z"),
  });
  // A server numbers one entry at a time: no two records have one lamport and origin.
  const list = fc.uniqueArray(one, { selector: ({ lamport, origin }) => `${lamport} ${origin}`, maxLength: 9 });
  fc.assert(fc.property(list, fc.integer(), (made, seed) => {
    const shuffled = made.map((each, index) => ({ each, at: Math.sin(seed + index) })).sort((a, b) => a.at - b.at);
    const straight = new Records();
    for (const { value, lamport, origin, key } of made) straight.take(record(value, lamport, origin, key));
    let notes: Record<string, string> = {};
    for (const { each: { value, lamport, origin, key } } of shuffled) {
      const note = new Records(notes).take(record(value, lamport, origin, key));
      if (note !== undefined) notes = { ...notes, [note.name]: note.text };
    }
    const kept = new Records(notes);
    for (const key of ["x", "y/z"]) assertEquals(kept.get("ban", key), straight.get("ban", key));
    assertEquals([...kept.of("ban")].length, [...straight.of("ban")].length);
  }));
});

Deno.test("a record that another server writes down once more counts from when it was set", () => {
  const set = { lamport: 3, origin: "gone" };
  const again = storedRecord({ of: "role", key: "anna", value: ["x"], set }, { lamport: 9, origin: "b" });
  assertEquals(again, { of: "role", key: "anna", value: ["x"], ...set, keptAt: "b" });
});

Deno.test("a RECORD line is an entry for servers alone, and a wrong one has a problem", () => {
  const at = { origin: "s-1", sequence: 1, lamport: 2, sentAt: 3 };
  const check = (line: string, to: "servers" | "everyone" = "servers") =>
    checkEntry(line.trimEnd(), { origin: "s-1", sequence: 1, to });
  const line = encodeRecord({ of: "role", key: "anna", value: ["teacher"] }, at);
  assertEquals(check(line)?.facts.record, { of: "role", key: "anna", value: ["teacher"] });
  assertEquals(check(line)?.problem, undefined);
  assertEquals(check(line, "everyone")?.misdirected, 'an entry of this kind is not for "everyone"');
  assertEquals(check(line.replace('"role"', '"r o"'))?.problem, "it is no record");
  assertEquals(recordProblem({ of: "role", key: "a\u0007", value: 1 })?.includes("control"), true);
  assertEquals(recordProblem({ of: "role", key: "a", value: "x".repeat(5_000) })?.includes("longer"), true);
});

Deno.test("what is set at one server holds at all, and after a restart", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const heard: unknown[] = [];
  world.server("b").node.records.all.listen(({ of, key, value }) => void heard.push([of, key, value]));
  world.server("a").node.records.set({ of: "role", key: "anna", value: ["teacher"] });
  world.server("a").node.records.set({ of: "role", key: "bob", value: ["guest"] });
  await world.equal("a", "b");
  world.server("b").node.records.set({ of: "role", key: "bob", value: null });
  await world.equal("a", "b");
  for (const name of ["a", "b"]) {
    assertEquals([...world.server(name).node.records.all.of("role")], [["anna", ["teacher"]]]);
  }
  assertEquals(heard, [["role", "anna", ["teacher"]], ["role", "bob", ["guest"]], ["role", "bob", null]]);
  world.server("b").kill();
  world.start("b", ["a"]);
  await world.linked("a", "b");
  assertEquals(world.server("b").node.records.all.get("role", "anna"), ["teacher"]);
});

Deno.test("what was set at a server that is gone for good holds for who joins after its log was forgotten", async () => {
  const soon: ConfigLayer = {
    cluster: { memberRetentionMs: 20_000 },
    store: { activityRetentionMs: 30_000, directMessageRetentionMs: 30_000, messageIdRetentionMs: 30_000 },
  };
  const world = await MeshWorld.of(["a", "b", "x"], soon);
  world.server("x").node.records.set({ of: "role", key: "anna", value: ["teacher"] });
  await world.equal("a", "b", "x");
  world.server("x").powerOff();
  await world.run(60_000);
  await world.until(() => !Object.hasOwn(world.server("a").vector, "x"), "that x is forgotten");
  await world.until(() => !Object.hasOwn(world.server("b").vector, "x"), "that x is forgotten");
  await world.equal("a", "b");
  world.start("c", ["a"], soon);
  await world.linked("a", "c");
  assertEquals(world.server("c").node.records.all.get("role", "anna"), ["teacher"]);
  assertEquals(world.server("c").node.records.all.keptAt("x"), []);
});
