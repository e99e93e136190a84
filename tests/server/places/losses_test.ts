/** A server with thousands of users is lost: they are noted a few at a time, and nobody sees that. */

import { assertEquals } from "@std/assert";
import type { Journal } from "../../../server/journal/journal.ts";
import { Losses } from "../../../server/places/losses.ts";
import { PlaceKeeper, type UserThere } from "../../../server/places/place_keeper.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const USERS = Array.from({ length: 1_000 }, (_, n) => `user-${n}`);
const LAST = USERS.at(-1)!;

/** A loss of these users that says whom it notes together. */
function lossOf(usernames: readonly string[]) {
  const noted: string[][] = [];
  return { noted, usernames, conclude: (portion: readonly string[]) => void noted.push([...portion]) };
}

Deno.test("the users of a lost server are noted in portions, each in a turn of its own, and each user once", async () => {
  const clock = new FakeClock();
  const losses = new Losses(clock);
  const lost = lossOf(USERS);
  losses.add(lost);
  // Small networks wait for nothing.
  assertEquals(lost.noted.map(({ length }) => length), [100]);
  losses.settle(LAST);
  losses.settle(LAST);
  assertEquals(lost.noted.at(-1), [LAST]);
  let isSettled = false;
  losses.whenSettled(() => isSettled = true);
  assertEquals(isSettled, false);
  await clock.run(1);
  assertEquals([isSettled, lost.noted.flat().toSorted()], [true, USERS.toSorted()]);
  assertEquals(Math.max(...lost.noted.map(({ length }) => length)), 100);
  losses.whenSettled(() => isSettled = false);
  assertEquals(isSettled, false);
});

Deno.test("of two servers that are lost in a row the first one is noted first, also of one user", async () => {
  const clock = new FakeClock();
  const losses = new Losses(clock);
  const order: string[] = [];
  for (const name of ["a", "b"]) {
    losses.add({
      usernames: USERS,
      conclude: (of) => void order.push(`${name}${of.length}`),
    });
  }
  losses.settle(LAST);
  assertEquals(order, ["a100", "a1", "b1"]);
  await clock.run(1);
  const hundreds = (name: string, count: number) => Array(count).fill(`${name}100`);
  assertEquals(order.slice(3), [...hundreds("a", 8), "a99", ...hundreds("b", 9), "b99"]);
});

Deno.test("what cannot be noted is passed over, and the rest is noted", async () => {
  const clock = new FakeClock();
  const losses = new Losses(clock);
  const noted: string[] = [];
  const conclude = (portion: readonly string[]) => {
    if (noted.length === 100 && portion[0] === "user-100") throw new Error("not this time");
    noted.push(...portion);
  };
  losses.add({ usernames: USERS, conclude });
  await clock.run(1).catch(() => {});
  await clock.run(1);
  assertEquals(noted.length, 900);
});

Deno.test("a server that ends notes at once what is left", () => {
  const losses = new Losses(new FakeClock());
  const lost = lossOf(USERS);
  losses.add(lost);
  losses.settleAll();
  assertEquals(lost.noted.flat(), USERS);
});

/** Who keeps the places of the server "me", with a journal that takes everything. */
function keeperOf(clock: FakeClock, delivers: (() => void)[] = []): PlaceKeeper {
  let sequence = 0;
  const journal = {
    serverId: "me",
    head: 1,
    vector: { me: 1 },
    vectorAt: () => ({ me: 1 }),
    tick: () => 1,
    retention: { at: () => 1 },
    whenDelivered: (run: () => void) => void delivers.push(run),
    origins: { formerNames: [], tombstones: new Map() },
    places: {
      save: () => {},
      end: () => {},
      tell: () => ({ origin: "me", sequence: ++sequence, lamport: sequence }),
    },
  };
  return new PlaceKeeper({
    journal: journal as unknown as Journal,
    clock,
    opened: { places: [], cursors: [], head: 1, lamport: 1 },
    others: () => [],
    countsChanged: () => {},
  });
}

const there = (username: string): UserThere => ({ username, plain: 1, resuming: 1, lag: {}, since: 0 });
const gone = { serverId: "a", vector: { a: 3 }, run: 7 };

Deno.test("whatever is asked or heard of a user, it counts as noted where it stood", () => {
  const clock = new FakeClock();
  for (
    const [what, left] of [
      [(keeper: PlaceKeeper) => keeper.takeUp(LAST), 1],
      [(keeper: PlaceKeeper) => keeper.takeAway(LAST), 1],
      [(keeper: PlaceKeeper) => keeper.forgetUser(LAST), 0],
      [(keeper: PlaceKeeper) => keeper.heard("a", 1, 9, { event: "lost", resumes: false, ...place }), 1],
    ] as const
  ) {
    const keeper = keeperOf(clock);
    keeper.serverLost(gone, USERS, there);
    what(keeper);
    keeper.stop();
    const places = [...keeper.concludedOf("a").values()].flat().filter(({ username }) => username === LAST);
    assertEquals(places.length, left, String(what));
  }
});
const place = { username: LAST, lostAt: 1, vector: {} };

Deno.test("who came to another server meanwhile is lost there as the same client", () => {
  const keeper = keeperOf(new FakeClock());
  const one = (username: string): UserThere => ({ username, plain: 1, resuming: 0, lag: {}, since: 0 });
  keeper.serverLost(gone, USERS, one);
  keeper.cameElsewhere("b", LAST);
  keeper.serverLost({ ...gone, serverId: "b" }, [LAST], one);
  keeper.stop();
  assertEquals([...keeper.concludedOf("b").values()].flat(), []);
});

Deno.test("who was at a lost server is let in when it is stored where that was, also one that is noted for this", () => {
  const delivers: (() => void)[] = [];
  const keeper = keeperOf(new FakeClock(), delivers);
  const isLetIn = (username: string): boolean[] => {
    let isIn = false;
    keeper.whenStored(username, () => isIn = true);
    const before = isIn;
    delivers.splice(0).forEach((run) => run());
    return [before, isIn];
  };
  assertEquals(isLetIn(LAST), [true, true]);
  keeper.serverLost(gone, USERS, there);
  assertEquals(isLetIn(USERS[0]!), [false, true]);
  assertEquals(isLetIn(USERS[0]!), [true, true]);
  assertEquals(isLetIn(LAST), [false, true]);
  keeper.stop();
});
