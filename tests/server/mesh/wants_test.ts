/** From whom the entries of other servers come. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { merge, sequenceOf, type Vector } from "../../../log/vector.ts";
import { type Had, planWants, type Source, wantedFrom } from "../../../server/mesh/wants.ts";

function source(serverId: string, vector: Vector, linkedTo: readonly string[] = []): Source {
  return { serverId, vector, linkedTo: new Set(linkedTo) };
}

/**
 * What has `has` of origins that are there, and was at `buried` with those that are forgotten whole. Servers of
 * `gone` are no members.
 */
function had(has: Vector, buried: Vector = {}, gone: readonly string[] = []): Had {
  return {
    lastOf: (origin) => sequenceOf(has, origin) || sequenceOf(buried, origin),
    buriedAt: (origin) => sequenceOf(buried, origin),
    isMember: (origin) => !gone.includes(origin),
  };
}

function plan(sources: readonly Source[], has: Vector = {}, current: Record<string, string> = {}) {
  return Object.fromEntries(planWants("own", had(has), sources, new Map(Object.entries(current))));
}

Deno.test("servers with a link send by themselves, and nobody has to send this server its own entries", () => {
  assertEquals(plan([source("a", { a: 5, b: 3, own: 9 }), source("b", { a: 5, b: 3 })]), {});
});

Deno.test("its own entries are wanted by a server that does not know yet what it has lost", () => {
  assertEquals(Object.fromEntries(planWants(undefined, had({}), [source("a", { own: 9 })], new Map())), { own: "a" });
});

Deno.test("the entries of a server that is gone come from the one that has most of them", () => {
  assertEquals(plan([source("a", { x: 3 }), source("b", { x: 5 }), source("c", { x: 4 })]), { x: "b" });
  // Of equals it is the lower name, wherever it stands.
  assertEquals(plan([source("b", { x: 5 }), source("a", { x: 5 })]), { x: "a" });
});

Deno.test("a peer that is linked to the origin's server goes before one that has more", () => {
  assertEquals(plan([source("a", { x: 9 }), source("b", { x: 3 }, ["x"])]), { x: "b" });
});

Deno.test("a server that a peer is linked to counts, though it has not published anything yet", () => {
  assertEquals(plan([source("a", {}, ["x", "own"])]), { x: "a" });
});

Deno.test("the peer changes only when the other has more, and this one nothing that is missing", () => {
  const sources = [source("a", { x: 5 }), source("b", { x: 9 })];
  assertEquals(plan(sources, { x: 4 }, { x: "a" }), { x: "a" });
  assertEquals(plan(sources, { x: 5 }, { x: "a" }), { x: "b" });
  assertEquals(plan([source("a", { x: 9 }), source("b", { x: 9 })], { x: 9 }, { x: "b" }), { x: "b" });
  // One that is gone does not.
  assertEquals(plan([source("a", { x: 9 })], {}, { x: "b" }), { x: "a" });
  // Nor one that lost its link to the origin's server, when another has one.
  assertEquals(plan([source("a", { x: 9 }), source("b", { x: 5 }, ["x"])], { x: 2 }, { x: "a" }), { x: "b" });
});

Deno.test("a WANT names exactly what that peer is to send, from where this server has it", () => {
  const plan = new Map([["x", "a"], ["y", "b"], ["z", "a"]]);
  assertEquals(wantedFrom("a", plan, had({ x: 3, y: 4 })), { x: 3, z: 0 });
  assertEquals(wantedFrom("c", plan, had({ x: 3 })), {});
});

Deno.test("what is forgotten whole is wanted only from who has more of it, or is linked to its server", () => {
  const buried = had({}, { x: 5 });
  assertEquals(planWants("own", buried, [source("a", { x: 5 }), source("b", { x: 4 })], new Map()), new Map());
  const more = planWants("own", buried, [source("a", { x: 6 })], new Map());
  assertEquals(wantedFrom("a", more, buried), { x: 5 });
  const linked = planWants("own", buried, [source("a", { x: 5 }, ["x"])], new Map());
  assertEquals(wantedFrom("a", linked, buried), { x: 5 });
});

Deno.test("of a server that is gone nothing is wanted once nobody has more, however many there are of them", () => {
  const gone = had({ x: 5, y: 5 }, {}, ["x", "y"]);
  assertEquals(planWants("own", gone, [source("a", { x: 5, y: 5 })], new Map([["x", "a"]])), new Map());
  const more = planWants("own", gone, [source("a", { x: 5, y: 5 }), source("b", { x: 6, y: 5 })], new Map());
  assertEquals(more, new Map([["x", "b"]]));
  const linked = planWants("own", gone, [source("a", { x: 5 }, ["x"])], new Map());
  assertEquals(linked, new Map([["x", "a"]]));
});

const names = ["own", "a", "b", "c", "x", "y"];
const vector = fc.dictionary(fc.constantFrom(...names), fc.integer({ min: 1, max: 4 }));
const sources = fc.uniqueArray(
  fc.record({
    serverId: fc.constantFrom("a", "b", "c"),
    vector,
    linkedTo: fc.subarray(names).map((linked) => new Set(linked)),
  }),
  { selector: ({ serverId }) => serverId },
);

Deno.test("each origin that somebody has comes from exactly one who can send it, and the plan stands", () => {
  fc.assert(
    fc.property(
      sources,
      vector,
      fc.dictionary(fc.constantFrom(...names), fc.constantFrom("a", "b", "c")),
      (sources, has, current) => {
        const plan = planWants("own", had(has), sources, new Map(Object.entries(current)));
        const linked = new Set(["own", ...sources.map(({ serverId }) => serverId)]);
        const wanted = new Set(sources.flatMap(({ vector, linkedTo }) => [...Object.keys(vector), ...linkedTo]));
        assertEquals(new Set(plan.keys()), new Set([...wanted].filter((origin) => !linked.has(origin))));
        for (const [origin, from] of plan) {
          const { vector, linkedTo } = sources.find(({ serverId }) => serverId === from)!;
          assert(linkedTo.has(origin) || sequenceOf(vector, origin) > 0, `${from} cannot send ${origin}`);
        }
        assertEquals(planWants("own", had(has), sources, plan), plan);
        // The parts are the whole.
        const parts = sources.flatMap(({ serverId }) => Object.keys(wantedFrom(serverId, plan, had(has))));
        assertEquals(parts.toSorted(), [...plan.keys()].toSorted());
      },
    ),
  );
});

Deno.test("a plan that looks only at what has moved is the one that looks at all", () => {
  fc.assert(
    fc.property(sources, vector, fc.subarray(names), sources, (before, has, gone, later) => {
      const knows = had(has, {}, gone);
      const plan = planWants("own", knows, before, new Map());
      // Vectors only grow, and links come and go in announcements; servers stay.
      const after = before.map((one) => {
        const { vector, linkedTo } = later.find(({ serverId }) => serverId === one.serverId) ?? one;
        return { ...one, vector: merge(one.vector, vector), linkedTo };
      });
      const moved = after.flatMap(({ vector }, index) =>
        Object.keys(vector).filter((origin) => vector[origin] !== before[index]!.vector[origin])
      );
      assertEquals(planWants("own", knows, after, plan, moved), planWants("own", knows, after, plan));
    }),
  );
});
