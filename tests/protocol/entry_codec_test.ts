/** Lines of the log, as servers read them. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeAccount, encodeDirectMessage, encodeReceipt, parseEntry } from "../../protocol/entry_codec.ts";
import { formatEntryId, parseEntryId } from "../../protocol/entry_id.ts";
import { encodeBroadcast, parseServerLine, quoteUsername } from "../../protocol/server_codec.ts";

const origin = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const sequence = fc.integer({ min: 1, max: 2 ** 52 });
const whole = fc.nat();

Deno.test("an account is read as it was written", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      whole,
      origin,
      sequence,
      whole,
      (username, verifier, claim, origin, sequence, lamport) => {
        const line = encodeAccount({ username, verifier, claim, origin, sequence, lamport, sentAt: 1 });
        assert(line.endsWith("\n") && !line.slice(0, -1).includes("\n"));
        const facts = parseEntry(line.slice(0, -1));
        assertEquals(facts as unknown, {
          kind: "account",
          lamport,
          username: undefined,
          messageId: undefined,
          after: undefined,
          account: { username, verifier, claim },
        });
      },
    ),
  );
});

Deno.test("an account without a claim, as it was written once, was claimed when it was made", () => {
  const line = JSON.stringify({ command: "ACCOUNT", username: "anna", verifier: "v", lamport: 7 });
  assertEquals(parseEntry(line)?.account, { username: "anna", verifier: "v", claim: 7 });
});

Deno.test("of an activity a server takes who published it, under which messageId, and what it comes after", () => {
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
      fc.string(),
      optional(fc.string()),
      optional(fc.record({ origin, sequence })),
      whole,
      (activity, username, messageId, after, lamport) => {
        delete activity.authenticated_user;
        const line = encodeBroadcast({
          activity: JSON.stringify(activity),
          quotedUsername: quoteUsername(username),
          origin: "a",
          sequence: 1,
          lamport,
          sentAt: 1,
          messageId,
          after: after === undefined ? undefined : formatEntryId(after),
        });
        const facts = parseEntry(line.slice(0, -1));
        assertEquals(facts as unknown, { kind: "activity", lamport, username, messageId, after, account: undefined });
      },
    ),
  );
});

Deno.test("a direct message is to servers who sent it, to whom and when; to its receiver it is a DIRECT_MESSAGE as it stands", () => {
  const message = fc.record({
    from: fc.string(),
    to: fc.string(),
    text: fc.string({ unit: "grapheme" }),
    origin,
    sequence,
    lamport: whole,
    sentAt: whole,
    messageId: fc.option(fc.string(), { nil: undefined }),
    after: fc.option(fc.record({ origin, sequence }).map(formatEntryId), { nil: undefined }),
  });
  fc.assert(fc.property(message, (message) => {
    const line = encodeDirectMessage(message);
    assert(line.endsWith("\n") && !line.slice(0, -1).includes("\n"));
    const { from, to, text, origin, sequence, lamport, sentAt, messageId } = message;
    assertEquals(parseEntry(line.slice(0, -1)) as unknown, {
      kind: "message",
      lamport,
      username: from,
      messageId,
      after: message.after === undefined ? undefined : parseEntryId(message.after),
      account: undefined,
      to,
      sentAt,
    });
    assertEquals(parseServerLine(line.slice(0, -1)) as unknown, {
      command: "DIRECT_MESSAGE",
      from,
      to,
      text,
      id: `${origin}:${sequence}`,
      lamport,
      sentAt,
      ...(messageId === undefined ? {} : { messageId }),
    });
  }));
});

Deno.test("a receipt is to servers of which message it is; to the sender it is a RECEIPT as it stands", () => {
  const receipt = fc.record({ of: fc.record({ origin, sequence }), to: fc.string(), origin, sequence, lamport: whole });
  fc.assert(fc.property(receipt, fc.option(fc.string(), { nil: undefined }), ({ of, ...receipt }, messageId) => {
    const line = encodeReceipt({ ...receipt, of: formatEntryId(of), messageId });
    assert(line.endsWith("\n") && !line.slice(0, -1).includes("\n"));
    const { lamport, to, origin, sequence } = receipt;
    const facts = {
      kind: "receipt",
      lamport,
      username: undefined,
      messageId,
      after: undefined,
      account: undefined,
      of,
    };
    assertEquals(parseEntry(line.slice(0, -1)) as unknown, facts);
    // Without a messageId it is for servers alone.
    if (messageId === undefined) return;
    assertEquals(parseServerLine(line.slice(0, -1)) as unknown, {
      command: "RECEIPT",
      messageId,
      state: "delivered",
      of: formatEntryId(of),
      to,
      id: `${origin}:${sequence}`,
      lamport,
    });
  }));
});

Deno.test("a kind that only a newer server knows is kept; what cannot be a line of the log is not", () => {
  assertEquals(parseEntry('{"command":"NEW","lamport":3,"after":"b:2"}'), {
    kind: "other",
    lamport: 3,
    username: undefined,
    messageId: undefined,
    after: { origin: "b", sequence: 2 },
    account: undefined,
  });
  const wrong = [
    "",
    "{",
    "[]",
    "1",
    "null",
    "{}",
    '{"lamport":1.5}',
    '{"lamport":"1"}',
    '{"command":"ACCOUNT","lamport":1}',
    '{"command":"DIRECT_MESSAGE","lamport":1,"from":"anna","sentAt":1}',
    '{"command":"DIRECT_MESSAGE","lamport":1,"to":"bob","sentAt":1}',
    '{"command":"DIRECT_MESSAGE","lamport":1,"from":"anna","to":{},"sentAt":1}',
    '{"command":"DIRECT_MESSAGE","lamport":1,"from":"anna","to":"bob"}',
    '{"command":"RECEIPT","lamport":1}',
    '{"command":"RECEIPT","lamport":1,"of":"a"}',
    '{"command":"RECEIPT","lamport":1,"of":7}',
  ];
  for (const line of wrong) assertEquals(parseEntry(line), undefined, line);
});

Deno.test("whatever a line is, reading it does not throw", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void parseEntry(line)));
  const fields = fc.record({
    activity: fc.jsonValue(),
    messageId: fc.jsonValue(),
    after: fc.jsonValue(),
    username: fc.jsonValue(),
    from: fc.jsonValue(),
    to: fc.jsonValue(),
    of: fc.jsonValue(),
  });
  const commands = fc.constantFrom("ACTIVITY_BROADCAST", "ACCOUNT", "DIRECT_MESSAGE", "RECEIPT", "X");
  fc.assert(fc.property(commands, fields, (command, fields) => {
    parseEntry(JSON.stringify({ command, lamport: 1, ...fields }));
  }));
});

Deno.test("an id is read as it was written, whatever its origin is called", () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }), sequence, (origin, sequence) => {
    assertEquals(parseEntryId(formatEntryId({ origin, sequence })), { origin, sequence });
  }));
  for (const text of ["", ":1", "a", "a:", "a:0", "a:-1", "a:1.5", "a:x", "a:1e99"]) {
    assertEquals(parseEntryId(text), undefined, text);
  }
});
