import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { GONE, type Sleeper, TAKEN, Wheel } from "../../heartbeat/wheel.ts";

function sleeper(): Sleeper {
  return { dueAt: 0, slot: GONE };
}

Deno.test("Wheel.takeDue() takes out who is due and leaves who is due later in the same slot", () => {
  const wheel = new Wheel<Sleeper>();
  const [early, late] = [sleeper(), sleeper()];
  wheel.put(early, 1_010);
  wheel.put(late, 1_011);
  assertEquals(wheel.takeDue(1_009), []);
  assertEquals(wheel.takeDue(1_010), [early]);
  assertEquals([early.slot, late.slot >= 0], [TAKEN, true]);
  assertEquals(wheel.takeDue(1_011), [late]);
  assertEquals(wheel.takeDue(9_999), []);
});

Deno.test("Wheel.put() moves one who is in it, into another slot or within its own", () => {
  const wheel = new Wheel<Sleeper>();
  const one = sleeper();
  wheel.put(one, 1_000);
  wheel.put(one, 5_000);
  wheel.put(one, 5_001);
  assertEquals(wheel.takeDue(5_000), []);
  assertEquals(wheel.takeDue(5_001), [one]);
  wheel.put(one, 6_000);
  assertEquals(wheel.takeDue(6_000), [one]);
});

Deno.test("Wheel.put() of a moment that has passed is due next", () => {
  const wheel = new Wheel<Sleeper>();
  wheel.takeDue(10_000);
  const one = sleeper();
  wheel.put(one, 3);
  assertEquals(wheel.takeDue(10_000), [one]);
});

Deno.test("Wheel.remove() and clear() leave nobody behind", () => {
  const wheel = new Wheel<Sleeper>();
  const [one, other] = [sleeper(), sleeper()];
  wheel.put(one, 100);
  wheel.put(other, 200);
  wheel.remove(one);
  assertEquals(one.slot, GONE);
  wheel.clear();
  assertEquals(other.slot, GONE);
  assertEquals(wheel.takeDue(1_000), []);
});

Deno.test("Wheel does what a list that is searched each time does", () => {
  const action = fc.record({
    what: fc.constantFrom("put", "put", "remove", "take"),
    who: fc.nat(9),
    ms: fc.nat(2_000),
  });
  fc.assert(fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
    const wheel = new Wheel<Sleeper>();
    const sleepers = Array.from({ length: 10 }, sleeper);
    const list = new Map<Sleeper, number>();
    let now = 0;
    for (const { what, who, ms } of actions) {
      const one = sleepers[who]!;
      if (what === "put") {
        wheel.put(one, now + ms);
        list.set(one, now + ms);
      } else if (what === "remove") {
        wheel.remove(one);
        list.delete(one);
      } else {
        now += ms;
        const due = new Set(wheel.takeDue(now));
        for (const [other, dueAt] of list) {
          assertEquals(due.delete(other), dueAt <= now);
          if (dueAt <= now) list.delete(other);
        }
        assert(due.size === 0, "nobody else is due");
      }
    }
  }));
});
