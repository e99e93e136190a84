/**
 * Servers of the older dialect beside a real server: the session that a person can type, and scripted peers of both
 * families that join, register, publish, are killed and come back. With the faults of such servers that need more than
 * one connection to be seen.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { LineClient, type Received } from "../support/line_client.ts";
import { FamilyA, FamilyS } from "../support/legacy_server.ts";
import { type Program, startServer } from "../support/program.ts";

const SECRET = "abc";
const ANNA = { username: "anna", secret: "anna's own" };
/** As short as it can be: what tests wait for. */
const SHORT_WINDOW = ["-activity_check_interval", "1"];

/** A server that lets older ones join, and a folder for it. */
class OldFriend implements AsyncDisposable {
  readonly #folder: string;
  readonly #flags: readonly string[];
  #program: Program;
  port = 0;

  private constructor(folder: string, flags: readonly string[]) {
    this.#folder = folder;
    this.#flags = flags;
    this.#program = this.#spawn();
  }

  static async start(...flags: string[]): Promise<OldFriend> {
    const server = new OldFriend(await Deno.makeTempDir({ prefix: "thrum-older-" }), flags);
    await server.#listens();
    return server;
  }

  /** Killed, and started again with the same data. */
  async restart(): Promise<void> {
    this.#program.signal("SIGKILL");
    await this.#program.ended();
    await this.#program[Symbol.asyncDispose]();
    this.#program = this.#spawn();
    await this.#listens();
  }

