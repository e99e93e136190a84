/**
 * What traces say of direct messages: where one went, when its receiver had it and its sender knew,
 * or what it waits for.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { historyOf } from "../../diagram/history.ts";
import { whereWent } from "../../diagram/where_went.ts";
import { MeshWorld } from "../support/mesh_world.ts";
import { messages, TracedWorld, violations } from "./_world.ts";

const CONFIG = { cluster: { rebalance: false, drainMs: 0 } };

Deno.test("why --id says where a direct message went, when its receiver got it, and when the receipt came", async () => {
  const { world, traced, ada, id } = await sentToBob({ isBobThere: true });
  const told = whereWent(historyOf(world.traced), id).text;
  assertMatch(
    told,
    /^s1:\d+, a direct message to bob, was published by ada#\w+ at s1 at [\d:.]+ \(Lamport time \d+\)\.\n/,
  );
  assertMatch(told, /\nbob#\w+: got it at [\d:.]+ \(Lamport time \d+\) from s2\n/);
  assertMatch(told, /\ns2 has it from bob#\w+ that it was delivered, at [\d:.]+ \(Lamport time \d+\)\.\n/);
  assertMatch(told, /\nada#\w+: the receipt s2:\d+ came at [\d:.]+ \(Lamport time \d+\)\.\n$/);
  assertMatch(told, /learned that it was delivered: receipt s2:\d+/);
  // Under each of its names: the sender's id, and the receipt.
  const { events } = historyOf(world.traced);
  const delivered = events.find(({ event }) => event === "delivered")!;
  assertEquals(delivered.what, id);
  const messageId = events.find(({ event, id: entry }) => event === "publish" && entry === id)!.what!;
  assertEquals(whereWent(historyOf(world.traced), messageId).text, told);
  assertEquals(whereWent(historyOf(world.traced), delivered.id!).text, told);
  assertEquals(traced.taken.get("bob"), ["Hello"]);
  // Every receipt that was broadcast has its beginning on record.
  const begun = new Set(events.filter(({ event }) => event === "delivered" || event === "publish").map(({ id }) => id));
  for (const { event, id, what } of events) {
    if (event === "broadcast" && what !== undefined) assert(begun.has(id), `${id} comes from nowhere`);
  }
  assertEquals([violations(world.traced), messages(world.traced).unsent], [[], []]);
  void ada.close();
  await world.run(2_000);
});

Deno.test("why --id says that a direct message waits, and since when its receiver is away", async () => {
  const { world, ada, id } = await sentToBob({ isBobThere: false });
  assertMatch(
    whereWent(historyOf(world.traced), id).text,
    /\nIt waits for bob: bob is offline since [\d:.]+, says \S+ \(LOGGED_OUT, the client logged out\)\.\n$/,
  );
  // Where nothing of him is on record.
  const without = world.traced.filter(({ node, peer = "" }) => !node.startsWith("bob#") && !peer.startsWith("bob"));
  assertStringIncludes(
    whereWent(historyOf(without), id).text,
    "It waits for bob: bob is not logged in anywhere in these traces.",
  );
  // He comes back, and she has gone.
  void ada.close();
  await world.run(1_000);
  const traced = new TracedWorld(world);
  const { client: bob } = await traced.client("s2", { username: "bob", secret: "x" });
  traced.takesMessages(bob);
  await world.run(1_000);
  const told = whereWent(historyOf(world.traced), id).text;
  assertMatch(told, /bob#\w+: got it at [\d:.]+ \(Lamport time \d+\) from s2\n/);
  assertMatch(told, /The receipt s2:\d+ has not come to ada: ada is offline since [\d:.]+, says \S+ \(LOGGED_OUT/);
  void bob.close();
  await world.run(2_000);
});

Deno.test("why --id says of a message that came and was not taken that it waits for that", async () => {
  const { world, ada, id } = await sentToBob({ isBobThere: true, takes: false });
  assertMatch(
    whereWent(historyOf(world.traced), id).text,
    /bob#\w+: got it at .*\nIt waits: bob#\w+ has not said that it has taken it\.\n$/,
  );
  void ada.close();
  await world.run(2_000);
});

/** Two servers, ada at the one, and bob at the other or away; she has written to him. */
async function sentToBob({ isBobThere, takes = true }: { readonly isBobThere: boolean; readonly takes?: boolean }) {
  const world = await MeshWorld.of(["s1", "s2"], CONFIG);
  const traced = new TracedWorld(world);
  const { client: bob } = await traced.client("s2", { username: "bob", secret: "x", register: true });
  if (takes) traced.takesMessages(bob);
  const { client: ada } = await traced.client("s1", { username: "ada", secret: "x", register: true });
  await world.run(200);
  if (!isBobThere) void bob.close();
  await world.run(200);
  let id: string | undefined;
  ada.send("bob", "Hello").then((sent) => id = sent.id, () => {});
  await world.until(() => id !== undefined, "the receipt of the message");
  await world.run(500);
  return { world, traced, ada, id: id! };
}
