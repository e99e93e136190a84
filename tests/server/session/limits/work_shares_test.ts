/**
 * What one connection's lines may take of a turn, on a fake clock: the others are served in between, and
 * nothing changes its order.
 */

import { assert, assertEquals } from "@std/assert";
import type { Store } from "../../../../server/store/store.ts";
import { openMemoryStore } from "../../../../server/store/memory_store.ts";
import { shareEndsAt, type Waiter, WorkShares } from "../../../../server/session/limits/work_shares.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import type { FakeLink } from "../../../support/fake_network.ts";
import { NodeWorld } from "../../../support/node_world.ts";

Deno.test("WorkShares: shares are short, and get shorter towards the end of a long turn", () => {
  assertEquals(shareEndsAt(1_000, 1_000), 1_008);
  assertEquals(shareEndsAt(1_056, 1_000), 1_060);
  assertEquals(shareEndsAt(1_100, 1_000), 1_100);
});

Deno.test("WorkShares: who waits goes on in turn, each once before anybody a second time, and a turn has an end", () => {
  const clock = new FakeClock();
  const shares = new WorkShares(clock);
  const order: string[] = [];
  let turns = 0;
  clock.onRead(() => turns++);
  class Job implements Waiter {
    constructor(readonly name: string, public left: number) {}
    goOn(): void {
      order.push(this.name);
      clock.take(8);
      if (--this.left > 0) shares.later(this);
    }
  }
  const jobs = [..."abcdefgh"].map((name) => new Job(name, 3));
  for (const job of jobs) shares.later(job);
  const gone = new Job("x", 1);
  shares.later(gone);
  shares.forget(gone);
  clock.advance(1_000);
  assertEquals(order.join(""), "abcdefgh".repeat(3));
  // Five times 8 ms fill a turn.
  assertEquals(turns, 5);
  assertEquals(clock.timersWaiting, 0);
});

Deno.test("WorkShares: nothing is left when the last one that waits is forgotten", () => {
  const clock = new FakeClock();
  const shares = new WorkShares(clock);
  const waiter = { goOn: () => assert(false) };
  shares.later(waiter);
  shares.forget(waiter);
  assertEquals(clock.timersWaiting, 0);
});

Deno.test("WorkShares: who publishes goes on when the disk has room, and whoever is gone is forgotten", () => {
  const clock = new FakeClock();
  let hasRoom = false;
  const shares = new WorkShares(clock, () => hasRoom);
  const went: string[] = [];
  const waiter = { goOn: () => went.push("a") };
  const gone = { goOn: () => went.push("gone") };
  shares.whenRoom(waiter);
  shares.whenRoom(gone);
  clock.advance(1_000);
  shares.forget(gone);
  assertEquals(went, []);
  hasRoom = true;
  clock.advance(11);
  assertEquals([went, clock.timersWaiting], [["a"], 0]);
  hasRoom = false;
  shares.whenRoom(gone);
  shares.forget(gone);
  assertEquals(clock.timersWaiting, 0);
});

Deno.test("who publishes waits while too much waits for the disk; all others are served, and nobody is closed", async () => {
  const memory = openMemoryStore({ serverId: "s-1" });
  let hasRoom = true;
  const store = new Proxy(memory, {
    get(inner, name: keyof Store) {
      if (name === "hasRoom") return hasRoom;
      const value = inner[name];
      return typeof value === "function" ? (value as () => unknown).bind(inner) : value;
    },
  });
  const world = await NodeWorld.start({}, { store });
  const login = { command: "LOGIN", username: "anonymous", features: ["ack"] };
  const [publisher, other] = [await world.connect(login), await world.connect(login)];
  const publish = (n: number) => publisher.send({ command: "ACTIVITY_MESSAGE", activity: { n }, messageId: `m-${n}` });
  publish(1);
  await world.settle();
  hasRoom = false;
  publish(2);
  publisher.send({ command: "LIST_USERS", scope: "all" });
  for (let second = 0; second < 5; second++) {
    other.send({ command: "LIST_USERS", scope: "all" });
    await world.clock.run(1_000);
  }
  const acknowledged = () =>
    publisher.received.filter(({ command }) => command === "ACTIVITY_ACK").map(({ messageId }) => messageId);
  assertEquals(acknowledged(), ["m-1"]);
  assertEquals(other.commands.filter((command) => command === "USER_LIST").length, 5);
  assertEquals([publisher.end, other.end], [undefined, undefined]);
  // Somebody new comes in, and only then has something for the log.
  const late = await world.connect(login);
  assertEquals(late.commands.includes("LOGIN_SUCCESS"), true);
  hasRoom = true;
  await world.clock.run(100);
  assertEquals(acknowledged(), ["m-1", "m-2"]);
  assertEquals(publisher.commands.at(-1), "USER_LIST");
  await world.stop();
});

