/** Channels in a chat, at real servers: what is typed, what is said where, and what is shown. */

import { assertEquals } from "@std/assert";
import { Chat } from "../../../../client/terminal/chat/chat.ts";
import { KeptHistory } from "../../../../client/terminal/chat/history_file.ts";
import type { ChatView } from "../../../../client/terminal/screen/screen.ts";
import { type Client, connect, type ConnectOptions, serve } from "../../../../mod.ts";
import { realClock } from "../../../../platform/real_clock.ts";
import { FakeStdio } from "../../../support/fake_stdio.ts";
import { eventually, until } from "../../../support/until.ts";

const SERVER = {
  server: { host: "127.0.0.1", port: 0 },
  store: { ephemeral: true },
  cluster: { secret: "abc", drainMs: 0, rebalance: false },
};

/** One person's chat. */
class Talk implements AsyncDisposable {
  readonly shown: string[] = [];
  /** For which channel it is what is typed. */
  place = "";
  readonly chat: Chat;
  readonly stdio: FakeStdio;
  #client!: Client;
  #running!: Promise<void>;

  private constructor(last: number | undefined, isPiped: boolean) {
    const view: ChatView = {
      run: (_, until) => until,
      show: (text) => void this.shown.push(text.replaceAll(/^\d\d:\d\d:\d\d {2}/gm, "")),
      mend: () => false,
      prompt: (channel) => this.place = channel,
      ask: () => false,
    };
    this.stdio = new FakeStdio([], !isPiped);
    const parts = { stdio: this.stdio, clock: realClock, args: { last } };
    this.chat = new Chat(parts, view, new KeptHistory(undefined, () => {}));
  }

  static async begin(options: ConnectOptions, { last = 20, isPiped = false } = {}): Promise<Talk> {
    const talk = new Talk(last, isPiped);
    talk.#client = await connect({ ...options, onEvent: talk.chat.onEvent });
    talk.#running = talk.chat.run(talk.#client);
    // Nothing is said before it reads.
    await talk.#client.history({ limit: 1 });
    return talk;
  }

  type(...lines: string[]): void {
    for (const line of lines) this.chat.submitted(line);
  }

  async shows(...rows: string[]): Promise<void> {
    const news = () => this.shown.filter((row) => !/joined$|^── \S+day/.test(row));
    await eventually(() => news().length >= rows.length, () => `${rows.join(" | ")}; there is ${news().join(" | ")}`);
    assertEquals(news(), rows);
    this.shown.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.chat.leave();
    await this.#running;
    await this.#client.close();
  }
}

Deno.test("a joined channel begins with what was said there, and what is typed goes there, until it is left", async () => {
  await using server = await serve(SERVER);
  const at = { host: server.host, port: server.port };
  await using sender = await connect(at);
  for (let n = 1; n <= 22; n++) await sender.publish({ text: `text ${n}` }, { channel: "lab" });
  await using talk = await Talk.begin(at);
  talk.type("/join lab");
  const past = Array.from({ length: 20 }, (_, n) => `#lab  anonymous  text ${n + 3}`);
  await talk.shows("Joined #lab", "── said before in #lab ──", ...past, "── now ──");
  assertEquals(talk.place, "#lab");
  const lab = sender.activities({ channels: ["", "lab"] });
  await sender.publish({ n: 0 });
  await talk.shows('anonymous  {"n":0}');
  talk.type("hello", '{"a": 1}');
  await talk.shows("#lab  anonymous  hello", '#lab  anonymous  {"a": 1}');
  talk.type("/join");
  await talk.shows("You talk to everyone, and read #lab, too");
  assertEquals(talk.place, "");
  talk.type("hello all");
  await talk.shows("anonymous  hello all");
  talk.type("#lab hello lab");
  await talk.shows("#lab  anonymous  hello lab");
  talk.type("/leave lab");
  await talk.shows("Left #lab");
  talk.type("#lab psst");
  await talk.shows("anonymous → #lab  psst  ✓ stored");
  const heard: unknown[] = [];
  for await (const { activity, channel = "" } of lab) {
    heard.push([channel, activity]);
    if (activity.text === "psst") break;
  }
  assertEquals(heard, [
    ["", { n: 0 }],
    ["lab", { text: "hello" }],
    ["lab", { a: 1 }],
    ["", { text: "hello all" }],
    ["lab", { text: "hello lab" }],
    ["lab", { text: "psst" }],
  ]);
});

