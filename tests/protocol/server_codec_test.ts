import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { parseClientLine } from "../../protocol/client_codec.ts";
import { encodeBroadcast, encodeLine, parseServerLine, quoteUsername } from "../../protocol/server_codec.ts";

const DIRECT_MESSAGE = {
  command: "DIRECT_MESSAGE",
  from: "anna",
  to: "bob",
  text: "hello",
  id: "s-1:7",
  lamport: 9,
  sentAt: 1_735_689_600_000,
};

const broadcast = {
  quotedUsername: quoteUsername("anna"),
  origin: "s-1",
  sequence: 3,
  lamport: 9,
  sentAt: 1234,
  messageId: undefined,
};

Deno.test("encodeBroadcast() adds who published to the activity's own text", () => {
  assertEquals(
    encodeBroadcast({ ...broadcast, activity: '{"a":1.0}' }),
    '{"command":"ACTIVITY_BROADCAST","activity":{"a":1.0,"authenticated_user":"anna"},"id":"s-1:3","lamport":9,"sentAt":1234}\n',
  );
  for (const empty of ["{}", "{ }"]) {
    const line = encodeBroadcast({ ...broadcast, activity: empty, messageId: 'm"1' });
    assertEquals(JSON.parse(line).activity, { authenticated_user: "anna" });
    assertEquals(JSON.parse(line).messageId, 'm"1');
  }
});

Deno.test("an activity comes out of a broadcast as it went into a message, and is one line", () => {
  const activity = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue());
  fc.assert(fc.property(activity, (value) => {
    const message = parseClientLine(JSON.stringify({ command: "ACTIVITY_MESSAGE", activity: value }));
    assert(message.command === "ACTIVITY_MESSAGE");
    const line = encodeBroadcast({ ...broadcast, activity: message.activity });
    assertEquals(line.indexOf("\n"), line.length - 1);
    assert(!line.includes("\r"));
    const parsed = parseServerLine(line.slice(0, -1));
    assert(parsed?.command === "ACTIVITY_BROADCAST");
    const { authenticated_user: user, ...rest } = parsed.activity;
    assertEquals(user, "anna");
    const { authenticated_user: _claimed, ...expected } = JSON.parse(JSON.stringify(value));
    assertEquals(JSON.stringify(rest), JSON.stringify(expected));
  }));
});

Deno.test("parseServerLine() reads what a server writes", () => {
  const messages = [
    {
      command: "LOGIN_SUCCESS",
      info: "hello",
      features: ["ack"],
      serverId: "s-1",
      lamport: 4,
      ticket: "t",
      heartbeat: { idleTimeoutMs: 30, intervalMs: 10, count: 3 },
      resume: { vector: { "s-1": 4 }, replayed: 2, gap: [{ origin: "s-1", first: 1, last: null }] },
    },
    { command: "ACTIVITY_ACK", messageId: "m", id: "s-1:1" },
    { command: "HEARTBEAT", sequence: 1, of: 3, intervalMs: 10 },
    { command: "HEARTBEAT_ACK", sequence: 1 },
    { command: "REDIRECT", hostname: "h", port: 1 },
    {
      command: "BACKUP_LIST",
      servers: [{ serverId: "s-2", host: "h", port: 2 }, { serverId: "s-3", host: "::1", port: 3 }],
    },
    { command: "BACKUP_LIST", servers: [] },
    { command: "END_CONNECTION", reason: "SERVER_STOPPING", info: "i", reconnect: "backoff", retryAfterMs: 5 },
    { command: "LOGIN_FAILED", info: "no", reason: "WRONG_SECRET" },
    { command: "REGISTER_SUCCESS", info: "yes" },
    { ...DIRECT_MESSAGE, messageId: "m-1", offline: true },
    DIRECT_MESSAGE,
    { command: "RECEIPT", messageId: "m-1", state: "stored", of: "s-1:7", to: "bob", lamport: 9 },
    { command: "RECEIPT", messageId: "m-1", state: "delivered", of: "s-1:7", to: "bob", id: "s-2:3", lamport: 9 },
    { command: "DIRECT_MESSAGE_FAILED", info: "why", messageId: "m-1" },
    { command: "DIRECT_MESSAGE_FAILED", info: "why" },
    { command: "USER_LIST", scope: "all", users: ["anna", "b\u00f6b"] },
    { command: "USER_LIST", scope: "online", users: [] },
    { command: "PRESENCE", event: "joined", username: "anna", lamport: 3 },
    { command: "PRESENCE", event: "left", username: "anna", lamport: 4 },
    { command: "PRESENCE", event: "lost", username: "anna", lamport: 5 },
    { command: "CAUGHT_UP", vector: { "s-1": 7, "s-2": 0 } },
    { command: "CAUGHT_UP", vector: {}, complete: true },
  ];
  for (const message of messages) assertEquals(parseServerLine(encodeLine(message).trimEnd()) as unknown, message);
});

Deno.test("parseServerLine() passes over commands of newer servers, and names what is wrong with others", () => {
  assertEquals(parseServerLine('{"command":"DANCE","event":"joined"}'), undefined);
  // A newer server may know more events.
  assertEquals(parseServerLine('{"command":"PRESENCE","event":"away","username":"anna"}'), undefined);
  assertEquals(parseServerLine("x")?.command, "");
  assertEquals(parseServerLine('{"command":"REDIRECT","hostname":"h","port":0}')?.command, "");
});

Deno.test("parseServerLine() says what is wrong with what is about messages and users", () => {
  const { from: _, ...nameless } = DIRECT_MESSAGE;
  const wrong: [Record<string, unknown>, string][] = [
    [nameless, '"from" is missing'],
    [{ ...DIRECT_MESSAGE, text: 1 }, '"text" must be a string'],
    [{ ...DIRECT_MESSAGE, sentAt: "now" }, '"sentAt" must be a whole number'],
    [{ command: "RECEIPT", state: "stored", of: "a:1", to: "bob", lamport: 1 }, '"messageId" is missing'],
    [{ command: "RECEIPT", messageId: "m", state: "stored", to: "bob", lamport: 1 }, '"of" is missing'],
    [{ command: "USER_LIST", scope: "all", users: [1] }, '"users" must be a list of strings'],
    [{ command: "PRESENCE", event: "joined" }, '"username" is missing'],
    [{ command: "CAUGHT_UP", vector: [] }, '"vector" must be an object'],
  ];
  for (const [message, words] of wrong) {
    const parsed = parseServerLine(JSON.stringify(message));
    assert(parsed?.command === "", JSON.stringify(message));
    assertStringIncludes(parsed.info, words);
  }
});

Deno.test("parseServerLine() says what is wrong with a list of backups", () => {
  const wrong: [string, string][] = [
    ["{}", '"servers" must be a list of servers'],
    ["[7]", '"servers" must be a list of servers'],
    ['[{"host":"h","port":1}]', '"serverId" is missing'],
    ['[{"serverId":"s-2","port":1}]', '"host" is missing'],
    ['[{"serverId":"s-2","host":"h","port":70000}]', '"port" must be a whole number'],
  ];
  for (const [servers, words] of wrong) {
    const message = parseServerLine(`{"command":"BACKUP_LIST","servers":${servers}}`);
    assert(message?.command === "");
    assertStringIncludes(message.info, words);
  }
});
