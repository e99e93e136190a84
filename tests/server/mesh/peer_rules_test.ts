/**
 * The table of docs/protocol.md, section 4.8, on a real server: every field of every message of a peer in every
 * wrong type and size. What is wrong ends the link, with a reason; nothing is stored, nothing is delivered, and
 * nobody else feels it.
 */

import { assert, assertEquals } from "@std/assert";
import type { Received } from "../../support/line_client.ts";
import { activityLine, FakePeer, MeshWorld, PORT, SECRET } from "../../support/mesh_world.ts";

/** A row of the table. */
interface Rule {
  readonly message: string;
  readonly field: string;
  readonly isOptional: boolean;
  /** In the words of the table. */
  readonly what: string;
}

/** The rows of the table. */
function rulesOf(text: string): Rule[] {
  const section = text.slice(text.indexOf("### 4.8"), text.indexOf("### 4.9"));
  const rules: Rule[] = [];
  let message = "";
  for (const line of section.split("\n").filter((line) => line.startsWith("| ") && line.includes("`"))) {
    const [name, cell, what] = line.split(" | ").map((cell) => cell.replace(/^\| ?| \|$/g, "").trim());
    if (name !== "") message = name!.replaceAll("`", "");
    const [, field, optional] = /^`(\w+)`(\??)$/.exec(cell!) ?? [];
    assert(field !== undefined, line);
    rules.push({ message, field, isOptional: optional === "?", what: what! });
  }
  return rules;
}

const NAME = ["", "two words", "x".repeat(65), "__proto__", 1, true, [], {}];
const USERNAME = ["", "a:b", "x".repeat(65), "two\nlines", "\ud800", 1, true, [], {}];
const DIGEST = "0123456789abcdef";
const WRONG_SERVERS = [1, true, "x", {}, [1], [{}], [{ serverId: "a b", host: "h", port: 1, load: 0 }]];

/** Values that are not what the words say. */
function wrongValues({ what, isOptional }: Rule): unknown[] {
  const missing = isOptional ? [] : [undefined, null];
  return [...missing, ...wrongGivens(what)];
}

function wrongGivens(what: string): unknown[] {
  const range = /^a whole number from (\d+) to (\d+)$/.exec(what);
  if (range !== null) return [Number(range[1]) - 1, Number(range[2]) * 2 + 2, 1.5, "1", true, [], {}];
  const most = /at most (\d+)/.exec(what);
  if (what.startsWith("a whole number")) return [-1, 1.5, 2 ** 53, "1", true, [], {}];
  if (what === "a time") return [-1, 1.5, "1", true, [], {}];
  if (what === "a channel") return ["", "/a", "a//b", "a/*", "x".repeat(129), "ku\u0308che", 1, true, [], {}];
  if (what === "a vector") {
    return [1, true, "x", [], { a: -1 }, { a: 1.5 }, { a: "1" }, { "a b": 1 }, { ["x".repeat(65)]: 1 }];
  }
  if (what.startsWith("the name of")) return [...NAME, ...(what === "the name of a server" ? [] : ["somebody"])];
  if (what.startsWith("a username")) return [...USERNAME, ...(what === "a username" ? ["anonymous"] : [])];
  if (what.endsWith("names of servers")) return [1, true, "x", {}, [1], ["a b"], [""], Array(17).fill("other")];
  if (what.startsWith("a list of at most") && what.endsWith("servers")) return WRONG_SERVERS;
  if (what.endsWith("usernames")) return [1, true, "x", {}, [1], ["anna", ""], ["anonymous"], Array(200_001).fill("a")];
  if (what.endsWith("objects")) return [1, true, "x", {}, [1], [null], Array(1_001).fill({})];
  if (what.endsWith("numbers from 1 on")) return [1, true, "x", {}, [0], [1.5], ["1"], Array(65).fill(1)];
  if (what.endsWith("by their sequences")) {
    const many = Object.fromEntries(Array.from({ length: 66 }, (_, n) => [n + 1, DIGEST]));
    return [1, true, "x", [], { 0: DIGEST }, { x: DIGEST }, { 1: 1 }, { 1: "x" }, many];
  }
  if (what.endsWith("hexadecimal digits")) return [1, true, [], {}, "", "x".repeat(32), "a".repeat(15), "a".repeat(65)];
  if (what.startsWith("text")) {
    const spaces = what.includes("without spaces") ? ["two words", "two\u0000"] : [];
    const least = what.includes("one at least") ? [""] : [];
    const visible = what.includes("visible") ? ["two words", "ä"] : [];
    const long = most === null ? [] : ["x".repeat(Number(most[1]) + 1)];
    return [1, true, [], {}, ...spaces, ...least, ...visible, ...long];
  }
  if (what === "true or false") return [1, "true", [], {}];
  if (what === "an object") return [1, true, "x", []];
  if (what.includes("`origin:sequence`")) return [1, "x", "liar:2", "other:1", "liar:01", {}, []];
  if (what === "the id of an entry") return [1, true, "x", "x:0", "x:1.5", "a b:1", ":1", "x:01", {}, []];
  if (what.startsWith("an identity")) return [1, true, "", "m".repeat(129), "\ud800", {}, []];
  if (what.startsWith("an activity")) {
    const deep = JSON.parse(`${'{"a":'.repeat(64)}1${"}".repeat(64)}`);
    const users = [undefined, null, 1, {}, ...USERNAME].map((user) => ({ n: 1, authenticated_user: user }));
    return [1, true, "x", [], ...users, { d: deep, authenticated_user: "bob" }];
  }
  if (what.startsWith('`"')) return [1, true, "nobody", "", [], {}, { user: 1 }, { user: "a:b" }];
  throw new TypeError(`No wrong values are known for: ${what}`);
}

