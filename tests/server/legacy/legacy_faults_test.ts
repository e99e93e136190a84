/**
 * A case for each fault that servers of the older dialect were seen to have, as far as deciding goes; the rest is in
 * `tests/e2e/older_dialect_test.ts`.
 */

import { EVERYTHING } from "../../../server/rights/permissions.ts";
import { assert, assertEquals } from "@std/assert";
import { CLAIM_PATIENCE_MS, LegacyDialect, type LegacyEffect } from "../../../server/legacy/legacy_dialect.ts";
import { parseClientLine } from "../../../protocol/client_codec.ts";
import { onMessage } from "../../../server/session/session.ts";
import {
  NEW_SESSION,
  type Session,
  type SessionFacts,
  type SessionStep,
} from "../../../server/session/session_state.ts";
import { A, commands, entry, facts, history, NOW, Publisher, S, says, sent } from "./_legacy.ts";

/** A plain client that has logged in. */
const CLIENT: Session = { kind: "client", username: "user1", features: [], isPlain: true, may: EVERYTHING };

function clientSays(session: Session, fields: Record<string, unknown>): SessionStep {
  const about: SessionFacts = {
    allowsAnonymous: true,
    registrationRefusal: () => undefined,
    takesClearSecrets: true,
    takesChannels: true,
    channelRefusal: (count) => count > 2 ? "a client may read 2 channels and patterns" : undefined,
    remoteHost: "127.0.0.1",
    maxRegistrations: 8,
    matchesSecret: () => true,
    admit: () => ({ kind: "older", serverId: undefined }),
    hasAccount: () => false,
    hasSpace: true,
    isRepeated: () => false,
  };
  return onMessage(session, parseClientLine(JSON.stringify(fields)), about);
}

Deno.test("fault: activities of the same millisecond are lost. No A gets two with one send time, nor after it was away", () => {
  const peer = A();
  const times = [NOW, NOW, NOW, NOW - 50, NOW + 1, NOW + 10].map((at, n) =>
    JSON.parse(peer.pass(entry(n + 1, "{}", at))!).sendTime
  );
  assertEquals(times, [NOW, NOW + 1, NOW + 2, NOW + 3, NOW + 4, NOW + 10]);
  const again = new LegacyDialect("A", "serverId01", peer.lastSendTime);
  assertEquals(JSON.parse(again.pass(entry(9, "{}", NOW))!).sendTime, NOW + 11);
  // Nor one that has the time of its own.
  for (const sendTime of [NOW + 12, NOW + 13]) {
    says(again, { command: "ACTIVITY_BROADCAST", id: 1, activity: {}, sendTime });
  }
  assertEquals(JSON.parse(again.pass(entry(10, "{}", NOW))!).sendTime, NOW + 14);
  // And of what comes in, all are kept.
  const publisher = new Publisher();
  const burst = [1, 2, 3].flatMap((id) =>
    says(peer, { command: "ACTIVITY_BROADCAST", id, activity: { id }, sendTime: NOW })
  );
  const bare = [1, 2, 3].flatMap((id) => says(peer, { command: "ACTIVITY_BROADCAST", activity: { id } }));
  publisher.take(peer, [...burst, ...bare]);
  assertEquals(publisher.published.length, 6);
});

Deno.test("fault: a malformed line leaks the connection. It is answered, and closed", () => {
  const lines = [
    "",
    "nonsense",
    "[]",
    "{}",
    '{"command":7}',
    '{"command":"LOGIN","username":"anonymous"}',
    '{"command":"AUTHENTICATE","secret":"abc"}',
    '{"command":"ACTIVITY_BROADCAST","activity":7}',
    '{"command":"ACTIVITY_BROADCAST","activity":{},"sendTime":"x"}',
    '{"command":"LOCK_REQUEST"}',
    '{"command":"SERVER_ANNOUNCE"}',
    `{"command":"ACTIVITY_BROADCAST","activity":${"[".repeat(65)}${"]".repeat(65)}}`,
  ];
  for (const line of lines) {
    const effects = A().receive(line, facts);
    assertEquals(effects.length, 1, line);
    assert(effects[0]?.kind === "close", line);
    assertEquals(JSON.parse(effects[0].line!).command, "INVALID_MESSAGE");
  }
});

