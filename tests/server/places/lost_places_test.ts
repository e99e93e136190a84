/**
 * Where users stand whose connections were lost: what is concluded, told and taken up at one server, in
 * whatever order news come.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type LostPlace, LostPlaces } from "../../../server/places/lost_places.ts";

const HERE = { position: 5, except: {} };

/** A place that the server "a" tells of. */
function told(sequence: number, more: Partial<LostPlace> = {}): Omit<LostPlace, "id"> {
  return { username: "anna", server: "a", sequence, lostAt: 10, canResume: false, ...HERE, notedAt: 0, ...more };
}

/** When the server had been started that was lost. */
const RUN = 1_000;

function lost(places: LostPlaces, server: string, plain: number, resuming = 0, since = 0): void {
  const loss = { server, lostAt: 20, notedAt: 0, run: RUN };
  places.serverLost(loss, [{ username: "anna", plain, resuming, since, ...HERE }]);
}

function names(places: LostPlaces, username = "anna"): string[] {
  return places.of(username).map(({ server, sequence }) => `${server}:${sequence}`);
}

Deno.test("each lost connection is taken up once, the oldest first", () => {
  const places = new LostPlaces();
  places.told(told(1));
  places.told(told(2));
  places.told(told(7, { username: "bob" }));
  assertEquals(places.takeUp("anna")?.sequence, 1);
  assertEquals(places.takeUp("anna")?.sequence, 2);
  assertEquals(places.takeUp("anna"), undefined);
  assertEquals(names(places, "bob"), ["a:7"]);
});

Deno.test("a client that comes back with what it has takes away the place of such a client alone", () => {
  const places = new LostPlaces();
  places.told(told(1));
  places.told(told(2, { canResume: true }));
  assertEquals(places.takeAway("anna")?.sequence, 2);
  assertEquals(places.takeAway("anna"), undefined);
  assertEquals(names(places), ["a:1"]);
});

Deno.test("a place and the word that it was taken up end in nothing, whichever comes first", () => {
  for (const order of [[0, 1], [1, 0]]) {
    const places = new LostPlaces();
    const news = [
      () => places.told(told(3)),
      () => places.takenElsewhere("b", "anna", { server: "a", sequence: 3 }, 30),
    ];
    for (const one of order) news[one]!();
    assertEquals(names(places), []);
    // Another loss is another place.
    places.told(told(4, { lostAt: 40 }));
    assertEquals(names(places), ["a:4"]);
  }
});

Deno.test("a server that was started anew gives up what it noted of itself only to who could have heard of that", () => {
  const taken = { server: "a", sequence: 0 };
  for (const [at, left] of [[9, 1], [11, 0]] as const) {
    const places = new LostPlaces();
    places.concludeOwn({ username: "anna", server: "a", lostAt: 10, canResume: false, ...HERE, notedAt: 0 });
    places.takenElsewhere("b", "anna", taken, at, true);
    assertEquals(names(places).length, left);
  }
  // What another server concluded has no time that both know.
  const places = new LostPlaces();
  lost(places, "a", 1);
  places.takenElsewhere("b", "anna", taken, 9);
  assertEquals(names(places), []);
});

Deno.test("what is concluded of a lost server is replaced by what that tells, and forgotten when it has told all", () => {
  const places = new LostPlaces();
  lost(places, "a", 2);
  assertEquals(names(places), ["a:0", "a:0"]);
  places.told(told(4));
  assertEquals(names(places), ["a:0", "a:4"]);
  // Another run may not know of who was there.
  places.serverSpoke("a", RUN + 1);
  assertEquals(names(places), ["a:0", "a:4"]);
  places.serverSpoke("a", RUN);
  assertEquals(names(places), ["a:4"]);
});

