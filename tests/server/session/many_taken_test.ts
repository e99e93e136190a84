/** That very many direct messages were taken is noted in portions, on a fake clock. */

import { assert, assertEquals } from "@std/assert";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import type { Batch } from "../../../server/store/store.ts";
import { NodeWorld } from "../../support/node_world.ts";

const MANY = 1_000;

Deno.test("an ACK for a thousand messages is noted in portions, also when its client has gone, and all of it", async () => {
  const store = openMemoryStore({ serverId: "s-1" });
  const portions: number[] = [];
  const commit = store.commit.bind(store);
  store.commit = (batch: Batch) => {
    if (batch.delivered !== undefined && batch.delivered.length > 0) portions.push(batch.delivered.length);
    commit(batch);
  };
  const world = await NodeWorld.start({}, { store });
  for (const name of ["anna", "bob"]) await world.register(name);
  const login = (username: string) => ({ command: "LOGIN", username, secret: username, features: ["chat", "ack"] });
  const anna = await world.connect(login("anna"));
  await world.endAllDerivations();
  anna.send(...Array.from({ length: MANY }, (_, n) => {
    return { command: "DIRECT_MESSAGE", to: "bob", text: `${n}`, messageId: `m-${n}` };
  }));
  await world.clock.run(1_000);
  const bob = await world.connect(login("bob"));
  await world.endAllDerivations();
  await world.clock.run(1_000);
  assertEquals(bob.commands.filter((command) => command === "DIRECT_MESSAGE").length, MANY);
  bob.send({ command: "ACK", vector: { "s-1": 1_000_000 } }, { command: "LOGOUT" });
  await world.clock.run(10_000);
  assert(bob.end !== undefined);
  assertEquals(portions.reduce((sum, portion) => sum + portion), MANY);
  assert(Math.max(...portions) <= 300, `portions of ${portions}`);
  const delivered = anna.received.filter(({ command, state }) => command === "RECEIPT" && state === "delivered");
  assertEquals(delivered.map(({ messageId }) => messageId), Array.from({ length: MANY }, (_, n) => `m-${n}`));
  await world.stop();
});
