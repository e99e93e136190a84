/** Names, secrets and acknowledgements in a network of several servers. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loginOf, MeshWorld } from "../../../support/mesh_world.ts";

const REGISTER_ANNA = { command: "REGISTER", username: "anna", secret: "anna" };

/** Who holds a name on a server, by its log. */
function holders(world: MeshWorld, name: string, username: string): string[] {
  return [...world.server(name).entries].filter(([, { line }]) =>
    line.command === "ACCOUNT" && line.username === username
  ).map(([id]) => id);
}

Deno.test("an account can be used at every server in the moment in which REGISTER_SUCCESS is there", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  world.network.slow("a", "c", 700);
  const registering = await world.client("a", REGISTER_ANNA);
  await world.run(700);
  assertEquals(registering.commands, []);
  await world.until(() => registering.commands.includes("REGISTER_SUCCESS"), "the answer");
  for (const name of ["a", "b", "c"]) {
    const client = await world.login(name, "anna", { redirects: 3 });
    assertEquals(client.commands[0], "LOGIN_SUCCESS", name);
  }
  for (const name of ["a", "b", "c"]) {
    const again = await world.register(name, "anna", "another");
    assertEquals(again.commands, ["REGISTER_FAILED"]);
  }
});

Deno.test("of registrations at once at several servers exactly one wins", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = await MeshWorld.of(["a", "b", "c"], {}, seed);
    const clients = new Map<string, Awaited<ReturnType<MeshWorld["client"]>>>();
    for (const name of ["a", "b", "c"]) clients.set(name, await world.client(name));
    for (const [name, client] of clients) client.send({ ...REGISTER_ANNA, secret: `secret of ${name}` });
    await world.until(
      () => [...clients.values()].every(({ commands }) => commands.length > 0),
      "the answers",
    );
    const winners = [...clients].filter(([, { commands }]) => commands[0] === "REGISTER_SUCCESS").map(([name]) => name);
    assertEquals(winners.length, 1, `seed ${seed}: ${winners}`);
    await world.equal("a", "b", "c");
    for (const name of ["a", "b", "c"]) {
      assertEquals(holders(world, name, "anna").length, 1);
      const client = await world.client(name, loginOf("anna", { secret: `secret of ${winners[0]}`, redirects: 3 }));
      await world.run(50);
      assertEquals(client.commands[0], "LOGIN_SUCCESS");
    }
    // Nobody keeps a lock: the next name goes through, and the taken one is refused because it is taken.
    assertEquals((await world.register("b", "ben")).commands, ["REGISTER_SUCCESS"]);
  }
});

Deno.test("a member that dies in between blocks no registration for longer than it takes to notice", async () => {
  for (const death of ["kill", "powerOff"] as const) {
    const world = await MeshWorld.of(["a", "b", "c"]);
    world.network.slow("a", "c", 100);
    const client = await world.client("a", REGISTER_ANNA);
    await world.run(40);
    world.server("c")[death]();
    const ms = await world.until(() => client.commands.length > 0, "the answer");
    assertEquals(client.commands, ["REGISTER_SUCCESS"]);
    assert(ms < (death === "kill" ? 500 : 5_000), `${ms} ms`);
    assertEquals((await world.login("b", "anna")).commands[0], "LOGIN_SUCCESS");
  }
});

Deno.test("a name that a server was asking for when it died is free afterwards", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  world.network.slow("a", "c", 500);
  await world.client("a", REGISTER_ANNA);
  await world.run(200);
  // b has allowed it; c was not reached.
  world.server("a").kill();
  await world.run(1_000);
  assertEquals((await world.register("b", "anna")).commands, ["REGISTER_SUCCESS"]);
});

