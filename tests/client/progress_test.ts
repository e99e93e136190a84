import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Progress } from "../../client/progress.ts";

Deno.test("Progress.begin() takes the vector over at once when nothing was missed", () => {
  const progress = new Progress();
  progress.begin({ vector: { a: 7, b: 2 }, replayed: 0 });
  assertEquals(progress.isBehind, false);
  assertEquals(progress.received, { a: 7, b: 2 });
});

Deno.test("Progress takes the vector over only with the last activity of the replay", () => {
  const progress = new Progress({ a: 1 });
  // Sequences 3 and 5 are nothing that this client gets to see.
  progress.begin({ vector: { a: 5, b: 9 }, replayed: 2 });
  assertEquals(progress.receive("a:2"), "new");
  assertEquals(progress.received, { a: 2 });
  assertEquals(progress.isBehind, true);
  assertEquals(progress.receive("a:4"), "new");
  assertEquals(progress.isBehind, false);
  assertEquals(progress.received, { a: 5, b: 9 });
  assertEquals(progress.receive("a:6"), "new");
});

Deno.test("Progress does not count where the server says that all has come", () => {
  const progress = new Progress({ a: 1 });
  progress.begin({ vector: { a: 5, b: 9 }, replayed: 1, isTold: true });
  for (const id of ["a:2", "a:3"]) progress.receive(id);
  assertEquals([progress.isBehind, progress.received], [true, { a: 3 }]);
  progress.caughtUp({ a: 6, b: 9 });
  assertEquals([progress.isBehind, progress.received], [false, { a: 6, b: 9 }]);
  progress.caughtUp({ a: 99 });
  assertEquals(progress.received, { a: 6, b: 9 });
});

Deno.test("Progress forgets what a replay that was cut off had promised", () => {
  const progress = new Progress({ a: 1 });
  progress.begin({ vector: { a: 5, b: 9 }, replayed: 2 });
  progress.receive("a:2");
  assertEquals(progress.received, { a: 2 });
  progress.cutOff();
  assertEquals(progress.isBehind, false);
  assertEquals(progress.receive("a:3"), "new");
  assertEquals(progress.received, { a: 3 });
  progress.begin({ vector: { a: 7 }, replayed: 2 });
  progress.begin({ vector: {}, replayed: 0 });
  assertEquals(progress.received, { a: 3 });
});

Deno.test("Progress knows what it has from the first answer on, or when it was told", () => {
  const progress = new Progress();
  assertEquals(progress.hasBegun, false);
  progress.begin({ vector: {}, replayed: 0 });
  assertEquals(progress.hasBegun, true);
  assertEquals(new Progress({}).hasBegun, true);
});

Deno.test("Progress.begin() goes back with a server that has lost what the client had of it", () => {
  const progress = new Progress({ a: 9, b: 3 });
  assertEquals(progress.begin({ serverId: "a", vector: { a: 4, b: 3 }, replayed: 0 }), "a");
  assertEquals(progress.received, { a: 4, b: 3 });
  assertEquals(progress.receive("a:5"), "new");
});

Deno.test("Progress.begin() keeps what a server has not heard of yet, and does not take it twice", () => {
  const progress = new Progress({ a: 9, b: 3 });
  assertEquals(progress.begin({ serverId: "b", vector: { a: 4, b: 5 }, replayed: 1 }), undefined);
  assertEquals(progress.received, { a: 9, b: 3 });
  assertEquals(progress.receive("b:5"), "new");
  assertEquals(progress.received, { a: 9, b: 5 });
  assertEquals(progress.receive("a:5"), "duplicate");
  assertEquals(progress.receive("a:10"), "new");
});

Deno.test("Progress.begin() goes back for no server that does not say which it is", () => {
  const progress = new Progress({ a: 9 });
  progress.begin({ vector: { a: 4 }, replayed: 0 });
  assertEquals(progress.received, { a: 9 });
  progress.begin({ serverId: "a", vector: {}, replayed: 0 });
  assertEquals(progress.received, { a: 9 });
});

Deno.test("Progress counts whatever comes as a part of the replay, or it would never end", () => {
  const progress = new Progress({ a: 3 });
  progress.begin({ serverId: "b", vector: { a: 3, b: 7 }, replayed: 3 });
  assertEquals([progress.receive("a:3"), progress.receive("?"), progress.isBehind], ["duplicate", "invalid", true]);
  assertEquals([progress.receive("b:5"), progress.isBehind], ["new", false]);
  assertEquals(progress.received, { a: 3, b: 7 });
});

