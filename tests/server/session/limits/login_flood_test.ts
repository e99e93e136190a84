/**
 * Who floods a server with secrets, and who gets in all the same: counted in derivations, as those are what is scarce.
 */

import { assert, assertEquals } from "@std/assert";
import { NodeWorld } from "../../../support/node_world.ts";

const FLOOD = "127.0.0.2";
const ELSEWHERE = "127.0.0.3";

function login(username: string, secret: string, features?: string[]) {
  return { command: "LOGIN", username, secret, ...(features && { features }) };
}

Deno.test("a thousand wrong logins from one address keep nobody waiting who comes from another one", async () => {
  const world = await NodeWorld.start();
  const names = Array.from({ length: 20 }, (_, n) => `user ${n}`);
  for (const name of names) await world.register(name);
  world.derived.length = 0;
  const flood = [];
  for (let n = 0; n < 1_000; n++) {
    flood.push(await world.connectFrom(FLOOD, login(names[n % 20]!, `guess ${n}`)));
  }
  const good = await world.connectFrom(ELSEWHERE, { command: "REGISTER", username: "anna", secret: "anna" });
  const owner = await world.connectFrom(ELSEWHERE, login("user 0", "not this one"));
  const before = world.derived.length;
  while (good.received.length === 0 || owner.received.length === 0) {
    world.endDerivations();
    await world.settle();
    assert(world.derived.length - before <= 12, "others go first");
  }
  assertEquals(good.commands, ["REGISTER_SUCCESS"]);
  assertEquals(owner.received.map(({ reason }) => reason), ["WRONG_SECRET"]);
  await world.endAllDerivations();
  // Of each account three are forgiven.
  assert(world.derived.length < 100, `${world.derived.length} derivations`);
  const told = flood.map(({ received }) => received[0]!.reason);
  assertEquals(new Set(told), new Set(["WRONG_SECRET", "TOO_MANY"]));
  assert(flood.every(({ end }) => end !== undefined));
  assertEquals(world.node.connectionCount, 1);
  await world.stop();
});

Deno.test("a thousand registrations from one address keep no login waiting, and not those of other addresses", async () => {
  const world = await NodeWorld.start();
  await world.register("anna");
  for (let n = 0; n < 1_000; n++) {
    await world.connectFrom(FLOOD, { command: "REGISTER", username: `flood ${n}`, secret: "s" });
  }
  const anna = await world.connectFrom(ELSEWHERE, login("anna", "not anna's"));
  const bob = await world.connectFrom(ELSEWHERE, { command: "REGISTER", username: "bob", secret: "b" });
  const before = world.derived.length;
  while (anna.received.length === 0 || bob.received.length === 0) {
    world.endDerivations();
    await world.settle();
    assert(world.derived.length - before <= 12, "others go first");
  }
  await world.stop();
});

Deno.test("who has tried too many secrets is told when to come back, and is let in then", async () => {
  const world = await NodeWorld.start();
  await world.register("anna");
  const guess = async (features?: string[]) => {
    const client = await world.connectFrom(FLOOD, login("anna", "wrong", features));
    await world.endAllDerivations();
    return client.received.at(-1)!;
  };
  for (let n = 0; n < 4; n++) assertEquals((await guess()).reason, "WRONG_SECRET");
  const plain = await guess();
  assertEquals([plain.command, plain.reason], ["LOGIN_FAILED", "TOO_MANY"]);
  const other = await guess(["ack"]);
  assertEquals(other, {
    command: "END_CONNECTION",
    reason: "TOO_MANY",
    info: "too many wrong secrets came from this address: try again in 1 s",
    reconnect: "backoff",
    retryAfterMs: 1_000,
  });
  const elsewhere = await world.connectFrom(ELSEWHERE, login("anna", "anna"));
  await world.endAllDerivations();
  assertEquals(elsewhere.commands, ["LOGIN_SUCCESS"]);
  await world.clock.run(other.retryAfterMs);
  const late = await world.connectFrom(FLOOD, login("anna", "anna"));
  await world.endAllDerivations();
  assertEquals(late.commands, ["LOGIN_SUCCESS"]);
  await world.stop();
});

Deno.test("whoever asks whether names are registered pays nothing for it, and nothing is derived", async () => {
  const world = await NodeWorld.start();
  await world.register("anna");
  world.derived.length = 0;
  const ask = async (username: string) => {
    const client = await world.connectFrom(FLOOD, { command: "LOGIN", username });
    return client.received.map(({ command, reason }) => `${command} ${reason}`);
  };
  for (let n = 0; n < 200; n++) {
    assertEquals(await ask("anna"), ["LOGIN_FAILED WRONG_SECRET"]);
    assertEquals(await ask(`nobody ${n}`), ["LOGIN_FAILED UNKNOWN_USER"]);
    const guess = await world.connectFrom(FLOOD, login(`nobody ${n}`, "guess"));
    assertEquals(guess.received.map(({ reason }) => reason), ["UNKNOWN_USER"]);
  }
  assertEquals(await ask("no:name"), ["LOGIN_FAILED UNKNOWN_USER"]);
  assertEquals(world.derived.length, 0);
  const anna = await world.connectFrom(FLOOD, login("anna", "anna"));
  await world.endAllDerivations();
  assertEquals(anna.commands, ["LOGIN_SUCCESS"]);
  await world.stop();
});

Deno.test("wrong secrets of the network cost their address time, and no other one", async () => {
  const world = await NodeWorld.start({ cluster: { secret: "of the network", clearSecret: "upgrade" } });
  const hello = (secret: string) => ({
    ...{ command: "AUTHENTICATE", secret, serverId: "s-9", host: "127.0.0.9", port: 9 },
    features: ["thrum/1"],
    vector: {},
  });
  const answers = [];
  for (let n = 0; n < 8; n++) answers.push(await world.connectFrom(FLOOD, hello("wrong")));
  assertEquals(answers.map(({ commands }) => commands), [
    ...Array(6).fill(["AUTHENTICATION_FAIL"]),
    ...Array(2).fill(["END_CONNECTION"]),
  ]);
  const right = await world.connectFrom(FLOOD, hello("of the network"));
  const { reason, retryAfterMs } = right.received[0]!;
  assertEquals([reason, retryAfterMs], ["TOO_MANY", 1_000]);
  const elsewhere = await world.connectFrom(ELSEWHERE, hello("of the network"));
  assertEquals(elsewhere.commands[0], "AUTHENTICATION_SUCC");
  elsewhere.link.destroy();
  await world.clock.run(1_000);
  const late = await world.connectFrom(FLOOD, hello("of the network"));
  assertEquals(late.commands[0], "AUTHENTICATION_SUCC");
  late.link.destroy();
  await world.settle();
  await world.stop();
});
