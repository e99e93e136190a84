/**
 * Links between servers (docs/protocol.md, section 4): who is let in, which link is kept, and how it is found
 * out that one is dead.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { activityLine, loginOf, MeshWorld, PORT, SECRET } from "../../support/mesh_world.ts";

/** What a server of this dialect says first. */
const GREETING = {
  command: "AUTHENTICATE",
  secret: SECRET,
  serverId: "x",
  host: "x",
  port: PORT,
  features: ["thrum/1"],
  vector: {},
  lamport: 1,
};

Deno.test("two servers that call each other at once have one link afterwards: that of the lower name", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = await MeshWorld.of(["a", "b"], {}, seed);
    await world.run(1_000);
    assertEquals(world.between("a", "b"), ["a>b"]);
    await world.run(30_000);
    assertEquals(world.between("a", "b"), ["a>b"]);
    assert(world.made.length <= 2, world.made.join());
    // And it works, whichever of the two was first.
    const anna = await world.login("a");
    anna.publish(seed);
    await world.equal("a", "b");
    assertEquals(world.server("b").activities, [seed]);
    assertEquals((await world.register("b", "ben")).commands, ["REGISTER_SUCCESS"]);
  }
});

Deno.test("of five servers each is linked to each by one link, though all know only one", async () => {
  const world = new MeshWorld();
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names) world.start(name, ["a"]);
  await world.linked(...names);
  await world.run(2_000);
  for (const [index, one] of names.entries()) {
    for (const other of names.slice(index + 1)) assertEquals(world.between(one, other).length, 1, `${one} ${other}`);
  }
});

Deno.test("a server that comes back before its end was noticed is linked again, without a storm of calls", async () => {
  for (
    const [lost, other, linkedMs] of [["a", "b", 10_000], ["b", "a", 10_000], ["a", "b", 0], ["b", "a", 0]] as const
  ) {
    const world = await MeshWorld.of(["a", "b"]);
    await world.run(linkedMs);
    const { commits } = world.server(other);
    const made = world.made.length;
    world.server(lost).powerOff();
    await world.run(500);
    world.start(lost, ["a", "b"]);
    const ms = await world.until(() => world.server(lost).stateOf(other) === "linked", "the link");
    // Of two links of one moment the other one may be taken for good until it is found out to be dead.
    const isOld = linkedMs > 0;
    assert(ms < (isOld ? 500 : 5_000), `${ms} ms`);
    const links = world.made.length;
    await world.run(10_000);
    if (isOld) assertEquals(world.made.length, links, "it was lost again");
    assertEquals(world.server(lost).stateOf(other), "linked");
    assertEquals(world.server(other).stateOf(lost), "linked");
    assertEquals(world.between("a", "b").length, 1);
    assert(world.made.length - made < 20, `${world.made.length - made} calls`);
    assert(world.server(other).commits - commits < 20, `${world.server(other).commits - commits} commits`);
  }
});

Deno.test("who calls has no link any more, unless both called in one moment: then that of the lower name is kept", async () => {
  for (const [serverId, isLower] of [["0", true], ["x", false]] as const) {
    const world = new MeshWorld();
    const links = await world.listen(serverId);
    world.start("a", [serverId]);
    await world.run(1_000);
    const early = await world.peer("a", serverId);
    const [kept, other] = isLower ? [early, links[0]!] : [links[0]!, early];
    assertEquals([kept.end, other.last("END_CONNECTION")?.reason], [undefined, "DUPLICATE_LINK"]);
    await world.run(5_000);
    const late = await world.peer("a", serverId);
    await world.run(1_000);
    assertEquals([late.end, kept.last("END_CONNECTION")?.reason], [undefined, "DUPLICATE_LINK"]);
    assertEquals([links.length, world.server("a").stateOf(serverId)], [1, "linked"]);
    late.entries(serverId, 1, [activityLine(`${serverId}:1`, 1)]);
    await world.run(20);
    assertEquals(world.server("a").vector, { [serverId]: 1 });
  }
});

