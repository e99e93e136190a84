import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Hub } from "../../../server/hub/hub.ts";
import { Reader, type ReaderOwner } from "../../../server/hub/reader.ts";
import { cursorAt } from "../../../log/cursor.ts";
import { portionOf } from "../../../log/portion.ts";
import { type Audience, EVERYONE, type Segment, SERVERS } from "../../../log/segment.ts";
import type { Vector } from "../../../log/vector.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Outlet } from "../../../platform/transport.ts";

/** An outlet that takes `room` bytes until it is drained, and keeps what it got. */
class FakeOutlet implements Outlet {
  pendingBytes = 0;
  writes: Uint8Array[] = [];
  constructor(public room: number) {}
  write(bytes: Uint8Array): boolean {
    this.writes.push(bytes);
    this.pendingBytes += bytes.length;
    return this.pendingBytes <= this.room;
  }
  get text(): string {
    return this.writes.map((bytes) => new TextDecoder().decode(bytes)).join("");
  }
}

/** A log in memory, a hub on it, and the ends of turns to be run by hand. */
class World {
  readonly segments: Segment[] = [];
  readonly vector: Record<string, number> = {};
  /** How often the hub asked for it. */
  vectorReads = 0;
  readonly #ends: (() => void)[] = [];
  readonly hub: Hub;

  constructor() {
    const clock: Clock = {
      nowMs: () => 0,
      wallMs: () => 0,
      ranMs: () => 0,
      after: (_delayMs, run) => {
        this.#ends.push(run);
        return { cancel() {} };
      },
      endOfTurn: () => {},
    };
    const segments = this.segments;
    const after = (position: number, maxBytes: number) => {
      const found: Segment[] = [];
      let bytes = 0;
      for (const segment of segments.slice(position)) {
        bytes += segment.bytes.length;
        if (found.length > 0 && bytes > maxBytes) break;
        found.push(segment);
      }
      return found;
    };
    const count = () => ++this.vectorReads;
    const vector: Vector = this.vector;
    this.hub = new Hub({
      get head() {
        return segments.length;
      },
      get vector() {
        count();
        return vector;
      },
      portionAfter: (position, maxBytes, wanted) => portionOf(after(position, maxBytes), position, wanted),
    }, clock);
  }

  /** Adds one segment for each text of the turn, and delivers them as one commit. */
  commit(...turn: { text: string; audience?: Audience; origin?: string }[]): void {
    const added = turn.map(({ text, audience = EVERYONE, origin = "s" }) => {
      const first = (this.vector[origin] ?? 0) + 1;
      const last = first + text.split("\n").length - 2;
      this.vector[origin] = last;
      const bytes = new TextEncoder().encode(text);
      const segment = { position: this.segments.length + 1, origin, first, last, audience, takenAt: 0, bytes };
      this.segments.push(segment);
      return segment;
    });
    this.hub.deliver(added);
  }

  join(
    outlet: Outlet,
    options: { after?: number; username?: string; vector?: Vector; owner?: Partial<ReaderOwner> } = {},
  ): Reader {
    const owner = {
      caughtUp() {},
      passedAhead() {},
      movedOn() {},
      fellBehind() {},
      faulted() {},
      forUser: (_: Segment, bytes: Uint8Array) => bytes,
      ...options.owner,
    };
    const reader = new Reader(
      outlet,
      cursorAt(options.after ?? this.segments.length, options.username, options.vector),
      owner,
    );
    this.hub.join(reader);
    return reader;
  }

