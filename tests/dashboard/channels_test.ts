/** Channels in the page: what is read, asked for and remembered, where a text goes, what is shown and counted. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as page from "../../dashboard/client/channels/channel_name.js";
import { Joined, MAX_JOINED, readJoin } from "../../dashboard/client/channels/joined.js";
import { readChannels, writeChannels } from "../../dashboard/client/channels/kept_channels.js";
import { changesAt, isAt, placeFor } from "../../dashboard/client/channels/places.js";
import { targetOf } from "../../dashboard/client/channels/target.js";
import { Unread } from "../../dashboard/client/channels/unread.js";
import { readAddressed } from "../../dashboard/client/addressed.js";
import { MAX_ROWS, StreamModel } from "../../dashboard/client/stream_model.js";
import type { SessionEffect } from "../../dashboard/client/session_types.js";
import * as protocol from "../../protocol/channels/channel_name.ts";
import { activityIds, ANNA, broadcast, commands, FEATURES, Page, written } from "./_page.ts";

const FIRST_HISTORY = { command: "HISTORY", limit: 20 };

function join(one: Page, channel: string): Record<string, unknown>[] {
  return written(one.take({ kind: "join", channel }));
}

/** The server has done what it was asked. */
function answer(one: Page, command: string, channel: string, vector: object = {}): SessionEffect[] {
  return one.line({ command, channels: [channel], vector });
}

/** Logged in, its first page of the past answered. */
function live(channels?: unknown): Page {
  const one = new Page();
  one.signIn(ANNA, { channels });
  one.loggedIn();
  one.line({ command: "CAUGHT_UP", vector: {} });
  one.line({ command: "HISTORY_PAGE", past: true, count: 0, more: false });
  one.pass(1);
  return one;
}

function notes(effects: readonly SessionEffect[]): string[] {
  return effects.flatMap((effect) => effect.kind === "note" ? [effect.text] : []);
}

