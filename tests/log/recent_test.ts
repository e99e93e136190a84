/** What is remembered of many, up to a bound. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RecentMap, RecentSet } from "../../log/recent.ts";

Deno.test("the oldest entry goes when there are too many, and its value is given back", () => {
  const map = new RecentMap<string, number>(2);
  assertEquals([map.set("a", 1), map.set("b", 2), map.set("c", 3)], [undefined, undefined, 1]);
  assertEquals([...map], [["b", 2], ["c", 3]]);
  assertEquals([map.has("a"), map.get("a"), map.get("b"), map.size], [false, undefined, 2, 2]);
});

Deno.test("an entry that is set again keeps its age, one that is renewed does not", () => {
  const kept = new RecentMap<string, number>(2);
  const renewed = new RecentMap<string, number>(2);
  for (const map of [kept, renewed]) for (const key of ["a", "b"]) map.set(key, 1);
  kept.set("a", 2);
  renewed.renew("a", 2);
  for (const map of [kept, renewed]) map.set("c", 3);
  assertEquals([...kept], [["b", 1], ["c", 3]]);
  assertEquals([...renewed], [["a", 2], ["c", 3]]);
});

Deno.test("a key that is added again keeps its age, one that is renewed does not", () => {
  const kept = new RecentSet<string>(2);
  const renewed = new RecentSet<string>(2);
  for (const set of [kept, renewed]) for (const key of ["a", "b"]) set.add(key);
  kept.add("a");
  renewed.renew("a");
  for (const set of [kept, renewed]) set.add("c");
  assertEquals(["a", "b", "c"].filter((key) => kept.has(key)), ["b", "c"]);
  assertEquals(["a", "b", "c"].filter((key) => renewed.has(key)), ["a", "c"]);
});

Deno.test("a deleted entry makes room, and an entry that comes back is the newest", () => {
  const map = new RecentMap<string, number>(2);
  for (const key of ["a", "b"]) map.set(key, 1);
  assertEquals([map.delete("a"), map.delete("a")], [true, false]);
  assertEquals([map.set("a", 2), map.set("c", 3)], [undefined, 1]);
  assertEquals([...map], [["a", 2], ["c", 3]]);
});

Deno.test("nothing is kept where nothing may be", () => {
  const map = new RecentMap<string, number>(0);
  assertEquals([map.set("a", 1), map.set("b", 2), map.size], [1, 2, 0]);
});

Deno.test("a map that was full once, and whose entries are renewed for ever, takes no more memory", () => {
  const map = new RecentMap<number, number>(1_000);
  for (let key = 0; key <= 1_000; key++) map.set(key, 0);
  const before = Deno.memoryUsage().heapUsed;
  // An iterator that stays behind holds about 50 bytes for each renewal.
  for (let count = 0; count < 2_000_000; count++) map.renew(1 + count % 1_000, count);
  const grown = Deno.memoryUsage().heapUsed - before;
  assertEquals([map.size, grown < 60_000_000], [1_000, true], `${grown} bytes more`);
});

/** The same in the plainest way: a list of entries, oldest first. */
class PlainRecent {
  entries: [number, number][] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  set(key: number, value: number): number | undefined {
    const known = this.entries.find(([other]) => other === key);
    if (known !== undefined) known[1] = value;
    else this.entries.push([key, value]);
    return this.entries.length > this.#most ? this.entries.shift()![1] : undefined;
  }

  delete(key: number): boolean {
    const before = this.entries.length;
    this.entries = this.entries.filter(([other]) => other !== key);
    return this.entries.length < before;
  }
}

Deno.test("whatever is done, a map and a set hold what a plain list would", () => {
  const step = fc.record({
    does: fc.constantFrom("set", "set", "set", "renew", "delete"),
    key: fc.integer({ min: 0, max: 12 }),
    value: fc.integer(),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 120 }), (most, steps) => {
      const map = new RecentMap<number, number>(most);
      const set = new RecentSet<number>(most);
      const plain = new PlainRecent(most);
      for (const { does, key, value } of steps) {
        if (does === "set") {
          assertEquals(map.set(key, value), plain.set(key, value));
          set.add(key);
        } else if (does === "delete") {
          const wasHere = plain.delete(key);
          assertEquals([map.delete(key), set.delete(key)], [wasHere, wasHere]);
        } else {
          plain.delete(key);
          plain.set(key, value);
          map.renew(key, value);
          set.renew(key);
        }
        assertEquals([...map], plain.entries);
        assertEquals([...map.values()], plain.entries.map(([, value]) => value));
        assertEquals([map.size, set.size], [plain.entries.length, plain.entries.length]);
        for (let key = 0; key <= 12; key++) assertEquals(set.has(key), map.has(key));
      }
    }),
  );
});
