/** Another secret for the network, while its servers run (docs/operations.md). */

import { assert, assertEquals } from "@std/assert";
import { fromHex } from "../../../platform/hex.ts";
import type { SecretResult } from "../../../server/node/secret_office.ts";
import { MeshWorld, SECRET } from "../../support/mesh_world.ts";

const OPERATOR = "192.0.2.7";
const NEXT = "another secret of it";
/** How long a former secret counts here. */
const FORMER_MS = 60_000;
const DAY_MS = 86_400_000;

async function change(world: MeshWorld, at: string, secret: string, lastsMs = FORMER_MS): Promise<SecretResult> {
  let result: SecretResult | undefined;
  void world.server(at).node.networkSecret.change(secret, lastsMs, OPERATOR).then((became) => result = became);
  await world.until(() => result !== undefined, "an answer");
  return result!;
}

/** What became of it at each server. */
function outcomes(result: SecretResult): unknown {
  return result.ok ? result.servers.map(({ serverId, result }) => [serverId, result.ok]) : result.problem;
}

Deno.test("a network gets another secret while it runs, and a server that comes with it is let in", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  const made = world.made.length;
  const result = await change(world, "b", NEXT);
  assert(result.ok);
  assertEquals(result.servers.map(({ result }) => result.ok), [true, true, true]);
  // No link was lost for it.
  await world.run(20_000);
  assertEquals(world.made.length, made);
  world.start("d", ["a"], { cluster: { secret: NEXT } });
  await world.linked("a", "b", "c", "d");
  // One that knows only the former secret is let in for a while, and told.
  world.start("e", ["c"]);
  await world.linked("a", "b", "c", "d", "e");
  await world.run(FORMER_MS);
  world.start("f", ["a"]);
  await world.until(() => world.server("f").node.state !== "ready", "the refusal");
  await world.run(20_000);
  assertEquals(world.server("a").stateOf("f"), undefined);
  // It has heard of it, and comes back with it.
  world.server("e").kill();
  world.start("e", ["c"], { cluster: { secret: NEXT } });
  await world.linked("a", "b", "c", "d", "e");
});

Deno.test("a server that was away comes in with the former secret, whoever calls, and goes on with the new one", async () => {
  for (const callsBack of [true, false]) {
    const world = await MeshWorld.of(["a", "b"]);
    await world.parted(["a"], ["b"]);
    const result = await change(world, "a", NEXT);
    assertEquals(outcomes(result), [["a", true], ["b", false]]);
    if (!callsBack) world.network.block("b", "a");
    world.network.heal();
    await world.linked("a", "b");
    await world.run(FORMER_MS);
    await world.parted(["a"], ["b"]);
    world.network.heal();
    await world.linked("a", "b");
  }
});

Deno.test("two secrets that are given at once on both sides of a split come to one", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.parted(["a"], ["b"]);
  assert((await change(world, "a", "the secret of side a")).ok);
  assert((await change(world, "b", "the secret of side b")).ok);
  world.network.heal();
  await world.linked("a", "b");
  await world.run(FORMER_MS);
  world.start("c", ["a", "b"], { cluster: { secret: "the secret of side b" } });
  await world.linked("a", "b", "c");
});

Deno.test("what cannot be is refused, and nobody is told a secret who might not know what it is", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const problem = async (secret: string, lastsMs?: number) => {
    const result = await change(world, "a", secret, lastsMs);
    return !result.ok && result.problem;
  };
  for (const secret of ["", "too short", "x".repeat(257), "with a\nline end in it", SECRET]) {
    assertEquals(await problem(secret), "WRONG", secret);
  }
  for (const lastsMs of [0, -1, NaN, 91 * DAY_MS]) assertEquals(await problem(NEXT, lastsMs), "WRONG", `${lastsMs}`);
  const old = await world.peer("a", "old", { features: ["thrum/1", "operate", "records"] });
  assertEquals(await problem(NEXT), "OLDER_VERSION");
  assertEquals(old.received.filter(({ command }) => command === "OPERATE"), []);
  old.link.destroy();
  await world.until(() => world.server("a").stateOf("old") === "dead", "the loss");
  assertEquals((await change(world, "a", NEXT)).ok, true);
  // One that has told the secret in clear, over a link without a key, is told none, whatever it says of itself.
  const clear = await world.peer("a", "clear", { features: ["thrum/1", "operate", "records", "secrets"] });
  await world.run(1_000);
  assertEquals(clear.received.filter((line) => JSON.stringify(line).includes("networkSecret")), []);
  assertEquals(new TextDecoder().decode(fromHex("c3a4")), "ä");
});
