/** Servers send their entries at the pace of the disk of whoever takes them, and heartbeats go on. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { DiskPace } from "../../../../server/mesh/entries/disk_pace.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { MeshWorld } from "../../../support/mesh_world.ts";

class NotedLink {
  isRead = true;
  pause(): void {
    this.isRead = false;
  }
  resume(): void {
    this.isRead = true;
  }
}

function paced() {
  const clock = new FakeClock();
  const world = { clock, hasRoom: true, caughtUp: 0 };
  const pace = new DiskPace({
    ...{ clock, patienceMs: 200 },
    hasRoom: () => world.hasRoom,
    caughtUp: () => world.caughtUp++,
  });
  return { world, pace, links: [new NotedLink(), new NotedLink()] as const };
}

Deno.test("DiskPace reads everything while the disk follows, and looks at nothing meanwhile", () => {
  const { world, pace, links: [link] } = paced();
  assertEquals([pace.takes(link), link.isRead, world.clock.timersWaiting, world.caughtUp], [true, true, 0, 0]);
});

Deno.test("DiskPace stops reading who sends entries while the disk does not follow, and goes on when it does", () => {
  const { world, pace, links: [link, quiet] } = paced();
  world.hasRoom = false;
  // What was read already is taken: it is the rest of a chunk.
  assertEquals([pace.takes(link), pace.takes(link)], [true, true]);
  assertEquals([link.isRead, quiet.isRead], [false, true]);
  world.clock.advance(100);
  assertEquals([link.isRead, world.caughtUp], [false, 0]);
  world.hasRoom = true;
  world.clock.advance(10);
  assertEquals([link.isRead, world.caughtUp, world.clock.timersWaiting], [true, 1, 0]);
});

Deno.test("DiskPace leaves no link unread for longer than its heartbeats can wait: then entries are left out", () => {
  const { world, pace, links: [link, other] } = paced();
  world.hasRoom = false;
  pace.takes(link);
  world.clock.advance(200);
  assertEquals([link.isRead, pace.takes(link), pace.takes(other)], [true, false, false]);
  assertEquals([link.isRead, other.isRead], [true, true]);
  world.clock.advance(10_000);
  assertEquals([pace.takes(link), world.caughtUp], [false, 0]);
  world.hasRoom = true;
  world.clock.advance(10);
  assertEquals([pace.takes(link), world.caughtUp, world.clock.timersWaiting], [true, 1, 0]);
});

Deno.test("DiskPace has no timer and no unread link after its end", () => {
  const { world, pace, links: [link, gone] } = paced();
  world.hasRoom = false;
  pace.takes(link);
  pace.takes(gone);
  pace.forget(gone);
  pace.stop();
  assertEquals([link.isRead, gone.isRead, world.clock.timersWaiting], [true, false, 0]);
});

Deno.test("a server whose disk does not follow takes no more entries of others, answers heartbeats, and has all later", async () => {
  const config = { cluster: { peerIdleTimeoutMs: 1_000, peerIntervalMs: 400, peerHeartbeats: 3 } };
  const world = await MeshWorld.of(["a", "b"], config);
  const [a, b] = [world.server("a"), world.server("b")];
  const publisher = await world.login("a", "anonymous", { features: ["ack"] });
  let published = 0;
  const publish = () =>
    publisher.send({ command: "ACTIVITY_MESSAGE", activity: { n: ++published }, messageId: `m-${published}` });
  publish();
  await world.equal("a", "b");
  b.hasRoom = false;
  for (let round = 0; round < 100; round++) {
    publish();
    await world.run(100);
    assertEquals([a.stateOf("b"), b.stateOf("a")], ["linked", "linked"]);
  }
  assertEquals(a.activities.length, 101);
  // What was taken before its links were read no more, and what came in that chunk.
  assertLessOrEqual(b.activities.length, 4);
  b.hasRoom = true;
  await world.equal("a", "b");
  assertEquals(b.activities, Array.from({ length: published }, (_, n) => n + 1));
});
