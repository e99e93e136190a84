/**
 * What happens in one turn of a server's event loop, and what does not when its store fails: on a fake clock, so that
 * each turn is the test's.
 */

import { assert, assertEquals } from "@std/assert";
import type { Received } from "../../support/line_client.ts";
import { NodeWorld, waitFor } from "../../support/node_world.ts";
import { type Store, StoreError } from "../../../server/store/store.ts";

const ANONYMOUS = { command: "LOGIN", username: "anonymous" };

function activity(n: number, messageId?: string): Received {
  return { command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { n }, messageId };
}

Deno.test("a session that begins as its registration is stored gets what came in the same turn once", async () => {
  const world = await NodeWorld.start();
  const publisher = await world.connect(ANONYMOUS, activity(1));
  for (const resume of [{ vector: {} }, undefined]) {
    const client = await world.connect(
      { command: "REGISTER", username: `anna${resume === undefined}`, secret: "s" },
      { ...ANONYMOUS, features: ["resume"], resume },
    );
    // Both are taken in before the turn ends: the registration has the sequence before the activity's.
    publisher.send(activity(2));
    world.endDerivations();
    await world.settle();
    publisher.send(activity(3));
    await world.settle();
    const { vector, replayed } = client.received[1]!.resume;
    assertEquals(client.sequences.length, replayed + 1);
    assertEquals(new Set(client.sequences).size, client.sequences.length);
    assertEquals(client.sequences.at(-1), vector["s-1"] + 1);
    assertEquals(client.sequences, publisher.sequences.slice(-client.sequences.length));
  }
  await world.stop();
});

Deno.test("a session that begins and ends as its registration is stored disturbs nobody's order", async () => {
  const world = await NodeWorld.start();
  const publisher = await world.connect(ANONYMOUS);
  const listener = await world.connect(ANONYMOUS);
  const client = await world.connect(
    { command: "REGISTER", username: "anna", secret: "s" },
    { ...ANONYMOUS, features: ["ack"] },
    activity(2, "m"),
    { command: "LOGOUT" },
  );
  publisher.send(activity(1));
  world.endDerivations();
  await world.settle();
  assertEquals(client.commands.slice(0, 3), ["REGISTER_SUCCESS", "LOGIN_SUCCESS", "ACTIVITY_ACK"]);
  assertEquals(listener.sequences, [2, 3]);
  assertEquals(publisher.sequences, [2, 3]);
  await world.stop();
});

const reads: [what: string, read: keyof Store, lines: Received[]][] = [
  ["a client resumes", "missing", [{ ...ANONYMOUS, features: ["resume"], resume: { vector: {} } }]],
  ["the log is read for it", "portionAfter", [{ ...ANONYMOUS, features: ["resume"], resume: { vector: {} } }]],
  ["a message id is looked up", "usedMessageId", [{ ...ANONYMOUS, features: ["ack"] }, activity(9, "m")]],
  ["a user logs in", "account", [{ command: "LOGIN", username: "anna", secret: "anna", features: ["ack"] }]],
  ["a plain user comes back", "vectorAt", [{ command: "LOGIN", username: "anna", secret: "anna" }]],
];

for (const [what, read, lines] of reads) {
  Deno.test(`a store that cannot be read when ${what} ends the server in good order`, async () => {
    const world = await NodeWorld.start({ limits: { tailBytes: 1 } });
    await world.register("anna");
    const plain = await world.connect({ command: "LOGIN", username: "anna", secret: "anna" });
    await world.endAllDerivations();
    plain.link.destroy();
    const bystander = await world.connect({ ...ANONYMOUS, features: ["heartbeat"] }, activity(1));
    // In a turn of its own, so that the first one is not in memory any more.
    bystander.send(activity(2));
    await world.settle();
    world.broken.add(read);
    const client = await world.connect(...lines);
    const end = await waitFor(world);
    assertEquals(end.reason, "failed");
    assert(end.error instanceof StoreError);
    assertEquals(bystander.received.at(-1)!.reason, "SERVER_FAILED");
    assertEquals(bystander.end, "local");
    assert(client.end !== undefined);
    // It was told nothing that it could take for having everything.
    assertEquals(client.sequences, []);
    assert(!client.commands.includes("ACTIVITY_ACK"));
    const { resume } = client.received.find(({ command }) => command === "LOGIN_SUCCESS") ?? {};
    assert(resume === undefined || resume.replayed > 0);
  });
}

const MESSAGE = { command: "DIRECT_MESSAGE", to: "nobody", text: "hello", messageId: "m" };
const readsForChat: [what: string, read: keyof Store, line: Received][] = [
  ["a receiver is looked up", "account", MESSAGE],
  ["the id of a direct message is", "usedMessageId", { ...MESSAGE, to: "anna" }],
  ["messages that wait are", "inboxRange", { command: "ACK", vector: { "s-1": 9 } }],
  ["every name is", "usernames", { command: "LIST_USERS", scope: "all" }],
];

for (const [what, read, line] of readsForChat) {
  Deno.test(`a store that cannot be read when ${what} ends the server in good order, and nobody is told a falsehood`, async () => {
    const world = await NodeWorld.start();
    await world.register("anna");
    const client = await world.connect({ command: "LOGIN", username: "anna", secret: "anna", features: ["chat"] });
    await world.endAllDerivations();
    world.broken.add(read);
    client.send(line);
    const end = await waitFor(world);
    assertEquals(end.reason, "failed");
    assert(end.error instanceof StoreError);
    assertEquals(client.commands, ["LOGIN_SUCCESS", "CAUGHT_UP", "END_CONNECTION"]);
    assertEquals(client.received.at(-1)!.reason, "SERVER_FAILED");
  });
}

