/** Whether, and where, an old copy of a server's data has gone on by itself. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { comparedSequences, forkOf } from "../../../../server/journal/origins/fork.ts";

/** Digests of a history that is `common` up to `after`, and `kind` of its own beyond. */
function history(after: number, kind: string, sequences: readonly number[]): ReadonlyMap<number, string> {
  return new Map(
    sequences.map((sequence) => [sequence, sequence <= after ? `common ${sequence}` : `${kind} ${sequence}`]),
  );
}

Deno.test("entries are compared around where starts began to number, and at the end", () => {
  assertEquals(comparedSequences({ last: 15, bases: [15, 10, 0] }), [15, 10, 11, 1]);
  assertEquals(comparedSequences({ last: 0, bases: [] }), []);
  // A base beyond the end is of numbers that are gone.
  assertEquals(comparedSequences({ last: 5, bases: [9, 5, 2] }), [5, 2, 3]);
});

Deno.test("where nothing is known to differ there is no fork, whoever has more", () => {
  const own = { last: 15, bases: [10], digests: history(15, "own", [15, 10]) };
  assertEquals(forkOf(own, history(30, "theirs", [30, 15, 10])), undefined);
  assertEquals(forkOf(own, history(30, "theirs", [5])), undefined);
  assertEquals(forkOf(own, new Map()), undefined);
});

Deno.test("what cannot be compared is taken for the older place: rather a second name than nothing", () => {
  const own = { last: 20, bases: [15, 10, 5], digests: history(5, "own", [20]) };
  assertEquals(forkOf(own, history(5, "theirs", [20, 15, 10])), 5);
  assertEquals(forkOf({ ...own, bases: [] }, history(5, "theirs", [20])), 0);
});

Deno.test("where what both had last is not kept, what came next tells that they did not part at an earlier start", () => {
  const own = { last: 5, bases: [4, 0] };
  const asked = comparedSequences(own).filter((sequence) => sequence !== 4);
  assertEquals(forkOf({ ...own, digests: history(4, "own", asked) }, history(4, "theirs", asked)), 4);
});

Deno.test("the place where two histories parted is found at a start of the server, whatever the other one has", () => {
  const ends = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      ends,
      fc.nat(),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 60 }),
      (bases, which, more, their) => {
        const last = Math.max(...bases) + more;
        const after = bases[which % bases.length]!;
        const own = { last, bases };
        const asked = [...comparedSequences(own), Math.min(their, last)];
        const theirs = history(after, "theirs", [...asked.filter((sequence) => sequence <= their), their]);
        const found = forkOf({ ...own, digests: history(after, "own", [...asked, their]) }, theirs);
        assertEquals(found, their <= after ? undefined : after);
      },
    ),
  );
});
