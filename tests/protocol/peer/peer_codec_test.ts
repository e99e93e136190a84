/** Lines between servers, read and written (docs/protocol.md, section 4). */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { parseClientLine } from "../../../protocol/client_codec.ts";
import {
  encodeAnnounce,
  encodeAuthenticate,
  encodeAuthenticationSuccess,
  encodeEntries,
  MAX_ENTRIES_LINES,
  parsePeerLine,
} from "../../../protocol/peer/peer_codec.ts";
import { usernameProblem } from "../../../protocol/names.ts";
import { encodeLine } from "../../../protocol/server_codec.ts";
import {
  PEER_FEATURES,
  type PeerIdentity,
  type WireAudience,
  type WireMember,
} from "../../../protocol/peer/peer_message.ts";

const serverId = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}$/);
const port = fc.integer({ min: 1, max: 65_535 });
const count = fc.nat(1_000_000);
const sequence = fc.integer({ min: 1, max: 2 ** 52 });
const vector = fc.dictionary(serverId, count, { noNullPrototype: true });
const username = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((name) => !usernameProblem(name));
const member: fc.Arbitrary<WireMember> = fc.record({
  serverId,
  host: fc.domain(),
  port,
  load: count,
  weight: fc.integer({ min: 1, max: 1_000 }),
});
const members = fc.array(member, { maxLength: 5 });
const identity: fc.Arbitrary<PeerIdentity> = fc.record({
  serverId,
  host: fc.domain(),
  port,
  vector,
  lamport: count,
});
const audience: fc.Arbitrary<WireAudience> = fc.oneof(
  fc.constantFrom("everyone" as const, "servers" as const),
  fc.record({ user: username }),
);

/** The line without its end. */
function lineOf(text: string): string {
  assert(text.endsWith("\n") && !text.slice(0, -1).includes("\n"));
  return text.slice(0, -1);
}

/** What is wrong with an object as a line. */
function problemOf(message: unknown): string {
  const parsed = parsePeerLine(JSON.stringify(message));
  assert(parsed !== undefined && parsed.command === "", JSON.stringify(message));
  return parsed.info;
}

Deno.test("AUTHENTICATE is read by the server that is called as it was written by the one that calls", () => {
  fc.assert(fc.property(identity, fc.string(), (identity, secret) => {
    const parsed = parseClientLine(lineOf(encodeAuthenticate({ secret }, identity)));
    assertEquals(parsed as unknown, { command: "AUTHENTICATE", secret, ...identity, features: PEER_FEATURES });
    const proved = parseClientLine(lineOf(encodeAuthenticate({ proof: secret }, identity)));
    assertEquals(proved as unknown, {
      command: "AUTHENTICATE",
      secret: undefined,
      proof: secret,
      ...identity,
      features: PEER_FEATURES,
    });
  }));
});

Deno.test("AUTHENTICATION_SUCC is read as it was written, and has what the older dialect looks for", () => {
  fc.assert(fc.property(identity, members, (identity, members) => {
    const line = lineOf(encodeAuthenticationSuccess(identity, members));
    assertEquals(parsePeerLine(line) as unknown, {
      command: "AUTHENTICATION_SUCC",
      ...identity,
      features: PEER_FEATURES,
      members,
    });
    const { server_list, user_list, activity_entity } = JSON.parse(line);
    assertEquals(server_list.length, members.length);
    assertEquals([user_list, activity_entity], [[], []]);
  }));
});

Deno.test("SERVER_ANNOUNCE is read as it was written, and has what the older dialect looks for", () => {
  fc.assert(fc.property(identity, count, members, fc.boolean(), (identity, load, members, online) => {
    const { serverId, host, port, vector, lamport } = identity;
    const about = { version: "1.2.3", startedAt: 1_735_689_500_000, http: "10.0.0.1:8080" };
    const facts = { serverId, host, port, load, weight: 2, online, ticketKey: "k", vector, lamport, members };
    const announce = { ...facts, ...about };
    const line = lineOf(encodeAnnounce(announce, 1_735_689_600_000));
    assertEquals(parsePeerLine(line) as unknown, { command: "SERVER_ANNOUNCE", ...announce });
    const { id, ip, hostname, updateTime, action } = JSON.parse(line);
    assertEquals([id, ip, hostname, updateTime, action], [serverId, host, host, 1_735_689_600_000, "UPDATE_OR_INSERT"]);
  }));
});

