import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { ActivityOrder } from "../../../server/legacy/activity_order.ts";
import { LegacyDialect, type LegacyEffect } from "../../../server/legacy/legacy_dialect.ts";
import {
  A,
  commands,
  entry,
  facts,
  history,
  NOW,
  Publisher,
  S,
  says,
  secretsMade,
  sent,
  WINDOW_MS,
} from "./_legacy.ts";

Deno.test("the telnet session: an A is greeted, and gets this server's state", () => {
  const effects = A().accepted(facts);
  assertEquals(sent(effects), [
    {
      command: "AUTHENTICATION_SUCC",
      serverId: "s-1",
      server_list: [{
        serverId: "s-1",
        load: 1,
        ip: "localhost",
        port: 8001,
        online: true,
        updateTime: NOW,
        action: "UPDATE_OR_INSERT",
      }],
      user_list: [{ username: "user1", secret: "", online: true, updateTime: 0 }],
      activity_entity: [],
    },
    { command: "BACKUP_LIST", servers: [{ serverId: "s-2", host: "localhost", port: 8003 }] },
    {
      command: "SERVER_ANNOUNCE",
      serverId: "s-1",
      load: 1,
      ip: "localhost",
      port: 8001,
      online: true,
      updateTime: NOW,
      action: "UPDATE_OR_INSERT",
    },
    {
      command: "SERVER_ANNOUNCE",
      serverId: "s-2",
      load: 4,
      ip: "localhost",
      port: 8003,
      online: true,
      updateTime: NOW,
      action: "UPDATE_OR_INSERT",
    },
  ]);
});

Deno.test("the telnet session: two activities with id 0 and different times are two, in the order of their times", () => {
  const peer = A();
  const order = new ActivityOrder<LegacyDialect>(WINDOW_MS);
  const lines = [
    '{"id":0,"activity":{"message_num":2,"authenticated_user":"user2"},"isDelivered":false,"command":"ACTIVITY_BROADCAST","timeBack":0}',
    '{"id":0,"activity":{"message_num":1,"authenticated_user":"user2"},"isDelivered":false,"command":"ACTIVITY_BROADCAST","timeBack":10000}',
  ];
  for (const [n, line] of lines.entries()) {
    const nowMs = n * 1_900;
    const effects = peer.receive(line, { ...facts, nowMs, wallMs: NOW + nowMs });
    assertEquals(effects.map(({ kind }) => kind), ["takeActivity"]);
    assert(effects[0]?.kind === "takeActivity");
    order.add(effects[0].activity, peer, effects[0].isHistory, nowMs);
  }
  assertEquals(order.dueAt, 2_000);
  assertEquals(order.due(2_000).map(({ activity: { text, username } }) => [text, username]), [
    ['{"message_num":1}', "user2"],
    ['{"message_num":2}', "user2"],
  ]);
});

Deno.test("an S gets no AUTHENTICATION_SUCC, no BACKUP_LIST, and an announcement of this server alone", () => {
  const own = { command: "SERVER_ANNOUNCE", id: "s-1", load: 1, hostname: "localhost", port: 8001 };
  assertEquals(sent(S().accepted(facts)), [own]);
  assertEquals(sent(S().tick(facts)), [own]);
});

Deno.test("to an S goes nothing but what it knows, whatever happens", () => {
  const known = ["SERVER_ANNOUNCE", "ACTIVITY_BROADCAST", "LOCK_REQUEST", "LOCK_ALLOWED", "LOCK_DENIED"];
  const peer = S();
  const lines = sent([
    ...peer.accepted(facts),
    ...peer.claim("new", facts),
    ...says(peer, { command: "LOCK_ALLOWED", username: "new", secret: `made-${secretsMade()}` }),
    ...peer.registered("new", facts),
    ...peer.registered("another", facts),
    ...says(peer, { command: "LOCK_ALLOWED", username: "another", secret: `made-${secretsMade()}` }),
    ...says(peer, { command: "LOCK_REQUEST", username: "bob", secret: "x" }),
    ...peer.answer({ username: "bob", secret: "x" }, true, true, facts),
    ...says(peer, { command: "USER_SYNC", user_list: [{ username: "user1", secret: "" }] }),
    ...peer.tick(facts),
  ]);
  lines.push(JSON.parse(peer.pass(entry(1, '{"a":1}'))!));
  for (const { command } of lines) assert(known.includes(command), command);
});