Deno.test("a wrong secret is refused, and so is a server when this one has none", async () => {
  const world = new MeshWorld();
  world.start("a");
  world.start("b", ["a"], { cluster: { secret: "another" } });
  world.start("c", [], { cluster: { secret: "" } });
  await world.run(100);
  for (const [name, secret, why] of [["a", "wrong", "the secret"], ["a", "", "the secret"], ["c", "", "no secret"]]) {
    const x = await world.client(name!, { ...GREETING, secret });
    assertEquals(x.commands, ["AUTHENTICATION_FAIL"]);
    assertStringIncludes(x.received[0]!.info, why!);
    assertEquals(x.end, "local");
  }
  // It serves its clients all the same.
  const ben = await world.login("b");
  assertEquals(ben.commands, ["LOGIN_SUCCESS"]);
  await world.run(40_000);
  assertEquals(world.server("a").node.members, []);
  assertEquals(world.server("b").node.members, []);
  const calls = world.made.filter((call) => call === "b>a").length;
  assert(calls >= 3 && calls < 20, `${calls} calls`);
});

Deno.test("a server that is told to join itself finds out, and does not call itself again", async () => {
  const world = new MeshWorld();
  world.start("a", [`a:${PORT}`]);
  const ms = await world.until(() => world.server("a").node.isJoined, "that it is alone");
  assert(ms < 200, `${ms} ms`);
  await world.run(60_000);
  assertEquals(world.made, ["a>a"]);
  assertEquals(world.between("a", "a"), []);
});

Deno.test("a server of the older dialect is refused, and one that does not say where it is", async () => {
  const world = await MeshWorld.of(["a"]);
  const { features: _, ...older } = GREETING;
  const { port: __, ...portless } = GREETING;
  const { serverId: ___, ...nameless } = GREETING;
  for (const greeting of [older, portless, nameless, { ...GREETING, serverId: "a" }]) {
    const x = await world.client("a", greeting);
    assertEquals(x.commands, ["AUTHENTICATION_FAIL"]);
    assertEquals(x.end, "local");
  }
  assertEquals(world.server("a").node.members, []);
});

Deno.test("a second AUTHENTICATE ends the link", async () => {
  const world = await MeshWorld.of(["a"]);
  const x = await world.peer("a", "x");
  x.send(GREETING);
  await world.run(20);
  assertEquals(x.last("END_CONNECTION")?.reason, "INVALID_MESSAGE");
  assertEquals(x.end, "local");
  // Also when both came in one piece.
  const y = await world.client("a", { ...GREETING, serverId: "y" }, { ...GREETING, serverId: "y" });
  assertEquals(y.last("END_CONNECTION")?.reason, "INVALID_MESSAGE");
  const client = await world.client("a", loginOf("anonymous"), GREETING);
  assertEquals(client.commands.at(-1), "INVALID_MESSAGE");
});

Deno.test("garbage ends a link, and only that one", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const anna = await world.login("a");
  const garbage = [
    "not JSON\n",
    "[]\n",
    '{"command":"ENTRIES","origin":"x","first":2,"last":1,"after":0,"to":"everyone"}\n',
    '{"command":"ENTRIES","origin":"x","first":1,"last":1,"after":1,"to":"everyone"}\n',
    '{"command":"ENTRIES","origin":"x","first":1,"last":1,"after":0,"to":"nobody"}\n{}\n',
    '{"command":"ENTRIES","origin":"x","first":1,"last":1,"after":0,"to":"everyone"}\n{}\n',
    '{"command":"ENTRIES","origin":"x","first":1,"last":1,"after":0,"to":"everyone"}\nno line\n',
    '{"command":"ENTRIES","origin":"__proto__","first":1,"last":1,"after":0,"to":"everyone"}\n{"lamport":1}\n',
    '{"command":"ENTRIES","origin":"","first":1,"last":1,"after":0,"to":"everyone"}\n{"lamport":1}\n',
    '{"command":"WANT","vector":{"a":-1}}\n',
    '{"command":"WANT","vector":[]}\n',
    '{"command":"HAVE"}\n',
    '{"command":"LOCK_REQUEST","username":1,"lamport":1,"origin":"x"}\n',
    '{"command":"SERVER_ANNOUNCE","serverId":"x","port":1,"load":-1,"vector":{},"lamport":1,"members":[]}\n',
    '{"command":"SERVER_ANNOUNCE","serverId":"x","port":1,"load":1,"vector":{},"lamport":1,"members":[1]}\n',
    "\xff\xfe\n",
  ];
  for (const line of garbage) {
    const x = await world.peer("a", "x");
    assertEquals(x.commands[0], "AUTHENTICATION_SUCC");
    x.link.write(Uint8Array.from(line, (char) => char.charCodeAt(0)));
    await world.run(20);
    assertEquals([x.last("END_CONNECTION")?.reason, x.end], ["INVALID_MESSAGE", "local"], line);
  }
  assertEquals(world.server("a").stateOf("b"), "linked");
  anna.publish(1);
  await world.equal("a", "b");
  assertEquals(world.server("b").vector, { a: 1 });
});

