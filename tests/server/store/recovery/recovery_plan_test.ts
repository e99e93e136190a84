import { assertEquals } from "@std/assert";
import { FoundLog, planRecovery } from "../../../../server/store/recovery/recovery_plan.ts";

const CLEAN = { peers: {}, serverId: "a", wasClosed: true };

Deno.test("FoundLog names what is lost, and what may be lost where the index is unknown, but nothing that was forgotten", () => {
  const log = new FoundLog(new Map([["a", 10]]));
  log.whole("a", 3, 4);
  // What lies between them was forgotten in good order.
  log.whole("a", 11, 12);
  log.lost("a", 13, 15);
  log.lost("a", 16, 16);
  log.whole("a", 17, 20);
  log.unknown();
  log.whole("a", 24, 25);
  // A gap without anything unknown was one before.
  log.whole("a", 30, 31);
  log.whole("b", 3, 3);
  assertEquals(log.origins, [
    {
      origin: "a",
      last: 31,
      isEndKnown: true,
      missing: [{ first: 13, last: 16, isCertain: true }, { first: 21, last: 23, isCertain: false }],
    },
    { origin: "b", last: 3, isEndKnown: true, missing: [{ first: 1, last: 2, isCertain: false }] },
  ]);
});

Deno.test("FoundLog does not know the end of an origin behind which something is unknown", () => {
  const log = new FoundLog(new Map());
  log.whole("a", 1, 4);
  log.whole("b", 1, 1);
  log.unknown();
  log.whole("b", 2, 2);
  assertEquals(log.origins.map(({ origin, isEndKnown }) => [origin, isEndKnown]), [["a", false], ["b", true]]);
});

Deno.test("planRecovery() gives a new name wherever a number may have been given out that nothing tells of", () => {
  const whole = { origin: "a", last: 9, missing: [], isEndKnown: true };
  const hole = { ...whole, missing: [{ first: 3, last: 4, isCertain: true }] };
  const lostEnd = { ...whole, missing: [{ first: 10, last: 11, isCertain: true }] };
  for (
    const [found, facts, needsNewName] of [
      [whole, CLEAN, false],
      [hole, CLEAN, false],
      [lostEnd, CLEAN, true],
      [{ ...whole, isEndKnown: false }, CLEAN, true],
      [whole, { ...CLEAN, wasClosed: false }, true],
      [whole, { ...CLEAN, serverId: undefined }, true],
      [hole, { ...CLEAN, peers: { a: 9 } }, true],
      [hole, { ...CLEAN, peers: { a: 8 } }, false],
      [lostEnd, { ...CLEAN, serverId: "b" }, false],
    ] as const
  ) assertEquals(planRecovery([found], facts).needsNewName, needsNewName, JSON.stringify([found, facts]));
});

Deno.test("planRecovery() ends an origin before its first hole only where others have all that was there", () => {
  const found = { origin: "b", last: 9, missing: [{ first: 3, last: 4, isCertain: true }], isEndKnown: true };
  const cutAfter = (peers: Record<string, number>) => planRecovery([found], { ...CLEAN, peers }).origins[0]?.cutAfter;
  assertEquals(cutAfter({ b: 9 }), 2);
  assertEquals(cutAfter({ b: 12 }), 2);
  assertEquals(cutAfter({ b: 8 }), undefined);
  assertEquals(cutAfter({}), undefined);
});
