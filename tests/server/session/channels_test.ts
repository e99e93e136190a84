/** Channels, as clients of one server see them (docs/protocol.md, section 2.16), on a fake clock. */

import { assertEquals } from "@std/assert";
import { type FakeLineClient, NodeWorld } from "../../support/node_world.ts";
import type { Received } from "../../support/line_client.ts";

const FEATURES = ["ack", "resume", "history", "channels"];

function login(channels?: readonly string[], more: Received = {}): Received {
  const wanted = channels === undefined ? {} : { channels };
  return { command: "LOGIN", username: "anonymous", features: FEATURES, ...wanted, ...more };
}

/** An activity as each of these tests sends it: `n` says which one it is. */
function activity(n: number, channel?: string, more: Received = {}): Received {
  return { command: "ACTIVITY_MESSAGE", activity: { n }, ...(channel === undefined ? {} : { channel }), ...more };
}

/** The activities that came live, in order. */
function came({ received }: FakeLineClient, past = false): readonly number[] {
  return received.filter(({ command, past: isPast }) =>
    command === "ACTIVITY_BROADCAST" && isPast === (past || undefined)
  )
    .map(({ activity }) => activity.n);
}

Deno.test("a client gets what it reads, in the order of the log, and nothing else", async () => {
  const world = await NodeWorld.start();
  const wanted: [string[] | undefined, number[]][] = [
    [undefined, [1, 4]],
    [[], []],
    [[""], [1, 4]],
    [["lab"], [2]],
    [["lab/*"], [3, 6]],
    [["lab/**"], [2, 3, 6]],
    [["", "lab/door"], [1, 3, 4, 6]],
    [["**"], [1, 2, 3, 4, 5, 6]],
    [["lab", "lab/**", "lab/door"], [2, 3, 6]],
  ];
  const clients = [];
  for (const [channels] of wanted) clients.push(await world.connect(login(channels)));
  const plain = await world.connect({ command: "LOGIN", username: "anonymous" });
  const older = await world.connect({ command: "LOGIN", username: "anonymous", features: ["ack"], channels: ["**"] });
  const sender = await world.connect(login([]));
  const channels = [undefined, "lab", "lab/door", undefined, "hall", "lab/door"];
  // All in one turn, so all in one segment.
  sender.send(...channels.map((channel, index) => activity(index + 1, channel)));
  await world.settle();
  for (const [index, [patterns, numbers]] of wanted.entries()) {
    assertEquals(came(clients[index]!), numbers, `${patterns}`);
  }
  assertEquals([came(plain), came(older)], [[1, 4], [1, 4]]);
  const all = clients[7]!.received.filter(({ command }) => command === "ACTIVITY_BROADCAST");
  assertEquals(all.map(({ channel }) => channel), channels);
  await world.stop();
});

Deno.test("a login that comes back gets what it misses of the channels that it names", async () => {
  const world = await NodeWorld.start();
  const sender = await world.connect(login([]));
  sender.send(activity(1, "lab"), activity(2), activity(3, "hall"));
  await world.settle();
  sender.send(activity(4), activity(5, "hall"), activity(6, "lab"), activity(7, "hall"));
  await world.settle();
  for (
    const [channels, vector, numbers] of [
      [["lab"], {}, [1, 6]],
      [["lab", ""], { "s-1": 1 }, [2, 4, 6]],
      [undefined, {}, [2, 4]],
      [["hall"], { "s-1": 5 }, [7]],
      [["**"], { "s-1": 4 }, [5, 6, 7]],
    ] as const
  ) {
    const client = await world.connect(login(channels, { resume: { vector } }));
    const [success] = client.received;
    assertEquals(came(client), [...numbers], `${channels}`);
    assertEquals(success!.resume.vector, { "s-1": 7 });
    assertEquals(client.received.at(-1), { command: "CAUGHT_UP", vector: { "s-1": 7 }, complete: true });
  }
  await world.stop();
});

Deno.test("a channel that is newly named starts where the client stands, and the past of it comes when it is asked for", async () => {
  const world = await NodeWorld.start();
  const sender = await world.connect(login([]));
  const client = await world.connect(login([]));
  sender.send(activity(1, "lab"), activity(2, "hall"), activity(3, "lab"), activity(4));
  await world.settle();
  client.send({ command: "SUBSCRIBE", channels: ["lab/**", "hall"], history: 2 });
  await world.settle();
  assertEquals(client.received.slice(-2), [
    {
      command: "HISTORY_PAGE",
      past: true,
      count: 2,
      more: true,
      before: "s-1:2",
      begins: { id: "s-1:1", at: client.received.at(-2)!.begins.at },
    },
    { command: "SUBSCRIBED", channels: ["lab/**", "hall"], vector: { "s-1": 4 } },
  ]);
  assertEquals([came(client), came(client, true)], [[], [2, 3]]);
  sender.send(activity(5, "lab/door"), activity(6), activity(7, "hall"));
  await world.settle();
  client.send({ command: "UNSUBSCRIBE", channels: ["hall", "unknown"] });
  await world.settle();
  assertEquals(client.received.at(-1), {
    command: "UNSUBSCRIBED",
    channels: ["hall", "unknown"],
    vector: { "s-1": 7 },
  });
  sender.send(activity(8, "hall"), activity(9, "lab"));
  await world.settle();
  assertEquals(came(client), [5, 7, 9]);
  // What it reads already does not come again.
  client.send({ command: "SUBSCRIBE", channels: ["lab"], history: 9 });
  await world.settle();
  assertEquals(came(client, true), [2, 3]);
  await world.stop();
});

