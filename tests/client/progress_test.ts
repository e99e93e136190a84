import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Progress } from "../../client/progress.ts";

Deno.test("Progress.begin() takes the vector over at once when nothing was missed", () => {
  const progress = new Progress();
  assertEquals(progress.begin({ a: 7, b: 2 }, 0), true);
  assertEquals(progress.received, { a: 7, b: 2 });
});

Deno.test("Progress takes the vector over only with the last activity of the replay", () => {
  const progress = new Progress({ a: 1 });
  // Sequences 3 and 5 are nothing that this client gets to see.
  assertEquals(progress.begin({ a: 5, b: 9 }, 2), false);
  assertEquals(progress.receive("a:2"), "new");
  assertEquals(progress.received, { a: 2 });
  assertEquals(progress.receive("a:4"), "caughtUp");
  assertEquals(progress.received, { a: 5, b: 9 });
  assertEquals(progress.receive("a:6"), "new");
});

Deno.test("Progress.begin() forgets what a replay that was cut off had promised", () => {
  const progress = new Progress({ a: 1 });
  progress.begin({ a: 5, b: 9 }, 2);
  progress.receive("a:2");
  assertEquals(progress.received, { a: 2 });
  progress.begin({}, 0);
  assertEquals(progress.receive("a:3"), "new");
  assertEquals(progress.received, { a: 3 });
});

Deno.test("Progress.begin() goes back with a server that has lost what the client had", () => {
  const progress = new Progress({ a: 9, b: 3 });
  assertEquals(progress.begin({ a: 4, b: 3 }, 0), true);
  assertEquals(progress.received, { a: 4, b: 3 });
  assertEquals(progress.receive("a:5"), "new");
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
      progress.begin(vector, missing.length);
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
