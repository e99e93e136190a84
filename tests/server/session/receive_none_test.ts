/** Clients that get nothing of the log (docs/protocol.md, section 2.8), on a fake clock. */

import { assertEquals } from "@std/assert";
import { NodeWorld } from "../../support/node_world.ts";
import { loginOf, MeshWorld } from "../../support/mesh_world.ts";
import { DETECTION_MS, fourServers, given } from "../places/_lost_users.ts";

const NONE = { receive: "none" };
const ALL_FEATURES = ["ack", "resume", "chat"];

Deno.test("a client that receives nothing is answered, and gets no activity, its own neither", async () => {
  const world = await NodeWorld.start();
  const reader = await world.connect({ command: "LOGIN", username: "anonymous", features: ["ack"] });
  for (const receive of ["none", []]) {
    const client = await world.connect({ command: "LOGIN", username: "anonymous", features: ALL_FEATURES, receive });
    const [login, caughtUp] = client.received;
    assertEquals([login!.receive, login!.resume], ["none", { vector: {}, replayed: 0 }]);
    assertEquals(caughtUp, { command: "CAUGHT_UP", vector: {} });
    client.send({ command: "ACTIVITY_MESSAGE", messageId: `m-${receive}`, activity: {} }, {
      command: "LIST_USERS",
      scope: "all",
    });
    reader.send({ command: "ACTIVITY_MESSAGE", activity: {} });
    await world.settle();
    assertEquals(client.commands, ["LOGIN_SUCCESS", "CAUGHT_UP", "USER_LIST", "ACTIVITY_ACK"]);
  }
  assertEquals(reader.sequences, [1, 2, 3, 4]);
  await world.stop();
});

Deno.test("a plain client can receive nothing, too; of another wish the server knows nothing", async () => {
  const world = await NodeWorld.start();
  const plain = await world.connect({ command: "LOGIN", username: "anonymous", ...NONE });
  const later = await world.connect({ command: "LOGIN", username: "anonymous", features: ["ack"], receive: ["room"] });
  plain.send({ command: "ACTIVITY_MESSAGE", activity: {} });
  await world.settle();
  assertEquals(plain.received, [{ command: "LOGIN_SUCCESS", info: "logged in as anonymous" }]);
  assertEquals(later.commands, ["LOGIN_SUCCESS", "ACTIVITY_BROADCAST"]);
  assertEquals(later.received[0]!.receive, undefined);
  await world.stop();
});

Deno.test("a client that receives nothing has missed nothing: no gap, no end, whatever it says and the log forgets", async () => {
  const world = await NodeWorld.start({ limits: { maxPendingBytes: 1_024 } });
  const resume = { vector: { "s-unknown": 7, "s-1": 9 } };
  const login = { command: "LOGIN", username: "anonymous", features: ALL_FEATURES, ...NONE, resume };
  const client = await world.connect(login);
  assertEquals(client.received[0]!.resume, { vector: {}, replayed: 0 });
  const text = "x".repeat(20_000);
  const sender = await world.connect({ command: "LOGIN", username: "anonymous", ...NONE });
  for (let n = 0; n < 20; n++) sender.send({ command: "ACTIVITY_MESSAGE", activity: { text } });
  await world.settle();
  client.finish();
  await world.clock.run(100);
  assertEquals(client.commands, ["LOGIN_SUCCESS", "CAUGHT_UP"]);
  await world.stop();
});

Deno.test("half a close of a client that receives nothing still brings its acknowledgements", async () => {
  const world = await NodeWorld.start();
  const client = await world.connect(
    { command: "LOGIN", username: "anonymous", features: ["ack"], ...NONE },
    { command: "ACTIVITY_MESSAGE", messageId: "m-1", activity: {} },
  );
  client.finish();
  await world.settle();
  assertEquals(client.commands, ["LOGIN_SUCCESS", "ACTIVITY_ACK"]);
  assertEquals(client.end !== undefined, true);
  await world.stop();
});

Deno.test("direct messages pass by a client that receives nothing, and wait for one that reads", async () => {
  const world = await MeshWorld.of(["a"]);
  await world.users("a", "anna", "bob");
  const publishing = await world.client("a", loginOf("anna", { features: ALL_FEATURES, ...NONE }));
  const bob = await world.chat("a", "bob");
  bob.tell("anna", "hello", "d-1");
  publishing.tell("bob", "and you?", "d-2");
  await world.run(50);
  // Says that it has taken what it never got.
  publishing.send({ command: "ACK", vector: { [publishing.received[0]!.serverId]: 99 } });
  await world.run(50);
  assertEquals([publishing.messages, bob.receipts, publishing.receipts], [[], ["d-1 stored"], ["d-2 stored"]]);
  assertEquals(bob.messages, ["and you?"]);
  const anna = await world.chat("a", "anna");
  await world.run(50);
  assertEquals(anna.messages, ["hello"]);
});

Deno.test("a client that receives nothing is there for others as anybody is", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.users("a", "anna", "bob");
  const bob = await world.chat("b", "bob");
  const anna = await world.client("a", loginOf("anna", NONE));
  await world.run(50);
  anna.send({ command: "LOGOUT" });
  await world.run(50);
  assertEquals(bob.presence, ["anna joined", "anna left"]);
});

Deno.test("a client that receives nothing takes up no place of its user and leaves none, wherever it is lost", async () => {
  const { world, sender } = await fourServers();
  const first = await world.chat("a", "anna");
  await world.run(50);
  first.link.destroy();
  await world.run(50);
  sender.publish(1);
  await world.run(50);
  const vector = { "s-unknown": 3 };
  const publishing = await world.client("c", loginOf("anna", { ...NONE, redirects: 3, resume: { vector } }));
  await world.run(100);
  sender.publish(2);
  await world.run(50);
  assertEquals(publishing.activities, []);
  // With its server, and without it.
  world.server("c").kill();
  await world.run(DETECTION_MS);
  const again = await world.client("b", loginOf("anna", { ...NONE, redirects: 3, resume: { vector } }));
  await world.run(100);
  again.link.destroy();
  await world.run(100);
  sender.publish(3);
  await world.run(50);
  assertEquals(await given(world, "d"), [1, 2, 3]);
  assertEquals(await given(world, "d"), []);
});

Deno.test("a client that comes back with a vector and reads nothing takes nobody's place away", async () => {
  const { world, sender } = await fourServers();
  const first = await world.chat("a", "anna");
  await world.run(50);
  first.link.destroy();
  await world.run(50);
  sender.publish(1);
  await world.run(50);
  const resume = { vector: {} };
  const publishing = await world.client("c", loginOf("anna", { reads: false, redirects: 3, resume }));
  await world.run(100);
  publishing.link.destroy();
  await world.run(50);
  assertEquals(await given(world, "d"), [1]);
});
