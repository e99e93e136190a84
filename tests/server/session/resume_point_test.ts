/** What a client is told of numbers that were lost: they are given to other entries, which it has to take. */

import { assertEquals } from "@std/assert";
import { Progress } from "../../../client/progress.ts";
import type { Vector } from "../../../log/vector.ts";
import { resumePointOf } from "../../../server/session/client/resume_point.ts";
import type { EntryRange } from "../../../server/store/store.ts";

function logOf(vector: Vector, retracted?: EntryRange, buried: Vector = {}) {
  return {
    serverId: "a",
    head: 9,
    vector,
    origins: { retractions: { in: () => retracted } },
    buriedAt: (origin: string) => buried[origin] ?? 0,
    missing: () => ({ after: 9, activities: 0, gaps: [] }),
  };
}

for (const end of [0, 2]) {
  Deno.test(`a client that has five entries of a server, which has ${end}, takes those that come under the other numbers`, () => {
    const vector = end === 0 ? { b: 7 } : { a: end, b: 7 };
    const { serverId, resume, reaches } = resumePointOf({ a: 5, b: 3 }, undefined, logOf(vector));
    assertEquals([serverId, resume.gap], ["a", [{ origin: "a", first: end + 1, last: 5 }]]);
    const progress = new Progress({ a: 5, b: 3 });
    assertEquals(progress.begin({ serverId, ...resume, isTold: true }), "a");
    progress.caughtUp(reaches);
    assertEquals(progress.received, { a: end, b: 7 });
    assertEquals(progress.receive(`a:${end + 1}`), "new");
  });
}

Deno.test("a client that ends in numbers of another server which were given out twice goes back before the first of them", () => {
  const log = logOf({ a: 1, b: 7 }, { origin: "b", first: 1, last: 4 });
  const { serverId, resume, reaches } = resumePointOf({ b: 3 }, undefined, log);
  assertEquals([serverId, resume.gap], ["b", [{ origin: "b", first: 1, last: 3 }]]);
  const progress = new Progress({ b: 3 });
  assertEquals(progress.begin({ serverId, ...resume, isTold: true }), "b");
  progress.caughtUp(reaches);
  assertEquals(progress.received, { a: 1, b: 0 });
});

Deno.test("a client waits for nothing of an origin that is forgotten whole, of which nothing comes", () => {
  const { has } = resumePointOf({ b: 3, gone: 2 }, undefined, logOf({ b: 7 }, undefined, { gone: 4 }));
  assertEquals(has, { b: 3 });
  // What has gone on beyond that may come.
  assertEquals(resumePointOf({ gone: 5 }, undefined, logOf({ b: 7 }, undefined, { gone: 4 })).has, { gone: 5 });
});

Deno.test("a client that has nothing more than the server is told no number of the server that has none", () => {
  const { resume } = resumePointOf({ b: 3 }, undefined, logOf({ b: 7 }));
  assertEquals([resume.vector, resume.gap], [{ b: 7 }, undefined]);
});