Deno.test("a name that was registered on both sides of a partition belongs to the older claim, everywhere", async () => {
  for (const [first, second] of [["a", "c"], ["c", "a"]] as const) {
    const world = await MeshWorld.of(["a", "b", "c", "d"]);
    const [near, far] = [["a", "b"], ["c", "d"]];
    await world.parted(near, far);
    // Lamport times decide: what was published before makes the other claim the later one.
    const busy = await world.login(second, "anonymous", { redirects: 3 });
    for (let n = 0; n < 50; n++) busy.publish(n);
    await world.run(50);
    busy.link.destroy();
    const winner = await world.register(first, "anna", "of the first");
    const loser = await world.register(second, "anna", "of the second");
    assertEquals([winner.commands, loser.commands], [["REGISTER_SUCCESS"], ["REGISTER_SUCCESS"]]);
    const login = (secret: string, more = {}) => loginOf("anna", { secret, redirects: 3, ...more });
    const [winnerSide, loserSide] = first === "a" ? [near, far] : [far, near];
    const good = [];
    const bad = [];
    const plain = [];
    for (const name of winnerSide) good.push(await world.client(name, login("of the first")));
    for (const name of loserSide) bad.push(await world.client(name, login("of the second")));
    // So that nobody is redirected.
    await world.run(200);
    for (const name of loserSide) {
      plain.push(await world.client(name, { command: "LOGIN", username: "anna", secret: "of the second" }));
    }
    const others = await world.login(second, "anonymous", { redirects: 3 });
    await world.run(100);
    for (const client of [...good, ...bad, ...plain]) assertEquals(client.commands[0], "LOGIN_SUCCESS");

    world.network.heal();
    await world.linked("a", "b", "c", "d");
    await world.equal("a", "b", "c", "d");
    for (const client of good) assertEquals([client.all("END_CONNECTION"), client.end], [[], undefined]);
    for (const client of bad) {
      const { reason, reconnect } = client.last("END_CONNECTION")!;
      assertEquals([reason, reconnect, client.end], ["NAME_LOST", "never", "local"]);
    }
    for (const client of plain) {
      assertEquals([client.commands.at(-1), client.end], ["AUTHENTICATION_FAIL", "local"]);
      assert(!client.commands.includes("END_CONNECTION"));
    }
    assertEquals(others.end, undefined);
    for (const name of ["a", "b", "c", "d"]) {
      assertEquals((await world.client(name, login("of the first"))).commands[0], "LOGIN_SUCCESS", name);
      const refused = await world.client(name, login("of the second"));
      await world.run(50);
      assertEquals(refused.commands, ["LOGIN_FAILED"], name);
    }
  }
});

Deno.test("with durability replicated an acknowledgement waits for another server; local ones do not", async () => {
  for (const durability of ["replicated", "local"] as const) {
    const world = await MeshWorld.of(["a", "b"], { cluster: { durability } });
    const anna = await world.login("a");
    world.network.slow("a", "b", 500);
    anna.publish(1, "m-1");
    await world.run(400);
    const isAcknowledged = () => anna.commands.includes("ACTIVITY_ACK");
    // It is shown in any case.
    assertEquals(anna.activities, [1]);
    assertEquals(isAcknowledged(), durability === "local");
    if (durability === "local") continue;
    await world.until(isAcknowledged, "the acknowledgement");
    assertEquals(world.server("b").vector, { a: 1 });
    // While the other one is gone nothing is acknowledged, until it is back.
    world.server("b").powerOff();
    anna.publish(2, "m-2");
    await world.run(10_000);
    assertEquals(anna.all("ACTIVITY_ACK").length, 1);
    world.start("b", ["a"], { cluster: { durability } });
    await world.until(() => anna.all("ACTIVITY_ACK").length === 2, "the second acknowledgement");
    assertEquals(world.server("b").vector, { a: 2 });
  }
});

Deno.test("a server that is alone acknowledges by itself, also where it is to be replicated", async () => {
  const world = new MeshWorld();
  world.start("a", [], { cluster: { durability: "replicated" } });
  await world.run(100);
  const anna = await world.login("a");
  anna.publish(1, "m-1");
  await world.run(20);
  assert(anna.commands.includes("ACTIVITY_ACK"));
});

Deno.test("a ticket of one server spares another one the derivation", async () => {
  const world = await MeshWorld.of(["a", "b", "c"]);
  await world.register("a", "anna");
  const { ticket } = (await world.login("a", "anna", { redirects: 3 })).received[0]!;
  const { derived } = world.server("b");
  const client = await world.client("b", loginOf("anna", { ticket, redirects: 3 }));
  assertEquals(client.commands[0], "LOGIN_SUCCESS");
  assertEquals(derived, []);
  // Also once its server is gone, and with the secret in what is published.
  world.server("a").powerOff();
  await world.run(10_000);
  const atC = await world.client("c", loginOf("anna", { ticket, redirects: 3 }));
  assertEquals([atC.commands[0], world.server("c").derived], ["LOGIN_SUCCESS", []]);
  atC.send({ command: "ACTIVITY_MESSAGE", username: "anna", secret: "anna", activity: { n: 1 } });
  await world.run(20);
  assertEquals(atC.activities, [1]);
});