  endTurn(): void {
    for (const run of this.#ends.splice(0)) run();
  }

  drain(outlet: FakeOutlet, reader: Reader): void {
    outlet.pendingBytes = 0;
    this.hub.readOn(reader);
  }
}

Deno.test("Hub.deliver() writes one and the same buffer to every live reader", () => {
  const world = new World();
  const outlets = [new FakeOutlet(1e6), new FakeOutlet(1e6), new FakeOutlet(1e6)];
  for (const outlet of outlets) world.join(outlet);
  world.commit({ text: "1\n" });
  for (const outlet of outlets) assert(outlet.writes[0] === world.segments[0]!.bytes);
  world.commit({ text: "2\n" }, { text: "hidden\n", audience: SERVERS }, { text: "3\n" });
  assertEquals(outlets[0]!.text, "1\n2\n3\n");
  assert(outlets[0]!.writes[1] === outlets[2]!.writes[1]);
});

Deno.test("a reader whose outlet is full gets nothing until it drains, and then all of it in order", () => {
  const world = new World();
  const slow = new FakeOutlet(3);
  const fast = new FakeOutlet(1e6);
  const reader = world.join(slow);
  world.join(fast);
  for (let count = 1; count <= 50; count++) world.commit({ text: `${count}\n` });
  assertEquals(slow.writes.length, 2);
  assertEquals(reader.state, "behind");
  assert(slow.pendingBytes <= 5);
  slow.room = 1e6;
  world.drain(slow, reader);
  assertEquals(reader.state, "live");
  assertEquals(slow.text, fast.text);
  world.commit({ text: "live\n" });
  assertEquals(slow.text, fast.text);
});

Deno.test("a reader that is far behind shares the turn with others, and is told when it has caught up", () => {
  const world = new World();
  for (let count = 0; count < 30; count++) world.commit({ text: "x".repeat(99_999) + "\n" });
  const outlet = new FakeOutlet(1e9);
  let caughtUp = 0;
  const reader = world.join(outlet, { after: 0, owner: { caughtUp: () => caughtUp++ } });
  assertEquals(reader.state, "behind");
  let turns = 0;
  while (reader.state === "behind" && turns < 100) {
    turns++;
    world.endTurn();
  }
  assert(turns > 3, `it took all in ${turns} turns`);
  assertEquals(outlet.text.length, 3_000_000);
  assertEquals(caughtUp, 1);
});

Deno.test("a reader that brings a vector skips what it has, also when that comes later", () => {
  const world = new World();
  world.commit({ text: "1\n2\n3\n" });
  const outlet = new FakeOutlet(1e6);
  const told: string[] = [];
  const owner = {
    caughtUp: () => void told.push(`caught up after ${outlet.text}`),
    passedAhead: () => void told.push(`passed what it had after ${outlet.text}`),
  };
  const reader = world.join(outlet, { after: 0, vector: { s: 2, t: 1 }, owner });
  assertEquals(outlet.text, "3\n");
  assertEquals(reader.state, "skipping");
  world.commit({ text: "4\n" });
  world.commit({ text: "t1\nt2\n", origin: "t" });
  assertEquals(outlet.text, "3\n4\nt2\n");
  assertEquals(reader.state, "live");
  world.commit({ text: "5\n" });
  assertEquals(told, ["caught up after 3\n", "passed what it had after 3\n4\nt2\n"]);
});

Deno.test("a reader that waits for what may never come costs no look at its whole vector for each turn", () => {
  const world = new World();
  const outlet = new FakeOutlet(1e6);
  const elsewhere = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`o${index}`, 1]));
  const reader = world.join(outlet, { vector: elsewhere });
  const before = world.vectorReads;
  for (let count = 1; count <= 20; count++) world.commit({ text: `${count}\n` });
  assertEquals(reader.state, "skipping");
  assertEquals(world.vectorReads, before);
});

Deno.test("a segment for one user reaches that user's readers, in its place among the others", () => {
  const world = new World();
  const [anna, bob] = [new FakeOutlet(1e6), new FakeOutlet(1e6)];
  world.join(anna, { username: "anna" });
  world.join(bob, { username: "bob" });
  world.commit({ text: "1\n" }, { text: "for anna\n", audience: { kind: "user", username: "anna" } }, { text: "2\n" });
  assertEquals(anna.text, "1\nfor anna\n2\n");
  assertEquals(bob.text, "1\n2\n");
});

Deno.test("a reader is told, and gets no more, when what it should read next was forgotten", () => {
  const world = new World();
  const outlet = new FakeOutlet(1);
  let told = 0;
  const reader = world.join(outlet, { owner: { fellBehind: () => told++ } });
  for (let count = 0; count < 9; count++) world.commit({ text: "abc\n" });
  // It has read position 1.
  world.hub.forgot(1);
  assertEquals([told, reader.state], [0, "behind"]);
  world.hub.forgot(5);
  assertEquals([told, reader.state], [1, "gone"]);
  world.drain(outlet, reader);
  assertEquals(outlet.writes.length, 1);
  world.commit({ text: "more\n" });
  assertEquals(outlet.writes.length, 1);
});

