import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Crowd } from "../../../../server/session/limits/crowd.ts";
import { Seats, type Standing } from "../../../../server/session/limits/seats.ts";
import { RateLimit } from "../../../../server/session/limits/address_rates.ts";

const PLAIN: Standing = { kind: "plain" };
const ANONYMOUS: Standing = { kind: "anonymous" };
const PEER: Standing = { kind: "peer" };
const named = (username: string): Standing => ({ kind: "named", username });

/**
 * Places in which those whose name begins with "busy" are never idle, and those whose name begins with "fresh"
 * have only just come.
 */
function seatsOf(maxSeats: number, kept = 0, maxLobby = 4): Seats<string> {
  return new Seats<string>({ maxSeats, kept, maxLobby }, {
    isIdle: (guest) => !guest.startsWith("busy"),
    isFresh: (guest) => guest.startsWith("fresh"),
  });
}

/** They come from `network`, and are let in as `standing`. */
function fill(seats: Seats<string>, guests: readonly string[], network: string, standing: Standing): void {
  for (const guest of guests) {
    seats.arrive(guest, network);
    seats.enter(guest, standing);
  }
}

/** Somebody comes and says who it is. */
function comes(seats: Seats<string>, guest: string, network: string, standing: Standing) {
  assertEquals(seats.arrive(guest, network), {});
  return seats.enter(guest, standing);
}

Deno.test("as long as there are places anybody has one, a hundred from one address too", () => {
  const seats = seatsOf(100, 20);
  const students = Array.from({ length: 100 }, (_, n) => `student ${n}`);
  for (const student of students) assertEquals(comes(seats, student, "school", PLAIN), { isIn: true });
  assertEquals([seats.taken, seats.inLobby, seats.isFull], [100, 0, true]);
});

Deno.test("places are short from nine tenths on", () => {
  const seats = seatsOf(20);
  fill(seats, Array.from({ length: 17 }, (_, n) => `${n}`), "a", named("x"));
  assertEquals(seats.isShort, false);
  fill(seats, ["17"], "a", named("x"));
  assertEquals(seats.isShort, true);
});

Deno.test("whoever has said nothing goes first, of the address that has most of them the oldest", () => {
  const seats = seatsOf(5);
  for (const guest of ["a1", "b1", "b2"]) seats.arrive(guest, guest[0]!);
  fill(seats, ["p1", "p2"], "p", PLAIN);
  assertEquals(comes(seats, "anna", "z", named("anna")), { isIn: true, out: "b1" });
  assertEquals(comes(seats, "bob", "z", PLAIN), { isIn: true, out: "a1" });
  assertEquals(comes(seats, "cleo", "z", PEER), { isIn: true, out: "b2" });
  assertEquals(seats.taken, 5);
});

Deno.test("a user with a name gets the place of an idle plain client, whatever it shares; of others only below the share", () => {
  const seats = seatsOf(4, 2);
  fill(seats, ["busy p", "p", "q"], "p", PLAIN);
  fill(seats, ["f"], "f", ANONYMOUS);
  assertEquals(comes(seats, "anna", "z", named("anna")), { isIn: true, out: "p" });
  assertEquals(comes(seats, "bob", "z", named("bob")), { isIn: true, out: "q" });
  // The two that were kept are taken.
  assertEquals(comes(seats, "cleo", "z", named("cleo")), { isIn: false });
  seats.leave("anna");
  assert(seats.hasSeat("cleo"));
  const fewer = seatsOf(3, 2);
  fill(fewer, ["busy p"], "p", PLAIN);
  fill(fewer, ["f", "g"], "f", ANONYMOUS);
  assertEquals(comes(fewer, "anna", "z", named("anna")), { isIn: true, out: "busy p" });
  assertEquals(comes(fewer, "bob", "z", named("bob")), { isIn: true, out: "f" });
  assertEquals(comes(fewer, "cleo", "z", named("cleo")), { isIn: false });
});

Deno.test("an anonymous client gets the place of one from an address that has more than one more, and of nobody with a name", () => {
  const seats = seatsOf(4);
  fill(seats, ["a1", "a2", "a3"], "a", PLAIN);
  fill(seats, ["anna"], "z", named("anna"));
  assertEquals(comes(seats, "a4", "a", PLAIN), { isIn: false });
  assertEquals(comes(seats, "b1", "b", ANONYMOUS), { isIn: true, out: "a1" });
  assertEquals(comes(seats, "b2", "b", PLAIN), { isIn: false });
  // Those who wait have places in the turn of their addresses.
  assertEquals(seats.leave("a2"), "a4");
  assertEquals(seats.leave("a3"), "b2");
});

