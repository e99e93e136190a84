/** What may be read and published in which channel, as clients of one server see it, on a fake clock. */

import { assert, assertEquals } from "@std/assert";
import { DEFAULT_CONFIG } from "../../../config/config.ts";
import type { RightsRule } from "../../../mod.ts";
import type { Received } from "../../support/line_client.ts";
import { type FakeLineClient, NodeWorld } from "../../support/node_world.ts";

const FEATURES = ["ack", "resume", "history", "channels"];
/** `boss` may do everything. Others do not read the secret channels, and only read the news. */
const RULES: RightsRule[] = [
  { users: ["boss"], may: ["publish", "read", "message", "listUsers"] },
  { channels: ["lab/secret/**"], may: [] },
  { channels: ["news"], may: ["read"] },
];

function login(channels?: readonly string[], more: Received = {}): Received {
  const wanted = channels === undefined ? {} : { channels };
  return { command: "LOGIN", username: "anonymous", features: FEATURES, ...wanted, ...more };
}

function activity(n: number, channel?: string, more: Received = {}): Received {
  return { command: "ACTIVITY_MESSAGE", activity: { n }, ...(channel === undefined ? {} : { channel }), ...more };
}

function came({ received }: FakeLineClient, past = false): readonly number[] {
  const isOne = (line: Received) => line.command === "ACTIVITY_BROADCAST" && line.past === (past || undefined);
  return received.filter(isOne).map(({ activity }) => activity.n);
}

/** A server with `boss`, who is logged in and reads everything. */
async function worldOf(rights: RightsRule[] = RULES): Promise<{ world: NodeWorld; boss: FakeLineClient }> {
  const world = await NodeWorld.start({ auth: { rights } });
  await world.register("boss");
  const boss = await world.connect(login(["**"], { username: "boss", secret: "boss" }));
  await world.endAllDerivations();
  return { world, boss };
}

const PUBLISHED = ["lab", "lab/secret", undefined, "lab/secret/deep", "lab/door", "news"];

Deno.test("of a pattern a reader gets what it may read, live and in the order of the log, and nothing else", async () => {
  const { world, boss } = await worldOf();
  const readers: [FakeLineClient, number[]][] = [];
  for (
    const [patterns, numbers] of [
      [["**"], [1, 3, 5, 6]],
      [["lab/**"], [1, 5]],
      [["lab/*"], [5]],
      [["", "news"], [3, 6]],
      [undefined, [3]],
    ] as const
  ) readers.push([await world.connect(login(patterns)), [...numbers]]);
  // In one turn, and in turns of their own.
  boss.send(...PUBLISHED.map((channel, index) => activity(index + 1, channel)));
  await world.settle();
  for (const [index, channel] of PUBLISHED.entries()) {
    boss.send(activity(index + 11, channel));
    await world.settle();
  }
  for (const [reader, numbers] of readers) {
    assertEquals(came(reader), [...numbers, ...numbers.map((n) => n + 10)]);
    assertEquals(reader.received[0]!.refused, undefined);
  }
  assertEquals(came(boss).length, 12);
  await world.stop();
});

Deno.test("who wants only what it may not read is refused, at the login and later, and the rest of a login holds", async () => {
  const { world, boss } = await worldOf();
  const reader = await world.connect(login(["lab/secret", "hall", "lab/secret/**"]));
  const [success] = reader.received;
  assertEquals([success!.command, success!.refused, success!.may], [
    "LOGIN_SUCCESS",
    ["lab/secret", "lab/secret/**"],
    undefined,
  ]);
  reader.send(
    { command: "SUBSCRIBE", channels: ["lab", "lab/secret/deep"], history: 5 },
    { command: "SUBSCRIBE", channels: ["lab/*"] },
    { command: "UNSUBSCRIBE", channels: ["lab/secret/deep"] },
  );
  await world.settle();
  const [failed, done, undone] = reader.received.slice(-3);
  assertEquals(failed, {
    command: "SUBSCRIBE_FAILED",
    reason: "NOT_ALLOWED",
    info: 'anonymous may not read "lab/secret/deep" here',
    channels: ["lab/secret/deep"],
  });
  assertEquals([done!.command, undone!.command], ["SUBSCRIBED", "UNSUBSCRIBED"]);
  boss.send(...["lab", "lab/secret", "hall", "lab/door", "lab/secret/deep"].map((channel, n) => activity(n, channel)));
  await world.settle();
  assertEquals(came(reader), [2, 3], "lab was refused with the other one, lab/* was taken later");
  await world.stop();
});