Deno.test("names and patterns of channels mean in the page what they mean at a server", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    "é",
    "e\u0301",
    "/",
    "*",
    "**",
    "/*",
    "/**",
    "//",
    " ",
    "\n",
    "\ud800",
    "x".repeat(127),
  );
  const text = fc.array(piece, { maxLength: 5 }).map((pieces) => page.normalName(pieces.join("")));
  fc.assert(
    fc.property(text, text, (one, other) => {
      assertEquals(one, protocol.normalName(one));
      assertEquals(page.channelProblem(one), protocol.channelProblem(one));
      assertEquals(page.patternProblem(one), protocol.patternProblem(one));
      if (protocol.patternProblem(one) !== undefined) return;
      assertEquals(page.isPattern(one), protocol.readPattern(one).kind !== "name");
      for (const name of [other, ""]) {
        assertEquals(page.matches(one, name), protocol.matches(one, name), `${one} ${name}`);
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a channel that is joined is asked for with its past, and named by every later login", () => {
  const one = live();
  assertEquals(join(one, "lab"), [{ command: "SUBSCRIBE", channels: ["lab"], history: 20 }]);
  assertEquals(join(one, "lab"), []);
  one.line(broadcast("a:3", { channel: "lab", past: true }));
  assertEquals(one.line({ command: "HISTORY_PAGE", past: true, count: 1, more: false })[0]?.kind, "past");
  answer(one, "SUBSCRIBED", "lab", { a: 5 });
  // It was not for this page, or is in the past that came.
  assertEquals(one.session.talk.vector, { a: 5 });
  assertEquals(activityIds(one.line(broadcast("a:6", { channel: "lab" }))), ["a:6"]);
  one.close();
  one.untilDialing();
  const [login] = written(one.take({ kind: "opened" }));
  assertEquals([login?.channels, login?.resume], [["", "lab"], { vector: { a: 6 } }]);
  // The login has named it: nothing is asked for again.
  assertEquals(commands(one.loggedIn()).includes("SUBSCRIBE"), false);
});

Deno.test("a page without channels says nothing of them, and a plain client never does", () => {
  const one = live();
  assertEquals("channels" in written(one.effects)[0]!, false);
  const plain = new Page();
  plain.signIn({ ...ANNA, isPlain: true }, { channels: ["lab"] });
  assertEquals(Object.keys(written(plain.effects)[0]!), ["command", "username", "secret"]);
});

Deno.test("what is joined or left while there is no connection, or while a login is answered, is made good", () => {
  const one = live(["old"]);
  one.close();
  assertEquals([...join(one, "new"), ...written(one.take({ kind: "leaveChannel", channel: "old" }))], []);
  one.untilDialing();
  assertEquals(written(one.take({ kind: "opened" }))[0]?.channels, ["", "new"]);
  join(one, "late");
  one.take({ kind: "leaveChannel", channel: "new" });
  const asked = written(one.loggedIn()).filter(({ command }) => String(command).endsWith("SUBSCRIBE"));
  assertEquals(asked, [
    { command: "SUBSCRIBE", channels: ["late"], history: 20 },
    { command: "UNSUBSCRIBE", channels: ["new"] },
  ]);
});

Deno.test("a channel that is refused is told, and not wanted any more; what was not asked is not taken for it", () => {
  const one = live();
  join(one, "lab");
  join(one, "hall");
  const told = one.line({ command: "SUBSCRIBE_FAILED", reason: "NOT_ALLOWED", info: "anna may not read lab" });
  assertEquals(notes(told), ["Not joined: #lab. Anna may not read lab."]);
  assert(told.some((effect) => effect.kind === "channels" && effect.channels.join() === "hall"));
  assertEquals([one.session.talk.pastOf("lab").isAsking, one.session.talk.pastOf("hall").isAsking], [false, true]);
  // The page of hall comes behind that, and is hall's.
  one.line(broadcast("a:1", { channel: "hall", past: true }));
  const page = one.line({ command: "HISTORY_PAGE", past: true, count: 1, more: false });
  assert(page[0]?.kind === "past" && page[0].activities[0]?.channel === "hall");
  answer(one, "SUBSCRIBED", "hall");
  assertEquals(one.session.saved?.channels, ["hall"]);
  // Somebody has tried that by hand.
  assertEquals(notes(one.line({ command: "SUBSCRIBE_FAILED", reason: "TOO_MANY_CHANNELS", info: "too many" })), []);
  assertEquals(one.session.saved?.channels, ["hall"]);
});

Deno.test("a channel that was left and joined again is not lost by the answer to the first time", () => {
  const one = live();
  join(one, "lab");
  one.take({ kind: "leaveChannel", channel: "lab" });
  join(one, "lab");
  const failed = { command: "SUBSCRIBE_FAILED", reason: "TOO_MANY_CHANNELS", info: "too many" };
  assertEquals(notes(one.line(failed)), []);
  answer(one, "UNSUBSCRIBED", "lab");
  answer(one, "SUBSCRIBED", "lab");
  assertEquals(one.session.saved?.channels, ["lab"]);
});

Deno.test("channels that a user may not read any more are told of at the login, and left", () => {
  const one = new Page();
  one.signIn(ANNA, { channels: ["lab", "hall"] });
  const told = one.loggedIn({ refused: ["lab"] });
  assertEquals(notes(told), ["Not joined: #lab. You may not read it."]);
  const all = new Page();
  all.signIn(ANNA);
  const none = all.loggedIn({ refused: [""] });
  assertEquals([notes(none), commands(none).includes("HISTORY")], [["You may not read what is for everyone."], false]);
  // The server knows that.
  assertEquals(commands(told).includes("UNSUBSCRIBE"), false);
  assertEquals(one.session.saved?.channels, ["hall"]);
});

Deno.test("a server that takes fewer channels than are remembered is asked for each by itself", () => {
  const one = new Page();
  one.signIn(ANNA, { channels: ["lab", "hall"] });
  one.line({ command: "LOGIN_FAILED", reason: "TOO_MANY_CHANNELS", info: "a client may read 2" });
  assertEquals(written(one.take({ kind: "opened" }))[0]?.channels, undefined);
  const asked = written(one.loggedIn()).filter(({ command }) => command === "SUBSCRIBE");
  assertEquals(asked.map(({ channels }) => channels), [["lab"], ["hall"]]);
  one.line({ command: "HISTORY_PAGE", past: true, count: 0, more: false });
  answer(one, "SUBSCRIBED", "lab");
  one.line({ command: "SUBSCRIBE_FAILED", reason: "TOO_MANY_CHANNELS", info: "a client may read 2" });
  assertEquals(one.session.saved?.channels, ["lab"]);
  // Where not even that helps, it is no loop.
  const none = new Page();
  none.signIn();
  none.line({ command: "LOGIN_FAILED", reason: "TOO_MANY_CHANNELS", info: "a client may read 0" });
  assertEquals(none.kind, "signedOut");
});

Deno.test("at a server that knows no channels nothing of them is asked or said, and they are kept for the next", () => {
  const one = new Page();
  one.signIn(ANNA, { channels: ["lab"] });
  const features = FEATURES.filter((feature) => feature !== "channels");
  one.loggedIn({ features });
  assertEquals([one.session.talk.hasChannels, one.session.saved?.channels], [false, ["lab"]]);
  const refused = one.take({ kind: "say", messageId: "m", to: undefined, text: "{}", channel: "lab" });
  assertEquals(commands(refused), []);
  assert(refused.some((effect) => effect.kind === "refused" && effect.info.includes("knows no channels")));
  assertEquals(written(one.take({ kind: "earlier", before: undefined, place: "lab" })), []);
  assertEquals(notes(one.take({ kind: "join", channel: "hall" })).length, 1);
});

Deno.test("a publication names its channel, again on the next connection, and never a refused one", () => {
  const one = live(["lab"]);
  const said = { kind: "say", messageId: "m", to: undefined, text: '{"n":1.0}', channel: "lab" } as const;
  const [line] = one.take(said).flatMap((effect) => effect.kind === "write" ? [effect.line] : []);
  assertEquals(line, '{"command":"ACTIVITY_MESSAGE","messageId":"m","lamport":7,"channel":"lab","activity":{"n":1.0}}');
  one.close();
  one.untilDialing();
  one.take({ kind: "opened" });
  const again = written(one.loggedIn()).find(({ command }) => command === "ACTIVITY_MESSAGE");
  assertEquals(again?.channel, "lab");
  const told = one.line({ command: "ACTIVITY_FAILED", messageId: "m", reason: "CHANNELS_LATER", info: "try later" });
  assertEquals(told[0], { kind: "refused", messageId: "m", info: "try later" });
});

Deno.test("what the page has left does not come back to it, and is said to be stored all the same", () => {
  const one = live(["lab"]);
  one.take({ kind: "say", messageId: "m", to: undefined, text: "{}", channel: "lab" });
  one.take({ kind: "leaveChannel", channel: "lab" });
  const [stored] = one.line({ command: "ACTIVITY_ACK", messageId: "m", id: "a:1" });
  assert(stored?.kind === "stored" && stored.isLast === true);
  const model = new StreamModel();
  model.take({ kind: "sent", messageId: "m", to: undefined, text: "{}", channel: "lab" }, "anna");
  model.take(stored, "anna");
  assertEquals([model.pending.length, model.rows.map(({ channel, mark }) => [channel, mark])], [0, [[
    "lab",
    "stored",
  ]]]);
});

Deno.test("POSITION moves the page's vector, but not while missed entries are to come", () => {
  const one = new Page();
  one.signIn(ANNA, { saved: { username: "anna", received: { vector: { a: 1 } }, lamport: 0, outbox: [] } });
  one.loggedIn({ resume: { vector: { a: 9 }, replayed: 1 } });
  one.line({ command: "POSITION", vector: { a: 9 } });
  assertEquals(one.session.talk.vector, { a: 1 });
  one.line({ command: "CAUGHT_UP", vector: { a: 9 } });
  one.line({ command: "POSITION", vector: { a: 7, b: 2 } });
  assertEquals(one.session.talk.vector, { a: 9, b: 2 });
});

Deno.test("with channels alone in force, what was missed is over when the server says so, and not by its count", () => {
  const one = new Page();
  one.signIn(ANNA, {
    channels: ["lab"],
    saved: { username: "anna", received: { vector: { a: 1 } }, lamport: 0, outbox: [] },
  });
  one.loggedIn({ features: ["resume", "channels"], resume: { vector: { a: 9 }, replayed: 1 } });
  one.line(broadcast("a:2"));
  assertEquals(one.session.talk.vector, { a: 2 });
});

Deno.test("the past of a channel is asked for by its name, from the oldest that is shown of it on", () => {
  const one = live(["lab/**"]);
  assert(one.session.talk.lacksPast("lab/**"));
  assertEquals(written(one.take({ kind: "earlier", before: undefined, place: "lab/**" })), [
    { ...FIRST_HISTORY, channel: "lab/**" },
  ]);
  assertEquals(one.session.talk.lacksPast("lab/**"), false);
  one.line({ command: "HISTORY_PAGE", past: true, count: 0, more: true, before: "a:9" });
  assertEquals(written(one.take({ kind: "earlier", before: "a:9", place: "lab/**" })), [
    { command: "HISTORY", limit: 50, before: "a:9", channel: "lab/**" },
  ]);
  one.line({ command: "HISTORY_FAILED", reason: "NOT_ALLOWED", info: "anna may not read it" });
  assertEquals([one.session.talk.pastOf("lab/**").problem, one.session.talk.past.problem], [
    "anna may not read it",
    "",
  ]);
});

Deno.test("what a browser has kept is taken only as far as it can be joined", () => {
  const kept = ["lab", "lab", "", 7, "a//b", "e\u0301", ...Array.from({ length: 200 }, (_, n) => `c/${n}`)];
  const { all } = new Joined(kept);
  assertEquals([all.slice(0, 3), all.length], [["lab", "é", "c/0"], MAX_JOINED]);
  for (const junk of [undefined, null, "lab", { lab: 1 }]) assertEquals(new Joined(junk).all, []);
});

Deno.test("channels are kept for each user by itself, of a bounded number of users, and in spite of junk", () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  writeChannels(storage, "anna", ["lab"]);
  writeChannels(storage, "bob", ["hall"]);
  assertEquals([readChannels(storage, "anna"), readChannels(storage, "eve")], [["lab"], undefined]);
  writeChannels(storage, "anna", []);
  assertEquals(readChannels(storage, "anna"), undefined);
  for (let n = 0; n < 30; n++) writeChannels(storage, `user ${n}`, ["lab"]);
  assertEquals([readChannels(storage, "bob"), readChannels(storage, "user 29")], [undefined, ["lab"]]);
  for (const junk of ["", "{}", "[1,[2]]", "[["]) {
    kept.set("thrum-channels", junk);
    assertEquals(readChannels(storage, "anna"), undefined);
  }
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error("it is full");
    },
  };
  writeChannels(full, "anna", ["lab"]);
});