Deno.test("who took up what was concluded has what that server tells later of before, and not what it loses after", () => {
  const places = new LostPlaces();
  places.takenElsewhere("b", "anna", { server: "a", sequence: 0 }, 30);
  places.told(told(4, { lostAt: 29 }));
  assertEquals(names(places), []);
  places.told(told(5, { lostAt: 31 }));
  assertEquals(names(places), ["a:5"]);
});

Deno.test("who took up what was concluded elsewhere is not concluded here once more", () => {
  const places = new LostPlaces();
  places.takenElsewhere("b", "anna", { server: "a", sequence: 0 }, 30);
  lost(places, "a", 1);
  assertEquals(names(places), []);
  // Of two that were there one has not come yet.
  places.takenElsewhere("b", "anna", { server: "c", sequence: 0 }, 40);
  lost(places, "c", 2);
  assertEquals(names(places), ["c:0"]);
});

Deno.test("what was taken up before a user came to a server is nothing of what it loses there later", () => {
  const places = new LostPlaces();
  places.takenElsewhere("b", "anna", { server: "c", sequence: 0 }, 30);
  lost(places, "c", 1, 0, 31);
  assertEquals(names(places), ["c:0"]);
});

Deno.test("a server that is lost again before it told anything is no second loss", () => {
  const places = new LostPlaces();
  lost(places, "a", 1);
  lost(places, "a", 1);
  assertEquals(names(places), ["a:0"]);
});

Deno.test("one client that loses two servers in a row has one place, the older one; two clients have two", () => {
  const places = new LostPlaces();
  lost(places, "a", 1);
  places.came("b", "anna");
  lost(places, "b", 1);
  assertEquals(names(places), ["a:0"]);
  // This one was there before.
  lost(places, "c", 1);
  assertEquals(names(places), ["a:0", "c:0"]);
});

Deno.test("a server that took a place up, and is lost after that was heard, leaves one of its own", () => {
  const places = new LostPlaces();
  lost(places, "a", 1);
  places.came("b", "anna");
  places.takenElsewhere("b", "anna", { server: "a", sequence: 0 }, 30);
  lost(places, "b", 0, 1);
  assertEquals(places.of("anna").map(({ server, canResume }) => [server, canResume]), [["b", true]]);
});

Deno.test("another server's word of a lost one counts where nothing is known of that", () => {
  const places = new LostPlaces();
  places.concludedElsewhere([told(0)]);
  places.concludedElsewhere([told(0)]);
  assertEquals(names(places), ["a:0"]);
  const others = new LostPlaces();
  others.takenElsewhere("b", "anna", { server: "a", sequence: 0 }, 30);
  others.concludedElsewhere([told(0, { lostAt: 20 })]);
  assertEquals(names(others), []);
});

Deno.test("two connections of a user that a lost server had are two places, also by another server's word", () => {
  const places = new LostPlaces();
  places.told(told(3));
  places.concludedElsewhere([told(0), told(0), told(0, { username: "bob" })]);
  assertEquals([names(places), names(places, "bob")], [["a:3", "a:0"], ["a:0"]]);
  places.concludedElsewhere([told(0), told(0)]);
  assertEquals(names(places), ["a:3", "a:0"]);
});

Deno.test("what several servers concluded of a former run of this one is noted once", () => {
  const places = new LostPlaces();
  // It has told this one itself: the others do not speak of it.
  places.told(told(3));
  places.concludedOfOwn([told(0)]);
  places.concludedOfOwn([told(0)]);
  assertEquals(names(places), ["a:3", "a:0"]);
  places.toldNow(places.concludedOf("a")[0]!.id, 4);
  places.concludedOfOwn([told(0), told(0)]);
  assertEquals(names(places), ["a:3", "a:4", "a:0"]);
  const taken = new LostPlaces();
  taken.takenElsewhere("b", "anna", { server: "a", sequence: 0 }, 30, true);
  taken.concludedOfOwn([told(0)]);
  assertEquals(names(taken), []);
});