Deno.test("a server waits for nobody, and never goes", () => {
  const seats = seatsOf(2);
  fill(seats, ["anna", "bob"], "z", named("x"));
  assertEquals(comes(seats, "s-1", "y", PEER), { isIn: true });
  assertEquals(seats.taken, 3);
  assertEquals(comes(seats, "cleo", "x", named("cleo")), { isIn: false });
  assertEquals(seats.leave("anna"), undefined);
  assertEquals(seats.leave("bob"), "cleo");
});

Deno.test("one user with many connections, and one address with most of the places, give of them to others", () => {
  const seats = seatsOf(12);
  fill(seats, Array.from({ length: 9 }, (_, n) => `m${n}`), "m", named("many"));
  fill(seats, ["a", "b", "c"], "z", named("few"));
  assertEquals(comes(seats, "anna", "y", named("anna")), { isIn: true, out: "m0" });
  // Eight are few.
  assertEquals(comes(seats, "bob", "m", named("bob")), { isIn: false });
  const class_ = seatsOf(10);
  fill(class_, ["a"], "y", named("a"));
  for (let n = 0; n < 9; n++) fill(class_, [`c${n}`], "class", named(`student ${n}`));
  assertEquals(comes(class_, "anna", "x", named("anna")), { isIn: true, out: "c0" });
  assertEquals(comes(class_, "c9", "class", named("student 9")), { isIn: false });
});

Deno.test("who waits with a name has the next place before all others, and the lobby the ones after", () => {
  const seats = seatsOf(1);
  fill(seats, ["busy"], "z", named("busy"));
  seats.arrive("silent", "a");
  assertEquals(comes(seats, "plain", "b", PLAIN), { isIn: false });
  assertEquals(comes(seats, "anna", "c", named("anna")), { isIn: false });
  assertEquals(seats.leave("busy"), "anna");
  assertEquals(seats.leave("anna"), "plain");
  assertEquals(seats.leave("plain"), undefined);
  assert(seats.hasSeat("silent"));
});

Deno.test("the lobby has a bound: of the address that has most in it the oldest that is silent goes", () => {
  const seats = seatsOf(1, 0, 4);
  fill(seats, ["busy"], "z", named("busy"));
  for (const guest of ["a1", "b1", "b2"]) seats.arrive(guest, guest[0]!);
  seats.arrive("trying", "b");
  seats.tries("trying", true);
  assertEquals(seats.arrive("c1", "c"), { out: "b1" });
  assertEquals(seats.arrive("c2", "c"), { out: "c1" });
  assertEquals(seats.inLobby, 4);
});

Deno.test("who has only just come goes after those who wait without a name, and after idle clients", () => {
  const seats = seatsOf(2, 2, 3);
  seats.arrive("fresh", "a");
  fill(seats, ["plain"], "b", PLAIN);
  assertEquals(comes(seats, "anna", "z", named("anna")), { isIn: true, out: "plain" });
  assertEquals(comes(seats, "bob", "z", named("bob")), { isIn: true, out: "fresh" });
  seats.arrive("fresh 1", "c");
  assertEquals(comes(seats, "waits", "d", PLAIN), { isIn: false });
  seats.arrive("fresh 2", "e");
  assertEquals(seats.arrive("fresh 3", "f"), { out: "waits" });
  assertEquals(seats.arrive("fresh 4", "g"), { out: "fresh 1" });
});

Deno.test("limits of addresses are counted over all that come from one", () => {
  const seats = seatsOf(2);
  fill(seats, ["anna", "busy"], "a", named("anna"));
  seats.arrive("silent", "a");
  seats.arrive("trying", "a");
  seats.tries("trying", true);
  assertEquals(seats.countOf("a"), { all: 4, unidentified: 2 });
  seats.leave("silent");
  assertEquals(seats.countOf("a"), { all: 3, unidentified: 1 });
  assertEquals(seats.countOf("b"), { all: 0, unidentified: 0 });
});