Deno.test("a peer that was called gets lines that suit both families, until it shows which it is", () => {
  const peer = new LegacyDialect(undefined);
  assertEquals(sent(peer.tick(facts)), [
    {
      command: "SERVER_ANNOUNCE",
      id: "s-1",
      serverId: "s-1",
      load: 1,
      hostname: "localhost",
      port: 8001,
      ip: "localhost",
      online: true,
      updateTime: NOW,
      action: "UPDATE_OR_INSERT",
    },
  ]);
  const line = peer.pass(entry(1, '{"a":1}'))!;
  assertMatch(line, /"id":"s-1:1".*"sendTime":\d+,"updateTime":\d+,"isDelivered":false/);
  says(peer, { command: "SERVER_ANNOUNCE", id: "x", load: 0, hostname: "h", port: 1 });
  assertEquals(peer.family, "S");
  const other = new LegacyDialect(undefined);
  says(other, { command: "AUTHENTICATION_SUCC", serverId: "a", server_list: [], user_list: [], activity_entity: [] });
  assertEquals(other.family, "A");
  assertEquals(commands(other.tick(facts)), ["BACKUP_LIST", "SERVER_ANNOUNCE", "SERVER_ANNOUNCE"]);
});

Deno.test("BACKUP_LIST does not name the peer itself, which would stop there", () => {
  const members = [{ serverId: "serverId01", host: "h", port: 1, load: 0 }, ...facts.members];
  const [backups] = sent(A().tick({ ...facts, members }));
  assertEquals(backups.servers, [{ serverId: "s-2", host: "localhost", port: 8003 }]);
});

Deno.test("AUTHENTICATION_SUCC is a line that fits, however many users there are", () => {
  const users = Array.from({ length: 100_000 }, (_, n) => ({ username: `${n}`.padStart(64, "ü"), isOnline: true }));
  const [effect] = A().accepted({ ...facts, users });
  assert(effect?.kind === "send");
  const bytes = new TextEncoder().encode(effect.line).length;
  assert(bytes < 65_536, `${bytes} bytes`);
  assert(JSON.parse(effect.line).user_list.length > 50);
});

Deno.test("an activity goes to A with everything that A needs, and to S as it is, with its own text", () => {
  const text = '{"n":9007199254740993,"x":1.0,"z":null,"a":[]}';
  const expected = text.slice(0, -1) + ',"authenticated_user":"user1"}';
  assertEquals(S().pass(entry(7, text)), `{"command":"ACTIVITY_BROADCAST","activity":${expected}}\n`);
  assertEquals(
    A().pass(entry(7, text)),
    `{"command":"ACTIVITY_BROADCAST","id":"s-1:7","activity":${expected},"sendTime":${NOW},"updateTime":${NOW},"isDelivered":false}\n`,
  );
  assertEquals(
    A().pass('{"command":"ACCOUNT","username":"u","verifier":"v","id":"s-1:1","lamport":1,"sentAt":1}\n'),
    undefined,
  );
});

Deno.test("an activity comes in with its own text, from whom its server says, or from nobody", () => {
  const take = (line: string) => {
    const [effect] = A().receive(line, facts);
    assert(effect?.kind === "takeActivity");
    return effect.activity;
  };
  const text = '{ "n":9007199254740993,"x":1.0,"z":null}';
  assertEquals(take(`{"command":"ACTIVITY_BROADCAST","id":5,"activity":${text},"sendTime":${NOW - 3}}`), {
    text,
    username: "anonymous",
    sendTime: NOW - 3,
    isTimed: true,
    identity: `older/5/${NOW - 3}`,
  });
  // What A relays has no command.
  assertEquals(take('{"id":5,"activity":{"a":1,"authenticated_user":"bob"},"timeBack":7,"isDelivered":false}'), {
    text: '{"a":1}',
    username: "bob",
    sendTime: NOW - 7,
    isTimed: false,
    identity: undefined,
  });
  assertEquals(take('{"command":"ACTIVITY_BROADCAST","activity":{"authenticated_user":"a:b"}}').username, "anonymous");
  assertEquals(take('{"command":"ACTIVITY_BROADCAST","activity":{"authenticated_user":7}}').username, "anonymous");
});

