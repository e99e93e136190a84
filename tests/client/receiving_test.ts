import { assertEquals } from "@std/assert";
import type { ClientEvent } from "../../client/options.ts";
import { MAX_KEPT } from "../../client/fanout.ts";
import { Receiving } from "../../client/receiving.ts";
import type { DirectMessage } from "../../protocol/message.ts";

/** A `Receiving` that is logged in, and what it has told. */
function logIn(vector: Record<string, number> = { s: 10 }, since?: Record<string, number>) {
  const events: ClientEvent[] = [];
  const pressure: boolean[] = [];
  let acknowledged = 0;
  const receiving = new Receiving(since ?? "login", {
    tell: (event) => events.push(event),
    onArrival: () => {},
    onPressure: (isHigh) => pressure.push(isHigh),
    onDelivered: () => acknowledged++,
    canCatchUp: () => true,
  });
  const features = ["resume", "chat"] as const;
  receiving.begin({ command: "LOGIN_SUCCESS", info: "", serverId: "s", features, resume: { vector, replayed: 0 } });
  return { receiving, events, pressure, acknowledged: () => acknowledged };
}

function message(id: string, rest: Partial<DirectMessage> = {}): DirectMessage {
  return { command: "DIRECT_MESSAGE", from: "bob", to: "ada", text: id, id, lamport: 1, sentAt: 0, ...rest };
}

function activity(id: string, messageId?: string) {
  const fields = { activity: { authenticated_user: "bob" }, activityText: "{}", id, lamport: 1, sentAt: 0 };
  return { command: "ACTIVITY_BROADCAST", ...fields, ...(messageId === undefined ? {} : { messageId }) } as const;
}

async function take(iterator: AsyncIterator<{ readonly id: string }>, count: number): Promise<string[]> {
  const ids = [];
  while (ids.length < count) ids.push((await iterator.next()).value.id);
  return ids;
}

Deno.test("Receiving counts direct messages and receipts for the vector like activities, and leaves out what came twice", async () => {
  const { receiving, events } = logIn();
  const messages = receiving.messages();
  receiving.message(message("s:11"), 10);
  receiving.activity(activity("s:12"), 10);
  const receipt = { command: "RECEIPT", messageId: "m", state: "delivered", of: "s:3", to: "bob", lamport: 1 } as const;
  for (let time = 0; time < 2; time++) receiving.receipt({ ...receipt, id: "s:13" });
  receiving.message(message("s:11"), 10);
  receiving.message(message("s:14"), 10);
  assertEquals(receiving.received, { s: 14 });
  assertEquals(await take(messages, 2), ["s:11", "s:14"]);
  assertEquals(events, [
    { kind: "delivered", messageId: "m", of: "s:3", to: "bob" },
    { kind: "duplicate", id: "s:13" },
    { kind: "duplicate", id: "s:11" },
  ]);
});

Deno.test("Receiving tells once that a message was delivered, however many servers say so", () => {
  const { receiving, events } = logIn({ s: 10, t: 4 });
  const receipt = { command: "RECEIPT", messageId: "m", state: "delivered", of: "s:3", to: "bob", lamport: 1 } as const;
  receiving.receipt({ ...receipt, id: "s:11" });
  receiving.receipt({ ...receipt, of: "t:2", id: "t:5" });
  receiving.receipt({ ...receipt, messageId: "n", of: "t:3", id: "t:6" });
  assertEquals(receiving.received, { s: 11, t: 6 });
  assertEquals(events, [
    { kind: "delivered", messageId: "m", of: "s:3", to: "bob" },
    { kind: "delivered", messageId: "n", of: "t:3", to: "bob" },
  ]);
});

Deno.test("Receiving takes over the vector of the login when the server says that all has come", () => {
  const { receiving, events } = logIn({ s: 10, t: 4 }, { s: 7 });
  receiving.activity(activity("s:8"), 10);
  assertEquals(receiving.received, { s: 8 });
  assertEquals(events, []);
  receiving.caughtUp({ s: 10, t: 5 });
  assertEquals(receiving.received, { s: 10, t: 5 });
  assertEquals(events, [{ kind: "caughtUp", replayed: 1, offline: 0 }]);
});