Deno.test("what comes in one piece with the greeting is taken", async () => {
  const world = await MeshWorld.of(["a"]);
  const entries = { command: "ENTRIES", origin: "x", first: 1, last: 1, after: 0, to: "everyone" };
  await world.client("a", GREETING, entries, activityLine("x:1", 1));
  assertEquals(world.server("a").vector, { x: 1 });
});

Deno.test("what nobody knows yet is passed over: a newer server may know more", async () => {
  const world = await MeshWorld.of(["a"]);
  const x = await world.peer("a", "x");
  x.send({ command: "SOMETHING_NEW", with: "fields" });
  await world.run(20);
  assertEquals(x.end, undefined);
  assertEquals(world.server("a").stateOf("x"), "linked");
});

Deno.test("a client that sends what only servers may is refused, and nothing comes of it", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const commands = [
    { command: "SERVER_ANNOUNCE", serverId: "b", host: "evil", port: 1, load: 0, vector: {}, lamport: 1, members: [] },
    { command: "LOCK_REQUEST", username: "anna", lamport: 0, origin: "0" },
    { command: "ENTRIES", origin: "b", first: 1, last: 1, after: 0, to: "everyone" },
    { command: "WANT", vector: { a: 0 } },
    { command: "HAVE", vector: { a: 9 } },
  ];
  for (const message of commands) {
    for (const before of [[], [loginOf("anonymous")]]) {
      const client = await world.client("a", ...before, message);
      assertEquals(client.commands.at(-1), "INVALID_MESSAGE");
      assertStringIncludes(client.received.at(-1)!.info, message.command);
      assertEquals(client.end, "local");
    }
  }
  assertEquals(world.server("a").member("b")?.host, "b");
  assertEquals((await world.register("b", "anna")).commands, ["REGISTER_SUCCESS"]);
});

Deno.test("a server that is silent all at once is lost in less than 5 s, and first suspected, then dead", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = await MeshWorld.of(["a", "b", "c"], {}, seed);
    await world.run(10_000 + 333 * seed);
    world.server("c").powerOff();
    const suspectMs = await world.until(() => world.server("a").stateOf("c") === "suspect", "the suspicion");
    assertEquals(world.server("a").member("c")!.hasLink, true);
    const lostMs = suspectMs + await world.until(() => !world.server("a").member("c")!.hasLink, "the loss");
    // The last word of it may have come up to two seconds before.
    assert(
      suspectMs >= 400 && lostMs >= 2_000 && lostMs < 5_000,
      `suspect after ${suspectMs} ms, lost after ${lostMs} ms`,
    );
    // All its heartbeats went unanswered: nobody has to call it in vain to know more.
    assertEquals(world.server("a").stateOf("c"), "dead");
    assertEquals(world.server("a").stateOf("b"), "linked");
  }
});

Deno.test("a server that was killed is dead at once, called again, and linked when it is back", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  world.server("b").kill();
  const ms = await world.until(() => world.server("a").stateOf("b") === "dead", "its death");
  assert(ms < 100, `${ms} ms`);
  await world.run(60_000);
  // It knows the others from before.
  world.start("b");
  assert(await world.until(() => world.server("a").stateOf("b") === "linked", "the link") < 1_000);
});

Deno.test("a hole in one direction is found, though data goes on coming in the other", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const anna = await world.login("a");
  world.network.block("b", "a");
  // Its announcements and entries go on arriving at b, which hears a all the time.
  let ms = 0;
  for (; world.server("a").member("b")!.hasLink || world.server("b").member("a")!.hasLink; ms += 100) {
    anna.publish(ms);
    await world.run(100);
    assert(ms < 15_000, "the link is still there");
  }
  assert(ms > 2_000, `${ms} ms`);
  world.network.heal();
  await world.linked("a", "b");
  await world.equal("a", "b");
});

