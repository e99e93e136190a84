/** The table of recent ids against a map. */

import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { compareHashes, IdTable } from "../../../../server/store/ids/id_table.ts";

// Few values for each word, so that many ids have one home, and the last homes are in use.
const word = fc.constantFrom(0, 1, 2, -1, -2, 0x7fffffff, -0x80000000, 0x40000000);
const step = fc.record({ h0: word, h1: word, h2: word, origin: fc.nat({ max: 2 }), sequence: fc.nat({ max: 99 }) });

Deno.test("IdTable keeps what a map keeps, and gives it in the order of the hashes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), fc.nat({ max: 99 }), (steps, cutAfter) => {
      const table = new IdTable(4, 1_000);
      const model = new Map<string, (typeof steps)[number]>();
      const keyOf = ({ h0, h1, h2 }: (typeof steps)[number]) => `${h0} ${h1} ${h2}`;
      const check = () => {
        assertEquals(table.size, model.size);
        for (const step of steps) {
          const slot = table.find(step.h0, step.h1, step.h2);
          const found = slot < 0 ? undefined : table.at(slot);
          const expected = model.get(keyOf(step));
          assertEquals(found?.sequence, expected?.sequence);
          assertEquals(found?.origin, expected?.origin);
        }
        const half = 2 ** table.bits / 2;
        const sorted = [...table.sorted(0, half), ...table.sorted(half, 2 * half)];
        assertEquals(
          sorted.map(({ h0, h1, h2, sequence }) => ({ h0, h1, h2, sequence })),
          [...model.values()]
            .sort(compareHashes).map(({ h0, h1, h2, sequence }) => ({ h0, h1, h2, sequence })),
        );
      };
      for (const [index, { h0, h1, h2, origin, sequence }] of steps.entries()) {
        table.put(h0, h1, h2, { origin, sequence, usedAt: index, ordinal: index % 2 === 0 ? 0 : 1_000 + index });
        model.set(keyOf(steps[index]!), steps[index]!);
      }
      check();
      table.cut(1, cutAfter);
      for (const [key, { origin, sequence }] of model) if (origin === 1 && sequence > cutAfter) model.delete(key);
      check();
      for (const step of steps.slice(0, 9)) {
        table.put(step.h0, step.h1, step.h2, { ...step, usedAt: 0, ordinal: 0 });
        model.set(keyOf(step), step);
      }
      check();
    }),
    { numRuns: 40 },
  );
});

Deno.test("IdTable.at() gives all of a use, and a table takes less than 64 bytes for an id", () => {
  const table = new IdTable(10, 5_000_000_000);
  for (let id = 0; id < 98_304; id++) {
    const kept = { origin: id % 70_000, sequence: 2 ** 47 + id, usedAt: 2 ** 45 + id, ordinal: 5_000_000_001 + id };
    table.put(Math.imul(id, 0x9e3779b1), id, -id, kept);
    assertEquals(table.at(table.find(Math.imul(id, 0x9e3779b1), id, -id)), kept);
  }
  assertLess(table.bytes / 98_304, 64);
  assertEquals(table.bits, 17);
});