Deno.test("who hears that what was concluded is taken up is given the place that ends with it", () => {
  const places = new LostPlaces();
  places.told(told(3));
  const ended = places.takenElsewhere("b", "anna", { server: "a", sequence: 0 }, 30, true);
  assertEquals([ended?.sequence, names(places)], [3, []]);
  assertEquals(places.takenElsewhere("b", "anna", { server: "a", sequence: 0 }, 31, true), undefined);
});

Deno.test("a server that goes on under another name takes its own places with it", () => {
  const places = new LostPlaces();
  places.told(told(3, { server: "s" }));
  places.told(told(9, { server: "s" }));
  places.concludeOwn(told(0, { server: "s" }));
  places.renamed("s", "t", new Map([[9, 1]]));
  assertEquals(names(places), ["s:3", "t:1", "t:0"]);
  assertEquals([places.concludedOf("s"), places.concludedOf("t").length], [[], 1]);
});

Deno.test("the newest 16 places of a user and the newest of all are kept, and none beyond its time", () => {
  const places = new LostPlaces(20);
  for (let n = 1; n <= 17; n++) places.told(told(n, { notedAt: n }));
  assertEquals(places.of("anna").map(({ sequence }) => sequence), Array.from({ length: 16 }, (_, index) => index + 2));
  for (let n = 1; n <= 6; n++) places.told(told(100 + n, { username: `user${n}`, notedAt: 100 + n }));
  assertEquals([places.size, places.of("anna").length], [20, 14]);
  places.expire(17);
  assertEquals(places.of("anna").map(({ sequence }) => sequence), [17]);
  assertEquals(places.size, 7);
  places.forgetUser("anna");
  assertEquals(places.size, 6);
});

Deno.test("what is to be kept, kept and read again, is what there is", () => {
  const server = fc.constantFrom("a", "b");
  const user = fc.constantFrom("anna", "bob");
  const sequence = fc.integer({ min: 0, max: 4 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("told" as const), server, user, sequence: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant("lost" as const), server, user, count: fc.integer({ min: 1, max: 2 }) }),
    fc.record({ kind: fc.constant("taken" as const), server, user, sequence }),
    fc.record({ kind: fc.constant("takeUp" as const), user }),
    fc.record({ kind: fc.constant("takeAway" as const), user }),
    fc.record({ kind: fc.constant("spoke" as const), server }),
    fc.record({ kind: fc.constant("came" as const), server, user }),
    fc.record({ kind: fc.constant("renamed" as const), server }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const places = new LostPlaces();
    const kept = new Map<number, LostPlace>();
    steps.forEach((step, at) => {
      switch (step.kind) {
        case "told":
          places.told(
            told(step.sequence, { server: step.server, username: step.user, lostAt: at, canResume: at % 2 > 0 }),
          );
          break;
        case "lost":
          places.serverLost({ server: step.server, lostAt: at, notedAt: 0, run: RUN }, [
            { username: step.user, plain: step.count, resuming: 1, since: at % 7, ...HERE },
          ]);
          break;
        case "taken":
          places.takenElsewhere("b", step.user, step, at);
          break;
        case "takeUp":
        case "takeAway":
          places[step.kind](step.user);
          break;
        case "spoke":
          places.serverSpoke(step.server, RUN);
          break;
        case "came":
          places.came(step.server, step.user);
          break;
        case "renamed":
          places.renamed(step.server, "c", new Map([[2, 1]]));
      }
      const { saved, ended } = places.takeChanges();
      for (const place of saved) kept.set(place.id, place);
      for (const id of ended) kept.delete(id);
      const again = new LostPlaces();
      for (const place of [...kept.values()].sort((a, b) => a.id - b.id)) again.restore(place);
      for (const name of ["anna", "bob"]) assertEquals(again.of(name), places.of(name));
      for (const name of ["a", "b", "c"]) {
        const ids = (one: LostPlaces) => one.concludedOf(name).map(({ id }) => id).sort();
        assertEquals(ids(again), ids(places));
      }
    });
  }));
});