Deno.test("a page of the past has what is asked for: without a channel what has none, else what the pattern says", async () => {
  const world = await NodeWorld.start();
  const sender = await world.connect(login([]));
  for (let n = 1; n <= 6; n++) {
    sender.send(activity(n, [undefined, "lab", "lab/door"][n % 3]));
    if (n % 2 === 0) await world.settle();
  }
  const ask = async (more: Received, features = FEATURES) => {
    const client = await world.connect({ command: "LOGIN", username: "anonymous", features, channels: [] }, {
      command: "HISTORY",
      ...more,
    });
    return client.received.at(-1)!.reason ?? came(client, true);
  };
  assertEquals(await ask({}), [3, 6]);
  assertEquals(await ask({ channel: "lab" }), [1, 4]);
  assertEquals(await ask({ channel: "lab/**" }), [1, 2, 4, 5]);
  assertEquals(await ask({ channel: "**", limit: 3 }), [4, 5, 6]);
  assertEquals(await ask({ channel: "lab/*", before: "s-1:5" }), [2]);
  assertEquals(await ask({}, ["history"]), [3, 6]);
  assertEquals(await ask({ channel: "lab" }, ["history"]), "NO_CHANNELS");
  await world.stop();
});

Deno.test("who has not asked for channels is told so, and nobody gets what it said of one", async () => {
  const world = await NodeWorld.start();
  const everything = await world.connect(login(["**"]));
  const client = await world.connect({ command: "LOGIN", username: "anonymous", features: ["ack"] });
  client.send(activity(1, "lab", { messageId: "m-1" }), { command: "SUBSCRIBE", channels: ["lab"] });
  await world.settle();
  assertEquals(client.received.slice(-2).map(({ command, messageId, reason }) => [command, messageId, reason]), [
    ["ACTIVITY_FAILED", "m-1", "NO_CHANNELS"],
    ["SUBSCRIBE_FAILED", undefined, "NO_CHANNELS"],
  ]);
  // The dialect of plain clients has no channels: the field means nothing there, as ever.
  const plain = await world.connect({ command: "LOGIN", username: "anonymous" }, activity(2, "lab"));
  await world.settle();
  assertEquals([came(everything), came(plain), came(client)], [[2], [2], [2]]);
  assertEquals(everything.received.at(-1)!.channel, undefined);
  await world.stop();
});

Deno.test("limits.maxChannelsPerClient bounds what a client reads, at the login and later", async () => {
  const world = await NodeWorld.start({ limits: { maxChannelsPerClient: 2 } });
  const refused = await world.connect(login(["a", "b", "c"]));
  assertEquals([refused.received[0]!.command, refused.received[0]!.reason], ["LOGIN_FAILED", "TOO_MANY_CHANNELS"]);
  const client = await world.connect(login(["a", "a"]));
  client.send({ command: "SUBSCRIBE", channels: ["a", "b"] }, { command: "SUBSCRIBE", channels: ["c"] });
  await world.settle();
  assertEquals(client.received.slice(-2).map(({ command, reason }) => [command, reason]), [
    ["SUBSCRIBED", undefined],
    ["SUBSCRIBE_FAILED", "TOO_MANY_CHANNELS"],
  ]);
  await world.stop();
});

Deno.test("limits.maxPatterns bounds what all clients of a server read, and who leaves makes room", async () => {
  const world = await NodeWorld.start({ limits: { maxPatterns: 3 } });
  const first = await world.connect(login(["a", "b/**"]));
  // Who reads the same costs nothing more, and yet asks for as much.
  const second = await world.connect(login(["c"]));
  const refused = await world.connect(login(["d"]));
  assertEquals([refused.received[0]!.command, refused.received[0]!.reason], ["LOGIN_FAILED", "TOO_MANY_CHANNELS"]);
  const more = { command: "SUBSCRIBE", channels: ["d"] };
  second.send(more, { command: "SUBSCRIBE", channels: ["c"] }, { command: "UNSUBSCRIBE", channels: ["c"] }, more);
  await world.settle();
  assertEquals(second.received.slice(-4).map(({ command, info }) => [command, info]), [
    ["SUBSCRIBE_FAILED", "all clients of this server together may read 3 channels and patterns"],
    ["SUBSCRIBED", undefined],
    ["UNSUBSCRIBED", undefined],
    ["SUBSCRIBED", undefined],
  ]);
  first.link.destroy();
  await world.settle();
  second.send({ command: "SUBSCRIBE", channels: ["e", "f"] });
  await world.settle();
  assertEquals(second.received.at(-1)!.command, "SUBSCRIBED");
  await world.stop();
});

