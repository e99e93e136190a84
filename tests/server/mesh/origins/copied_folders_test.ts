/**
 * Two servers on copies of one data folder (docs/operations.md, Backup): the one that joined later ends, and the
 * other is not disturbed.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { CloneError } from "../../../../server/backplane/clone_error.ts";
import type { NodeEnd } from "../../../../server/node/node.ts";
import { MeshServer, MeshWorld } from "../../../support/mesh_world.ts";

/** How servers of a world ended, by name. */
type Ends = Map<string, NodeEnd>;

/** `a` was stopped and is started again, with these to join; `z` has a copy of its folder, and does not run yet. */
async function cloned(join: readonly string[] = []): Promise<{ world: MeshWorld; ends: Ends }> {
  const world = new MeshWorld();
  world.start("a");
  await world.run(100);
  const anna = await world.login("a");
  anna.publish(1);
  await world.run(50);
  world.server("a").kill();
  const clone = new MeshServer("z", world);
  clone.putBack(world.server("a").copyData());
  world.servers.set("z", clone);
  const ends: Ends = new Map();
  for (const other of join) start(world, ends, other, join.slice(0, join.indexOf(other)));
  start(world, ends, "a", join.slice(0, 1));
  await world.until(() => world.server("a").node.isJoined, "the original");
  await world.run(3_000);
  return { world, ends };
}

function start(world: MeshWorld, ends: Ends, name: string, join: readonly string[]): void {
  const { node } = world.start(name, join);
  void node.finished.then((end) => ends.set(name, end));
}

function assertClone(end: NodeEnd | undefined): void {
  assertEquals(end?.reason, "failed");
  assertEquals(end?.error instanceof CloneError, true);
  assertStringIncludes(String(end?.error), "is a copy");
}

Deno.test("a clone that joins its original ends, and the original goes on", async () => {
  const { world, ends } = await cloned();
  start(world, ends, "z", ["a"]);
  await world.until(() => ends.has("z"), "the end of the clone");
  assertClone(ends.get("z"));
  const anna = await world.login("a");
  anna.publish(2);
  await world.until(() => anna.activities.length === 1, "an activity");
  assertEquals([...ends.keys()], ["z"]);
});

Deno.test("a clone that joins a server which is linked with the original ends, and the original's link stays as it is", async () => {
  const { world, ends } = await cloned(["c"]);
  await world.linked("a", "c");
  const made = world.made.length;
  start(world, ends, "z", ["c"]);
  await world.until(() => ends.has("z"), "the end of the clone");
  assertClone(ends.get("z"));
  await world.run(5_000);
  assertEquals(world.made.slice(made), ["z>c"]);
  assertEquals(world.server("c").stateOf("a"), "linked");
  assertEquals([...ends.keys()], ["z"]);
});

Deno.test("a clone and its original that meet through others only are found out, and the one that joined later ends", async () => {
  const { world, ends } = await cloned(["c", "d"]);
  // The original and its clone never reach what the other one does.
  world.part(["a"], ["d", "z"]);
  world.part(["z"], ["c"]);
  await world.until(() => !(world.server("d").member("a")?.hasLink ?? false), "the end of that link");
  start(world, ends, "z", ["d"]);
  await world.until(() => ends.has("z"), "the end of the clone");
  assertClone(ends.get("z"));
  await world.run(30_000);
  assertEquals([...ends.keys()], ["z"]);
  assertEquals(world.server("c").stateOf("a"), "linked");
});

Deno.test("an original that was cut off while its clone joined is the one that was there before", async () => {
  const { world, ends } = await cloned(["c"]);
  await world.linked("a", "c");
  world.part(["a"], ["z"]);
  await world.parted(["a"], ["c"]);
  start(world, ends, "z", ["c"]);
  await world.until(() => world.server("c").stateOf("a") === "linked", "the clone in its place");
  await world.run(5_000);
  world.network.heal();
  await world.until(() => ends.size > 0, "the end of one of them");
  assertEquals([...ends.keys()], ["z"]);
  await world.linked("a", "c");
});

Deno.test("an original that is started anew while its clone is in the network joins later than that, and ends", async () => {
  const { world, ends } = await cloned(["c"]);
  await world.linked("a", "c");
  world.server("a").kill();
  await world.until(() => world.server("c").stateOf("a") !== "linked", "the end of the original");
  start(world, ends, "z", ["c"]);
  await world.until(() => world.server("c").stateOf("a") === "linked", "the clone in its place");
  await world.run(5_000);
  start(world, ends, "a", ["c"]);
  await world.until(() => ends.size > 0, "the end of one of them");
  assertEquals([...ends.keys()], ["a"]);
  assertClone(ends.get("a"));
});

Deno.test("a server that is started anew, moved, or brought back from a backup is no clone", async () => {
  const { world, ends } = await cloned(["c"]);
  await world.linked("a", "c");
  for (let times = 0; times < 3; times++) {
    const copy = world.server("a").copyData();
    // Nobody hears of its end, so that the new one meets the old link.
    world.server("a").powerOff();
    start(world, ends, "a", ["c"]);
    await world.linked("a", "c");
    if (times === 1) {
      world.server("a").kill();
      world.server("a").putBack(copy);
      start(world, ends, "a", ["c"]);
      await world.linked("a", "c");
    }
  }
  world.server("z").putBack(world.server("a").copyData());
  world.server("a").kill();
  start(world, ends, "z", ["c"]);
  await world.until(() => world.server("c").member("a")?.host === "z", "the server at its new place");
  await world.run(40_000);
  assertEquals([...ends.keys()], []);
});
