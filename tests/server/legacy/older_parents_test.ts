/** A server whose parent is one of the older dialect, and what a plain server hears first. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ConfigLayer } from "../../../config/config.ts";
import { loggedLines } from "../../support/captured_log.ts";
import type { Received } from "../../support/line_client.ts";
import { FakeLineClient, NodeWorld } from "../../support/node_world.ts";

const LOGIN = { command: "LOGIN", username: "anonymous" };
const ANNOUNCE = { command: "SERVER_ANNOUNCE", id: "p", load: 0, hostname: "parent", port: 8011 };

/** A server that is to join `parent:8011`, with a parent that says these to each that calls it. */
async function joining(
  says: readonly Received[],
  cluster: ConfigLayer["cluster"] = {},
  more: ConfigLayer = {},
): Promise<{ world: NodeWorld; calls: FakeLineClient[] }> {
  const world = await NodeWorld.start({
    ...more,
    cluster: { secret: "abc", join: ["parent:8011"], olderDialect: true, ...cluster },
  });
  const calls: FakeLineClient[] = [];
  await world.network.machine("parent").listen({ host: "parent", port: 8011 }, (link) => {
    const call = new FakeLineClient(link);
    calls.push(call);
    if (says.length > 0) call.send(...says);
  });
  return { world, calls };
}

const PARENTS: Record<string, readonly Received[]> = {
  "says nothing": [],
  "announces itself": [ANNOUNCE],
  "is of family A": [{
    ...{ command: "AUTHENTICATION_SUCC", serverId: "a", server_list: [], user_list: [] },
    activity_entity: [],
  }],
};

for (const [kind, says] of Object.entries(PARENTS)) {
  Deno.test(`a parent of the older dialect is joined once, and clients are served: one that ${kind}`, async () => {
    const { world, calls } = await joining(says);
    await world.settle();
    const client = await world.connect(LOGIN);
    // A silent one may still be about to answer.
    await world.clock.run(says.length === 0 ? 3_000 : 0);
    assertEquals(client.commands, ["LOGIN_SUCCESS"]);
    assertEquals([world.node.state, calls.length], ["ready", 1]);
    client.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 } });
    await world.clock.run(60_000);
    assertEquals([calls.length, calls[0]!.end], [1, undefined]);
    const [first, ...rest] = calls[0]!.commands;
    assertEquals(first, "AUTHENTICATE");
    assertEquals(rest.filter((command) => command === "ACTIVITY_BROADCAST").length, 1);
    assert(rest.filter((command) => command === "SERVER_ANNOUNCE").length >= 12);
    // What it says reaches clients here.
    calls[0]!.send({ command: "ACTIVITY_BROADCAST", activity: { n: 2 } });
    await world.clock.run(2_000);
    assertEquals(client.received.at(-1)?.activity, { n: 2, authenticated_user: "anonymous" });
    // It is called again when it is gone.
    calls[0]!.link.destroy();
    await world.clock.run(1_000);
    assertEquals(calls.length, 2);
    await world.stop();
  });
}

Deno.test("what an older server says for a user who may not publish is refused and logged once, and the rest is published", async () => {
  const { world, calls } = await joining([ANNOUNCE], {}, {
    auth: { anonymous: false, registration: "closed", rights: [{ users: ["eve"], may: ["read"] }] },
  });
  await world.settle();
  let told: (string | undefined)[] = [];
  await loggedLines(async (lines) => {
    for (const [n, authenticated_user] of [[1, "anonymous"], [2, "eve"], [3, "eve"], [4, "bob"]] as const) {
      calls[0]!.send({ command: "ACTIVITY_BROADCAST", activity: { n, authenticated_user } });
    }
    await world.clock.run(2_000);
    told = lines.filter((line) => line.includes("may not publish")).map((line) => /(\w+) may not/.exec(line)?.[1]);
  });
  assertEquals(calls[0]!.end, undefined);
  assertEquals(told.toSorted(), ["anonymous", "eve"]);
  // An S hands on activities alone. So its users read why, as the server's own words.
  const answers = calls[0]!.received.filter(({ command }) => command === "ACTIVITY_BROADCAST");
  assertEquals(
    answers.map(({ activity }) => activity),
    ["anonymous", "eve", "eve"].map((name) => {
      return { text: `${name} may not publish here`, authenticated_user: world.node.serverId };
    }),
  );
  const published: unknown[] = [];
  const { view } = world.node.observe({ changed: () => {} });
  published.push(...view.activities.map(({ activity }) => activity));
  assertEquals(published.map((each) => (each as Received).n ?? JSON.parse(each as string).n), [4]);
  await world.stop();
});