Deno.test("ACTIVITY_SYNC brings what is missing, once, whoever it is listed for and however often it comes", () => {
  const peer = A();
  const publisher = new Publisher();
  publisher.take(peer, says(peer, { command: "ACTIVITY_BROADCAST", id: 1, activity: { n: 1 }, sendTime: NOW - 30 }));
  const list = history(
    { id: 2, sendTime: NOW - 20, activity: { n: 2 } },
    { id: 1, sendTime: NOW - 30, activity: { n: 1 } },
    // Ours, which it has kept.
    { id: "s-1:77", sendTime: NOW - 10, activity: { n: 77 } },
    // The same text, published again.
    { id: 2, sendTime: NOW - 15, activity: { n: 2 } },
    // Older than what is remembered: it may have been here before.
    { id: 3, sendTime: NOW - facts.rememberedMs, activity: { n: 3 } },
  );
  for (let again = 0; again < 3; again++) publisher.take(peer, says(peer, list), again * 5_000);
  assertEquals(publisher.published.map(({ activity }) => activity), ['{"n":1}', '{"n":2}', '{"n":2}']);
});

Deno.test("ACTIVITY_SYNC keeps the text of its activities, and passes over what makes no sense", () => {
  const list =
    `{"command":"ACTIVITY_SYNC","activity_entity":[null,{"owner":"x"},{"owner":"y","activity_list":[7,{"id":1},{"id":[],"activity":{},"sendTime":${NOW}},` +
    `{"id":2,"activity":{"x":1.0},"sendTime":"soon"},{"id":3,"activity":{"x":1.0},"sendTime":${NOW}}]}]}`;
  const effects = A().receive(list, facts);
  assertEquals(effects.map((effect) => effect.kind === "takeActivity" && effect.activity.text), ['{"x":1.0}']);
  assertEquals(says(A(), { command: "ACTIVITY_SYNC" }), []);
});

Deno.test("an own activity does not go back to its peer, and goes to the others", () => {
  const [one, other] = [A("a"), S()];
  one.published("s-1:5");
  assertEquals(one.pass(entry(5, "{}")), undefined);
  assert(other.pass(entry(5, "{}")) !== undefined);
});

Deno.test("accounts of USER_SYNC, USER_UPDATE and AUTHENTICATION_SUCC are taken in, once, and only those that can be", () => {
  const users = [
    { username: "bob", secret: "b", online: true, updateTime: 1 },
    { username: "bob", secret: "b", online: true, updateTime: 1 },
    { username: "user1", secret: "x", online: true, updateTime: 1 },
    { username: "a:b", secret: "x" },
    { username: "anonymous", secret: "x" },
    { username: "c", secret: "" },
    { username: "d", secret: null },
    null,
  ];
  const expected: LegacyEffect[] = [{ kind: "takeAccount", username: "bob", secret: "b", isAsked: false }];
  const peer = A();
  assertEquals(says(peer, { command: "USER_SYNC", user_list: users }), expected);
  assertEquals(says(peer, { command: "USER_SYNC", user_list: users }), []);
  assertEquals(says(A(), { command: "USER_UPDATE", ...users[0] }), expected);
  assertEquals(says(A(), { command: "AUTHENTICATION_SUCC", serverId: "a", user_list: users }), expected);
  // It is there now: told so, nothing goes out.
  assertEquals(peer.answer({ username: "bob", secret: "b" }, true, false, facts), []);
});

Deno.test("a long list of users is taken in by and by, as each costs a derivation", () => {
  const peer = A();
  const list = Array.from(
    { length: 200 },
    (_, n) => ({ username: `u${n}`, secret: "s", online: false, updateTime: 1 }),
  );
  const taken = new Set<string>();
  for (let round = 0; round < 4; round++) {
    const effects = says(peer, { command: "USER_SYNC", user_list: list }, { hasAccount: (name) => taken.has(name) });
    assertEquals(effects.length, 50);
    for (const effect of effects) {
      assert(effect.kind === "takeAccount");
      taken.add(effect.username);
      peer.answer(effect, true, false, facts);
    }
  }
  assertEquals(taken.size, 200);
});

