/** What one peer is sent, and when, without a link. */

import { assertEquals } from "@std/assert";
import { EVERYONE, type Segment } from "../../../../log/segment.ts";
import type { Vector } from "../../../../log/vector.ts";
import { UNGUARDED } from "../../../../platform/faults.ts";
import { PeerReader } from "../../../../server/mesh/entries/peer_reader.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

/** A log of this server, `own`, and the link to a peer. */
class World {
  readonly clock = new FakeClock();
  readonly log: Segment[] = [];
  readonly vector: Record<string, number> = {};
  /** First lines of what the peer was sent, as `origin first…last`. */
  readonly got: string[] = [];
  sentOwn = 0;
  lamport = 0;
  /** How often it was looked up where a reader begins. */
  looks = 0;
  ended = "";
  readonly features: string[] = [];
  readonly link = {
    serverId: "peer",
    peer: { ...{ serverId: "peer", host: "h", port: 1, vector: {}, lamport: 0 }, features: this.features },
    end: (reason: string) => void (this.ended = reason),
    isFull: false,
    isOver: false,
    write: (bytes: Uint8Array) => {
      const header = JSON.parse(new TextDecoder().decode(bytes).split("\n")[0]!);
      this.got.push(`${header.origin} ${header.first}…${header.last}`);
      return true;
    },
    writeSealed: () => true,
    faulted() {},
  };

  begin(vector: Vector = {}, isHeld = false): PeerReader {
    const { log } = this;
    const journal = {
      serverId: "own",
      vector: this.vector,
      get head() {
        return log.length;
      },
      segmentsAfter: (position: number) => log.slice(position, position + 1),
      missing: (has: Vector) => {
        this.looks++;
        const next = log.find(({ origin, last }) => last > (has[origin] ?? 0));
        return { after: (next?.position ?? log.length + 1) - 1, known: {} } as never;
      },
      tick: () => ++this.lamport,
      retention: { ageOf: () => 0 },
    };
    const sentOwn = (last: number) => void (this.sentOwn = last);
    return new PeerReader(
      { journal, clock: this.clock, faults: UNGUARDED, trace: () => undefined, sentOwn },
      this.link,
      vector,
      isHeld,
    );
  }

  add(origin = "own"): readonly Segment[] {
    const first = (this.vector[origin] ?? 0) + 1;
    this.vector[origin] = first;
    const bytes = new TextEncoder().encode("{}\n");
    const position = this.log.length + 1;
    const segment = { position, origin, first, last: first, audience: EVERYONE, takenAt: 0, bytes };
    this.log.push(segment);
    return [segment];
  }
}

Deno.test("a peer is sent what it lacks of this server's own, then each commit, and it is known how far", () => {
  const world = new World();
  for (const origin of ["own", "own", "other"]) world.add(origin);
  const reader = world.begin({ own: 1 });
  reader.readOn();
  reader.committed(world.add());
  reader.committed(world.add("other"));
  assertEquals([world.got, world.sentOwn, world.lamport], [["own 2…2", "own 3…3"], 3, 2]);
  assertEquals(reader.isAllSent, true);
});

Deno.test("a peer that is held is sent nothing before it is released", () => {
  const world = new World();
  world.add();
  const reader = world.begin({}, true);
  reader.readOn();
  reader.committed(world.add());
  assertEquals([world.got, reader.heldSinceMs], [[], 0]);
  reader.release();
  assertEquals([world.got, reader.heldSinceMs], [["own 1…1", "own 2…2"], undefined]);
});

Deno.test("a full link is sent nothing more, and not all is sent, until it takes data", () => {
  const world = new World();
  const reader = world.begin();
  world.link.isFull = true;
  reader.committed(world.add());
  assertEquals([world.got, reader.isAllSent], [[], false]);
  world.link.isFull = false;
  assertEquals(reader.isAllSent, false);
  reader.readOn();
  assertEquals([world.got, reader.isAllSent], [["own 1…1"], true]);
});

Deno.test("what a peer wants in one turn is looked up once, and that it wants this server's own stays said", async () => {
  const world = new World();
  const reader = world.begin();
  reader.committed(world.add());
  reader.committed(world.add("other"));
  const looks = world.looks;
  reader.wants({ own: 0 });
  reader.wants({ other: 0 });
  assertEquals(world.got, ["own 1…1"]);
  await world.clock.run(0);
  assertEquals([world.got, world.looks], [["own 1…1", "own 1…1", "other 1…1"], looks + 1]);
});

Deno.test("what a peer wanted whose link is gone is not looked up", async () => {
  const world = new World();
  const reader = world.begin();
  const looks = world.looks;
  reader.wants({ other: 0 });
  reader.end();
  await world.clock.run(0);
  assertEquals(world.looks, looks);
});