Deno.test("a server of family A is told once of each activity that is refused, however often its history has it", async () => {
  const world = await NodeWorld.start({
    cluster: { secret: "abc", olderDialect: true },
    auth: { rights: [{ users: ["eve"], may: ["read"] }] },
  });
  const peer = await world.connect({ command: "AUTHENTICATE", secret: "abc", serverId: "a", host: "a", port: 1 });
  const at = world.clock.wallMs();
  const eves = { id: 7, activity: { n: 1, authenticated_user: "eve" }, sendTime: at, isDelivered: false };
  peer.send({ command: "ACTIVITY_BROADCAST", ...eves });
  const history = { command: "ACTIVITY_SYNC", activity_entity: [{ owner: "eve", activity_list: [eves] }] };
  for (let times = 0; times < 3; times++) {
    peer.send(history);
    await world.clock.run(5_000);
  }
  assertEquals(peer.received.filter(({ command }) => command === "ACTIVITY_FAILED"), [
    { command: "ACTIVITY_FAILED", sendTime: at, reason: "NOT_ALLOWED", info: "eve may not publish here" },
  ]);
  assertEquals(peer.end, undefined);
  await world.stop();
});

Deno.test("where registration is closed an older server makes no account here", async () => {
  const { world, calls } = await joining([ANNOUNCE], {}, { auth: { registration: "closed" } });
  await world.settle();
  calls[0]!.send({ command: "LOCK_REQUEST", username: "eve", secret: "x" });
  await world.endAllDerivations();
  await world.clock.run(2_000);
  assertEquals(calls[0]!.commands.filter((command) => command.startsWith("LOCK_")), ["LOCK_DENIED"]);
  assertEquals(world.derived, []);
  await world.stop();
});

Deno.test("a parent that ends the link at once is called ever more rarely", async () => {
  const { world, calls } = await joining([ANNOUNCE]);
  for (let ms = 0; ms < 120_000; ms += 100) {
    await world.clock.run(100);
    calls.at(-1)?.link.destroy();
  }
  assert(calls.length > 5 && calls.length < 25, `${calls.length} calls`);
  await world.stop();
});

Deno.test("a server of this dialect that answers late is no parent of the older one: it is called again", async () => {
  const { world, calls } = await joining([]);
  await world.clock.run(4_000);
  const vector = { features: ["thrum/1"], vector: {}, lamport: 1, host: "parent", port: 8011 };
  calls[0]!.send({ command: "AUTHENTICATION_SUCC", serverId: "s-2", ...vector });
  await world.clock.run(1_000);
  assertEquals([calls[0]!.end !== undefined, calls.length], [true, 2]);
  calls[1]!.send({ command: "AUTHENTICATION_SUCC", serverId: "s-2", ...vector });
  await world.clock.run(100);
  assertEquals(world.node.members.map(({ serverId }) => serverId), ["s-2"]);
  // Now that it is known its silence is no answer.
  calls[1]!.link.destroy();
  await world.clock.run(10_000);
  assert(calls.length > 2);
  assertEquals(calls.slice(2).flatMap(({ commands }) => commands.slice(1)), []);
  await world.stop();
});

Deno.test("who answers with anything else is no parent of the older dialect, and is called again", async () => {
  const noise = [
    { command: "INVALID_MESSAGE", info: "what is serverId?" },
    { command: "AUTHENTICATION_FAIL", info: "wrong" },
    { command: "WHATEVER" },
    { hello: "there" },
  ];
  for (const answer of noise) {
    await loggedLines(async (lines) => {
      const { world, calls } = await joining([answer]);
      await world.clock.run(2_000);
      assert(calls.length > 1);
      assertEquals(calls.map(({ commands }) => commands.length), calls.map(() => 1));
      assertEquals(lines.filter((line) => line.includes("older")), []);
      await world.stop();
    });
  }
});