  get log(): string {
    return this.#program.errors;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  #spawn(): Program {
    const where = ["--no-prompt", "--data", this.#folder, "-lh", "localhost", "-lp", "0", "-s", SECRET];
    return startServer([...where, "--older-dialect", ...this.#flags]);
  }

  async #listens(): Promise<void> {
    this.port = Number((await this.#program.sees(/listening on \S+:(\d+)/))[1]);
  }
}

async function registered(port: number, user: { username: string; secret: string }): Promise<LineClient> {
  const client = await LineClient.connect(port);
  client.send({ command: "REGISTER", ...user });
  await client.next("REGISTER_SUCCESS");
  client.send({ command: "LOGIN", ...user });
  await client.next("LOGIN_SUCCESS");
  return client;
}

/** Whether somebody can log in at this server with that. */
async function canLogIn(port: number, username: string, secret: string): Promise<boolean> {
  await using client = await LineClient.connect(port);
  client.send({ command: "LOGIN", username, secret });
  await client.until(() => client.received.length > 0, "an answer to LOGIN");
  return client.received[0]!.command === "LOGIN_SUCCESS";
}

function publish(client: LineClient, user: { username: string; secret: string }, activity: Received): void {
  client.send({ command: "ACTIVITY_MESSAGE", ...user, activity });
}

function numbers(activities: readonly Received[]): number[] {
  return activities.map(({ n }) => n);
}

Deno.test("the session that a person types: two activities with id 0 come in the order of their times", async () => {
  await using server = await OldFriend.start("-activity_check_interval", "2000");
  const user = { username: "user1", secret: "s" };
  await using user1 = await registered(server.port, user);
  await using telnet = await LineClient.connect(server.port);
  telnet.sendRaw(
    '{"command":"AUTHENTICATE","serverId":"serverId01","secret":"abc","host":"localhost","port":8002}\r\n',
  );
  const { server_list: [own], ...success } = await telnet.next("AUTHENTICATION_SUCC");
  assertEquals(own, {
    serverId: success.serverId,
    load: 1,
    ip: own.ip,
    port: server.port,
    online: true,
    updateTime: own.updateTime,
    action: "UPDATE_OR_INSERT",
  });
  const [listed] = success.user_list;
  const { updateTime } = listed;
  assertEquals(success.user_list, [{ username: "user1", secret: "", online: true, updateTime }]);
  assertEquals(success.activity_entity, []);
  await telnet.next("BACKUP_LIST");
  const announce = await telnet.next("SERVER_ANNOUNCE");
  assertEquals({ ...announce, updateTime: 0, command: "" }, { ...own, updateTime: 0, command: "" });
  const order = telnet.received.map(({ command }) => command);
  assertEquals(order, ["AUTHENTICATION_SUCC", "BACKUP_LIST", "SERVER_ANNOUNCE"]);

  telnet.sendRaw(
    '{"id":0,"activity":{"message_num":2,"authenticated_user":"user2"},"isDelivered":false,"command":"ACTIVITY_BROADCAST","timeBack":0}\r\n',
  );
  telnet.sendRaw(
    '{"id":0,"activity":{"message_num":1,"authenticated_user":"user2"},"isDelivered":false,"command":"ACTIVITY_BROADCAST","timeBack":10000}\r\n',
  );
  await user1.untilActivities(2);
  const got = user1.received.filter(({ command }) => command === "ACTIVITY_BROADCAST").map(({ activity }) => activity);
  assertEquals(got, [{ message_num: 1, authenticated_user: "user2" }, { message_num: 2, authenticated_user: "user2" }]);
  // What it sent does not come back to it; what others publish does come.
  publish(user1, user, { text: "hello" });
  const { activity } = await telnet.next("ACTIVITY_BROADCAST");
  assertEquals(activity, { text: "hello", authenticated_user: "user1" });
});

Deno.test("a wrong secret, and an older server where none is wanted, are refused", async () => {
  await using server = await OldFriend.start();
  await using a = new FamilyA("a", "wrong");
  await a.join(server.port);
  await a.untilClosed();
  assertEquals(a.refusal?.command, "AUTHENTICATION_FAIL");

  await using strict = startServer(["--no-prompt", "--ephemeral", "--port", "0", "-s", SECRET]);
  const [, port] = await strict.sees(/listening on \S+:(\d+)/);
  for (const peer of [new FamilyA("a", SECRET), new FamilyS("s", SECRET)]) {
    await using refused = peer;
    await refused.join(Number(port));
    await refused.untilClosed();
    assertEquals(refused.refusal?.command, "AUTHENTICATION_FAIL");
  }
});

Deno.test("an A and an S join; what anybody publishes reaches everybody once, and breaks nobody", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  await using anna = await registered(server.port, ANNA);
  await using a = new FamilyA("server-a", SECRET);
  await using s = new FamilyS("server-s", SECRET);
  await a.join(server.port);
  await a.until(() => a.isListening, "AUTHENTICATION_SUCC");
  await s.join(server.port);
  await s.until(() => s.servers.size === 1, "an announcement");
  // One after the other: what a server's own clients publish is in its order at once.
  a.publish("bob", { n: 1 });
  await s.untilDelivered(1);
  s.publish("carl", { n: 2 });
  await a.untilDelivered(2);
  a.relay({ n: 3, authenticated_user: "dora" });
  await anna.untilActivities(3);
  publish(anna, ANNA, { n: 4 });
  await anna.untilActivities(4);
  // Its own are not sent back to a server, so both have the same in the end.
  assertEquals(numbers(await a.untilDelivered(3)), [1, 2, 4]);
  assertEquals(numbers(await s.untilDelivered(4)), [1, 2, 3, 4]);
  assertEquals(numbers(anna.activities), [1, 2, 3, 4]);
  // Ticks bring the whole history again, and the lists of users: nothing comes of it.
  a.tick();
  s.tick();
  a.tick();
  a.publish("bob", { n: 5 });
  await anna.untilActivities(5);
  await s.untilDelivered(5);
  assertEquals(numbers(anna.activities), [1, 2, 3, 4, 5]);
  assertEquals(numbers(s.delivered), [1, 2, 3, 4, 5]);
  assertEquals([a.zombie, s.zombie, a.unknown], [undefined, undefined, []]);
  assertMatch(s.deliveredLines[2]!, /^\{"command":"ACTIVITY_BROADCAST","activity":\{[^}]*\}\}$/);
});

Deno.test("fault: activities of the same millisecond are lost", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  await using a = new FamilyA("server-a", SECRET);
  await a.join(server.port);
  await a.until(() => a.isListening, "AUTHENTICATION_SUCC");
  await using client = await LineClient.loggedIn(server.port);
  for (let n = 0; n < 200; n++) client.send({ command: "ACTIVITY_MESSAGE", activity: { n } });
  assertEquals(numbers(await a.untilDelivered(200)), Array.from({ length: 200 }, (_, n) => n));
  const now = Date.now();
  for (let n = 200; n < 220; n++) a.publish("bob", { n }, now);
  await client.untilActivities(220);
  assertEquals(numbers(client.activities).toSorted((x, y) => x - y), Array.from({ length: 220 }, (_, n) => n));
});

Deno.test("names are one: who registers there can log in here, and what is registered here is locked there", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  await using a = new FamilyA("server-a", SECRET);
  await using s = new FamilyS("server-s", SECRET);
  a.users.set("before", { secret: "b", online: false, updateTime: 1 });
  await a.join(server.port);
  await a.until(() => a.isListening, "AUTHENTICATION_SUCC");
  await s.join(server.port);
  await s.until(() => s.servers.size === 1, "an announcement");

  assertEquals(await a.register("bob", "bob's"), true);
  assertEquals(await canLogIn(server.port, "bob", "bob's"), true);
  assertEquals(await s.register("carl", "carl's"), true);
  assertEquals(await canLogIn(server.port, "carl", "carl's"), true);
  a.tick();
  await using late = await LineClient.loggedIn(server.port);
  await waitForLogin(server.port, "before", "b");

  await using anna = await registered(server.port, ANNA);
  await a.until(() => a.users.has("anna"), "the new user at A");
  await s.until(() => s.users.has("anna"), "the new user at S");
  for (const peer of [a, s]) {
    for (const secret of [ANNA.secret, "", "null"]) assertEquals(peer.logIn("anna", secret), false);
    assertEquals(await peer.register("anna", "mine now"), false);
    assert(!peer.lines.some((line) => line.includes(ANNA.secret) || line.includes("scrypt")), "a secret went out");
  }
  // Names of one older server are taken at the other.
  await using twice = await LineClient.connect(server.port);
  twice.send({ command: "REGISTER", username: "carl", secret: "x" });
  await twice.next("REGISTER_FAILED");
  assertEquals(await a.register("carl", "x"), false);
  assert(!anna.isClosed && !late.isClosed);
});

