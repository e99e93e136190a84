import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FairQueue, type QueuePlace } from "../../../server/accounts/fair_queue.ts";

const kind = fc.constantFrom("login" as const, "registration" as const, "peer" as const);
const name = fc.constantFrom(..."abcdef");
const place = fc.record({ kind, network: name, account: name });

Deno.test("FairQueue gives back everybody once who was added and not taken out, and nobody else", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: place },
    { weight: 2, arbitrary: fc.constant("take" as const) },
    { weight: 1, arbitrary: fc.nat(30) },
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const queue = new FairQueue<number>();
    const inside = new Map<number, QueuePlace>();
    steps.forEach((step, index) => {
      if (step === "take") {
        const taken = queue.take();
        assertEquals(taken === undefined, inside.size === 0);
        if (taken === undefined) return;
        assertEquals(taken[1], inside.get(taken[0]));
        inside.delete(taken[0]);
      } else if (typeof step === "number") {
        const waiting = [...inside.keys()][step];
        assertEquals(queue.delete(waiting ?? -1), waiting === undefined ? undefined : inside.get(waiting));
        inside.delete(waiting ?? -1);
      } else {
        queue.add(index, step);
        inside.set(index, step);
      }
      assertEquals(queue.size, inside.size);
    });
    while (inside.size > 0) inside.delete(queue.take()![0]);
    assertEquals(queue.take(), undefined);
  }));
});

Deno.test("FairQueue takes those of one kind, address and account in the order in which they came", () => {
  fc.assert(fc.property(fc.array(place, { maxLength: 60 }), (places) => {
    const queue = new FairQueue<number>();
    places.forEach((place, index) => queue.add(index, place));
    const last = new Map<string, number>();
    for (let taken = queue.take(); taken !== undefined; taken = queue.take()) {
      const key = Object.values(taken[1]).join(" ");
      assert(taken[0] > (last.get(key) ?? -1));
      last.set(key, taken[0]);
    }
  }));
});

Deno.test("FairQueue lets nobody wait for longer than a few rounds of the addresses, or of the accounts, whichever are fewer", () => {
  // Others come before and meanwhile, as many as they like.
  const flood = fc.array(place, { minLength: 100, maxLength: 200, size: "max" });
  fc.assert(fc.property(flood, flood, kind, (before, meanwhile, kind) => {
    const queue = new FairQueue<string>();
    before.forEach((place, index) => queue.add(`b${index}`, place));
    queue.add("it", { kind, network: "its own", account: "its own" });
    const others = [...before, ...meanwhile].filter((place) => place.kind === kind);
    const keys = Math.min(
      new Set(others.map(({ network }) => network)).size,
      new Set(others.map(({ account }) => account)).size,
    );
    // A kind has at least every fourth turn, and of its turns every other one is the addresses'.
    const most = 4 * 2 * (keys + 1);
    let turns = 0;
    for (; turns <= most; turns++) {
      const place = meanwhile[turns];
      if (place !== undefined) queue.add(`m${turns}`, place);
      if (queue.take()?.[0] === "it") return;
    }
    throw new Error(`it was not its turn after ${most} turns`);
  }));
});

Deno.test("FairQueue gives logins half of the turns and the others a quarter each, where all of them wait", () => {
  const queue = new FairQueue<string>();
  for (let n = 0; n < 8; n++) {
    for (const kind of ["login", "registration", "peer"] as const) {
      queue.add(`${kind} ${n}`, { kind, network: `${n}`, account: `${n}` });
    }
  }
  const kinds = Array.from({ length: 8 }, () => queue.take()![1].kind);
  assertEquals(kinds, ["login", "registration", "login", "peer", "login", "registration", "login", "peer"]);
});