Deno.test("whatever happens, no more places are taken than there are but by servers, and whoever is told to go is gone", () => {
  const network = fc.constantFrom("a", "b", "c");
  const standing = fc.constantFrom<Standing>(PLAIN, ANONYMOUS, PEER, named("u"), named("v"));
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ network }) },
    { weight: 3, arbitrary: fc.record({ standing, who: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ who: fc.nat(40), tries: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ who: fc.nat(40) }) },
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), fc.nat(6), (steps, max) => {
    const seats = new Seats<number>({ maxSeats: max + 1, kept: 2, maxLobby: 3 }, {
      isIdle: (guest) => guest % 3 > 0,
      isFresh: (guest) => guest % 5 === 0,
    });
    const there = new Map<number, Standing | undefined>();
    const isIn = new Set<number>();
    const gone = (guest: number | undefined) => {
      if (guest === undefined) return;
      assert(there.delete(guest), "it was not there");
      isIn.delete(guest);
    };
    steps.forEach((step, index) => {
      if ("network" in step) {
        there.set(index, undefined);
        gone(seats.arrive(index, step.network).out);
      } else {
        const guest = [...there.keys()][step.who];
        if (guest === undefined) return;
        if ("standing" in step) {
          if (there.get(guest) !== undefined) return;
          there.set(guest, step.standing);
          const entry = seats.enter(guest, step.standing);
          if (entry.out !== undefined) assert(there.get(entry.out)?.kind !== "peer");
          gone(entry.out);
          if (entry.isIn) isIn.add(guest);
          else assert(step.standing.kind !== "peer");
        } else if ("tries" in step) {
          if (there.get(guest) === undefined) seats.tries(guest, step.tries);
        } else {
          gone(guest);
          const next = seats.leave(guest);
          if (next === undefined) return;
          assert(there.get(next) !== undefined && !isIn.has(next), "it did not wait");
          isIn.add(next);
        }
      }
      const peers = [...there.values()].filter((standing) => standing?.kind === "peer").length;
      assert(seats.taken <= max + 1 + peers && seats.inLobby <= 3);
      assertEquals(seats.taken + seats.inLobby, there.size);
      assertEquals([...isIn].every((guest) => seats.hasSeat(guest)), true);
    });
    for (const guest of [...there.keys()]) seats.leave(guest);
    assertEquals([seats.taken, seats.inLobby], [0, 0]);
  }));
});

Deno.test("Crowd knows who has the most, like a plain count of all of them", () => {
  const owner = fc.constantFrom("a", "b", "c", "d");
  fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), owner, fc.nat(5)), { maxLength: 80 }), (steps) => {
    const crowd = new Crowd<string>();
    const all = new Map<string, Set<string>>();
    for (const [adds, owner, thing] of steps) {
      const things = all.get(owner) ?? new Set();
      all.set(owner, things);
      if (adds) {
        crowd.add(owner, `${owner}${thing}`);
        things.add(`${owner}${thing}`);
      } else {
        crowd.delete(owner, `${owner}${thing}`);
        things.delete(`${owner}${thing}`);
      }
      const most = Math.max(...[...all.values()].map(({ size }) => size));
      assertEquals(crowd.most, most);
      assertEquals(crowd.size, [...all.values()].reduce((sum, { size }) => sum + size, 0));
      assertEquals(crowd.largest === undefined, most === 0);
      if (crowd.largest !== undefined) assertEquals(all.get(crowd.largest)!.size, most);
      const turns = Array.from({ length: 4 }, () => crowd.next()?.[0]);
      const owners = [...all.keys()].filter((owner) => all.get(owner)!.size > 0);
      assertEquals(new Set(turns), new Set(owners.length === 0 ? [undefined] : owners));
    }
  }));
});

Deno.test("RateLimit lets so many through at once and in each span, says when the next may, and remembers few", () => {
  const rate = new RateLimit(4, 1_000, 3);
  assertEquals(Array.from({ length: 6 }, () => rate.take("a", 0)), [0, 0, 0, 0, 250, 250]);
  assertEquals([rate.take("a", 249), rate.take("a", 250), rate.take("a", 250)], [1, 0, 250]);
  assertEquals(Array.from({ length: 5 }, () => rate.take("a", 10_000)), [0, 0, 0, 0, 250]);
  for (const key of ["b", "c", "d"]) assertEquals(rate.take(key, 10_000), 0);
  assertEquals(rate.size, 3);
});