Deno.test("Receiving is caught up when the server says so, also where it does not resume", () => {
  const events: string[] = [];
  const ignore = () => {};
  const receiving = new Receiving("login", {
    tell: ({ kind }) => events.push(kind),
    onArrival: ignore,
    onPressure: ignore,
    onDelivered: ignore,
    canCatchUp: () => true,
  });
  receiving.begin({ command: "LOGIN_SUCCESS", info: "", features: ["chat"] });
  assertEquals(events, []);
  receiving.caughtUp({ s: 10 });
  assertEquals([events, receiving.received], [["caughtUp"], undefined]);
  receiving.begin({ command: "LOGIN_SUCCESS", info: "", features: ["ack"] });
  assertEquals(events, ["caughtUp", "caughtUp"]);
});

Deno.test("Receiving does not take the vector over when the connection is lost before", () => {
  const { receiving } = logIn({ s: 10 }, { s: 7 });
  receiving.cutOff();
  assertEquals(receiving.received, { s: 7 });
  // Who comes for the first time begins with all of it: it is not to miss what comes while it is away.
  const first = logIn({ s: 10 });
  first.receiving.cutOff();
  assertEquals(first.receiving.received, { s: 10 });
});

Deno.test("A message that waited is new although the vector covers it, but not a second time", async () => {
  const { receiving, events } = logIn({ s: 10 });
  const messages = receiving.messages();
  for (const id of ["s:3", "s:5", "s:3"]) receiving.message(message(id, { offline: true }), 10);
  receiving.caughtUp({ s: 10 });
  receiving.message(message("s:11"), 10);
  receiving.message(message("s:11", { offline: true }), 10);
  receiving.message(message("s:12"), 10);
  assertEquals(await take(messages, 4), ["s:3", "s:5", "s:11", "s:12"]);
  assertEquals(events, [{ kind: "caughtUp", replayed: 0, offline: 2 }]);
  assertEquals(receiving.received, { s: 12 });
});

Deno.test("A message that two servers took is there once, also when the other one was an activity", async () => {
  const { receiving, acknowledged } = logIn();
  const messages = receiving.messages();
  receiving.activity(activity("s:11", "a"), 10);
  for (const [id, messageId] of [["s:12", "m"], ["t:1", "m"], ["t:2", "a"], ["t:3", "n"]] as const) {
    receiving.message(message(id, { messageId }), 10);
  }
  receiving.message(message("t:4", { messageId: "n", from: "eve" }), 10);
  assertEquals(await take(messages, 3), ["s:12", "t:3", "t:4"]);
  // Those that were left out need not be kept for this user either.
  assertEquals(receiving.delivered, { s: 12, t: 4 });
  assertEquals(acknowledged(), 5);
});

Deno.test("Receiving.delivered is what was taken out of every iterator of messages", async () => {
  const { receiving } = logIn();
  receiving.message(message("s:4", { offline: true }), 10);
  receiving.message(message("s:11"), 10);
  receiving.message(message("t:7"), 10);
  receiving.activity(activity("s:12"), 10);
  // Nobody has asked.
  assertEquals(receiving.delivered, {});
  const first = receiving.messages();
  await take(first, 1);
  assertEquals(receiving.delivered, { s: 10 });
  await take(first, 2);
  assertEquals(receiving.delivered, { s: 11, t: 7 });
  const second = receiving.messages();
  receiving.message(message("s:13"), 10);
  await take(first, 1);
  assertEquals(receiving.delivered, { s: 12, t: 7 });
  await second.return?.();
  assertEquals(receiving.delivered, { s: 13, t: 7 });
});

Deno.test("Receiving.delivered says nothing any more once messages were dropped", async () => {
  const { receiving } = logIn();
  const text = "x".repeat(300_000);
  for (let sequence = 11; sequence <= 14; sequence++) receiving.message(message(`s:${sequence}`), text.length);
  const messages = receiving.messages();
  receiving.message(message("s:15"), 10);
  assertEquals(await take(messages, 1), ["s:15"]);
  assertEquals(receiving.delivered, {});
});

Deno.test("Receiving.delivered says nothing any more when what waited did not come to its end", async () => {
  for (const isCut of [false, true]) {
    const { receiving } = logIn({ s: 10 });
    const messages = receiving.messages();
    receiving.message(message("s:3", { offline: true }), 10);
    await take(messages, 1);
    assertEquals(receiving.delivered, { s: 3 });
    if (!isCut) receiving.caughtUp({ s: 10 });
    receiving.cutOff();
    // The login that follows brings a vector.
    receiving.begin({ command: "LOGIN_SUCCESS", info: "", features: ["chat"], resume: { vector: {}, replayed: 0 } });
    receiving.cutOff();
    receiving.message(message("s:11"), 10);
    await take(messages, 1);
    assertEquals(receiving.delivered, isCut ? {} : { s: 11 });
  }
});