const IDENTITY = { serverId: "liar", host: "liar", port: PORT, vector: {}, lamport: 1 };
const MEMBER = { serverId: "other", host: "other", port: PORT, load: 0 };
const LOCK = { username: "wanted", lamport: 5 };
const common = { id: "liar:1", lamport: 5, sentAt: 1 };

/** A right one of each message, with every field that it can have. */
const MESSAGES: Readonly<Record<string, Received>> = {
  AUTHENTICATE: { secret: SECRET, ...IDENTITY, features: ["thrum/1"] },
  AUTHENTICATION_SUCC: { ...IDENTITY, features: ["thrum/1"], members: [MEMBER] },
  SERVER_ANNOUNCE: {
    ...{ ...IDENTITY, load: 1, weight: 1, online: true, ticketKey: "k", members: [MEMBER] },
    ...{ version: "1", startedAt: 1, http: "h:1", places: true, formerly: ["older"], changes: true },
  },
  ENTRIES: { origin: "liar", first: 1, last: 1, after: 0, to: "everyone", lamport: 5, ageMs: 1 },
  WANT: { vector: { a: 0 } },
  HAVE: { vector: { a: 0 } },
  LOCK_REQUEST: { ...LOCK, origin: "liar" },
  LOCK_ALLOWED: { ...LOCK, origin: "a" },
  ONLINE: { users: ["bob"] },
  ONLINE_CHANGE: { username: "bob", event: "joined", lamport: 5 },
  CHANNEL_WATCH: { channel: "lab", active: true },
  CHANNEL_READERS: { channel: "lab", users: ["bob"] },
  CHANNEL_READER: { channel: "lab", username: "bob", event: "joined", lamport: 5 },
  OBSERVE: { active: false },
  OBSERVED: { reset: true, patch: {}, ends: [], events: [] },
  OPERATE: {
    ask: 1,
    action: "promote",
    connection: "7",
    since: 9,
    user: "eve",
    address: "10.0.0.1",
    level: "info",
    by: "192.0.2.7",
  },
  OPERATED: { ask: 1, result: "done", count: 3 },
  RETRACTED: { origin: "other", first: 1, last: 1, digest: DIGEST },
  DIGESTS_ASK: { origin: "other", sequences: [1] },
  DIGESTS: { origin: "other", digests: { 1: DIGEST } },
  OLD_CLAIM: { username: "bob", claim: 1, has: 0 },
  HEARTBEAT: { sequence: 1, of: 1, intervalMs: 1 },
  HEARTBEAT_ACK: { sequence: 1, at: 1 },
  END_CONNECTION: { reason: "SERVER_STOPPING", info: "bye" },
  "entry ACTIVITY_BROADCAST": {
    ...{
      activity: { n: 1, authenticated_user: "bob" },
      ...common,
      messageId: "m",
      after: "other:1",
      via: "serverId01",
      channel: "lab",
    },
  },
  "entry ACCOUNT": { username: "bob", verifier: "scrypt$16384$aa$bb", claim: 1, ...common },
  "entry DIRECT_MESSAGE": { from: "bob", to: "anna", text: "t", ...common, messageId: "m", after: "other:1" },
  "entry RECEIPT": { of: "a:1", to: "anna", messageId: "m", id: "liar:1", lamport: 5, state: "delivered" },
  "entry of a kind that is not known": { id: "liar:1", lamport: 5 },
};

const RULES = rulesOf(await Deno.readTextFile(new URL("../../../docs/protocol.md", import.meta.url)));

Deno.test("the table has a row for every field of every message, and for no other", () => {
  const fields = Object.entries(MESSAGES).flatMap(([message, fields]) =>
    Object.keys(fields).filter((field) => field !== "features" && field !== "state").map((field) =>
      `${message} ${field}`
    )
  );
  assertEquals(RULES.map(({ message, field }) => `${message} ${field}`).sort(), fields.sort());
});

/** Lines with one message, as a peer sends it. */
function linesOf(message: string, fields: Received): Received[] {
  const [, kind] = /^entry (\w+)/.exec(message) ?? [];
  if (kind === undefined) {
    return [{ command: message, ...fields }, ...(message === "ENTRIES" ? [activityLine("liar:1", 1)] : [])];
  }
  const to = kind === "ACTIVITY_BROADCAST" ? "everyone" : "servers";
  const header = { command: "ENTRIES", origin: "liar", first: 1, last: 1, after: 0, to };
  return [header, { command: kind === "of" ? "SHOUT" : kind, ...fields }];
}