Deno.test("the past shows nobody what it may not read, by HISTORY, by SUBSCRIBE and by a vector", async () => {
  const { world, boss } = await worldOf();
  boss.send(...PUBLISHED.map((channel, index) => activity(index + 1, channel)));
  await world.settle();
  const ask = async (more: Received) => {
    const client = await world.connect(login([]), { command: "HISTORY", ...more });
    const last = client.received.at(-1)!;
    return last.reason ?? came(client, true);
  };
  assertEquals(await ask({ channel: "**" }), [1, 3, 5, 6]);
  assertEquals(await ask({ channel: "lab/**" }), [1, 5]);
  assertEquals(await ask({ channel: "lab/**", before: "s-1:5" }), [1]);
  assertEquals(await ask({}), [3]);
  assertEquals(await ask({ channel: "lab/secret/*" }), "NOT_ALLOWED");
  const subscribed = await world.connect(login([]), { command: "SUBSCRIBE", channels: ["lab/**"], history: 9 });
  assertEquals(came(subscribed, true), [1, 5]);
  const back = await world.connect(login(["**"], { resume: { vector: {} } }));
  assertEquals([came(back), back.received.at(-1)!.command], [[1, 3, 5, 6], "CAUGHT_UP"]);
  const narrow = await world.connect(login(["lab/secret", ""], { resume: { vector: {} } }));
  assertEquals([came(narrow), narrow.received[0]!.refused], [[3], ["lab/secret"]]);
  await world.stop();
});

Deno.test("a reader that falls behind is sent the rest of what it may read alone", async () => {
  const world = await NodeWorld.start({
    auth: { rights: RULES },
    limits: { maxPendingBytes: 1_024, tailBytes: 4_096 },
  });
  await world.register("boss");
  const slow = await world.connect(login(["lab/**"]));
  const boss = await world.connect(login([], { username: "boss", secret: "boss" }));
  await world.endAllDerivations();
  const numbers = [];
  for (let n = 0; n < 60; n++) {
    const channel = n % 3 === 0 ? "lab/door" : "lab/secret";
    boss.send({ command: "ACTIVITY_MESSAGE", activity: { n, text: "x".repeat(400) }, channel });
    if (n % 3 === 0) numbers.push(n);
    if (n % 5 === 0) await world.settle();
  }
  await world.clock.run(1_000);
  assertEquals(came(slow), numbers);
  await world.stop();
});

Deno.test("a publication where one may not publish is refused with the channel, and the next one is taken", async () => {
  const { world, boss } = await worldOf([...RULES, { channels: ["open/**"], may: ["publish", "read"] }, {
    may: ["read"],
  }]);
  const client = await world.connect(login(["**"], { ackRanges: true }));
  client.send(
    activity(1, "news", { messageId: "m-1" }),
    activity(2, "open/a", { messageId: "m-2" }),
    activity(3, undefined, { messageId: "m-3" }),
    // Not in its usual form, so read by the other way.
    activity(4, "lab/secret", { messageId: "m-4", unusual: [1] }),
  );
  await world.settle();
  assertEquals(came(boss), [2]);
  const failed = client.received.filter(({ command }) => command === "ACTIVITY_FAILED");
  assertEquals(failed.map(({ messageId, reason, info }) => [messageId, reason, info]), [
    ["m-1", "NOT_ALLOWED", 'anonymous may not publish in "news" here'],
    ["m-3", "NOT_ALLOWED", "anonymous may not publish without a channel here"],
    ["m-4", "NOT_ALLOWED", 'anonymous may not publish in "lab/secret" here'],
  ]);
  assertEquals(client.received[0]!.may, ["publish", "read"]);
  // A plain client publishes what has no channel, whatever it says.
  const plain = await world.connect({ command: "LOGIN", username: "anonymous" }, activity(5, "open/a"));
  assertEquals([plain.received[0]!.info, plain.commands.at(-1)], [
    "logged in as anonymous, without the right to publish, message, listUsers",
    "AUTHENTICATION_FAIL",
  ]);
  await world.stop();
});

Deno.test("who may not read what has no channel gets none of it, and still its channels and messages", async () => {
  const world = await NodeWorld.start({ auth: { rights: [{ channels: [""], may: ["publish"] }] } });
  for (const name of ["anna", "bob"]) await world.register(name);
  const features = [...FEATURES, "chat"];
  const [anna, bob] = [
    await world.connect(login(undefined, { username: "anna", secret: "anna", features })),
    await world.connect(login(["lab", ""], { username: "bob", secret: "bob", features })),
  ];
  await world.endAllDerivations();
  const plain = await world.connect({ command: "LOGIN", username: "anonymous" });
  assertEquals([anna, bob].map(({ received }) => [received[0]!.refused, received[0]!.may]), [
    [[""], undefined],
    [[""], undefined],
  ]);
  assertEquals(plain.received[0]!.info, "logged in as anonymous, without the right to read");
  bob.send(activity(1), activity(2, "lab"), { command: "DIRECT_MESSAGE", to: "anna", text: "hi" });
  anna.send({ command: "HISTORY" });
  await world.settle();
  assertEquals([came(anna), came(bob), came(plain)], [[], [2], []]);
  assertEquals(
    anna.received.find(({ command }) => command === "HISTORY_FAILED")!.info,
    "anna may not read what has no channel here",
  );
  assertEquals(anna.received.at(-1)!.text, "hi");
  await world.stop();
});