Deno.test("who has asked for nothing of the log subscribes to nothing", async () => {
  const world = await NodeWorld.start();
  const none = await world.connect(login(undefined, { receive: "none" }), { command: "SUBSCRIBE", channels: ["a"] });
  await world.settle();
  assertEquals(none.received.at(-1)!.reason, "RECEIVES_NOTHING");
  await world.stop();
});

Deno.test("names that are no names end the connection, and two ways to write a name are one channel", async () => {
  const world = await NodeWorld.start();
  const reader = await world.connect(login(["k\u00fcche"]));
  const sender = await world.connect(login([]), activity(1, "ku\u0308che"));
  await world.settle();
  assertEquals(reader.received.at(-1)!.channel, "k\u00fcche");
  assertEquals(came(sender), []);
  for (
    const bad of [
      activity(1, ""),
      activity(1, "a//b"),
      activity(1, "a/*"),
      { command: "SUBSCRIBE", channels: ["a/*/b"] },
      { command: "SUBSCRIBE", channels: "a" },
      { command: "SUBSCRIBE" },
      { command: "HISTORY", channel: "a/" },
    ]
  ) {
    const client = await world.connect(login([]), bad);
    await world.settle();
    assertEquals(client.commands.at(-1), "INVALID_MESSAGE", JSON.stringify(bad));
  }
  assertEquals(came(reader), [1]);
  await world.stop();
});

Deno.test("a client of a quiet channel is told where it stands, every ten seconds while the log moves on", async () => {
  const world = await NodeWorld.start();
  const quiet = await world.connect(login(["quiet"]));
  const all = await world.connect(login(["**"]));
  const sender = await world.connect(login([]));
  for (let second = 0; second < 25; second++) {
    sender.send(activity(second, "loud"));
    await world.clock.run(1_000);
  }
  const positions = quiet.received.filter(({ command }) => command === "POSITION").map(({ vector }) => vector["s-1"]);
  assertEquals(positions.length, 2);
  assertEquals(positions.every((sequence, index) => Math.abs(sequence - 10 * (index + 1)) <= 1), true, `${positions}`);
  assertEquals(all.commands.includes("POSITION"), false);
  // Nothing moves: nothing is said.
  await world.clock.run(60_000);
  assertEquals(quiet.received.filter(({ command }) => command === "POSITION").length, 3);
  await world.stop();
});

Deno.test("a client of a quiet channel is told where it stands after 1,000 activities, and once a second at most", async () => {
  const world = await NodeWorld.start();
  const quiet = await world.connect(login(["quiet"]));
  const all = await world.connect(login(["**"]));
  const sender = await world.connect(login([]));
  const publish = async (count: number) => {
    sender.send(...Array.from({ length: count }, (_, n) => activity(n, "loud")));
    await world.settle();
    await world.clock.run(1);
  };
  const positions = () =>
    quiet.received.filter(({ command }) => command === "POSITION").map(({ vector }) => vector["s-1"]);
  await publish(999);
  assertEquals(positions(), []);
  await publish(1);
  assertEquals(positions(), [1_000]);
  // As many once more, at once: a second has to pass.
  await publish(1_500);
  assertEquals(positions(), [1_000]);
  await world.clock.run(1_000);
  assertEquals(positions(), [1_000, 2_500]);
  await publish(5);
  await world.clock.run(9_900);
  assertEquals(positions(), [1_000, 2_500]);
  await world.clock.run(200);
  assertEquals(positions(), [1_000, 2_500, 2_505]);
  assertEquals(all.commands.includes("POSITION"), false);
  await world.stop();
});

Deno.test("a slow reader of a channel falls behind, and gets the rest of that channel alone", async () => {
  const world = await NodeWorld.start({ limits: { maxPendingBytes: 1_024, tailBytes: 4_096 } });
  const slow = await world.connect(login(["lab"]));
  const sender = await world.connect(login([]));
  const text = "x".repeat(400);
  const numbers = [];
  for (let n = 0; n < 60; n++) {
    sender.send({ command: "ACTIVITY_MESSAGE", activity: { n, text }, channel: n % 3 === 0 ? "lab" : "hall" });
    if (n % 3 === 0) numbers.push(n);
    if (n % 5 === 0) await world.settle();
  }
  await world.clock.run(1_000);
  assertEquals(came(slow), numbers);
  await world.stop();
});

Deno.test("a repeat under a used messageId differs when its channel does", async () => {
  const world = await NodeWorld.start();
  const sender = await world.connect(login(["**"]));
  sender.send(activity(1, "lab", { messageId: "m-1" }));
  await world.settle();
  sender.send(activity(1, "lab", { messageId: "m-1" }), activity(1, "hall", { messageId: "m-1" }));
  await world.settle();
  const acks = sender.received.filter(({ command }) => command === "ACTIVITY_ACK");
  assertEquals(acks.map(({ differs }) => differs), [undefined, undefined, true]);
  assertEquals(came(sender), [1]);
  await world.stop();
});