/** A server at which looking up a message id takes `lookMs`, and how long its longest turn was. */
async function slowWorld(lookMs: number) {
  const turn = { ms: 0, longestMs: 0 };
  const take: { now?: (ms: number) => void } = {};
  const memory = openMemoryStore({ serverId: "s-1" });
  const store = new Proxy(memory, {
    get(target, name: keyof Store) {
      const value = target[name];
      if (typeof value !== "function") return value;
      return (...args: never[]) => {
        if (name === "usedMessageId") {
          turn.ms += lookMs;
          take.now?.(lookMs);
        }
        return (value as (...args: never[]) => unknown).apply(target, args);
      };
    },
  });
  const world = await NodeWorld.start({}, { store });
  take.now = (ms) => world.clock.take(ms);
  await world.register("anna");
  world.clock.onRead(() => {
    turn.longestMs = Math.max(turn.longestMs, turn.ms);
    turn.ms = 0;
  });
  return { world, turn };
}

const LOGIN = { command: "LOGIN", username: "anna", secret: "anna", features: ["ack", "chat"] };
const MESSAGES = Array.from({ length: 200 }, (_, n) => {
  return { command: "DIRECT_MESSAGE", to: "anna", text: `${n}`, messageId: `m-${n}` };
});

Deno.test("a packet of slow lines is taken in shares: others are answered in between, and its own order is kept", async () => {
  const { world, turn } = await slowWorld(3);
  const anna = await world.connect(LOGIN);
  await world.endAllDerivations();
  const other = await world.connect({ command: "LOGIN", username: "anonymous", features: ["heartbeat"] });
  const receipts = () => anna.received.filter(({ command }) => command === "RECEIPT").map(({ messageId }) => messageId);
  const answered = () => other.commands.filter((command) => command === "HEARTBEAT_ACK").length;
  /** How far anna was each time that the other one was answered. */
  const seen: number[] = [];
  const stopAsking = world.clock.onRead(() => {
    if (answered() < seen.length || receipts().length === MESSAGES.length) return;
    seen.push(receipts().length);
    other.send({ command: "HEARTBEAT", sequence: seen.length });
  });
  anna.send(...MESSAGES, { command: "LOGOUT" });
  await world.clock.run(2_000);
  stopAsking();
  assert(seen.filter((count) => count > 0 && count < MESSAGES.length).length > 5, `answered after ${seen}`);
  assertEquals(receipts(), MESSAGES.map(({ messageId }) => messageId));
  assertEquals(anna.end !== undefined, true, "the LOGOUT behind them counts");
  assert(turn.longestMs <= 50, `a turn of ${turn.longestMs} ms`);
  await world.stop();
});

Deno.test("many connections with slow packets at once: a turn still has an end, and each of them gets its share", async () => {
  const { world, turn } = await slowWorld(3);
  const many = [];
  for (let n = 0; n < 30; n++) many.push(await world.connect(LOGIN));
  await world.endAllDerivations();
  turn.longestMs = 0;
  for (const [index, client] of many.entries()) {
    client.send(
      ...MESSAGES.slice(0, 40).map((message) => ({ ...message, messageId: `${index}-${message.messageId}` })),
    );
  }
  await world.clock.run(1_000);
  const counts = many.map(({ commands }) => commands.filter((command) => command === "RECEIPT").length);
  assert(Math.max(...counts) - Math.min(...counts) <= 20, `served ${counts}`);
  await world.clock.run(20_000);
  // A line each for those whose turn came when it was used up, and then the share of those that wait.
  assert(turn.longestMs <= 60 + 30 * 3 + 48, `a turn of ${turn.longestMs} ms`);
  for (const { commands } of many) assertEquals(commands.filter((command) => command === "RECEIPT").length, 40);
  await world.stop();
});

Deno.test("a client that does not take its answers gets no more of them before it does, and nothing is lost", async () => {
  const world = await NodeWorld.start({ limits: { maxPendingBytes: 16_384 } });
  for (let n = 0; n < 60; n++) await world.register(`somebody with a rather long name, number ${n}`);
  const client = await world.connect({ command: "LOGIN", username: "anonymous", features: ["ack"] });
  client.link.pause();
  client.send(...Array.from({ length: 1_500 }, () => ({ command: "LIST_USERS", scope: "all" })));
  await world.clock.run(1_000);
  const waiting = (client.link as FakeLink).peer.pendingBytes;
  assert(waiting < 4 * 16_384, `${waiting} bytes wait`);
  client.link.resume();
  await world.clock.run(60_000);
  assertEquals(client.commands.filter((command) => command === "USER_LIST").length, 1_500);
  await world.stop();
});