Deno.test("LOCK_REQUEST takes the account in, and is answered when that is decided", () => {
  for (const peer of [A(), S()]) {
    const user = { username: "bob", secret: "b" };
    assertEquals(says(peer, { command: "LOCK_REQUEST", ...user }), [{ kind: "takeAccount", ...user, isAsked: true }]);
    assertEquals(sent(peer.answer(user, true, true, facts)), [{ command: "LOCK_ALLOWED", ...user, server: "s-1" }]);
    says(peer, { command: "LOCK_REQUEST", ...user });
    assertEquals(sent(peer.answer(user, false, true, facts)), [{ command: "LOCK_DENIED", ...user }]);
    for (const username of ["a:b", "", "anonymous"]) {
      assertEquals(commands(says(peer, { command: "LOCK_REQUEST", username, secret: "x" })), ["LOCK_DENIED"]);
    }
  }
});

Deno.test("a name of ours is locked there with a secret that was made for it, and no other ever goes there", () => {
  const peer = A();
  const [request] = sent(peer.claim("new", facts));
  assertEquals(request, { command: "LOCK_REQUEST", username: "new", secret: `made-${secretsMade()}` });
  assertEquals(says(peer, { ...request, command: "LOCK_ALLOWED" }), [
    { kind: "claimAnswered", username: "new", isAllowed: true },
  ]);
  assertEquals(sent(peer.registered("new", facts)), [
    { command: "USER_UPDATE", username: "new", secret: request.secret, online: false, updateTime: NOW },
  ]);
  // One that was registered at another server of the network: asked first, as that peer might have such a user.
  const [other] = sent(peer.registered("elsewhere", facts));
  assertEquals(other.command, "LOCK_REQUEST");
  assertEquals(commands(says(peer, { ...other, command: "LOCK_ALLOWED" })), ["USER_UPDATE"]);
  const [denied] = sent(peer.registered("theirs", facts));
  assertEquals(says(peer, { ...denied, command: "LOCK_DENIED" }), []);
});

Deno.test("while a name is claimed here it is denied to the peer, and a claim that was denied or forgotten leaves nothing behind", () => {
  const peer = A();
  const [request] = sent(peer.claim("new", facts));
  assertEquals(commands(says(peer, { command: "LOCK_REQUEST", username: "new", secret: "x" })), ["LOCK_DENIED"]);
  says(peer, { ...request, command: "LOCK_DENIED" });
  const [again] = sent(peer.registered("new", facts));
  assertEquals(again.command, "LOCK_REQUEST");
  // An hour later nobody waits for that answer any more.
  peer.tick({ ...facts, nowMs: 3_600_000 });
  assertEquals(says(peer, { ...again, command: "LOCK_ALLOWED" }), []);
});

Deno.test("a flood of names is not remembered without bounds", () => {
  const peer = S();
  let asked = 0;
  for (let n = 0; n < 20_000; n++) asked += peer.registered(`user${n}`, facts).length;
  assertEquals(asked, 10_000);
});

Deno.test("a user that A has made of our answer, with an empty secret, gets one that nobody knows", () => {
  const list = [{ username: "user1", secret: "", online: true, updateTime: 0 }];
  assertEquals(sent(says(A(), { command: "USER_SYNC", user_list: list })), [
    { command: "USER_UPDATE", username: "user1", secret: `made-${secretsMade()}`, online: true, updateTime: NOW },
  ]);
  // With any other secret it is a user of A's own, or was locked before: left alone.
  assertEquals(says(A(), { command: "USER_SYNC", user_list: [{ ...list[0], secret: "theirs" }] }), []);
});

Deno.test("a name that came from a peer is not locked there, nor asked for", () => {
  const peer = A();
  says(peer, { command: "USER_UPDATE", username: "bob", secret: "b" });
  assertEquals(peer.registered("bob", facts), []);
  peer.answer({ username: "bob", secret: "b" }, true, false, facts);
  assertEquals(peer.registered("bob", facts), []);
  assertEquals(peer.claim("bob", facts), [{ kind: "claimAnswered", username: "bob", isAllowed: true }]);
  assertEquals(commands(S().registered("bob", facts)), ["LOCK_REQUEST"]);
});