Deno.test("Receiving.delivered speaks again once a server that has all that the client had has said that all has come", async () => {
  const { receiving, acknowledged } = logIn({ s: 10 });
  const messages = receiving.messages();
  receiving.message(message("s:3", { offline: true }), 10);
  await take(messages, 1);
  const login = {
    command: "LOGIN_SUCCESS",
    info: "",
    features: ["chat"],
    resume: { vector: {}, replayed: 0 },
  } as const;
  for (const isComplete of [false, true]) {
    receiving.cutOff();
    receiving.begin(login);
    const before = acknowledged();
    receiving.message(message("s:3", { offline: true }), 10);
    assertEquals(receiving.delivered, {});
    receiving.caughtUp({ s: 10 }, isComplete);
    assertEquals(receiving.delivered, isComplete ? { s: 3 } : {});
    assertEquals(acknowledged() > before + 1, isComplete);
  }
});

Deno.test("Receiving.delivered speaks again also when a server says later that it has all, which is told to nobody else", async () => {
  const { receiving, events, acknowledged } = logIn({ s: 10 });
  const messages = receiving.messages();
  receiving.message(message("s:3", { offline: true }), 10);
  await take(messages, 1);
  receiving.cutOff();
  receiving.begin({ command: "LOGIN_SUCCESS", info: "", features: ["chat"], resume: { vector: {}, replayed: 0 } });
  receiving.caughtUp({});
  const [told, before] = [events.length, acknowledged()];
  receiving.activity(activity("t:1"), 10);
  receiving.caughtUp({ s: 10, t: 1 }, true);
  assertEquals([receiving.delivered, acknowledged()], [{ s: 3 }, before + 1]);
  assertEquals([receiving.received, events.length], [{ s: 10, t: 1 }, told]);
});

Deno.test("Receiving claims no delivery under numbers that their server gives anew", async () => {
  const { receiving, acknowledged } = logIn({ s: 10, t: 1 });
  receiving.caughtUp({ s: 10, t: 1 });
  const messages = receiving.messages();
  for (const id of ["s:11", "s:12", "s:13", "t:2"]) receiving.message(message(id), 10);
  await take(messages, 4);
  assertEquals(receiving.delivered, { s: 13, t: 2 });
  receiving.cutOff();
  // An old copy of its data was put back, and s:11 is another message by now.
  receiving.begin({
    command: "LOGIN_SUCCESS",
    info: "",
    serverId: "s",
    features: ["resume", "chat"],
    resume: { vector: { s: 11, t: 2 }, replayed: 0 },
  });
  assertEquals(receiving.delivered, { t: 2 });
  receiving.message(message("s:11", { text: "another one", sentAt: 7, offline: true }), 10);
  receiving.message(message("s:12", { text: "the next one", sentAt: 8 }), 10);
  assertEquals(receiving.delivered, { t: 2 });
  assertEquals(await take(messages, 2), ["s:11", "s:12"]);
  assertEquals(receiving.delivered, { s: 12, t: 2 });
  // One that the client had is not shown again. That it was taken is said.
  const before = acknowledged();
  receiving.message(message("s:13"), 10);
  assertEquals([receiving.delivered, acknowledged()], [{ s: 13, t: 2 }, before + 1]);
});

Deno.test("Receiving takes nothing after its end: that is a later client's", async () => {
  const { receiving, events } = logIn({ s: 10 });
  receiving.caughtUp({ s: 10 });
  const messages = receiving.messages();
  receiving.message(message("s:11"), 10);
  await take(messages, 1);
  receiving.end(undefined);
  events.length = 0;
  receiving.message(message("s:12"), 10);
  receiving.message(message("s:3", { offline: true }), 10);
  receiving.activity(activity("s:13"), 10);
  const delivered = { command: "RECEIPT", state: "delivered", of: "s:3", to: "bob", lamport: 1 } as const;
  receiving.receipt({ ...delivered, messageId: "m", id: "s:14" });
  receiving.caughtUp({ s: 14 });
  assertEquals([receiving.received, receiving.vector], [{ s: 11 }, { s: 11 }]);
  assertEquals([receiving.delivered, events], [{ s: 11 }, []]);
});

