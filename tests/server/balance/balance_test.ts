import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  backupOrder,
  clientsToMove,
  MAX_REDIRECTS,
  type Newcomer,
  REDIRECT_MEMORY_MS,
  RedirectBook,
  redirectTarget,
  type ServerLoad,
} from "../../../server/balance/balance.ts";

const anna: Newcomer = { username: "anna", remoteHost: "10.0.0.7", redirects: 0, isReturning: false };
const NONE = new Map<string, number>();

function server(serverId: string, load: number, rest: Partial<ServerLoad> = {}): ServerLoad {
  return { serverId, host: "127.0.0.1", port: 1, load, weight: 1, isLive: true, ...rest };
}

function target(load: number, others: readonly ServerLoad[], weight = 1): string | undefined {
  return redirectTarget({ serverId: "own", load, weight }, others, NONE)?.serverId;
}

Deno.test("redirectTarget() names the least loaded live server with at least 2 clients fewer, the newcomer counted here", () => {
  assertEquals(target(1, [server("b", 0)]), undefined);
  assertEquals(target(2, [server("b", 0)]), "b");
  assertEquals(target(5, [server("b", 4), server("c", 3)]), "c");
  assertEquals(target(9, [server("d", 2), server("b", 2), server("c", 3)]), "b");
  assertEquals(target(9, [server("b", 0, { isLive: false }), server("c", 8)]), undefined);
  assertEquals(target(9, []), undefined);
});

Deno.test("redirectTarget() takes weights into account on both sides", () => {
  // Here 4 clients a unit of weight, there 7/2: with the newcomer it would be as busy as this one.
  assertEquals(target(4, [server("b", 7, { weight: 2 })]), undefined);
  assertEquals(target(4, [server("b", 6, { weight: 2 })]), "b");
  assertEquals(target(6, [server("b", 2)], 2), undefined);
  assertEquals(target(7, [server("b", 2)], 2), "b");
});

Deno.test("redirectTarget() counts those who were sent already", () => {
  const others = [server("b", 0), server("c", 1)];
  const sent = new Map([["b", 2]]);
  assertEquals(redirectTarget({ serverId: "own", load: 3, weight: 1 }, others, sent)?.serverId, "c");
});

Deno.test("RedirectBook spreads a burst of logins evenly before anybody announces anything", () => {
  const book = new RedirectBook();
  const others = [server("b", 0), server("c", 0)];
  const loads: Record<string, number> = { own: 0, b: 0, c: 0 };
  for (let n = 0; n < 72; n++) {
    const own = { serverId: "own", load: loads.own! + 1, weight: 1 };
    const sentTo = book.redirect(own, others, { ...anna, username: `user${n}` }, n);
    loads[sentTo?.serverId ?? "own"]!++;
  }
  assertEquals(loads, { own: 24, b: 24, c: 24 });
  // With the announcement the counting begins anew.
  book.announced("b", 10);
  const next = book.redirect({ serverId: "own", load: 25, weight: 1 }, others, anna, 100);
  assertEquals(next?.serverId, "b");
});

Deno.test("RedirectBook keeps a plain client that comes back within 10 s, once, and one that has followed 3 redirects", () => {
  const book = new RedirectBook();
  const own = { serverId: "own", load: 50, weight: 1 };
  const others = [server("b", 0)];
  const plain: Newcomer = { ...anna, redirects: undefined };
  const sends = (newcomer: Newcomer, at: number) => book.redirect(own, others, newcomer, at) !== undefined;
  assertEquals(sends(plain, 0), true);
  assertEquals(sends({ ...plain, remoteHost: "10.0.0.8" }, 0), true);
  assertEquals(sends(plain, REDIRECT_MEMORY_MS - 1), false);
  assertEquals(sends(plain, REDIRECT_MEMORY_MS), true);
  assertEquals(sends(plain, 2 * REDIRECT_MEMORY_MS), true);
  // Who counts for itself needs no memory.
  for (let redirects = 0; redirects < MAX_REDIRECTS; redirects++) assertEquals(sends({ ...anna, redirects }, 0), true);
  assertEquals(sends({ ...anna, redirects: MAX_REDIRECTS }, 0), false);
});

Deno.test("no plain client goes in circles, whatever servers believe of each other", () => {
  const loads = fc.array(fc.nat(50), { minLength: 2, maxLength: 6 });
  // What each server believes of each other one is drawn apart from what is true: announcements may be
  // as old as they like.
  const beliefs = fc.array(fc.array(fc.nat(50), { minLength: 6, maxLength: 6 }), { minLength: 6, maxLength: 6 });
  fc.assert(fc.property(loads, beliefs, (loads, beliefs) => {
    const books = loads.map(() => new RedirectBook());
    let at = 0;
    let redirects = 0;
    for (; redirects <= loads.length; redirects++) {
      const own = { serverId: `s${at}`, load: loads[at]! + 1, weight: 1 };
      const others = loads.map((_, n) => server(`s${n}`, beliefs[at]![n]!, { port: n + 1, isLive: n !== at }));
      const next = books[at]!.redirect(own, others, { ...anna, redirects: undefined }, redirects);
      if (next === undefined) return;
      at = next.port - 1;
    }
    assert(false, `${redirects} redirects among ${loads.length} servers`);
  }));
});