const OLDER_SERVER = { command: "AUTHENTICATE", secret: "of the network" };
const SERVER = { ...OLDER_SERVER, serverId: "s-2", host: "127.0.0.1", port: 9, features: ["thrum/1"], vector: {} };
const readsForServers: [what: string, read: keyof Store, lines: Received[]][] = [
  ["claims a name", "account", [SERVER, { command: "LOCK_REQUEST", username: "anna", lamport: 2, origin: "s-2" }]],
  ["of the older dialect asks for a name", "account", [
    OLDER_SERVER,
    { command: "LOCK_REQUEST", username: "anna", secret: "s" },
  ]],
  ["of the older dialect wants to know who is here", "usernames", [{ ...OLDER_SERVER, serverId: "older" }]],
];

for (const [what, read, lines] of readsForServers) {
  Deno.test(`a store that cannot be read when another server ${what} ends the server in good order`, async () => {
    const cluster = { secret: OLDER_SERVER.secret, clearSecret: "upgrade", olderDialect: true, drainMs: 0 } as const;
    const world = await NodeWorld.start({ cluster });
    const bystander = await world.connect({ ...ANONYMOUS, features: ["heartbeat"] });
    const server = await world.connect();
    world.broken.add(read);
    server.send(...lines);
    const end = await waitFor(world);
    assertEquals(end.reason, "failed");
    assert(end.error instanceof StoreError);
    assertEquals(bystander.received.at(-1)!.reason, "SERVER_FAILED");
    assert(!server.commands.includes("LOCK_ALLOWED"));
    assert(server.end !== undefined);
  });
}

Deno.test("a store that fails while the server stops makes a failure of that", async () => {
  for (const call of ["commit", "close"] as const) {
    const world = await NodeWorld.start();
    await world.register("anna");
    await world.connect({ command: "LOGIN", username: "anna", secret: "anna" });
    await world.endAllDerivations();
    world.broken.add(call);
    const end = await world.stop();
    assertEquals(end.reason, "failed");
    assert(end.error instanceof StoreError);
  }
});

Deno.test("a derivation is spared when its client is gone, and comes last when the client sends no more", async () => {
  const world = await NodeWorld.start();
  const logins = [];
  await world.register("anna");
  world.derived.length = 0;
  // Two are begun at once, the others wait.
  for (const secret of ["1", "2", "fin", "reset", "3"]) {
    logins.push(await world.connect({ command: "LOGIN", username: "anna", secret }));
  }
  const [, , finished, reset] = logins;
  finished!.link.end(60_000);
  reset!.link.destroy();
  await world.settle();
  assertEquals(world.node.connectionCount, 4);
  await world.endAllDerivations();
  assertEquals(world.derived, ["1", "2", "3", "fin"]);
  assertEquals(logins[4]!.received[0]!.reason, "WRONG_SECRET");
  await world.stop();
});

Deno.test("a name is free again when the client that was to register it is gone", async () => {
  const world = await NodeWorld.start();
  const register = (username: string) => world.connect({ command: "REGISTER", username, secret: "s" });
  const gone = [await register("anna"), await register("bob"), await register("cleo")];
  for (const client of gone) client.link.destroy();
  await world.endAllDerivations();
  const again = [await register("anna"), await register("cleo")];
  await world.endAllDerivations();
  for (const client of again) assertEquals(client.commands, ["REGISTER_SUCCESS"]);
  await world.stop();
});

Deno.test("lines that follow while a secret is derived wait, and those after them too", async () => {
  const world = await NodeWorld.start();
  const listener = await world.connect(ANONYMOUS);
  const client = await world.connect({ command: "REGISTER", username: "anna", secret: "s" });
  client.send(ANONYMOUS);
  await world.settle();
  for (let n = 1; n <= 5; n++) {
    client.send(activity(n));
    await world.settle();
  }
  assertEquals(listener.sequences, []);
  await world.endAllDerivations();
  client.send(activity(6));
  await world.settle();
  assertEquals(listener.received.slice(1).map(({ activity }) => activity.n), [1, 2, 3, 4, 5, 6]);
  await world.stop();
});

Deno.test("of too many that wait for a place the oldest is turned away, and told", async () => {
  const world = await NodeWorld.start({ limits: { maxConnections: 1 } });
  const served = await world.connect(ANONYMOUS);
  const waiting = [];
  for (let n = 0; n <= 1_024; n++) waiting.push(await world.connect());
  assertEquals(waiting[0]!.received.map(({ reason }) => reason), ["TOO_MANY"]);
  assert(waiting.slice(1).every(({ end }) => end === undefined));
  served.link.destroy();
  waiting[1]!.send(ANONYMOUS);
  await world.settle();
  assertEquals(waiting[1]!.commands, ["LOGIN_SUCCESS"]);
  await world.stop();
});

Deno.test("a client that has much to read and does not is heard all the same, and kept", async () => {
  const world = await NodeWorld.start({
    limits: { maxPendingBytes: 1_024 },
    heartbeat: { idleTimeoutMs: 300, intervalMs: 100, count: 3 },
  });
  const slow = await world.connect({ ...ANONYMOUS, features: ["heartbeat"] });
  const publisher = await world.connect({ ...ANONYMOUS, features: ["ack"] });
  slow.link.pause();
  // All of it comes in one turn, so that it is one large write.
  publisher.send(...Array.from({ length: 100 }, (_, n) => activity(n, `${n}`)));
  await world.settle();
  for (let count = 0; count < 60; count++) {
    slow.send({ command: "HEARTBEAT_ACK", sequence: 0 });
    await world.clock.run(100);
  }
  assertEquals(slow.end, undefined);
  assertEquals(world.node.connectionCount, 2);
  slow.link.resume();
  await world.settle();
  assertEquals(slow.sequences.length, 100);
  await world.stop();
});