Deno.test("a hole that forgetting left before a reader came is nothing to it", () => {
  const world = new World();
  world.commit({ text: "1\n" });
  world.commit({ text: "2\n" });
  world.commit({ text: "3\n" });
  world.segments.splice(1, 1);
  const outlet = new FakeOutlet(1e6);
  world.join(outlet, { after: 0 });
  assertEquals(outlet.text, "1\n3\n");
});

Deno.test("Hub.skipped() ends whoever lacks something of a hole, wherever it stands; the others read on behind it", () => {
  const world = new World();
  world.commit({ text: "1\n2\n" }, { text: "t1\n", origin: "t" });
  const vectors: Vector[] = [{}, { s: 2 }, { s: 3 }, { s: 4 }, { s: 5 }, { s: 4, t: 9 }];
  const join = (room: number, vector: Vector) => {
    const outlet = new FakeOutlet(room);
    let told = 0;
    const reader = world.join(outlet, { after: 0, vector, owner: { fellBehind: () => told++ } });
    return { outlet, reader, stand: () => [told, reader.state, reader.cursor.position, outlet.text] };
  };
  const readers = vectors.map((vector) => join(1e6, vector));
  // One that is not at the end, and has it all the same.
  const [slow, slowLess] = [{ s: 4 }, { s: 3 }].map((vector) => join(1, vector));
  world.hub.skipped(2, { s: 4 });
  world.vector["s"] = 4;
  world.commit({ text: "5\n6\n" });
  assertEquals(readers.map(({ stand }) => stand()), [
    [1, "gone", 2, "1\n2\nt1\n"],
    [1, "gone", 2, "t1\n"],
    [1, "gone", 2, "t1\n"],
    [0, "live", 3, "t1\n5\n6\n"],
    [0, "live", 3, "t1\n6\n"],
    [0, "skipping", 3, "5\n6\n"],
  ]);
  assertEquals([slow!.stand().slice(0, 2), slowLess!.stand().slice(0, 2)], [[0, "behind"], [1, "gone"]]);
  slow!.outlet.room = 1e6;
  world.drain(slow!.outlet, slow!.reader);
  assertEquals(slow!.stand(), [0, "live", 3, "t1\n5\n6\n"]);
  // Two at once: all of both is to be had.
  world.hub.skipped(3, { s: 7, t: 5 });
  assertEquals(readers.map(({ reader }) => reader.state).slice(3), ["gone", "gone", "gone"]);
});

Deno.test("Hub.leave() ends a reader and tells where it stood", () => {
  const world = new World();
  const outlet = new FakeOutlet(1e6);
  const reader = world.join(outlet);
  world.commit({ text: "1\n" });
  assertEquals(world.hub.positionOf(reader), 1);
  world.hub.leave(reader);
  world.commit({ text: "2\n" });
  assertEquals(world.hub.positionOf(reader), 1);
  assertEquals(outlet.text, "1\n");
});

Deno.test("whatever drains when, every reader gets everything once and in order", () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant("commit" as const), lines: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant("drain" as const), reader: fc.nat(2) }),
    fc.record({ kind: fc.constant("turn" as const) }),
  );
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 3, maxLength: 3 }),
      (events, rooms) => {
        const world = new World();
        const outlets = rooms.map((room) => new FakeOutlet(room));
        const readers = outlets.map((outlet) => world.join(outlet));
        let next = 0;
        for (const happens of events) {
          if (happens.kind === "commit") {
            world.commit({ text: Array.from({ length: happens.lines }, () => `${next++}\n`).join("") });
          } else if (happens.kind === "turn") world.endTurn();
          else world.drain(outlets[happens.reader]!, readers[happens.reader]!);
        }
        for (let round = 0; round < 200; round++) {
          outlets.forEach((outlet, index) => world.drain(outlet, readers[index]!));
        }
        const all = Array.from({ length: next }, (_, index) => `${index}\n`).join("");
        for (const outlet of outlets) assertEquals(outlet.text, all);
      },
    ),
  );
});