/** Two servers, a peer of bytes at one of them, and everybody who could notice something. */
class Stage {
  readonly #witnesses;
  readonly #received: number[];
  private constructor(readonly world: MeshWorld, witnesses: Awaited<ReturnType<MeshWorld["login"]>>[]) {
    this.#witnesses = witnesses;
    this.#received = witnesses.map(({ received }) => received.length);
  }

  static async set(): Promise<Stage> {
    const world = await MeshWorld.of(["a", "b"], { cluster: { rebalance: false } });
    await world.users("a", "anna");
    const witnesses = [
      await world.plain("a", "anna"),
      await world.chat("b", "anna"),
      await world.login("a", "anonymous", { redirects: 3 }),
    ];
    for (const name of ["a", "b"]) world.server(name).node.observe({ changed: () => {} });
    await world.run(2_000);
    return new Stage(world, witnesses);
  }

  /** A peer that has said this, and whether its link was ended because of it. */
  async say(message: string, fields: Received): Promise<FakePeer> {
    const { world } = this;
    if (message !== "AUTHENTICATE" && message !== "AUTHENTICATION_SUCC") {
      const peer = await world.peer("a", "liar");
      peer.send(...linesOf(message, fields));
      await world.run(50);
      return peer;
    }
    const peer = new FakePeer(await world.dial("a", "liar"));
    if (message === "AUTHENTICATE") peer.send({ command: message, ...fields });
    await world.run(50);
    return peer;
  }

  /** Nothing was stored or delivered, and everybody is well. */
  isUntouched(what: string): void {
    for (const name of ["a", "b"]) {
      const server = this.world.server(name);
      assertEquals(server.vector, { a: 1 }, what);
      assertEquals([server.node.state, server.stateOf(name === "a" ? "b" : "a")], ["ready", "linked"], what);
    }
    for (const [n, client] of this.#witnesses.entries()) {
      assertEquals(client.end, undefined, what);
      const news = client.received.slice(this.#received[n]).map(({ command }) => command);
      assertEquals(news.filter((command) => command !== "BACKUP_LIST" && command !== "HEARTBEAT"), [], what);
    }
  }
}

for (const message of Object.keys(MESSAGES).filter((message) => message !== "AUTHENTICATION_SUCC")) {
  Deno.test(`${message} with anything wrong in it ends the link, and has no other effect`, async () => {
    const stage = await Stage.set();
    for (const rule of RULES.filter((rule) => rule.message === message)) {
      for (const value of wrongValues(rule)) {
        const what = `${message} with "${rule.field}": ${JSON.stringify(value)?.slice(0, 80)}`;
        const peer = await stage.say(message, { ...MESSAGES[message]!, [rule.field]: value });
        const told = peer.received.findLast(({ command }) =>
          ["END_CONNECTION", "AUTHENTICATION_FAIL", "INVALID_MESSAGE"].includes(command)
        );
        assert(told !== undefined && peer.end !== undefined, `${what} did not end the link`);
        if (told.command === "END_CONNECTION") assertEquals(told.reason, "INVALID_MESSAGE", what);
        assert(told.info !== "", what);
        stage.isUntouched(what);
      }
    }
    // And a right one does not end it.
    const peer = await stage.say(message, MESSAGES[message]!);
    if (message !== "END_CONNECTION") assertEquals(peer.end, undefined, JSON.stringify(peer.received.at(-1)));
  });
}

Deno.test("AUTHENTICATION_SUCC with anything wrong in it makes no link, and has no other effect", async () => {
  for (const rule of RULES.filter(({ message }) => message === "AUTHENTICATION_SUCC")) {
    for (const value of wrongValues(rule)) {
      const world = new MeshWorld();
      let answers = 0;
      await world.answerCalls("liar", (link) => {
        answers++;
        new FakePeer(link).send({
          command: "AUTHENTICATION_SUCC",
          ...MESSAGES.AUTHENTICATION_SUCC,
          [rule.field]: value,
        });
      });
      const { node } = world.start("a", ["liar"]);
      await world.run(1_000);
      const what = `"${rule.field}": ${JSON.stringify(value)?.slice(0, 80)}`;
      assert(answers > 0 && node.isJoined, what);
      assertEquals(node.members, [], what);
    }
  }
});

Deno.test("a line under a header that no version has ever kept ends the link, whoever passes it on", async () => {
  const stage = await Stage.set();
  for (const line of ["nonsense", "[]", "{}", '{"lamport":"x"}', '{"command":"RECEIPT","lamport":1}', ""]) {
    const peer = await stage.world.peer("a", "liar");
    const header = { command: "ENTRIES", origin: "other", first: 1, last: 1, after: 0, to: "servers" };
    peer.link.write(new TextEncoder().encode(`${JSON.stringify(header)}\n${line}\n`));
    await stage.world.run(50);
    assertEquals([peer.last("END_CONNECTION")?.reason, peer.end], ["INVALID_MESSAGE", "local"], line);
    stage.isUntouched(line);
  }
});