Deno.test("Receiving.vector leaves out what iterators still have to give, but not messages that waited", async () => {
  const { receiving } = logIn({ a: 4, b: 1, c: 9 });
  const slow = receiving.activities();
  const quick = receiving.activities();
  const messages = receiving.messages();
  for (const id of ["a:5", "b:2", "a:6"]) receiving.activity(activity(id), 10);
  receiving.message(message("c:10"), 10);
  receiving.message(message("c:2", { offline: true }), 10);
  await take(quick, 3);
  await take(slow, 1);
  assertEquals(receiving.vector, { a: 5, b: 1, c: 9 });
  await take(messages, 1);
  receiving.end(undefined);
  assertEquals(receiving.vector, { a: 5, b: 1, c: 10 });
  await take(slow, 2);
  assertEquals(receiving.vector, { a: 6, b: 2, c: 10 });
});

Deno.test("Receiving.vector stays where the last iterator of activities was left", async () => {
  const { receiving } = logIn({ s: 0 });
  const iterator = receiving.activities();
  for (const id of ["s:1", "s:2"]) receiving.activity(activity(id), 10);
  await take(iterator, 1);
  await iterator.return?.();
  receiving.activity(activity("s:9"), 10);
  assertEquals(receiving.vector, { s: 1 });
  receiving.activities();
  assertEquals(receiving.vector, { s: 9 });
});

Deno.test("Receiving stops reading as long as any kind of iterator is too far behind", async () => {
  const { receiving, pressure } = logIn();
  const activities = receiving.activities();
  const presences = receiving.presences();
  receiving.activity(activity("s:11"), 2_000_000);
  receiving.presence({ command: "PRESENCE", event: "joined", username: "eve", lamport: 3 }, 2_000_000);
  await take(activities, 1);
  assertEquals(pressure, [true]);
  assertEquals((await presences.next()).value, { event: "joined", username: "eve", lamport: 3 });
  assertEquals(pressure, [true, false]);
});

Deno.test("What has no room is told once, not claimed by the vector, and taken again after the next login", async () => {
  const { receiving, events } = logIn({ s: 10 });
  const activities = receiving.activities();
  const messages = receiving.messages();
  receiving.caughtUp({ s: 10 });
  events.length = 0;
  receiving.activity(activity("s:11"), MAX_KEPT + 1);
  assertEquals([receiving.hasLeftOut, events], [false, []]);
  // Whatever has its place in the log: else what follows would be taken for all that is missing.
  receiving.activity(activity("s:12"), 10);
  receiving.message(message("s:13"), 10);
  receiving.receipt({
    command: "RECEIPT",
    messageId: "m",
    state: "delivered",
    of: "s:3",
    to: "bob",
    lamport: 1,
    id: "s:14",
  });
  receiving.caughtUp({ s: 14 });
  assertEquals(events, [{ kind: "overflow", what: "activities", comesAgain: true }]);
  assertEquals([receiving.received, receiving.vector], [{ s: 11 }, { s: 10 }]);
  assertEquals((await activities.next()).value.id, "s:11");
  receiving.cutOff();
  receiving.begin({
    command: "LOGIN_SUCCESS",
    info: "",
    serverId: "s",
    features: ["chat", "resume"],
    resume: { vector: { s: 14 }, replayed: 1 },
  });
  receiving.activity(activity("s:12"), 10);
  receiving.message(message("s:13"), 10);
  assertEquals([(await activities.next()).value.id, (await messages.next()).value.id], ["s:12", "s:13"]);
  assertEquals(receiving.received, { s: 13 });
});

Deno.test("News of who is there that have no room are told, and do not come again", async () => {
  const { receiving, events } = logIn({ s: 10 });
  const presences = receiving.presences();
  events.length = 0;
  const joined = { command: "PRESENCE", event: "joined", username: "bob", lamport: 1 } as const;
  receiving.presence(joined, MAX_KEPT + 1);
  for (let count = 0; count < 3; count++) receiving.presence(joined, 10);
  assertEquals(events, [{ kind: "overflow", what: "presence", comesAgain: false }]);
  await presences.next();
  receiving.presence({ ...joined, event: "left" }, 10);
  assertEquals((await presences.next()).value.event, "left");
});