Deno.test("Progress.receive() knows what came before, and what is no identity", () => {
  const progress = new Progress({ a: 3 });
  assertEquals(progress.receive("a:3"), "duplicate");
  assertEquals(progress.receive("a:1"), "duplicate");
  assertEquals(progress.receive("b:1"), "new");
  assertEquals(progress.receive("nonsense"), "invalid");
});

Deno.test("Progress keeps exactly what was received, wherever connections are cut", () => {
  // A server's log: entries of three origins, some of them not for this client.
  const log = fc.array(fc.record({ origin: fc.constantFrom("a", "b", "c"), visible: fc.boolean() }), { maxLength: 60 });
  const cuts = fc.array(fc.record({ length: fc.nat(60), arrived: fc.nat(60) }), { maxLength: 6 });
  fc.assert(fc.property(log, cuts, (entries, connections) => {
    const counts: Record<string, number> = {};
    const all = entries.map(({ origin, visible }) => {
      counts[origin] = (counts[origin] ?? 0) + 1;
      return { origin, sequence: counts[origin], visible };
    });
    const progress = new Progress({});
    const got: string[] = [];
    for (const { length, arrived } of [...connections, { length: 60, arrived: 60 }]) {
      // What the server does with a resume, in the plainest words.
      const there = all.slice(0, length);
      const has = progress.received;
      const missing = there.filter((entry) => entry.visible && entry.sequence > (has[entry.origin] ?? 0));
      const vector: Record<string, number> = {};
      for (const { origin, sequence } of there) vector[origin] = Math.max(has[origin] ?? 0, sequence);
      progress.begin({ serverId: "a", vector, replayed: missing.length });
      for (const { origin, sequence } of missing.slice(0, arrived)) {
        if (progress.receive(`${origin}:${sequence}`) !== "duplicate") got.push(`${origin}:${sequence}`);
      }
    }
    assertEquals(
      got.toSorted(),
      all.filter(({ visible }) => visible).map(({ origin, sequence }) => `${origin}:${sequence}`).toSorted(),
    );
  }));
});

Deno.test("Progress takes every activity once, on whichever servers that are behind each other differently", () => {
  // Two servers hold the same three origins up to different places, and get further; the client wanders between them.
  const step = fc.record({
    at: fc.constantFrom("a", "b"),
    grows: fc.record({ a: fc.nat(3), b: fc.nat(3), c: fc.nat(3) }),
    arrived: fc.nat(12),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const servers: Record<string, Record<string, number>> = { a: { a: 0, b: 0, c: 0 }, b: { a: 0, b: 0, c: 0 } };
    const progress = new Progress({});
    const got: Record<string, number[]> = { a: [], b: [], c: [] };
    for (const { at, grows, arrived } of steps) {
      const there = servers[at]!;
      for (const [origin, count] of Object.entries(grows)) {
        // Nobody has more of an origin than its own server.
        const most = origin === at || origin === "c" ? Infinity : servers[origin]![origin]!;
        there[origin] = Math.min(most, there[origin]! + count);
      }
      const has = progress.received;
      const missing = Object.keys(there).flatMap((origin) => {
        const from = has[origin] ?? 0;
        return Array.from({ length: Math.max(0, there[origin]! - from) }, (_, index) => [origin, from + index + 1]);
      }) as [string, number][];
      const vector = Object.fromEntries(
        Object.keys({ ...there, ...has }).map((origin) => [origin, Math.max(there[origin] ?? 0, has[origin] ?? 0)]),
      );
      progress.begin({ serverId: at, vector, replayed: missing.length });
      for (const [origin, sequence] of missing.slice(0, arrived)) {
        assertEquals(progress.receive(`${origin}:${sequence}`), "new");
        got[origin]!.push(sequence);
      }
    }
    for (const sequences of Object.values(got)) {
      assertEquals(sequences, Array.from({ length: sequences.length }, (_, index) => index + 1));
    }
  }));
});

Deno.test("Progress lets go of origins that the network has forgotten, once the replay is over, and not of one that goes on", () => {
  const progress = new Progress({ a: 3, b: 2, c: 5 });
  const vector = { c: 6, d: 1 };
  progress.begin({ serverId: "d", vector, replayed: 2, forgotten: ["a", "b"] });
  assertEquals(progress.received, { a: 3, b: 2, c: 5 });
  progress.receive("c:6");
  progress.receive("b:3");
  assertEquals(progress.received, { b: 3, c: 6, d: 1 });
  progress.begin({ serverId: "d", vector, replayed: 1, forgotten: ["b"] });
  progress.cutOff();
  assertEquals(progress.received, { b: 3, c: 6, d: 1 });
});