Deno.test("who may read some channels and nothing else gets these, and no messages: those wait", async () => {
  const world = await NodeWorld.start({
    auth: {
      rights: [{ users: ["bob"], may: ["publish", "read", "message"] }, { channels: ["news"], may: ["read"] }, {
        may: [],
      }],
    },
  });
  for (const name of ["anna", "bob"]) await world.register(name);
  const features = [...FEATURES, "chat"];
  const [anna, bob] = [
    await world.connect(login(["**"], { username: "anna", secret: "anna", features })),
    await world.connect(login([], { username: "bob", secret: "bob", features })),
  ];
  await world.endAllDerivations();
  assertEquals([anna.received[0]!.may, anna.received[0]!.features], [["read"], [
    "ack",
    "resume",
    "chat",
    "history",
    "channels",
  ]]);
  bob.send(activity(1), activity(2, "news"), { command: "DIRECT_MESSAGE", to: "anna", text: "hi", messageId: "m-1" });
  await world.settle();
  assertEquals(came(anna), [2]);
  assertEquals(anna.commands.includes("DIRECT_MESSAGE"), false);
  assertEquals(bob.received.filter(({ command }) => command === "RECEIPT").map(({ state }) => state), ["stored"]);
  const older = await world.connect({ command: "LOGIN", username: "anna", secret: "anna", features: ["resume"] });
  await world.endAllDerivations();
  assertEquals([older.received[0]!.receive, older.received[0]!.may], ["none", []]);
  await world.stop();
});

Deno.test("a role that is given or taken counts from then on, and nobody else's connection feels it", async () => {
  const world = await NodeWorld.start({
    auth: { rights: [{ roles: ["staff"], may: ["publish", "read"] }, { channels: ["lab/secret"], may: [] }] },
  });
  for (const name of ["anna", "bob"]) await world.register(name);
  const come = async (name: string, vector?: Received) => {
    const resume = vector === undefined ? {} : { resume: { vector } };
    const client = await world.connect(login(["lab/**"], { username: name, secret: name, ...resume }));
    await world.endAllDerivations();
    return client;
  };
  const [anna, bob] = [await come("anna"), await come("bob")];
  const give = async (roles: string[]) => {
    void world.node.roles.give("anna", roles, "192.0.2.7");
    await world.settle();
  };
  await give(["guide"]);
  assertEquals(anna.end, undefined, "a role that changes nothing ends nothing");
  await give(["staff"]);
  assertEquals(anna.received.at(-1)!.reason, "RIGHTS_CHANGED");
  const staff = await come("anna");
  staff.send(activity(1, "lab/secret"), activity(2, "lab"));
  await world.settle();
  assertEquals([came(staff), came(bob)], [[1, 2], [2]]);
  await give([]);
  assertEquals(staff.received.at(-1)!.reason, "RIGHTS_CHANGED");
  bob.send(activity(3, "lab"));
  await world.settle();
  const back = await come("anna", {});
  assertEquals(
    [came(back), bob.end],
    [[2, 3], undefined],
    "by its vector it gets nothing any more that it may not read",
  );
  await world.stop();
});

Deno.test("rights that change while a login waits for a place are those that it gets", async () => {
  const world = await NodeWorld.start({ limits: { maxConnections: 1 } });
  const first = await world.connect(login([]));
  const second = await world.connect(login(["lab/secret", "hall"]));
  assertEquals(second.received, []);
  // The place is free, as the rights of the first one change, too.
  world.node.useRights({ ...DEFAULT_CONFIG.auth, rights: RULES });
  await world.settle();
  assertEquals(first.received.at(-1)!.reason, "RIGHTS_CHANGED");
  await world.clock.run(1_000);
  assertEquals([second.received[0]!.command, second.received[0]!.refused], ["LOGIN_SUCCESS", ["lab/secret"]]);
  await world.stop();
});

Deno.test("a reader of a part is told where it stands, and nothing of what was passed over", async () => {
  const { world, boss } = await worldOf();
  const reader = await world.connect(login(["lab/**"]));
  boss.send(...Array.from({ length: 5 }, (_, n) => activity(n, "lab/secret")));
  await world.clock.run(11_000);
  const [, ...after] = reader.received.filter(({ command }) =>
    !["CAUGHT_UP", "HEARTBEAT", "BACKUP_LIST"].includes(command)
  );
  assertEquals(after, [{ command: "POSITION", vector: { "s-1": 6 } }]);
  assert(!JSON.stringify(reader.received).includes("secret"));
  await world.stop();
});