Deno.test("a server that answers nothing, but goes on talking, is found out by probes", async () => {
  const world = await MeshWorld.of(["a"]);
  const x = await world.peer("a", "x");
  await world.run(20_000);
  assertEquals(world.server("a").stateOf("x"), "linked");
  x.isMute = true;
  for (let ms = 0; x.end === undefined; ms += 250) {
    assert(ms < 15_000, "the link is still there");
    x.send({ command: "HAVE", vector: {} });
    await world.run(250);
  }
  assertEquals(x.last("END_CONNECTION")?.reason, "HEARTBEAT_TIMEOUT");
});

Deno.test("a server that stood still itself accuses nobody for it", async () => {
  const world = new MeshWorld();
  world.start("a", ["b"]);
  // Does not lose its patience.
  world.start("b", ["a"], { cluster: { peerIdleTimeoutMs: 600_000 } });
  await world.linked("a", "b");
  await world.run(10_000);
  const made = world.made.length;
  for (const stalledMs of [3_000, 6_000, 20_000, 4_000]) {
    world.server("a").process.stall();
    await world.run(stalledMs);
    world.server("a").process.goOn();
    await world.run(6_000);
    assertEquals([world.server("a").stateOf("b"), world.server("b").stateOf("a")], ["linked", "linked"]);
  }
  assertEquals(world.made.length, made);
});

Deno.test("a server that stops says that it leaves, and the others have all that it took", async () => {
  const world = await MeshWorld.of(["a", "b", "c"], { cluster: { drainMs: 1_000 } });
  const clients = [];
  for (let n = 0; n < 10; n++) clients.push(await world.login("a", "anonymous", { redirects: 3 }));
  for (const [n, client] of clients.entries()) client.publish(n);
  void world.server("a").node.stop();
  const begin = world.clock.nowMs();
  const gone: number[] = [];
  for (let left = clients; left.length > 0;) {
    await world.run(10);
    // Those that are still here publish to the end.
    for (const client of left) client.publish("late");
    for (const client of left) if (client.commands.includes("END_CONNECTION")) gone.push(world.clock.nowMs() - begin);
    left = left.filter((client) => !client.commands.includes("END_CONNECTION"));
    assert(world.clock.nowMs() - begin < 3_000, "clients are still there");
  }
  for (const client of clients) {
    const { reason, reconnect } = client.last("END_CONNECTION")!;
    assertEquals([reason, reconnect], ["SERVER_STOPPING", "now"]);
  }
  assert(gone[0]! < 100 && gone.at(-1)! > 700 && gone.at(-1)! <= 1_100, `clients went after ${gone.join()} ms`);
  await world.until(() => world.server("b").stateOf("a") === "left", "that it left");
  assertEquals(world.server("c").stateOf("a"), "left");
  await world.equal("a", "b", "c");
  assert(world.server("b").vector.a! > 10);
  const ended = await world.server("a").node.finished;
  assertEquals(ended.reason, "stopped");
  // And nobody is sent there any more.
  const ben = await world.login("b");
  assertEquals(ben.last("BACKUP_LIST")?.servers.map(({ serverId }: { serverId: string }) => serverId), ["c"]);
});

Deno.test("a server that stops waits for a peer that has not taken everything, but not for ever", async () => {
  for (const isRead of [true, false]) {
    const world = new MeshWorld();
    const { node } = world.start("a", [], { limits: { maxPendingBytes: 10_000 } });
    await world.run(100);
    const x = await world.peer("a", "x");
    const anna = await world.login("a");
    x.link.pause();
    for (let n = 1; n <= 50; n++) {
      anna.publish({ n, text: "x".repeat(1_000) });
      await world.run(5);
    }
    let hasEnded = false;
    void node.finished.then(() => hasEnded = true);
    void node.stop();
    await world.run(1_500);
    assertEquals(hasEnded, false);
    if (isRead) {
      x.link.resume();
      await world.run(20);
      x.send({ command: "HAVE", vector: { a: 50 } });
      await world.run(100);
      assertEquals(x.activities.length, 50);
      assertEquals(x.last("END_CONNECTION")?.reason, "SERVER_STOPPING");
    } else await world.run(3_500);
    assertEquals(hasEnded, true);
  }
});