Deno.test("ENTRIES is read as it was written", () => {
  fc.assert(fc.property(serverId, sequence, fc.nat(1_000), fc.nat(), audience, (origin, first, more, before, to) => {
    const entries = { origin, first, last: first + more, after: Math.max(0, first - 1 - before), to };
    assertEquals(parsePeerLine(lineOf(encodeEntries(entries))) as unknown, { command: "ENTRIES", ...entries });
  }));
});

Deno.test("SERVER_ANNOUNCE of a server that says less about itself is read too", () => {
  const facts = { command: "SERVER_ANNOUNCE", serverId: "a", host: "h", port: 1, load: 0, vector: {}, lamport: 0 };
  const read = parsePeerLine(JSON.stringify({ ...facts, members: [] })) as unknown as Record<string, unknown>;
  assertEquals([read.command, read.version, read.startedAt, read.http], ["SERVER_ANNOUNCE", "", 0, ""]);
});

Deno.test("OBSERVE and OBSERVED are read, and refused where their parts are not what they should be", () => {
  const read = (message: unknown) => parsePeerLine(JSON.stringify(message)) as unknown;
  assertEquals(read({ command: "OBSERVE", active: false, more: 1 }), { command: "OBSERVE", active: false });
  assertEquals(read({ command: "OBSERVE" }), { command: "OBSERVE", active: true });
  const observed = {
    command: "OBSERVED",
    reset: true,
    patch: { server: { load: 1 } },
    ends: [{}],
    events: [{ at: 1 }],
  };
  assertEquals(read({ ...observed, more: 1 }), observed);
  for (
    const wrong of [{ patch: [] }, { patch: null }, { ends: {} }, { ends: [1] }, { events: Array(1_001).fill({}) }]
  ) {
    assertEquals(
      (read({ ...observed, ...wrong }) as { command: string }).command,
      "",
      JSON.stringify(wrong).slice(0, 40),
    );
  }
});

Deno.test("OPERATE and OPERATED are read, and refused where their parts are not what they should be", () => {
  const read = (message: unknown) => parsePeerLine(JSON.stringify(message)) as unknown;
  const operate = { command: "OPERATE", ask: 1, action: "disconnect", connection: "7", since: 9, by: "192.0.2.7" };
  assertEquals(read({ ...operate, more: 1 }), operate);
  assertEquals(read({ command: "OPERATE", ask: 1 }), { command: "OPERATE", ask: 1, action: "", by: "" });
  const operated = { command: "OPERATED", ask: 1, result: "done" };
  assertEquals(read({ ...operated, more: 1 }), operated);
  const long = "x".repeat(256);
  for (const wrong of [{ ask: -1 }, { ask: "1" }, { action: 1 }, { action: long }, { connection: 7 }, { since: -1 }]) {
    assertEquals((read({ ...operate, ...wrong }) as { command: string }).command, "", JSON.stringify(wrong));
  }
  for (const wrong of [{ connection: long }, { by: long }, { by: [] }]) {
    assertEquals((read({ ...operate, ...wrong }) as { command: string }).command, "", JSON.stringify(wrong));
  }
  assertEquals((read({ ...operated, result: long }) as { command: string }).command, "");
});

Deno.test("HAVE, WANT and the messages about locks are read; what more they have is passed over", () => {
  for (const command of ["HAVE", "WANT"]) {
    const message = { command, vector: { a: 1, b: 0 } };
    assertEquals(parsePeerLine(JSON.stringify({ ...message, more: 1 })) as unknown, message);
  }
  for (const command of ["LOCK_REQUEST", "LOCK_ALLOWED", "LOCK_DENIED", "LOCK_RELEASE"]) {
    const message = { command, username: "anna", lamport: 3, origin: "a" };
    assertEquals(parsePeerLine(JSON.stringify({ ...message, secret: "passed over" })) as unknown, message);
  }
});

Deno.test("a command that is not known here is passed over, whatever its fields are", () => {
  for (const command of ["", "NEW", "LOGIN", "ACTIVITY_MESSAGE"]) {
    assertEquals(parsePeerLine(JSON.stringify({ command, first: "one" })), undefined);
  }
});