Deno.test("a name of ours that an A has listed with an empty secret gets one that nobody knows", async () => {
  await using server = await OldFriend.start();
  await using anna = await registered(server.port, ANNA);
  await using a = new FamilyA("server-a", SECRET);
  await a.join(server.port);
  await a.until(() => a.isListening, "AUTHENTICATION_SUCC");
  a.tick();
  await a.until(() => a.users.has("anna") && a.users.get("anna")!.secret !== "", "the lock of the name");
  assertEquals(a.logIn("anna", ""), false);
  assert(!anna.isClosed);
});

Deno.test("fault: a name clash deletes the account everywhere", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  await using anna = await registered(server.port, ANNA);
  await using a = new FamilyA("server-a", SECRET);
  a.users.set("anna", { secret: "another anna", online: false, updateTime: Date.now() });
  await a.join(server.port);
  await a.until(() => a.isListening, "AUTHENTICATION_SUCC");
  a.tick();
  a.sendRaw('{"command":"USER_REGISTER_RESULT","result":"FAIL","username":"anna","secret":"another anna"}\n');
  publish(anna, ANNA, { n: 1 });
  await a.untilDelivered(1);
  assertEquals(a.logIn("anna", "another anna"), true);
  assertEquals(await canLogIn(server.port, "anna", ANNA.secret), true);
  assertEquals(await canLogIn(server.port, "anna", "another anna"), false);
});