Deno.test("what is typed to join is a name or a pattern, with or without its sign", () => {
  assertEquals(readJoin(" #lab/** ", []), { pattern: "lab/**" });
  assertEquals(readJoin("e\u0301", []), { pattern: "é" });
  for (const typed of ["", " ", "#", "a//b", "a*b", "/a", "a\n"]) {
    assert("problem" in readJoin(`${typed}`, []) || typed === "a\n");
  }
  const many = Array.from({ length: MAX_JOINED }, (_, n) => `c/${n}`);
  assert("problem" in readJoin("one more", many));
  assertEquals(readJoin("c/7", many), { pattern: "c/7" });
});

const KNOWN = {
  isUser: (name: string) => ["bob", "#odd"].includes(name),
  isRead: (name: string) => page.matches("lab/**", name),
};

Deno.test("a text goes where the place says, unless it says otherwise; where that is not clear, to nobody", () => {
  const target = (to: string, place: string) => {
    const one = targetOf(to, place, KNOWN);
    return one.kind === "channel" ? [one.channel] : one.kind === "user" ? one.to : undefined;
  };
  assertEquals([target("", ""), target("", "lab"), target(" ", "lab/door")], [[""], ["lab"], ["lab/door"]]);
  assertEquals([target("everyone", "lab"), target("#lab/door", ""), target("bob", "lab")], [[""], ["lab/door"], "bob"]);
  // A user may be called so.
  assertEquals(target("#odd", "lab"), "#odd");
  for (
    const [to, place] of [["", "lab/**"], ["", "hall"], ["#hall", ""], ["#", "lab"], ["#a//b", ""], ["#lab/**", ""]]
  ) {
    assertEquals(target(to!, place!), undefined, `${to} at ${place}`);
  }
});

