/** The ring of ids in memory against a map. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { IdRing } from "../../../../server/store/ids/id_ring.ts";

// Few values for each word, so that many hashes have one home, and homes at both ends of the table are in use.
const word = fc.constantFrom(0, 1, 2, 3, -1, -2, -3, 0x7fffffff, -0x80000000);
const use = fc.record({ h0: word, h1: word, h2: word, origin: fc.nat({ max: 2 }), sequence: fc.nat({ max: 99 }) });
const trim = fc.record({ kind: fc.constant("trim" as const), most: fc.nat({ max: 40 }) });
const forget = fc.record({
  kind: fc.constant("forget" as const),
  before: fc.nat({ max: 400 }),
  budget: fc.integer({ min: 1, max: 9 }),
});
const cut = fc.record({ kind: fc.constant("cut" as const), origin: fc.nat({ max: 2 }), after: fc.nat({ max: 99 }) });
const step = fc.oneof(
  { weight: 100, arbitrary: use.map((use) => ({ kind: "add" as const, ...use })) },
  { weight: 3, arbitrary: trim },
  { weight: 3, arbitrary: forget },
  { weight: 3, arbitrary: cut },
  { weight: 1, arbitrary: fc.constant({ kind: "clear" as const }) },
);

interface Kept {
  readonly origin: number;
  readonly sequence: number;
  readonly usedAt: number;
}

Deno.test("IdRing keeps what a map keeps, and forgets the oldest first", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
      const ring = new IdRing();
      const model = new Map<string, Kept>();
      const all = new Set<string>();
      for (const [index, step] of steps.entries()) {
        switch (step.kind) {
          case "add": {
            const { h0, h1, h2, origin, sequence } = step;
            const key = `${h0} ${h1} ${h2}`;
            all.add(key);
            const kept = { origin, sequence, usedAt: index };
            ring.add(h0, h1, h2, kept);
            if (!model.has(key)) model.set(key, kept);
            break;
          }
          case "trim":
            ring.trim(step.most);
            for (const key of [...model.keys()].slice(0, Math.max(0, model.size - step.most))) model.delete(key);
            break;
          case "forget":
            // However large a portion is, a sweep looks at each use once.
            while (ring.forget(step.before, step.budget));
            for (const [key, { usedAt }] of model) if (usedAt < step.before) model.delete(key);
            break;
          case "cut":
            ring.cut(step.origin, step.after);
            for (const [key, { origin, sequence }] of model) {
              if (origin === step.origin && sequence > step.after) model.delete(key);
            }
            break;
          case "clear":
            ring.clear();
            model.clear();
        }
        assertEquals(ring.size, model.size);
      }
      for (const key of all) {
        const [h0, h1, h2] = key.split(" ").map(Number) as [number, number, number];
        assertEquals(ring.find(h0, h1, h2), model.get(key));
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("IdRing.forget() goes on where it stopped, though uses come and go meanwhile", () => {
  const ring = new IdRing();
  const add = (number: number) => ring.add(number, 0, 0, { origin: 0, sequence: number, usedAt: number });
  for (let number = 0; number < 16; number++) add(number);
  // It looks at the first four, and the ring grows before it goes on.
  assertEquals([ring.forget(8, 4), ring.size], [true, 12]);
  for (let number = 16; number < 40; number++) add(number);
  assertEquals([ring.forget(8, 4), ring.size], [true, 32]);
  assertEquals(ring.find(8, 0, 0)?.sequence, 8);
  let looks = 0;
  while (ring.forget(8, 4)) looks++;
  assertEquals([ring.size, looks], [32, 7]);
});

Deno.test("IdRing takes at most 88 bytes for a use, and no more where as many come as go", () => {
  const ring = new IdRing();
  for (let number = 0; number < 500_000; number++) {
    ring.add(Math.imul(number, 0x9e3779b1), number, 0, { origin: 0, sequence: number, usedAt: number });
    ring.trim(100_000);
  }
  assertEquals(ring.size, 100_000);
  assertLessOrEqual(ring.bytes / ring.size, 88);
  const { bytes } = ring;
  for (let number = 500_000; number < 1_000_000; number++) {
    ring.add(Math.imul(number, 0x9e3779b1), number, 0, { origin: 0, sequence: number, usedAt: number });
    ring.trim(100_000);
  }
  assertEquals(ring.bytes, bytes);
});