Deno.test("fault: any client can inject users and announcements. Commands of servers are refused from whoever is no peer", () => {
  const lines = [
    { command: "USER_SYNC", user_list: [{ username: "eve", secret: "e" }] },
    { command: "USER_UPDATE", username: "eve", secret: "e" },
    { command: "SERVER_ANNOUNCE", serverId: "x", load: 0, ip: "h", port: 1 },
    { command: "LOCK_REQUEST", username: "eve", secret: "e" },
    { command: "ACTIVITY_BROADCAST", id: 0, activity: {}, isDelivered: false },
    { command: "ACTIVITY_SYNC", activity_entity: [] },
  ];
  for (const state of [NEW_SESSION, CLIENT]) {
    for (const fields of lines) {
      const { session, effects } = clientSays(state, fields);
      assertEquals(effects.map(({ kind }) => kind), ["send", "close"], fields.command);
      assertEquals(session, { kind: "closed", reason: "INVALID_MESSAGE" });
    }
  }
});

Deno.test("fault: a denied registration blocks the peer link. It goes on as before, and the next one is asked anew", () => {
  for (const peer of [A(), S()]) {
    const [request] = sent(peer.claim("bob", facts));
    assertEquals(says(peer, { ...request, command: "LOCK_DENIED" }), [
      { kind: "claimAnswered", username: "bob", isAllowed: false },
    ]);
    assertEquals(says(peer, { command: "ACTIVITY_BROADCAST", activity: {} })[0]?.kind, "takeActivity");
    assertEquals(commands(peer.claim("carl", facts)), ["LOCK_REQUEST"]);
    // An answer that comes late, or to somebody else's question, is nothing.
    assertEquals(says(peer, { ...request, command: "LOCK_ALLOWED" }), []);
    assertEquals(says(peer, { command: "LOCK_DENIED", username: "carl", secret: "another" }), []);
  }
});

Deno.test("fault: a silent peer hangs registration for ever. It has one second", () => {
  const peer = S();
  peer.claim("bob", { ...facts, nowMs: 500 });
  assertEquals(peer.patienceEndsAt, 500 + CLAIM_PATIENCE_MS);
  assertEquals(peer.giveUp(499 + CLAIM_PATIENCE_MS), []);
  const given: LegacyEffect[] = [{ kind: "claimAnswered", username: "bob", isAllowed: true }];
  assertEquals(peer.giveUp(500 + CLAIM_PATIENCE_MS), given);
  assertEquals(peer.giveUp(9_999), []);
  assertEquals(peer.patienceEndsAt, undefined);
  for (const [nowMs, name] of [[0, "bob"], [10, "carl"], [20, "bob"]] as const) peer.claim(name, { ...facts, nowMs });
  assertEquals(peer.patienceEndsAt, 10 + CLAIM_PATIENCE_MS);
});

Deno.test("fault: a name clash deletes the account everywhere. What fails there changes nothing here, and we never say FAIL", () => {
  const peer = A();
  assertEquals(says(peer, { command: "USER_REGISTER_RESULT", result: "FAIL", username: "user1", secret: "x" }), []);
  assertEquals(says(peer, { command: "USER_UPDATE", username: "user1", secret: "another" }), []);
  assertEquals(says(peer, { command: "USER_SYNC", user_list: [] }), []);
  const [request] = sent(peer.claim("bob", facts));
  assertEquals(commands(says(peer, { ...request, command: "LOCK_DENIED" })), []);
});

Deno.test("fault: activities made during a partition are lost when a reconnect fails half way. The next history brings them", () => {
  const publisher = new Publisher();
  const during = Array.from({ length: 10 }, (_, n) => ({ id: n, sendTime: NOW - 100 + n, activity: { n } }));
  // The link breaks when half of the line has come: nothing of it is taken. Then it breaks after an older history.
  const half = JSON.stringify(history(...during)).slice(0, 300);
  const first = A();
  assertEquals(first.receive(half, facts).map(({ kind }) => kind), ["close"]);
  const second = A();
  publisher.take(second, says(second, history(...during.slice(0, 4))));
  const third = A();
  publisher.take(third, says(third, history(...during)), 9_000);
  publisher.take(third, says(third, history(...during)), 14_000);
  assertEquals(
    publisher.published.map(({ activity }) => activity),
    during.map(({ activity }) => JSON.stringify(activity)),
  );
});

Deno.test("fault: a registered user may publish under another's name. Here it is refused", () => {
  const { session: after } = clientSays(CLIENT, {
    command: "ACTIVITY_MESSAGE",
    username: "bob",
    secret: "s",
    activity: {},
  });
  assertEquals(after, { kind: "closed", reason: "AUTHENTICATION_FAIL" });
});