Deno.test("without --older-dialect an older parent is not joined, and the log says which flag helps", async () => {
  for (const says of Object.values(PARENTS)) {
    await loggedLines(async (lines) => {
      const { world } = await joining(says, { olderDialect: false });
      await world.clock.run(3_500);
      assertMatch(lines.find((line) => line.startsWith("cannot reach")) ?? "", /parent:8011: .*--older-dialect/);
      await world.stop();
    });
  }
});

Deno.test("an older server that may not join is told which flag of this server would let it in", async () => {
  const world = await NodeWorld.start({ cluster: { secret: "abc" } });
  const { received } = await world.connect({ command: "AUTHENTICATE", secret: "abc" });
  assertEquals(received[0]?.command, "AUTHENTICATION_FAIL");
  assertMatch(received[0]?.info, /--older-dialect/);
  await world.stop();
});

Deno.test("a peer that does not say who it is hears nothing for a second, and then all of it", async () => {
  const world = await NodeWorld.start({ cluster: { secret: "abc", olderDialect: true } });
  await world.register("anna");
  const peer = await world.connect({ command: "AUTHENTICATE", secret: "abc" });
  const client = await world.connect(LOGIN, { command: "ACTIVITY_MESSAGE", activity: { n: 1 } });
  peer.send({ command: "LOCK_REQUEST", username: "bob", secret: "b" });
  const other = await world.connect({ command: "REGISTER", username: "carl", secret: "c" });
  await world.endAllDerivations();
  await world.clock.run(990);
  assertEquals([client.commands, peer.commands], [["LOGIN_SUCCESS", "ACTIVITY_BROADCAST"], []]);
  await world.clock.run(20);
  assertEquals(peer.commands[0], "SERVER_ANNOUNCE");
  assertEquals(peer.commands.slice(1).toSorted(), ["ACTIVITY_BROADCAST", "LOCK_ALLOWED", "LOCK_REQUEST"]);
  // It has its second to answer from then on.
  const { username, secret } = peer.received.find(({ command }) => command === "LOCK_REQUEST")!;
  await world.clock.run(900);
  assertEquals([username, other.commands], ["carl", []]);
  peer.send({ command: "LOCK_DENIED", username, secret });
  await world.settle();
  assertEquals(other.commands, ["REGISTER_FAILED"]);
  await world.clock.run(5_000);
  assertEquals(peer.commands.filter((command) => command === "SERVER_ANNOUNCE").length, 2);
  await world.stop();
});

Deno.test("a peer that says who it is is answered at once", async () => {
  const world = await NodeWorld.start({ cluster: { secret: "abc", olderDialect: true } });
  const a = { command: "AUTHENTICATE", secret: "abc", serverId: "a", host: "a", port: 1 };
  const peer = await world.connect(a);
  assertEquals(peer.commands, ["AUTHENTICATION_SUCC", "BACKUP_LIST", "SERVER_ANNOUNCE"]);
  await world.stop();
});

Deno.test("activities of a plain peer are taken with the times that it says, also where no A was ever here", async () => {
  const world = await NodeWorld.start({ cluster: { secret: "abc", olderDialect: true } });
  const client = await world.connect(LOGIN, { command: "ACTIVITY_MESSAGE", activity: { n: 0 } });
  const peer = await world.connect({ command: "AUTHENTICATE", secret: "abc" });
  const at = world.clock.wallMs();
  peer.send({ command: "ACTIVITY_BROADCAST", id: 0, activity: { n: 2 }, sendTime: at });
  peer.send({ command: "ACTIVITY_BROADCAST", id: 0, activity: { n: 1 }, sendTime: at - 5 });
  await world.clock.run(5_000);
  const numbers = client.received.filter(({ activity }) => activity !== undefined).map(({ activity }) => activity.n);
  assertEquals(numbers, [0, 1, 2]);
  await world.stop();
});