Deno.test("what several joined patterns stand for is shown once, and goes on when one of them is left", async () => {
  await using server = await serve(SERVER);
  const at = { host: server.host, port: server.port };
  await using sender = await connect(at);
  await sender.publish({ n: 1 }, { channel: "lab/door" });
  await using talk = await Talk.begin(at);
  talk.type("/join lab/**");
  await talk.shows(
    "Joined #lab/**; to say something there, type #NAME text",
    ...["── said before in #lab/** ──", '#lab/door  anonymous  {"n":1}', "── now ──"],
  );
  // Nothing can be said in a pattern.
  assertEquals([talk.place, talk.chat.channels()], ["", ["lab/**", "lab/door"]]);
  talk.type("/join #lab/door");
  await talk.shows("Joined #lab/door");
  talk.type("one");
  await talk.shows("#lab/door  anonymous  one");
  talk.type("/leave");
  await talk.shows("Left #lab/door");
  assertEquals(talk.place, "");
  talk.type("#lab/door two");
  await talk.shows("#lab/door  anonymous  two");
  talk.type("/leave lab/**", "/leave lab/**", "/leave", "#a//b hi");
  await talk.shows(
    "Left #lab/**",
    "not sent: /leave lab/**\nYou are not in #lab/**",
    "not sent: /leave\nYou talk to everyone; /leave NAME leaves a channel",
    "not sent: #a//b hi\nThe name of a channel has an empty level",
  );
});

Deno.test("a channel that cannot be read says why in one line, and what is typed for it goes to nobody else", async () => {
  await using server = await serve({ ...SERVER, limits: { maxChannelsPerClient: 2 } });
  const at = { host: server.host, port: server.port };
  await using other = await connect(at);
  const activities = other.activities();
  await using talk = await Talk.begin(at);
  talk.type("/join lab");
  await talk.shows("Joined #lab");
  talk.type("/join hall", "for hall");
  await talk.shows(
    "Cannot read #hall: a client may read 2 channels and patterns; /join alone leads back to everyone",
    "anonymous → #hall  for hall  ✓ stored",
  );
  assertEquals(talk.place, "#hall");
  await using older = await Talk.begin({ ...at, features: ["ack", "resume", "chat", "history"] });
  older.type("/join lab", "for lab");
  await older.shows(
    "not sent: for lab\nthis server is of an earlier version, and knows no channels",
    "Cannot read #lab: this server is of an earlier version, and knows no channels; /join alone leads back to everyone",
  );
  older.type("/join", "for all");
  await older.shows("You talk to everyone", "anonymous  for all");
  assertEquals((await activities.next()).value.activity, { text: "for all" });
});

Deno.test("a chat in a pipe says in channels what its lines say, and fails when it could not read one", async () => {
  await using server = await serve({ ...SERVER, limits: { maxChannelsPerClient: 2 } });
  const at = { host: server.host, port: server.port };
  await using sender = await connect(at);
  await sender.publish({ n: 1 }, { channel: "lab" });
  await using talk = await Talk.begin(at, { last: 0, isPiped: true });
  talk.type("/join lab", "one", "/join hall", "two");
  await talk.chat.settled();
  await until(() => talk.shown.length === 2, "the echo of the first line");
  assertEquals(talk.shown.toSorted(), ["#lab  anonymous  one", "anonymous → #hall  two  ✓ stored"]);
  assertEquals(talk.stdio.told.trimEnd().split("\n").toSorted(), [
    "Cannot read #hall: a client may read 2 channels and patterns; /join alone leads back to everyone",
    "Joined #lab",
  ]);
  assertEquals(
    talk.chat.failure("x")?.message,
    "Cannot read these channels: a client may read 2 channels and patterns",
  );
});
