/** What a peer is sent of the log. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Segment } from "../../../log/segment.ts";
import { sequenceOf, type Vector } from "../../../log/vector.ts";
import { beginFeed, type Feed, feedSegment, onWant } from "../../../server/mesh/peer_feed.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { LogWriter, type SegmentParts } from "../../support/log_writer.ts";

/** A log that can be read as a server's can. */
class World {
  readonly #store = openMemoryStore({ serverId: "own" });
  readonly #writer = new LogWriter();
  readonly vector: Record<string, number> = {};

  add(parts: SegmentParts): Segment {
    const batch = this.#writer.batch(parts);
    this.#store.commit(batch);
    const segment = batch.segments[0]!;
    this.vector[segment.origin] = segment.last;
    return segment;
  }

  begin(vector: Vector): Feed {
    return beginFeed("own", vector, this.vector, this.#start);
  }

  want(feed: Feed, wanted: Vector): void {
    onWant(feed, "own", wanted, this.vector, this.#start);
  }

  /** Everything that is sent now, as `[after, first, lines]`. */
  read(feed: Feed): [number, number, string[]][] {
    const parts: [number, number, string[]][] = [];
    for (;;) {
      const segments = this.#store.segmentsAfter(feed.position, 1);
      if (segments.length === 0) return parts;
      for (const segment of segments) {
        const part = feedSegment(feed, segment);
        if (part !== undefined) parts.push([part.after, part.first, linesOf(part.bytes)]);
      }
    }
  }

  readonly #start = (vector: Vector) => this.#store.missing(vector).after;
}

function linesOf(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(bytes).split("\n").slice(0, -1);
}

Deno.test("a peer is sent the server's own entries, from where it has them, and nothing else unasked", () => {
  const world = new World();
  world.add({ origin: "own", lines: 3 });
  world.add({ origin: "other", lines: 2 });
  const feed = world.begin({ own: 1 });
  assertEquals(world.read(feed), [[1, 2, ["own:2", "own:3"]]]);
  world.add({ origin: "other", lines: 1 });
  world.add({ origin: "own", lines: 1 });
  assertEquals(world.read(feed), [[3, 4, ["own:4"]]]);
});

Deno.test("a peer that has everything is sent nothing, and one that has more than there is neither", () => {
  const world = new World();
  world.add({ origin: "own", lines: 3 });
  for (const own of [3, 9]) {
    const feed = world.begin({ own });
    assertEquals(world.read(feed), []);
    assertEquals(feed.has.get("own"), own);
  }
});

Deno.test("WANT adds other origins from where the peer has them, and replaces the WANT before it", () => {
  const world = new World();
  world.add({ origin: "x", lines: 2 });
  world.add({ origin: "own", lines: 1 });
  world.add({ origin: "y", lines: 2 });
  const feed = world.begin({});
  assertEquals(world.read(feed), [[0, 1, ["own:1"]]]);
  world.want(feed, { x: 1 });
  assertEquals(world.read(feed), [[1, 2, ["x:2"]]]);
  world.want(feed, { y: 0 });
  assertEquals(world.read(feed), [[0, 1, ["y:1", "y:2"]]]);
  world.add({ origin: "x", lines: 1 });
  world.add({ origin: "y", lines: 1 });
  assertEquals(world.read(feed), [[2, 3, ["y:3"]]]);
});

Deno.test("its own entries go again when they are wanted again", () => {
  const world = new World();
  world.add({ origin: "own", lines: 3 });
  const feed = world.begin({});
  world.read(feed);
  world.want(feed, { own: 1 });
  assertEquals(world.read(feed), [[1, 2, ["own:2", "own:3"]]]);
});

Deno.test("what was forgotten shows as a jump between what the peer has and what comes", () => {
  const world = new World();
  world.add({ origin: "own", lines: 1 });
  world.add({ origin: "own", skip: 3, lines: 2 });
  assertEquals(world.read(world.begin({ own: 1 })), [[1, 5, ["own:5", "own:6"]]]);
});

const names = ["own", "x", "y", "z"];
const vectors = fc.record(Object.fromEntries(names.map((name) => [name, fc.nat(6)])), { requiredKeys: [] });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ add: fc.constantFrom(...names), lines: fc.integer({ min: 1, max: 3 }), skip: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.record({ read: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ want: vectors }) },
);

Deno.test("whatever is added and wanted, nothing comes with a gap, and at the end the peer has all that it wants", () => {
  fc.assert(
    fc.property(fc.nat(4), fc.array(step, { maxLength: 40 }), (own, steps) => {
      const world = new World();
      // What the peer has: lines by origin.
      const has: Record<string, number> = { own };
      let wanted = new Set(["own"]);
      const got = new Map<string, number>();
      const feed = world.begin(has);
      const read = () => {
        for (const [after, first, lines] of world.read(feed)) {
          const origin = lines[0]!.split(":")[0]!;
          assert(wanted.has(origin), `${origin} was not wanted`);
          assert(after <= sequenceOf(has, origin), `after ${origin}:${after}, of which it has ${has[origin]}`);
          assertEquals(lines, lines.map((_, index) => `${origin}:${first + index}`));
          for (const line of lines) got.set(line, (got.get(line) ?? 0) + 1);
          has[origin] = Math.max(sequenceOf(has, origin), first + lines.length - 1);
        }
      };
      let wants = 0;
      for (const one of steps) {
        if ("add" in one) world.add({ origin: one.add, lines: one.lines, skip: one.skip });
        else if ("read" in one) read();
        else {
          // It may have less than it said before, never more than it has.
          const vector = Object.fromEntries(
            Object.entries(one.want).map((
              [origin, sequence],
            ) => [origin, Math.min(sequence!, sequenceOf(has, origin))]),
          );
          wanted = new Set(["own", ...Object.keys(vector)]);
          world.want(feed, vector);
          wants++;
        }
      }
      read();
      for (const origin of wanted) {
        assert(sequenceOf(has, origin) >= sequenceOf(world.vector, origin), `${origin} is not there`);
      }
      if (wants === 0) assert([...got.values()].every((times) => times === 1), "something came twice");
      assertEquals(world.read(feed), []);
    }),
    { numRuns: 500 },
  );
});
