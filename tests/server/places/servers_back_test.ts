/** A server that comes back, or was only apart from others, knows which users went on elsewhere. */

import { assertEquals } from "@std/assert";
import { ALL, announceIntervalMs, fourServers, given, plain, restart, withAnna } from "./_lost_users.ts";

Deno.test("a server that is back before its loss was noticed, and has not joined yet, keeps nothing from who was there", async () => {
  const { world, sender } = await withAnna();
  // So c learns of the end of the former link only when the next one is there.
  const { process } = world.server("c");
  process.stall();
  world.server("a").powerOff();
  // Until it has heard from all it tells nothing itself.
  world.part(["a"], ["b", "d"]);
  restart(world, "a");
  await world.run(200);
  process.goOn();
  sender.publish(1);
  await world.run(200);
  const anna = await plain(world, "c", "anna");
  await world.run(300);
  assertEquals(anna.activities, [1]);
});

Deno.test("a server that comes back knows who went on elsewhere, and gives nothing a second time", async () => {
  const { world, sender } = await withAnna();
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  assertEquals(await given(world, "d"), [1]);
  restart(world, "a");
  await world.linked(...ALL);
  await world.run(500);
  for (const server of ALL) assertEquals(await given(world, server), [], server);
});

Deno.test("a user who was given what it missed, and is back at the server that was lost, loses nothing with its next loss", async () => {
  const { world } = await withAnna();
  const sender = await world.login("c", "anonymous", { redirects: 3 });
  // It hears that the place was taken up, and never that there was one.
  world.server("b").kill();
  world.server("a").kill();
  sender.publish(1);
  await world.run(100);
  assertEquals(await given(world, "d"), [1]);
  restart(world, "a");
  restart(world, "b");
  await world.linked(...ALL);
  await world.run(500);
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  world.server("a").kill();
  sender.publish(2);
  await world.run(100);
  assertEquals(await given(world, "b"), [2]);
});

Deno.test("a server that comes back gives what came meanwhile itself, and then nobody else does", async () => {
  for (const server of ALL) {
    const { world, sender } = await fourServers();
    const anna = await plain(world, "a", "anna");
    for (let n = 1; n <= 3; n++) {
      sender.publish(n);
      await world.run(announceIntervalMs / 4);
    }
    assertEquals(anna.activities, [1, 2, 3]);
    world.server("a").kill();
    await world.run(50);
    sender.publish(4);
    await world.run(100);
    restart(world, "a");
    await world.linked(...ALL);
    await world.run(500);
    // It knows exactly where she stood, and the others have learned it.
    assertEquals(await given(world, server), [4], server);
    for (const other of ALL) assertEquals(await given(world, other), [], other);
  }
});

Deno.test("places are kept: a server that was started anew meanwhile has them", async () => {
  const { world, sender } = await fourServers();
  const lost = await plain(world, "a", "bob");
  await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  lost.link.destroy();
  await world.run(100);
  world.server("a").kill();
  await world.run(100);
  sender.publish(1);
  await world.run(100);
  for (const server of ["d", "c"]) {
    world.server(server).kill();
    await world.run(200);
    restart(world, server);
    await world.linked("b", "c", "d");
  }
  assertEquals(await given(world, "d", "anna"), [1]);
  assertEquals(await given(world, "d", "bob"), [1]);
});

Deno.test("a server that was away when another one died learns from the others who was there", async () => {
  const { world, sender } = await withAnna();
  world.server("d").kill();
  await world.run(100);
  world.server("a").kill();
  await world.run(100);
  sender.publish(1);
  await world.run(100);
  restart(world, "d");
  await world.linked("b", "c", "d");
  await world.run(500);
  assertEquals(await given(world, "d"), [1]);
  assertEquals(await given(world, "b"), []);
});

Deno.test("servers that were only apart forget what they took for lost", async () => {
  const { world, sender } = await fourServers();
  const anna = await plain(world, "a", "anna");
  const bob = await plain(world, "a", "bob");
  await world.run(100);
  await world.parted(["a"], ["b", "c", "d"]);
  sender.publish(1);
  await world.run(100);
  bob.send({ command: "LOGOUT" });
  world.network.heal();
  await world.linked(...ALL);
  await world.run(1_000);
  assertEquals(anna.activities, [1]);
  assertEquals(await given(world, "d", "bob"), []);
  assertEquals(await given(world, "d", "anna"), []);
});