Deno.test("a text that begins with a channel is for that channel, and not for a user, nor for everyone", () => {
  const read = (typed: string) => readAddressed(typed, KNOWN.isUser, (name) => name === "the lab");
  assertEquals(read("#lab/door it is open"), { kind: "channel", channel: "lab/door", text: "it is open" });
  assertEquals(read("#lab a: b"), { kind: "channel", channel: "lab", text: "a: b" });
  assertEquals(read("#odd: hello"), { kind: "direct", to: "#odd", text: "hello" });
  assertEquals(read("#the lab is open"), { kind: "channel", channel: "the lab", text: "is open" });
  assertEquals(read("#lab: it is open"), { kind: "channel", channel: "lab", text: "it is open" });
  for (const text of ["#lab", "#the lab", "#a//b text"]) assertEquals(read(text).kind, "mistake", text);
  for (const text of ["# lab", "## lab", "#"]) assertEquals(read(text), { kind: "say", text });
  assertEquals(read("//say #lab text").kind, "say");
  assertEquals(read("/say #lab text"), { kind: "say", text: "#lab text" });
});

Deno.test("a place shows its own activities, and what is for the person alone is shown at each", () => {
  const row = (kind: "activity" | "direct" | "presence" | "note", channel = "") => ({ kind, channel });
  assert(isAt(row("activity"), "") && !isAt(row("activity"), "lab") && isAt(row("activity"), "**"));
  assert(isAt(row("activity", "lab/door"), "lab/*") && !isAt(row("activity", "lab/door"), ""));
  for (const place of ["", "lab", "**"]) assert(isAt(row("direct"), place) && isAt(row("note"), place));
  assert(isAt(row("presence"), "") && !isAt(row("presence"), "lab"));
  assertEquals(placeFor("lab/door", "", ["**", "lab/**", "lab/*", "hall"]), "lab/**");
  assertEquals(placeFor("lab/door", "lab/*", ["lab/door"]), "lab/*");
  assertEquals([placeFor("lab", "", ["lab", "lab/**"]), placeFor("x", "lab", []), placeFor("", "lab", [])], [
    "lab",
    "lab",
    "",
  ]);
});