Deno.test("what is wrong is said in words, which name the field and repeat nothing of it", () => {
  const entries = { command: "ENTRIES", origin: "x", first: 2, last: 3, after: 1, to: "everyone" };
  assert(parsePeerLine(JSON.stringify(entries))?.command === "ENTRIES");
  const wrong: [string, Record<string, unknown>][] = [
    ["origin", { ...entries, origin: 1 }],
    ["origin", { ...entries, origin: "" }],
    ["origin", { ...entries, origin: "__proto__" }],
    ["origin", { ...entries, origin: "x".repeat(65) }],
    ["first", { ...entries, first: 0 }],
    ["last", { ...entries, last: 1 }],
    ["last", { ...entries, last: 2 ** 53 }],
    ["after", { ...entries, after: 2 }],
    ["after", { ...entries, after: undefined }],
    ["to", { ...entries, to: "nobody" }],
    ["user", { ...entries, to: { user: 1 } }],
    ["vector", { command: "WANT", vector: { a: 1.5 } }],
    ["vector", { command: "HAVE" }],
    ["lamport", { command: "LOCK_REQUEST", username: "anna", lamport: -1, origin: "a" }],
    ["lamport", { command: "LOCK_ALLOWED", username: "anna", lamport: 2 ** 53, origin: "a" }],
    ["port", { command: "AUTHENTICATION_SUCC", serverId: "a", port: 0 }],
    ["serverId", { command: "AUTHENTICATION_SUCC", port: 1 }],
    ["members", { command: "AUTHENTICATION_SUCC", serverId: "a", port: 1, members: {} }],
    ["AUTHENTICATE", { command: "AUTHENTICATE", secret: "s3cret" }],
    ["users", { command: "ONLINE" }],
    ["users", { command: "ONLINE", users: ["anna", 1] }],
    ["username", { command: "ONLINE_CHANGE", event: "joined" }],
    ["event", { command: "ONLINE_CHANGE", username: "anna", event: "away" }],
    ["lamport", { command: "ONLINE_CHANGE", username: "anna", event: "lost", lamport: -1 }],
    ["username", { command: "ONLINE_CHANGE", username: "anonymous", event: "lost" }],
    ["users", { command: "ONLINE", users: ["anna", "a:b"] }],
    ["channel", { command: "CHANNEL_WATCH", channel: "a//b" }],
    ["channel", { command: "CHANNEL_READERS", channel: "ku\u0308che", users: [] }],
    ["active", { command: "CHANNEL_WATCH", channel: "a", active: "no" }],
    ["event", { command: "CHANNEL_READER", channel: "a", username: "anna", event: "away" }],
    ["vector", { command: "HAVE", vector: { "no name": 1 } }],
    ["host", { command: "AUTHENTICATION_SUCC", serverId: "a", host: "a b", port: 1 }],
    ["last", { command: "ENTRIES", origin: "a", first: 1, last: MAX_ENTRIES_LINES + 1, after: 0, to: "everyone" }],
    ["command", { first: 1 }],
  ];
  for (const [field, message] of wrong) assertStringIncludes(problemOf(message), field);
  assert(!problemOf(wrong.at(-2)![1]).includes("s3cret"));
  for (const line of ["", "[]", "1", "null", "{", '"x"']) assert(parsePeerLine(line)?.command === "", line);
});

Deno.test("who is online at a server is read as it was written", () => {
  const users = fc.array(username);
  fc.assert(fc.property(users, (users) => {
    const message = { command: "ONLINE", users };
    assertEquals(parsePeerLine(lineOf(encodeLine(message))) as unknown, message);
  }));
  const change = fc.record({ username, event: fc.constantFrom("joined", "left", "lost"), lamport: count });
  fc.assert(fc.property(change, (change) => {
    const message = { command: "ONLINE_CHANGE", ...change };
    assertEquals(parsePeerLine(lineOf(encodeLine(message))) as unknown, message);
  }));
});

Deno.test("whatever a peer sends, reading it does not throw", () => {
  const commands = fc.constantFrom(
    "ENTRIES",
    "HAVE",
    "WANT",
    "HEARTBEAT",
    "HEARTBEAT_ACK",
    "SERVER_ANNOUNCE",
    "LOCK_REQUEST",
    "LOCK_RELEASE",
    "AUTHENTICATE",
    "AUTHENTICATION_SUCC",
    "AUTHENTICATION_FAIL",
    "INVALID_MESSAGE",
    "END_CONNECTION",
    "ONLINE",
    "ONLINE_CHANGE",
  );
  const names = [
    "origin",
    "first",
    "last",
    "after",
    "to",
    "vector",
    "sequence",
    "serverId",
    "host",
    "port",
    "load",
    "weight",
    "lamport",
    "members",
    "username",
    "features",
    "info",
    "reason",
    "users",
    "event",
  ];
  const fields = fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.jsonValue(), fc.integer(), serverId), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(commands, fields, (command, fields) => void parsePeerLine(JSON.stringify({ command, ...fields }))),
  );
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void parsePeerLine(line)));
});