Deno.test("a ticket that is wrong, too old, or another's is passed over: the secret decides", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.register("a", "anna");
  await world.register("a", "ben");
  const { ticket } = (await world.login("a", "anna", { redirects: 3 })).received[0]!;
  const { ticket: bens } = (await world.login("a", "ben", { redirects: 3 })).received[0]!;
  const [server, expiry, proven, digest, code] = ticket.split(".");
  const later = (time: string) => (Number.parseInt(time, 36) + 1_000).toString(36);
  const wrong = [
    `${server}.${expiry}.${proven}.${digest}.${"0".repeat(64)}`,
    `${server}.${later(expiry)}.${proven}.${digest}.${code}`,
    `${server}.${expiry}.${later(proven)}.${digest}.${code}`,
    `${server}.${expiry}.${proven}.${"0".repeat(32)}.${code}`,
    `b.${expiry}.${proven}.${digest}.${code}`,
    `z.${expiry}.${proven}.${digest}.${code}`,
    // As servers of version 0.1.0 make them.
    `${server}.${expiry}.${code}`,
    bens,
    "?",
    "",
  ];
  const { derived } = world.server("b");
  for (const one of wrong) {
    // So long that nothing is to be waited for.
    await world.run(120_000);
    const refused = await world.client("b", loginOf("anna", { secret: "guessed", ticket: one, redirects: 3 }));
    await world.run(50);
    assertEquals(refused.commands, ["LOGIN_FAILED"], one);
  }
  assertEquals(derived.length, wrong.length);
  const client = await world.client("b", loginOf("anna", { ticket: wrong[0]!, redirects: 3 }));
  await world.run(50);
  assertEquals(client.commands[0], "LOGIN_SUCCESS");
  world.clock.setWall(world.clock.wallMs() + 24 * 3_600_000);
  await world.run(100);
  const refused = await world.client("b", loginOf("anna", { secret: "guessed", ticket, redirects: 3 }));
  await world.run(50);
  assertEquals(refused.commands, ["LOGIN_FAILED"]);
});

Deno.test("a secret that is not the one that a ticket was given for is refused without a derivation", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.register("a", "anna");
  const { ticket } = (await world.login("a", "anna", { redirects: 3 })).received[0]!;
  const refused = await world.client("b", loginOf("anna", { secret: "stolen without it", ticket, redirects: 3 }));
  await world.run(50);
  assertEquals(refused.received.map(({ reason }) => reason), ["WRONG_SECRET"]);
  assertEquals(world.server("b").derived, []);
});

Deno.test("a ticket that was renewed each day is over a week after the secret was derived, and begins anew with that", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.register("a", "anna");
  const { derived } = world.server("b");
  const logIn = async (ticket: string | undefined): Promise<string> => {
    const client = await world.client("b", loginOf("anna", { ticket, redirects: 3 }));
    await world.run(100);
    const { command, ticket: next } = client.received[0]!;
    assertEquals(command, "LOGIN_SUCCESS");
    client.link.destroy();
    await world.run(100);
    return next;
  };
  let ticket = await logIn((await world.login("a", "anna", { redirects: 3 })).received[0]!.ticket);
  const pass = (spanMs: number) => world.clock.setWall(world.clock.wallMs() + spanMs);
  const DAY_MS = 86_400_000;
  for (let day = 1; day < 8; day++) {
    pass(DAY_MS - 1_000);
    ticket = await logIn(ticket);
  }
  assertEquals(derived, []);
  pass(DAY_MS - 1_000);
  ticket = await logIn(ticket);
  assertEquals(derived.length, 1);
  // A clock that jumps, and jumps back: what was given meanwhile is of no time that counts, and nobody is locked out.
  pass(40 * DAY_MS);
  ticket = await logIn(ticket);
  assertEquals(derived.length, 2);
  pass(-40 * DAY_MS);
  ticket = await logIn(ticket);
  assertEquals(derived.length, 3);
  await logIn(ticket);
  assertEquals(derived.length, 3);
});