Deno.test("what is not shown is counted by channel, until somebody looks; what is seen, and the own, is not", () => {
  const unread = new Unread();
  const look = { isSeen: true, username: "anna", place: "" };
  const said = (channel: string, more: object = {}) => ({ kind: "activity", isOwn: false, channel, ...more });
  unread.take(said(""), look);
  unread.take(said("lab/door"), look);
  unread.take(said("lab"), look);
  unread.take(said("lab", { isOwn: true }), look);
  unread.take({ kind: "direct", from: "bob" }, look);
  for (const kind of ["past", "presence", "note", "sent", "stored"]) unread.take({ kind }, { ...look, isSeen: false });
  assertEquals([unread.of(""), unread.of("lab"), unread.of("lab/**"), unread.of("**"), unread.total], [0, 1, 2, 2, 2]);
  // While nobody sees the page, all is unread that others say.
  const hidden = { ...look, isSeen: false };
  unread.take(said(""), hidden);
  unread.take({ kind: "direct", from: "bob" }, hidden);
  unread.take({ kind: "direct", from: "anna" }, hidden);
  assertEquals([unread.of(""), unread.total], [1, 4]);
  unread.seen("");
  assertEquals(unread.total, 2);
  unread.keepOnly((channel) => channel !== "lab");
  assertEquals([unread.of("lab"), unread.total], [0, 1]);
  unread.seen("**");
  assertEquals(unread.total, 0);
  for (let n = 0; n < 2_000; n++) unread.take(said(`c/${n}`), look);
  assertEquals(unread.total, 1_000);
});

function activity(n: number, channel = "", more: object = {}) {
  return {
    ...{ kind: "activity" as const, id: `a:${n}`, user: "bob", activity: { text: `${n}` }, json: `{"text":"${n}"}` },
    ...{ lamport: n, at: n, messageId: undefined, isOwn: false, channel, ...more },
  };
}

Deno.test("a loud channel does not push a quiet one out of the page", () => {
  const model = new StreamModel();
  model.take(activity(1, "quiet"), "anna");
  for (let n = 2; n <= MAX_ROWS + 50; n++) model.take(activity(n, "loud"), "anna");
  assertEquals([model.rows.length, model.rows[0]?.channel, model.oldest("loud")?.id], [MAX_ROWS, "quiet", "a:52"]);
  assertEquals([model.oldest("quiet")?.id, model.oldest("hall"), model.oldest("**")?.id], ["a:1", undefined, "a:1"]);
});

Deno.test("the past of a channel is put where it belongs, once, between what was said elsewhere", () => {
  const model = new StreamModel();
  for (const n of [2, 5, 8]) model.take(activity(n), "anna");
  model.take(activity(9, "lab"), "anna");
  model.takeChanges();
  model.take({ kind: "past", activities: [3, 4, 9].map((n) => activity(n, "lab")), isFirst: false }, "anna");
  assertEquals(model.rows.map(({ lamport }) => lamport), [2, 3, 4, 5, 8, 9]);
  assert(model.takeChanges().isAnew);
  // Before all else: that can be put above.
  model.take({ kind: "past", activities: [activity(1)], isFirst: false }, "anna");
  const changes = model.takeChanges();
  assertEquals([changes.isAnew, changes.before.map(({ id }) => id)], [false, ["a:1"]]);
});

Deno.test("what changes at a place is what it shows", () => {
  const model = new StreamModel();
  model.take(activity(1, "lab"), "anna");
  model.take(activity(2), "anna");
  model.take({ kind: "note", tone: "plain", text: "a note", at: 1 }, "anna");
  const changes = model.takeChanges();
  assertEquals(changesAt(changes, "lab").added.map(({ kind, channel }) => [kind, channel]), [["activity", "lab"], [
    "note",
    "",
  ]]);
  assertEquals(changesAt(changes, "").added.length, 2);
});
