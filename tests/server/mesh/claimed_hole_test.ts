/** A peer says that entries were forgotten. It is believed when nobody else has them. */

import { assertEquals } from "@std/assert";
import { activityLine, MeshWorld } from "../../support/mesh_world.ts";

const lines = [1, 2, 3, 4, 5].map((n) => activityLine(`s-gap:${n}`, n));

Deno.test("a hole that one peer claims cuts nobody when another one has the entries", async () => {
  const world = await MeshWorld.of(["a", "b"], { cluster: { rebalance: false } });
  const client = await world.login("a", "anonymous", { redirects: 3 });
  const plain = await world.plain("b", "anonymous");
  const whole = await world.peer("a", "s-whole", { vector: { "s-gap": 5 } });
  const liar = await world.peer("a", "s-liar", { vector: { "s-gap": 5 } });
  liar.entries("s-gap", 5, lines.slice(4), { after: 0 });
  await world.run(50);
  assertEquals(world.server("a").vector["s-gap"], undefined);
  assertEquals(whole.last("WANT")?.vector["s-gap"], 0);
  whole.entries("s-gap", 1, lines);
  await world.until(() => world.server("b").vector["s-gap"] === 5, "what a passes on");
  await world.run(100);
  for (const one of [client, plain]) {
    assertEquals([one.commands.at(0), one.activities, one.end], ["LOGIN_SUCCESS", [1, 2, 3, 4, 5], undefined]);
  }
});

Deno.test("a hole that all claim is taken, the smallest of them, and one that nobody answers for in time too", async () => {
  for (const answers of [true, false]) {
    const world = await MeshWorld.of(["a", "b"]);
    const small = await world.peer("a", "s-small", { vector: { "s-gap": 5 } });
    const large = await world.peer("a", "s-large", { vector: { "s-gap": 5 } });
    large.entries("s-gap", 5, lines.slice(4), { after: 0 });
    await world.run(50);
    if (answers) {
      small.entries("s-gap", 3, lines.slice(2), { after: 0 });
      await world.run(50);
      // Nothing is left to ask.
      small.entries("s-gap", 3, lines.slice(2), { after: 0 });
    } else {
      await world.run(6_000);
      assertEquals(large.last("WANT")?.vector["s-gap"], 0);
      large.entries("s-gap", 5, lines.slice(4), { after: 0 });
    }
    await world.run(100);
    assertEquals(world.server("a").activities, answers ? [3, 4, 5] : [5]);
    await world.until(() => world.server("b").vector["s-gap"] === 5, "what a passes on");
    assertEquals(world.server("b").activities, world.server("a").activities);
  }
});
