/** Who waits for whom, without links. */

import { assertEquals } from "@std/assert";
import { Faults, UNGUARDED } from "../../../../platform/faults.ts";
import { EntryWaits } from "../../../../server/mesh/entries/entry_waits.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

/** Waits of a server whose peers, reach and log are set by hand. */
class World {
  readonly clock = new FakeClock();
  readonly said: string[] = [];
  readonly here = new Set<string>();
  /** How far each peer has this server's own; `undefined` when that does not count. */
  has: number[] | undefined = [];
  isReachable = true;
  readonly waits: EntryWaits;

  constructor() {
    this.waits = new EntryWaits({
      journal: { isHere: (id) => this.here.has(id) },
      clock: this.clock,
      faults: UNGUARDED,
      holdBackMs: 5_000,
      isReachable: () => this.isReachable,
      peersHave: () => this.has,
      late: (sequence, patienceMs) => void this.said.push(`late ${sequence} ${patienceMs}`),
    });
  }

  say(what: string): () => void {
    return () => void this.said.push(what);
  }

  peersHave(...has: number[]): void {
    this.has = has;
    this.waits.settle();
  }
}

Deno.test("who waits for one peer goes on with the quickest, who waits for all with the slowest, each in its order", () => {
  const world = new World();
  const { waits } = world;
  world.peersHave(0, 0);
  for (const sequence of [1, 2]) {
    waits.whenOneHas(sequence, world.say(`one has ${sequence}`));
    waits.whenAllHave(sequence, world.say(`all have ${sequence}`));
  }
  assertEquals([world.said, waits.pending], [[], 2]);
  world.peersHave(2, 1);
  assertEquals([world.said, waits.pending], [["one has 1", "one has 2", "all have 1"], 0]);
  world.peersHave(2, 2);
  assertEquals(world.said.at(-1), "all have 2");
});

Deno.test("who asks late for an earlier entry waits no longer than for that", () => {
  const world = new World();
  const { waits } = world;
  for (const sequence of [2, 5, 3, 1]) waits.whenOneHas(sequence, world.say(`${sequence}`));
  world.peersHave(3);
  assertEquals([world.said, waits.pending], [["1", "2", "3"], 1]);
  world.peersHave(5);
  assertEquals(world.said.at(-1), "5");
});

Deno.test("without a peer nobody else has an entry, and all who are linked have it", () => {
  const world = new World();
  const { waits } = world;
  waits.whenOneHas(1, world.say("one has 1"));
  waits.whenAllHave(1, world.say("all have 1"));
  assertEquals(world.said, ["all have 1"]);
});

Deno.test("what peers say to have settles nothing while it does not count", () => {
  const world = new World();
  const { waits } = world;
  world.has = undefined;
  waits.whenOneHas(1, world.say("one has 1"));
  waits.whenAllHave(1, world.say("all have 1"));
  assertEquals(world.said, []);
  world.peersHave(1);
  assertEquals(world.said, ["one has 1", "all have 1"]);
});

Deno.test("who waits for long is told so once, and who does not wait any more is not", () => {
  const world = new World();
  const { waits } = world;
  world.peersHave(0);
  waits.whenOneHas(1, world.say("1"), world.say("1 pends"));
  waits.whenOneHas(2, world.say("2"), world.say("2 pends"));
  waits.tellPending(1_999);
  world.peersHave(1);
  waits.tellPending(2_000);
  waits.tellPending(9_000);
  assertEquals(world.said, ["1", "2 pends"]);
});

Deno.test("a wait for all ends with its patience when the others were told, and only once", () => {
  const world = new World();
  const { waits } = world;
  world.peersHave(0);
  waits.whenAllHaveWithin(1, 500, world.say("1"));
  waits.whenAllHaveWithin(2, 900, world.say("2"));
  world.clock.advance(500);
  assertEquals(world.said, ["late 1 500", "1"]);
  world.peersHave(2);
  world.clock.advance(10_000);
  assertEquals(world.said, ["late 1 500", "1", "2"]);
});

Deno.test("an entry that has another number after a new name is waited for under that", () => {
  const world = new World();
  const { waits } = world;
  world.peersHave(0);
  waits.whenOneHas(7, world.say("seventh"));
  waits.renamed(new Map([[7, 1]]));
  world.peersHave(1);
  assertEquals(world.said, ["seventh"]);
});

Deno.test("a login goes on when its entry is here, when the origin is lost for long, or its client would go", () => {
  const world = new World();
  const { waits } = world;
  waits.whenHere(undefined, world.say("nothing before"));
  world.here.add("a:1");
  waits.whenHere("a:1", world.say("a:1 is here"));
  waits.whenHere("a:2", world.say("a:2"));
  assertEquals(world.said, ["nothing before", "a:1 is here"]);
  waits.letIn();
  world.here.add("a:2");
  waits.letIn();
  assertEquals(world.said.at(-1), "a:2");
  waits.whenHere("a:3", world.say("a:3 without it"));
  waits.letInWithout(7_999);
  assertEquals(world.said.length, 3);
  waits.letInWithout(8_000);
  assertEquals(world.said.at(-1), "a:3 without it");
  world.isReachable = false;
  waits.whenHere("a:4", world.say("a:4 is lost"));
  waits.letInWithout(4_999);
  assertEquals(world.said.length, 4);
  waits.letInWithout(5_000);
  assertEquals(world.said.at(-1), "a:4 is lost");
  waits.whenHere("a:5", world.say("a:5"));
  waits.stop();
  waits.letInWithout(60_000);
  assertEquals(world.said.length, 5);
});

Deno.test("a fault of one who waited is nobody else's", () => {
  const said: string[] = [];
  const faults = new Faults();
  const waits = new EntryWaits({
    journal: { isHere: () => true },
    clock: new FakeClock(),
    faults: { caught: () => void said.push("a fault"), noted() {}, counts: faults.counts },
    holdBackMs: 0,
    isReachable: () => true,
    peersHave: () => said.includes("go") ? [9] : [],
    late() {},
  });
  waits.whenOneHas(1, () => {
    throw new Error("a broken answer");
  });
  waits.whenOneHas(2, () => void said.push("2"));
  said.push("go");
  waits.settle();
  assertEquals(said, ["go", "a fault", "2"]);
});
