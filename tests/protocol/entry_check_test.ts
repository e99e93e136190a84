/**
 * What an entry has to be: everything that a server makes passes, whatever is in it, and nothing that is
 * wrong in one field does.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseClientLine } from "../../protocol/client_codec.ts";
import { checkEntry } from "../../protocol/entry_check.ts";
import { encodeAccount, encodeDirectMessage, encodeReceipt } from "../../protocol/entry_codec.ts";
import { MAX_ENTRY_LAMPORT } from "../../protocol/lamport_bounds.ts";
import { usernameProblem } from "../../protocol/names.ts";
import type { WireAudience } from "../../protocol/peer/peer_message.ts";
import { encodeBroadcast, quoteUsername } from "../../protocol/server_codec.ts";

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const username = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((name) => !usernameProblem(name));
const messageId = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const origin = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/);
const sequence = fc.integer({ min: 1, max: 2 ** 52 });
const after = fc.tuple(origin, sequence).map(([origin, sequence]) => `${origin}:${sequence}`);
const lamport = fc.integer({ min: 0, max: MAX_ENTRY_LAMPORT });
const common = { origin, sequence, lamport, sentAt: fc.nat() };

function problemOf(line: string, { origin, sequence }: { origin: string; sequence: number }, to: WireAudience) {
  const checked = checkEntry(line.slice(0, -1), { origin, sequence, to });
  return checked === undefined ? "unreadable" : checked.problem ?? checked.misdirected;
}

Deno.test("whatever a client may publish makes an activity that passes", () => {
  const given = { ...common, username, messageId: optional(messageId), after: optional(after) };
  const activity = fc.dictionary(fc.oneof(fc.string(), fc.constant("authenticated_user")), fc.jsonValue());
  fc.assert(fc.property(fc.record(given), activity, ({ username, ...entry }, activity) => {
    const said = parseClientLine(JSON.stringify({ command: "ACTIVITY_MESSAGE", activity }));
    if (said.command !== "ACTIVITY_MESSAGE") return;
    const line = encodeBroadcast({ ...entry, activity: said.activity, quotedUsername: quoteUsername(username) });
    assertEquals(problemOf(line, entry, "everyone"), undefined, line);
    assertEquals(problemOf(line, entry, "servers"), undefined);
    assert(problemOf(line, entry, { user: "anna" }) !== undefined);
  }));
});

Deno.test("accounts, direct messages and receipts pass as servers write them, and for nobody but whom they are for", () => {
  fc.assert(fc.property(
    fc.record({
      ...common,
      username,
      other: username,
      messageId: optional(messageId),
      after: optional(after),
      of: after,
    }),
    fc.string({ unit: "grapheme" }),
    ({ username, other, of, messageId, after, ...entry }, text) => {
      const account = encodeAccount({ ...entry, username, verifier: "scrypt$16384$aa$bb", claim: entry.lamport });
      const message = encodeDirectMessage({ ...entry, from: username, to: other, text, messageId, after });
      const receipt = encodeReceipt({ ...entry, of, to: other, messageId });
      for (const line of [account, message, receipt]) assertEquals(problemOf(line, entry, "servers"), undefined, line);
      assertEquals(problemOf(message, entry, { user: other }), undefined);
      assertEquals(problemOf(receipt, entry, { user: username }), undefined);
      assert(problemOf(account, entry, { user: other }) !== undefined);
      for (const line of [account, message, receipt]) assert(problemOf(line, entry, "everyone") !== undefined);
      if (other !== username) assert(problemOf(message, entry, { user: username }) !== undefined);
    },
  ));
});

Deno.test("a kind that is not known passes with what all entries have in common, and not without", () => {
  const place = { origin: "a", sequence: 7 };
  const entry = { command: "SHOUT", id: "a:7", lamport: 5 };
  const check = (more: object) => problemOf(`${JSON.stringify({ ...entry, ...more })}\n`, place, "everyone");
  assertEquals(check({ sentAt: "whatever", after: 1, activity: null }), undefined);
  for (const wrong of [{ id: "a:8" }, { id: 7 }, { id: undefined }, { command: "" }, { command: 1 }]) {
    assert(check(wrong) !== undefined, JSON.stringify(wrong));
  }
  const messages = ["REDIRECT", "ENTRIES", "LOGIN_SUCCESS", "PRESENCE", "HAVE", "END_CONNECTION", "CLONED", "ACCOUNTS"];
  for (const command of messages) assertEquals(check({ command }), `${command} is no entry`);
  for (const lamport of [-1, 2 ** 53 - 1, MAX_ENTRY_LAMPORT + 1]) {
    assert(check({ lamport }) !== undefined, `${lamport}`);
  }
  for (const lamport of [1.5, "5", null, undefined, 2 ** 53]) assertEquals(check({ lamport }), "unreadable");
});

Deno.test("two users, two equal keys, and a carriage return do not pass, however they are written", () => {
  const place = { origin: "a", sequence: 1 };
  const rest = `"id":"a:1","lamport":1,"sentAt":1`;
  const user = `"authenticated_user":"bob"`;
  const begin = `"command":"ACTIVITY_BROADCAST"`;
  const good = [
    `{${begin},"activity":{"n":{${user}},${user}},${rest}}`,
    `{${rest},"activity":{${user},"n":1},${begin},"more":1}`,
  ];
  const bad = [
    `{${begin},"activity":{${user},"n":1,"authenticated_user":"anna"},${rest}}`,
    `{${begin},"activity":{"authenticated\\u005fuser":"anna",${user}},${rest}}`,
    `{"command":"REDIRECT",${begin},"activity":{${user}},${rest}}`,
    `{${begin},"activity":{${user}},"activity":{${user}},${rest}}`,
    `{${begin},"activity":{${user}\r},${rest}}`,
    `{${begin},"activity":{"d":${"[".repeat(64)}${"]".repeat(64)},${user}},${rest}}`,
  ];
  for (const line of good) assertEquals(problemOf(`${line}\n`, place, "everyone"), undefined, line);
  for (const line of bad) assert(problemOf(`${line}\n`, place, "everyone") !== undefined, line);
});

Deno.test("checkEntry() never throws, and reads nothing that is no object with a time", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
    const entry = checkEntry(line, { origin: "a", sequence: 1, to: "everyone" });
    assert(entry === undefined || entry.problem !== undefined);
  }));
});
