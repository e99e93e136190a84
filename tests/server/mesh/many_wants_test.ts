/**
 * A peer that asks for origins again and again in one packet, on a fake clock: where each begins is looked for once.
 */

import { assert, assertEquals } from "@std/assert";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { NodeWorld } from "../../support/node_world.ts";

const SECRET = "cluster secret";
const PEER = {
  command: "AUTHENTICATE",
  secret: SECRET,
  serverId: "s-2",
  host: "10.0.0.2",
  port: 8000,
  vector: {},
  lamport: 1,
  features: ["thrum/1"],
};

Deno.test("of many WANTs in one packet the newest holds, an own part that is wanted again too, and the log is searched once", async () => {
  const store = openMemoryStore({ serverId: "s-1" });
  let searches = 0;
  const missing = store.missing.bind(store);
  store.missing = (vector) => {
    searches++;
    return missing(vector);
  };
  const world = await NodeWorld.start({ cluster: { secret: SECRET, clearSecret: "upgrade" } }, { store });
  const publisher = await world.connect({ command: "LOGIN", username: "anonymous" });
  for (let n = 1; n <= 3; n++) {
    publisher.send({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { n } });
    await world.settle();
  }
  const peer = await world.connect(PEER);
  assertEquals(peer.sequences, [1, 2, 3]);
  const before = searches;
  const wants = Array.from({ length: 1_000 }, (_, n) => ({ command: "WANT", vector: { [`s-${n + 10}`]: 0 } }));
  peer.send(...wants, { command: "WANT", vector: { "s-1": 1 } }, { command: "WANT", vector: {} });
  await world.settle();
  assertEquals(peer.sequences, [1, 2, 3, 2, 3]);
  assert(searches - before <= 2, `${searches - before} searches`);
  await world.stop();
});
