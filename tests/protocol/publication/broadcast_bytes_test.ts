import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Broadcast, broadcastRoom, BroadcastWriter } from "../../../protocol/publication/broadcast_bytes.ts";
import { quoteUsername } from "../../../protocol/server_codec.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** One for all, as what it keeps must not show. */
const writer = new BroadcastWriter();

/** The line in the plainest way there is. */
function reference(broadcast: Broadcast & { readonly activity: string }): string {
  const { activity, quotedUsername, origin, sequence, lamport, sentAt, messageId, after, via } = broadcast;
  const members = activity.slice(1, -1);
  const user = `"authenticated_user":${quotedUsername}`;
  const id = `"id":"${origin}:${sequence}","lamport":${lamport},"sentAt":${sentAt}`;
  const rest = [
    ...messageId === undefined ? [] : [`"messageId":${JSON.stringify(messageId)}`],
    ...after === undefined ? [] : [`"after":"${after}"`],
    ...via === undefined ? [] : [`"via":${JSON.stringify(via)}`],
  ];
  const activityText = members.trim() === "" ? `{${members}${user}}` : `{${members},${user}}`;
  return `{${['"command":"ACTIVITY_BROADCAST"', `"activity":${activityText}`, id, ...rest].join(",")}}\n`;
}

function written(broadcast: Broadcast, at = 0): string {
  const into = new Uint8Array(at + broadcastRoom(broadcast));
  return decoder.decode(into.subarray(at, writer.write(into, at, broadcast)));
}

const wellFormed = fc.string({ unit: "grapheme" });
const broadcasts = fc.record({
  activity: fc.oneof(
    fc.dictionary(wellFormed, fc.jsonValue(), { maxKeys: 4 }).map((value) => JSON.stringify(value)),
    fc.constantFrom("{}", "{ }", "{  }", '{"a":{}}', '{"a": { } }', '{"ø":"æ😀"}'),
  ),
  quotedUsername: fc.string({ unit: "grapheme", minLength: 1, maxLength: 64 }).map(quoteUsername),
  origin: fc.constantFrom("s-1", "s-86aaeef57584", "x".repeat(300)),
  sequence: fc.oneof(fc.integer({ min: 1, max: 2_000_000_000 }), fc.maxSafeNat()),
  lamport: fc.oneof(fc.constantFrom(0, 9, 10, 999_999_999, 1e9, 1e9 + 1, 2 ** 31, 2 ** 32, 2 ** 50), fc.maxSafeNat()),
  sentAt: fc.constantFrom(0, 1_795_268_126_199, -1, -1_795_268_126_199, 1.5, Number.MAX_SAFE_INTEGER),
  messageId: fc.option(wellFormed, { nil: undefined }),
  after: fc.option(fc.constantFrom("s-1:7", "s-86aaeef57584:123"), { nil: undefined }),
  via: fc.option(wellFormed, { nil: undefined }),
});

Deno.test("BroadcastWriter writes the same line from a text and from bytes, wherever it begins, and broadcastRoom() is enough", () => {
  fc.assert(
    fc.property(broadcasts, fc.nat(9), (broadcast, at) => {
      const expected = reference(broadcast);
      assertEquals(written(broadcast, at), expected);
      const bytes = encoder.encode(`xx${broadcast.activity}yy`);
      const activity = { bytes, from: 2, to: bytes.length - 2 };
      assertEquals(written({ ...broadcast, activity }, at), expected);
      assertEquals(encoder.encode(expected).length <= broadcastRoom({ ...broadcast, activity }), true);
    }),
    { numRuns: 2_000 },
  );
});