Deno.test("fault: a silent peer hangs registration for ever, and a denied one blocks its link", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  await using silent = await LineClient.connect(server.port);
  silent.send({ command: "AUTHENTICATE", secret: SECRET });
  await silent.next("SERVER_ANNOUNCE");
  await using anna = await registered(server.port, ANNA);
  const { username, secret } = await silent.next("LOCK_REQUEST");
  assertEquals(username, "anna");
  assert(secret !== ANNA.secret);

  await using taken = await LineClient.connect(server.port);
  taken.send({ command: "REGISTER", username: "bob", secret: "x" });
  silent.send({ ...await silent.next("LOCK_REQUEST"), command: "LOCK_DENIED" });
  await taken.next("REGISTER_FAILED");
  silent.send({ command: "ACTIVITY_BROADCAST", activity: { n: 1 } });
  await anna.untilActivities(1);
  await using next = await registered(server.port, { username: "carl", secret: "x" });
  assert(!next.isClosed && !silent.isClosed);
});

Deno.test("fault: one reader that stops reading freezes delivery for everyone", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  await using frozen = new FamilyA("server-a", SECRET);
  await using s = new FamilyS("server-s", SECRET);
  await frozen.join(server.port);
  await frozen.until(() => frozen.isListening, "AUTHENTICATION_SUCC");
  await s.join(server.port);
  await s.until(() => s.servers.size === 1, "an announcement");
  frozen.stopReading();
  await using client = await LineClient.loggedIn(server.port);
  const text = "x".repeat(10_000);
  // More than any socket buffers: 20 MB.
  const count = 2_000;
  for (let n = 0; n < count; n++) client.send({ command: "ACTIVITY_MESSAGE", activity: { n, text } });
  await client.untilActivities(count);
  assertEquals(numbers(await s.untilDelivered(count)), Array.from({ length: count }, (_, n) => n));
});

Deno.test("fault: a malformed line leaks the connection and its load, and an anonymous end is never counted out", async () => {
  await using server = await OldFriend.start();
  for (const line of ["nonsense", "", "[]", '{"command":"AUTHENTICATE","secret":"abc"}', '{"command":"HELLO"}']) {
    await using peer = await LineClient.connect(server.port);
    peer.send({ command: "AUTHENTICATE", serverId: "server-a", secret: SECRET, host: "127.0.0.1", port: 1 });
    await peer.next("AUTHENTICATION_SUCC");
    peer.sendRaw(`${line}\n`);
    await peer.next("INVALID_MESSAGE");
    await peer.closed();
  }
  for (let n = 0; n < 5; n++) {
    await using client = await LineClient.loggedIn(server.port);
    if (n % 2 === 0) client.finish();
    else client.sendRaw("nonsense\n");
    await client.closed();
  }
  await using stays = await LineClient.loggedIn(server.port);
  const load = async () => {
    await using s = new FamilyS("server-s", SECRET);
    await s.join(server.port);
    await s.until(() => s.servers.size === 1, "an announcement");
    return [...s.servers.values()][0]!;
  };
  // The server sees the ends of connections a moment later.
  while (await load() !== 1);
  assert(!stays.isClosed);
});

Deno.test("fault: any client can inject users, announcements and activities", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  const commands: Received[] = [
    { command: "USER_UPDATE", username: "eve", secret: "e", online: true, updateTime: 1 },
    { command: "SERVER_ANNOUNCE", serverId: "x", load: 0, ip: "h", port: 1 },
    { command: "ACTIVITY_BROADCAST", id: 0, activity: {}, isDelivered: false },
    { command: "LOCK_REQUEST", username: "eve", secret: "e" },
  ];
  for (const command of commands) {
    await using client = await LineClient.loggedIn(server.port);
    client.send(command);
    await client.next("INVALID_MESSAGE");
    await client.closed();
  }
  assertEquals(await canLogIn(server.port, "eve", "e"), false);
});