Deno.test("no secret travels between servers, nor is one in the log", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.register("a", "anna", "open sesame");
  await world.equal("a", "b");
  for (const name of ["a", "b"]) {
    const log = JSON.stringify([...world.server(name).entries]);
    assertStringIncludes(log, "anna");
    assert(!log.includes("open sesame"));
  }
});

Deno.test("a link that takes the place of another one loses no question, and leaves no lock behind", async () => {
  const world = await MeshWorld.of(["a"]);
  const first = await world.peer("a", "x");
  first.send({ command: "LOCK_REQUEST", username: "anna", lamport: 1, origin: "x" });
  const ben = await world.client("a", { command: "REGISTER", username: "ben", secret: "ben" });
  await world.run(50);
  assertEquals(first.last("LOCK_ALLOWED")?.username, "anna");
  assertEquals(first.last("LOCK_REQUEST")?.username, "ben");
  // The answer and the release go the old way, and are lost with it.
  const second = await world.peer("a", "x");
  first.send({ ...first.last("LOCK_REQUEST")!, command: "LOCK_ALLOWED" });
  first.send({ command: "LOCK_RELEASE", username: "anna", lamport: 1, origin: "x" });
  await world.run(50);
  assertEquals(ben.commands, []);
  assertEquals(second.last("LOCK_REQUEST")?.username, "ben");
  second.send({ ...second.last("LOCK_REQUEST")!, command: "LOCK_ALLOWED" });
  await world.run(20);
  second.send({ command: "HAVE", vector: { a: 1 } });
  await world.run(20);
  assertEquals([ben.commands, second.last("LOCK_RELEASE")?.username], [["REGISTER_SUCCESS"], "ben"]);
  const anna = await world.client("a", REGISTER_ANNA);
  await world.run(50);
  assertEquals([anna.commands, second.last("LOCK_REQUEST")?.username], [[], "anna"]);
  second.send({ ...second.last("LOCK_REQUEST")!, command: "LOCK_DENIED" });
  await world.run(20);
  assertEquals(anna.commands, ["REGISTER_FAILED"]);
});

Deno.test("a peer cannot release what another one holds, nor answer for it", async () => {
  const world = await MeshWorld.of(["a"]);
  const x = await world.peer("a", "x");
  const y = await world.peer("a", "y");
  const client = await world.client("a", REGISTER_ANNA);
  await world.run(50);
  const claim = x.last("LOCK_REQUEST")!;
  for (let times = 0; times < 3; times++) x.send({ ...claim, command: "LOCK_ALLOWED" });
  x.send({ ...claim, command: "LOCK_RELEASE" });
  await world.run(20);
  assertEquals([client.commands, world.server("a").vector], [[], {}]);
  y.send({ ...claim, command: "LOCK_ALLOWED" });
  await world.run(20);
  assertEquals(world.server("a").vector, { a: 1 });
});

Deno.test("a name that is wanted while another server is called is asked of that one as well", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  await world.parted(["a"], ["b"]);
  // Its clock is ahead, so that a claim of the other one would be the lower.
  const noisy = await world.login("b", "anonymous", { redirects: 3 });
  for (let n = 0; n < 200; n++) noisy.publish(n);
  await world.run(100);
  assertEquals((await world.register("b", "anna", "first")).commands, ["REGISTER_SUCCESS"]);
  const { process } = world.server("b");
  process.stall();
  world.network.heal();
  await world.until(() => world.between("a", "b").length > 0, "the call");
  await world.run(20);
  const late = await world.client("a", { ...REGISTER_ANNA, secret: "second" });
  await world.run(100);
  process.goOn();
  await world.until(() => late.commands.length > 0, "the answer");
  await world.linked("a", "b");
  await world.equal("a", "b");
  assertEquals(late.commands[0], "REGISTER_FAILED");
  for (const name of ["a", "b"]) {
    const client = await world.client(name, loginOf("anna", { secret: "first", redirects: 3 }));
    await world.run(50);
    assertEquals(client.commands[0], "LOGIN_SUCCESS", name);
  }
});
