/** What clients and a server say to each other (docs/protocol.md, section 2), on real sockets. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { doorOf } from "../../support/test_door.ts";

const door = doorOf(import.meta.url);
const { start } = door;

Deno.test("a client registers, logs in on the same connection, and publishes to all, itself included", async () => {
  await using server = await start();
  await using other = await door.loggedIn(server);
  await using anna = await door.connect(server);
  anna.send({ command: "REGISTER", username: "anna", secret: "s" });
  await anna.next("REGISTER_SUCCESS");
  anna.send({ command: "LOGIN", username: "anna", secret: "s" });
  const success = await anna.next("LOGIN_SUCCESS");
  assertEquals(Object.keys(success), ["command", "info"], "a plain client gets no more than it knows");
  anna.send({
    command: "ACTIVITY_MESSAGE",
    username: "anna",
    secret: "s",
    activity: { a: 1, authenticated_user: "boss" },
  });
  for (const client of [anna, other]) {
    const { activity, id, lamport, sentAt } = await client.next("ACTIVITY_BROADCAST");
    assertEquals(activity, { a: 1, authenticated_user: "anna" });
    assertEquals(id, `${server.serverId}:2`);
    assert(Number.isInteger(lamport) && Math.abs(sentAt - Date.now()) < 60_000);
  }
});

Deno.test("an account can be used from another connection the moment REGISTER_SUCCESS is there", async () => {
  await using server = await start();
  await using first = await door.connect(server);
  first.send({ command: "REGISTER", username: "anna", secret: "s" });
  await first.next("REGISTER_SUCCESS");
  await using second = await door.loggedIn(server, { username: "anna", secret: "s" });
  assert(!second.isClosed);
});

Deno.test("what the server refuses it answers, and then it closes", async () => {
  await using server = await start();
  await using first = await door.connect(server);
  first.send({ command: "REGISTER", username: "anna", secret: "s" });
  await first.next("REGISTER_SUCCESS");
  const refusals: [string, Record<string, unknown>[]][] = [
    ["REGISTER_FAILED", [{ command: "REGISTER", username: "anna", secret: "t" }]],
    ["LOGIN_FAILED", [{ command: "LOGIN", username: "anna", secret: "t" }]],
    ["LOGIN_FAILED", [{ command: "LOGIN", username: "nobody", secret: "t" }]],
    ["AUTHENTICATION_FAIL", [{ command: "ACTIVITY_MESSAGE", username: "anna", secret: "s", activity: {} }]],
    ["AUTHENTICATION_FAIL", [{ command: "LOGIN", username: "anna", secret: "s" }, {
      command: "ACTIVITY_MESSAGE",
      username: "anna",
      secret: "wrong",
      activity: {},
    }]],
    ["AUTHENTICATION_FAIL", [{ command: "AUTHENTICATE", secret: "x" }]],
    ["INVALID_MESSAGE", [{ command: "LOGIN", username: "anonymous" }, { command: "LOGIN", username: "anonymous" }]],
  ];
  for (const [answer, lines] of refusals) {
    await using client = await door.connect(server);
    client.send(...lines);
    assertEquals(typeof (await client.next(answer)).info, "string");
    await client.closed();
  }
});

Deno.test("lines that follow a LOGIN or a REGISTER without waiting are taken in their order", async () => {
  await using server = await start();
  await using client = await door.connect(server);
  client.send(
    { command: "REGISTER", username: "anna", secret: "s" },
    { command: "LOGIN", username: "anna", secret: "s" },
    { command: "ACTIVITY_MESSAGE", username: "anna", secret: "s", activity: { n: 1 } },
    { command: "ACTIVITY_MESSAGE", username: "anna", secret: "s", activity: { n: 2 } },
    { command: "LOGOUT" },
  );
  await client.closed();
  assertEquals(client.received.map(({ command }) => command).slice(0, 2), ["REGISTER_SUCCESS", "LOGIN_SUCCESS"]);
  await using later = await door.loggedIn(server, {
    features: ["resume"],
    resume: { vector: { [server.serverId]: 1 } },
  });
  await later.untilActivities(2);
  assertEquals(later.activities, [{ n: 1 }, { n: 2 }]);
});

Deno.test("lines that come one by one while a secret is being checked wait for their turn", async () => {
  await using server = await start();
  await using client = await door.connect(server);
  client.send(
    { command: "REGISTER", username: "anna", secret: "s" },
    { command: "LOGIN", username: "anna", secret: "s", features: ["ack"] },
  );
  for (let n = 1; n <= 9; n++) {
    // So that each comes by itself.
    await new Promise((resolve) => setTimeout(resolve, 1));
    client.send({ command: "ACTIVITY_MESSAGE", activity: { n } });
  }
  await client.untilActivities(9);
  assertEquals(client.activities.map(({ n }) => n), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("numbers, nulls and the order of keys pass unharmed", async () => {
  await using server = await start();
  await using client = await door.loggedIn(server);
  const activity = '{"z":1.0,"big":9007199254740993,"nothing":null,"small":1e-7,"text":"\\u00fc"}';
  let raw = "";
  await using listener = await door.loggedIn(server);
  const parse = JSON.parse;
  try {
    // The one place where the text itself is looked at: a parsed number would hide what was lost.
    JSON.parse = (text: string) => {
      if (text.includes("ACTIVITY_BROADCAST")) raw = text;
      return parse(text);
    };
    client.sendRaw(`{"activity": ${activity} ,"username":"anonymous","secret":null,"command":"ACTIVITY_MESSAGE"}\r\n`);
    await listener.untilActivities(1);
  } finally {
    JSON.parse = parse;
  }
  assertStringIncludes(raw, `"activity":${activity.slice(0, -1)},"authenticated_user":"anonymous"}`);
});

Deno.test("a messageId that was used before is acknowledged again and not published again", async () => {
  await using server = await start();
  await using client = await door.loggedIn(server, { features: ["ack"] });
  const message = (n: number) => ({ command: "ACTIVITY_MESSAGE", messageId: "m-1", activity: { n } });
  // Twice within one turn, and again later.
  client.send(message(1), message(2));
  const ids = [(await client.next("ACTIVITY_ACK")).id, (await client.next("ACTIVITY_ACK")).id];
  client.send(message(3), { command: "ACTIVITY_MESSAGE", messageId: "m-2", activity: { n: 4 } });
  ids.push((await client.next("ACTIVITY_ACK")).id);
  const last = await client.next("ACTIVITY_ACK");
  assertEquals(new Set(ids).size, 1);
  assert(last.id !== ids[0]);
  await client.untilActivities(2);
  assertEquals(client.activities, [{ n: 1 }, { n: 4 }]);
});

Deno.test("a messageId that was used for something else is acknowledged with a word about it, and one that is sent again without", async () => {
  await using server = await start();
  await using client = await door.loggedIn(server, { features: ["ack"] });
  const told = async (messageId: string, activity: Record<string, unknown>) => {
    client.send({ command: "ACTIVITY_MESSAGE", messageId, activity, lamport: 40 });
    return (await client.next("ACTIVITY_ACK")).differs;
  };
  const first = { n: 1, deep: [{ a: "1", b: null }] };
  assertEquals(await told("m-1", first), undefined);
  assertEquals(await told("m-1", first), undefined);
  assertEquals(await told("m-1", { deep: [{ b: null, a: "1" }], n: 1, authenticated_user: "boss" }), undefined);
  for (const other of [{}, { n: 1 }, { ...first, n: "1" }, { ...first, more: true }, { n: 1, deep: { 0: {} } }]) {
    assertEquals(await told("m-1", other), true, JSON.stringify(other));
  }
  // Both in one turn: the first is not in the store yet.
  const message = (n: number) => ({ command: "ACTIVITY_MESSAGE", messageId: "m-2", activity: { n } });
  client.send(message(1), message(2), message(1));
  const differs = [];
  for (let n = 0; n < 3; n++) differs.push((await client.next("ACTIVITY_ACK")).differs);
  assertEquals(differs, [undefined, true, undefined]);
  await client.untilActivities(2);
  assertEquals(client.activities, [first, { n: 1 }]);
});

Deno.test("a client that asked for features is told which are in force, and how it is supervised", async () => {
  await using server = await start({ heartbeat: { idleTimeoutMs: 900, intervalMs: 400, count: 3 } });
  await using client = await door.connect(server);
  client.send({
    command: "LOGIN",
    username: "anonymous",
    features: ["ack", "heartbeat", "presence", "resume", "magic"],
  });
  const success = await client.next("LOGIN_SUCCESS");
  assertEquals(success.features, ["heartbeat", "presence", "ack", "resume"]);
  assertEquals(success.heartbeat, { idleTimeoutMs: 1200, intervalMs: 400, count: 3 });
  assertEquals(success.serverId, server.serverId);
  assertEquals(success.resume, { vector: {}, replayed: 0 });
});

Deno.test("a server that stops tells clients why and that they may come back, and plain ones nothing", async () => {
  const server = await start();
  await using plain = await door.loggedIn(server);
  await using client = await door.loggedIn(server, { features: ["heartbeat"] });
  await server.close();
  await Promise.all([plain.closed(), client.closed()]);
  const { reason, reconnect, info } = await client.next("END_CONNECTION");
  assertEquals([reason, reconnect, typeof info], ["SERVER_STOPPING", "now", "string"]);
  assertEquals(plain.received.map(({ command }) => command), ["LOGIN_SUCCESS"]);
  assertEquals(await server.finished, { reason: "stopped" });
});

Deno.test("what was published is acknowledged before the connection ends, by LOGOUT, by a bad line or by FIN", async () => {
  await using server = await start();
  for (const last of ['{"command":"LOGOUT"}\n', "nonsense\n", ""]) {
    await using client = await door.loggedIn(server, { features: ["ack"] });
    client.sendRaw(`{"command":"ACTIVITY_MESSAGE","messageId":"m${last.length}","activity":{}}\n${last}`);
    if (last === "") client.finish();
    await client.closed();
    const commands = client.received.map(({ command }) => command);
    assertEquals(commands.slice(0, 3), ["LOGIN_SUCCESS", "ACTIVITY_ACK", "ACTIVITY_BROADCAST"]);
  }
});