Deno.test("fault: activities made during a partition are lost when a reconnect fails half way", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  await using a = new FamilyA("server-a", SECRET);
  await using client = await LineClient.loggedIn(server.port);
  await a.join(server.port);
  await a.until(() => a.isListening, "AUTHENTICATION_SUCC");
  a.publish("bob", { n: 0 });
  await client.untilActivities(1);
  await a.die();
  for (let n = 1; n <= 5; n++) a.publish("bob", { n });
  // It comes back, and its link breaks in the middle of its history.
  await a.join(server.port);
  await a.until(() => a.isListening, "AUTHENTICATION_SUCC");
  const list = [...a.history.values()];
  const half = JSON.stringify({ command: "ACTIVITY_SYNC", activity_entity: [{ owner: "bob", activity_list: list }] });
  a.sendRaw(half.slice(0, half.length / 2));
  await a.die();
  await a.join(server.port);
  a.tick();
  a.tick();
  await client.untilActivities(6);
  a.publish("bob", { n: 6 });
  await client.untilActivities(7);
  assertEquals(numbers(client.activities), [0, 1, 2, 3, 4, 5, 6]);
});

Deno.test("an A and this server are killed and come back: nothing of what an A sends again is published twice", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  await using a = new FamilyA("server-a", SECRET);
  await a.join(server.port);
  await a.until(() => a.isListening, "AUTHENTICATION_SUCC");
  {
    await using anna = await registered(server.port, ANNA);
    for (let n = 0; n < 3; n++) a.publish("bob", { n });
    await anna.untilActivities(3);
    publish(anna, ANNA, { n: 3 });
    await anna.untilActivities(4);
    await a.untilDelivered(4);
  }
  await server.restart();
  await a.untilClosed();
  // It has kept what it was sent, and sends that too.
  await a.join(server.port);
  await a.until(() => a.isListening, "AUTHENTICATION_SUCC");
  await using client = await LineClient.connect(server.port);
  client.send({ command: "LOGIN", username: "anonymous", features: ["resume"], resume: { vector: {} } });
  await client.untilActivities(4);
  a.tick();
  a.tick();
  a.publish("bob", { n: 4 });
  await client.untilActivities(5);
  assertEquals(numbers(client.activities).toSorted((x, y) => x - y), [0, 1, 2, 3, 4]);
  // Bob registered nowhere: what he published is his by A's word, and nobody's account.
  assertEquals(await canLogIn(server.port, "bob", ""), false);
  assertEquals(await canLogIn(server.port, "anna", ANNA.secret), true);
});

Deno.test("an S is killed and comes back: it is announced to anew, and its users are still here", async () => {
  await using server = await OldFriend.start(...SHORT_WINDOW);
  await using s = new FamilyS("server-s", SECRET);
  await s.join(server.port);
  await s.until(() => s.servers.size === 1, "an announcement");
  assertEquals(await s.register("carl", "carl's"), true);
  await s.die();
  await using client = await LineClient.loggedIn(server.port);
  client.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 } });
  await client.untilActivities(1);
  await s.join(server.port);
  await s.until(() => s.servers.size === 1, "an announcement");
  assertEquals(await canLogIn(server.port, "carl", "carl's"), true);
  client.send({ command: "ACTIVITY_MESSAGE", activity: { n: 2 } });
  await s.until(() => s.delivered.some(({ n }) => n === 2), "the next activity");
  assertEquals(s.zombie, undefined);
});

Deno.test("the third family is refused with what makes it give up", async () => {
  await using server = await OldFriend.start();
  for (const line of ["h", '{"command":"BUNDLE","messages":[]}']) {
    await using peer = await LineClient.connect(server.port);
    peer.send({ command: "AUTHENTICATE", secret: SECRET });
    await peer.next("SERVER_ANNOUNCE");
    peer.sendRaw(`${line}\n`);
    await peer.next("AUTHENTICATION_FAIL");
    await peer.closed();
  }
});

/** Accounts of a list are taken in one after the other, and nobody is told. */
async function waitForLogin(port: number, username: string, secret: string): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!await canLogIn(port, username, secret)) {
    if (Date.now() > giveUpAt) throw new Error(`No account of ${username} within 20 s`);
  }
}
