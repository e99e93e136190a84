/** What a chat begins with, on a fake world: what was said before, then what was missed, each once. */

import { assertEquals } from "@std/assert";
import type { ClientEvent } from "../../../../client/options.ts";
import { Chat } from "../../../../client/terminal/chat/chat.ts";
import { KeptHistory } from "../../../../client/terminal/chat/history_file.ts";
import type { ChatView } from "../../../../client/terminal/screen/screen.ts";
import { ClientWorld } from "../../../support/client_world.ts";
import { FakeStdio } from "../../../support/fake_stdio.ts";

/** A chat at a server where so much was said before. */
class ChatWorld extends ClientWorld {
  readonly shown: string[] = [];
  chat: Chat | undefined;

  constructor(said: number) {
    super();
    this.server.accounts.set("ada", "x");
    for (let n = 1; n <= said; n++) this.server.publish({ text: `text ${n}` });
  }

  /** Ada talks. Gives how to leave. */
  async talk(last?: number, canAsk = true): Promise<() => Promise<void>> {
    const view: ChatView = {
      run: (_, until) => until,
      show: (text) => void this.shown.push(text.replace(/^\d\d:\d\d:\d\d {2}/, "")),
      mend: () => false,
      prompt: () => {},
      ask: () => false,
    };
    const parts = { stdio: new FakeStdio([], canAsk), clock: this.clock, args: { last } };
    const chat = this.chat = new Chat(parts, view, new KeptHistory(undefined, () => {}));
    const onEvent = (event: ClientEvent) => chat.onEvent(event);
    const client = await this.connected({ username: "ada", secret: "x", onEvent });
    const running = chat.run(client);
    await this.clock.run(20);
    return async () => {
      chat.leave();
      await running;
      await this.closed(client);
      chat.tellLeft();
    };
  }

  /** The rows without those that say a day. */
  get rows(): string[] {
    return this.shown.filter((row) => !/^── \S+day/.test(row));
  }
}

function texts(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `other  text ${first + index}`);
}

Deno.test("a chat begins with the last 20 things that were said, marked, and then goes on live", async () => {
  const world = new ChatWorld(25);
  const leave = await world.talk();
  world.server.publish({ text: "live" });
  await world.clock.run(20);
  assertEquals(world.rows, ["── said before ──", ...texts(6, 25), "── now ──", "other  live"]);
  assertEquals(world.chat!.names().includes("other"), true);
  await leave();
});

Deno.test("a chat begins with as much as is wanted, and with nothing where there is nothing", async () => {
  for (const [said, last, first] of [[5, 2, 4], [5, 0, 6], [0, undefined, 1], [3, 9, 1]] as const) {
    const world = new ChatWorld(said);
    const leave = await world.talk(last);
    const rows = texts(first, said);
    assertEquals(world.rows, rows.length === 0 ? [] : ["── said before ──", ...rows, "── now ──"]);
    await leave();
  }
});

Deno.test("a chat in a pipe shows no past that nobody asked for", async () => {
  const world = new ChatWorld(5);
  const leave = await world.talk(undefined, false);
  assertEquals(world.rows, []);
  await leave();
  const asked = new ChatWorld(5);
  const leaveAsked = await asked.talk(1, false);
  assertEquals(asked.rows, ["── said before ──", "other  text 5", "── now ──"]);
  await leaveAsked();
});

Deno.test("what a login brings is shown once, after the past, and so are messages that waited", async () => {
  const world = new ChatWorld(4);
  world.server.write("ada", "at five?", "bob");
  // Its user had lost a connection after the second: the server begins there.
  world.server.onLine = (connection, { command, features }) => {
    if (command !== "LOGIN") return false;
    Object.assign(connection, { user: "ada", features });
    const line = (n: number, rest: object) => ({ id: `s:${n}`, lamport: n, sentAt: 1_000_000 + n, ...rest });
    const activity = (n: number) =>
      line(n, {
        command: "ACTIVITY_BROADCAST",
        activity: { text: `text ${n}`, authenticated_user: "other" },
      });
    const resume = { vector: { s: 2 }, replayed: 0 };
    connection.send(
      { command: "LOGIN_SUCCESS", info: "", features, serverId: "s", lamport: 1, resume },
      line(5, { command: "DIRECT_MESSAGE", from: "bob", to: "ada", text: "at five?", offline: true }),
      ...[activity(3), activity(4), { command: "CAUGHT_UP", vector: { s: 5 } }],
    );
    return true;
  };
  const leave = await world.talk();
  const missed = [...texts(3, 4), "bob → you  at five?"];
  const first = ["── said before ──", ...texts(1, 2), "── now ──", "1 message while you were away"];
  assertEquals([world.rows.slice(0, 5), world.rows.slice(5).toSorted()], [first, missed.toSorted()]);
  await leave();
});

Deno.test("a chat does not wait for a server that tells no past", async () => {
  const older = new ChatWorld(3);
  older.server.features = ["ack", "resume", "chat", "presence"];
  const leaveOlder = await older.talk();
  older.server.publish({ text: "live" });
  await older.clock.run(20);
  assertEquals(older.rows, ["other  live"]);
  await leaveOlder();

  const silent = new ChatWorld(3);
  silent.server.write("ada", "at five?", "bob");
  silent.server.onLine = (_, { command }) => command === "HISTORY";
  const leave = await silent.talk();
  silent.server.publish({ text: "live" });
  await silent.clock.run(100);
  assertEquals(silent.rows, []);
  await silent.clock.run(3_000);
  assertEquals(silent.rows, ["1 message while you were away", "other  live", "bob → you  at five?"]);
  await leave();
});

Deno.test("who leaves before the past has come is shown what counts as delivered", async () => {
  const world = new ChatWorld(3);
  world.server.write("ada", "at five?", "bob");
  world.server.onLine = (_, { command }) => command === "HISTORY";
  const leave = await world.talk();
  await leave();
  assertEquals(world.rows, ["1 message while you were away"]);
});

Deno.test("what is said while a channel is joined is shown once, behind what was said there before", async () => {
  const world = new ChatWorld(0);
  const { server } = world;
  server.features = [...server.features, "channels"];
  const said = (n: number, more = {}) => {
    const activity = { text: `text ${n}`, authenticated_user: "other" };
    return { command: "ACTIVITY_BROADCAST", activity, id: `s:${n}`, lamport: n, sentAt: 1, channel: "lab", ...more };
  };
  server.onLine = (connection, { command, channel }) => {
    // Two come between the subscription and the page, of which the second came too late for that.
    if (command === "SUBSCRIBE") {
      connection.send({ command: "SUBSCRIBED", channels: ["lab"], vector: { s: 1 } }, said(2), said(3));
    } else if (command === "HISTORY" && channel === "lab") {
      const past = [1, 2].map((n) => said(n, { past: true }));
      connection.send(...past, { command: "HISTORY_PAGE", past: true, count: 2, more: false }, said(4));
    } else return false;
    return true;
  };
  const leave = await world.talk();
  world.chat!.submitted("/join lab");
  await world.clock.run(50);
  assertEquals(world.rows.filter((row) => !row.includes("day,")), [
    "Joined #lab",
    "── said before in #lab ──",
    ...[1, 2].map((n) => `#lab  other  text ${n}`),
    "── now ──",
    ...[3, 4].map((n) => `#lab  other  text ${n}`),
  ]);
  await leave();
});