Deno.test("announcements of both shapes are read, and what they leave out is not needed", () => {
  const server = { serverId: "x", host: "h", port: 9, load: 3 };
  const announced: LegacyEffect[] = [{ kind: "announced", server }];
  const a = { serverId: "x", load: 3, ip: "h", port: 9, online: true, updateTime: 1, action: "UPDATE_OR_INSERT" };
  assertEquals(says(A(), { command: "SERVER_ANNOUNCE", ...a }), announced);
  assertEquals(says(S(), { command: "SERVER_ANNOUNCE", id: "x", load: 3, hostname: "h", port: 9 }), announced);
  assertEquals(says(S(), { command: "SERVER_ANNOUNCE", id: 12 }), [
    { kind: "announced", server: { serverId: "12", host: "", port: 0, load: 0 } },
  ]);
});

Deno.test("the third family is refused, which makes it give up", () => {
  for (const line of ["h", '{"command":"BUNDLE","messages":[]}']) {
    const [effect] = S().receive(line, facts);
    assert(effect?.kind === "close");
    assertEquals(JSON.parse(effect.line!).command, "AUTHENTICATION_FAIL");
  }
  const innocent = says(S(), { command: "ACTIVITY_BROADCAST", activity: { command: "BUNDLE" } });
  assertEquals(innocent[0]?.kind, "takeActivity");
});

Deno.test("a peer that refuses this server is left, without another word", () => {
  for (const command of ["AUTHENTICATION_FAIL", "INVALID_MESSAGE"]) {
    const [effect] = says(new LegacyDialect(undefined), { command, info: "no" });
    assert(effect?.kind === "close");
    assertEquals(effect.line, undefined);
    assertStringIncludes(effect.why, "no");
  }
});

Deno.test("no line throws, whatever is in it", () => {
  const commands = fc.constantFrom(
    ..."ACTIVITY_BROADCAST ACTIVITY_SYNC ACTIVITY_UPDATE USER_SYNC USER_UPDATE LOCK_REQUEST LOCK_ALLOWED LOCK_DENIED"
      .concat(
        " SERVER_ANNOUNCE BACKUP_LIST AUTHENTICATION_SUCC AUTHENTICATION_FAIL INVALID_MESSAGE USER_REGISTER_RESULT",
      )
      .split(" "),
  );
  const names = [
    "activity",
    "id",
    "sendTime",
    "timeBack",
    "user_list",
    "activity_entity",
    "activity_list",
    "username",
    "secret",
  ];
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.constant([{ owner: "a", activity_list: [{}, { activity: {} }] }]),
  );
  const fields = fc.dictionary(fc.constantFrom(...names, "serverId", "port", "load", "ip"), value);
  fc.assert(fc.property(commands, fields, (command, fields) => {
    for (const peer of [A(), S(), new LegacyDialect(undefined)]) says(peer, { command, ...fields });
  }));
});

Deno.test("a peer answers for users whose accounts came from it; for others it is said by way of whom it came", () => {
  const peer = new LegacyDialect("A", "serverId01");
  assertEquals(peer.authorOf("anonymous", false), { username: "anonymous" });
  assertEquals(peer.authorOf("bob", false), { username: "bob", via: "serverId01" });
  // An account of this network.
  assertEquals(peer.authorOf("bob", true), { username: "anonymous", via: "serverId01" });
  peer.answer({ username: "bob", secret: "b" }, true, false, facts);
  assertEquals(peer.authorOf("bob", true), { username: "bob" });
  const stranger = new LegacyDialect("S");
  says(stranger, { command: "SERVER_ANNOUNCE", id: "s-7", load: 0, hostname: "h", port: 1 });
  assertEquals(stranger.authorOf("bob", true), { username: "anonymous", via: "s-7" });
});

Deno.test("whose an account is that a peer has too is found out by its secret, once, and only when its user publishes", () => {
  const peer = new LegacyDialect("A", "serverId01");
  const known = { hasAccount: () => true };
  const user = { username: "bob", secret: "b", online: true, updateTime: 1 };
  assertEquals(says(peer, { command: "USER_SYNC", user_list: [user] }, known), []);
  const activity = { command: "ACTIVITY_BROADCAST", id: 1, sendTime: 1, activity: { n: 1, authenticated_user: "bob" } };
  const [first] = says(peer, activity, known);
  assertEquals(first as unknown, { kind: "takeAccount", username: "bob", secret: "b", isAsked: false });
  peer.answer({ username: "bob", secret: "b" }, false, false, facts);
  assertEquals(says(peer, activity, known).map(({ kind }) => kind), ["takeActivity"]);
  assertEquals(peer.authorOf("bob", true).username, "anonymous");
});