Deno.test("clientsToMove() moves nobody on an even network, to servers that are not live, or when servers have just come or gone", () => {
  const own = { serverId: "own", load: 10, weight: 1 };
  assertEquals(clientsToMove(own, [server("b", 9), server("c", 10), server("d", 11)], { isStable: true }), []);
  assertEquals(clientsToMove(own, [server("b", 0, { isLive: false })], { isStable: true }), []);
  assertEquals(clientsToMove(own, [server("b", 0)], { isStable: false }), []);
  assertEquals(clientsToMove(own, [], { isStable: true }), []);
});

Deno.test("clientsToMove() moves at most 5 % at a time, and no more than half of the difference", () => {
  const moved = (load: number, other: number) =>
    clientsToMove({ serverId: "own", load, weight: 1 }, [server("b", other)], { isStable: true })[0]?.count;
  assertEquals(moved(200, 0), 10);
  assertEquals(moved(3, 0), 1);
  assertEquals(moved(200, 195), 2);
  assertEquals(moved(200, 198), 1);
  assertEquals(moved(200, 199), undefined);
  // A load that cannot be true costs no more than a large one.
  assertEquals(moved(Number.MAX_SAFE_INTEGER, 0), 500);
});

/**
 * The loads of servers that act once a round on announcements that are a round old; after the last round nobody acts
 * any more. `before`: what was announced first.
 */
function rounds(loads: number[], weights: number[], count: number, before = loads): number[][] {
  const history = [before, loads];
  for (let round = 0; round < count; round++) {
    const now = history.at(-1)!;
    const announced = history.at(-2)!;
    const next = now.slice();
    for (const [n, load] of now.entries()) {
      const others = announced.map((load, port) => server(`s${port}`, load, { port, weight: weights[port]! }));
      const own = { serverId: `s${n}`, load, weight: weights[n]! };
      for (const { to, count } of clientsToMove(own, others.toSpliced(n, 1), { isStable: true })) {
        next[n]! -= count;
        next[to.port]! += count;
      }
    }
    history.push(next);
  }
  return history.slice(1);
}

function isEven(loads: number[], weights: number[]): boolean {
  // Nobody would have it better elsewhere; with equal weights: the loads differ by 1 at most.
  return loads.every((from, n) => loads.every((to, m) => (to + 1) * weights[n]! >= from * weights[m]!));
}

Deno.test("clientsToMove() evens out 36/36/0, as after a rolling restart, within 12 rounds", () => {
  const history = rounds([36, 36, 0], [1, 1, 1], 14);
  for (const loads of history.slice(12)) assertEquals(loads, [24, 24, 24]);
  for (const [a, b] of history.map((loads, n) => [loads, history[n + 1] ?? loads] as const)) {
    for (const n of a.keys()) assert(a[n]! - b[n]! <= Math.ceil(a[n]! / 20), `${a} to ${b}`);
  }
});

Deno.test("clientsToMove() ends even from anywhere and with old news, and then moves nobody any more", () => {
  const servers = fc.integer({ min: 2, max: 7 }).chain((n) => {
    const loads = (max: number) => fc.array(fc.nat(max), { minLength: n, maxLength: n });
    const weights = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: n, maxLength: n });
    return fc.record({
      loads: fc.oneof(loads(8), loads(300)),
      before: loads(300),
      weights: fc.oneof(fc.constant(new Array(n).fill(1)), weights),
    });
  });
  fc.assert(
    fc.property(servers, ({ loads, before, weights }) => {
      const history = rounds(loads, weights, 150, before);
      assert(isEven(history[100]!, weights), `${history[100]} of weights ${weights}`);
      for (const later of history.slice(100)) assertEquals(later, history[100]);
    }),
    { numRuns: 300 },
  );
});

Deno.test("backupOrder() puts the least loaded first and leaves out those that are not live", () => {
  const others = [server("b", 90), server("c", 30), server("d", 60), server("e", 1, { isLive: false })];
  assertEquals(backupOrder(others, 5).map(({ serverId }) => serverId), ["c", "d", "b"]);
  assertEquals(backupOrder([], 5), []);
  const heavy = [server("b", 90, { weight: 9 }), server("c", 30)];
  assertEquals(backupOrder(heavy, 0).map(({ serverId }) => serverId), ["b", "c"]);
});

Deno.test("backupOrder() spreads clients over servers that are about equally loaded", () => {
  const others = [server("b", 24), server("c", 23), server("d", 24), server("e", 60)];
  const orders = [0, 1, 2, 3].map((rotation) => backupOrder(others, rotation).map(({ serverId }) => serverId).join(""));
  assertEquals(orders, ["bcde", "cdbe", "dbce", "bcde"]);
});
