import { assertEquals } from "@std/assert";
import { channelProblem } from "../../../protocol/channels/channel_name.ts";
import { parseClientLine } from "../../../protocol/client_codec.ts";
import { type PlainPublication, PublicationReader } from "../../../protocol/publication/plain_publication.ts";
import { oddLines } from "../../support/odd_lines.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Some 20,000 in the gate; `THRUM_FUZZ_LINES=1000000` for long. */
const FUZZ_LINES = Number(Deno.env.get("THRUM_FUZZ_LINES") ?? 20_000);

/** What stands in `line`, as `parseClientLine` would say it; `undefined` where it is not plain. */
function read(line: string, before = ""): ReturnType<typeof parseClientLine> | undefined {
  const bytes = encoder.encode(`${before}${line}\n{"next`);
  const reader = new PublicationReader();
  if (!reader.read(bytes, encoder.encode(before).length)) return undefined;
  assertEquals(reader.end, encoder.encode(before + line).length, line);
  const message = messageOf(reader, bytes);
  // Whoever takes the publication looks at the name.
  const channel = "channel" in message ? message.channel : undefined;
  return channel !== undefined && channelProblem(channel) !== undefined ? undefined : message;
}

function messageOf(found: PlainPublication, bytes: Uint8Array): ReturnType<typeof parseClientLine> {
  const text = (from: number, to: number) => from === 0 ? undefined : decoder.decode(bytes.subarray(from, to));
  return {
    command: "ACTIVITY_MESSAGE",
    username: text(found.usernameFrom, found.usernameTo),
    secret: text(found.secretFrom, found.secretTo),
    activity: text(found.activityFrom, found.activityTo)!,
    messageId: text(found.messageIdFrom, found.messageIdTo),
    ...(found.channelFrom === 0 ? {} : { channel: text(found.channelFrom, found.channelTo) }),
    lamport: found.lamport < 0 ? undefined : found.lamport,
  };
}

Deno.test("PublicationReader reads what clients send as a rule, and what people write in other languages", () => {
  for (
    const line of [
      '{"command":"ACTIVITY_MESSAGE","activity":{}}',
      '{"command":"ACTIVITY_MESSAGE","username":"anonymous","secret":null,"activity":{"text":"hello"}}',
      '{"command":"ACTIVITY_MESSAGE","messageId":"b-1","lamport":40,"activity":{"text":"with an id"}}',
      '{ "activity" : { "a" : [ 1 , -0.5e+7 , true , false , null , { } , [ ] ] } , "command" : "ACTIVITY_MESSAGE" }',
      '{"activity":{"æ":"ø \\"å\\" \\u00e5 \\\\ \\/ \\b\\f\\n\\r\\t 😀"},"command":"ACTIVITY_MESSAGE","lamport":0}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":{"authenticated_user":1},"\\u007f":"\\ud800"}}'.replace(
        "\\u007f",
        "b",
      ),
      '{"command":"ACTIVITY_MESSAGE","channel":"lab/door 1","activity":{"open":true}}',
      `{"command":"ACTIVITY_MESSAGE","activity":{"deep":${"[".repeat(20)}${"]".repeat(20)}}}`,
    ]
  ) {
    for (const before of ["", "{}\n"]) assertEquals(read(line, before), parseClientLine(line), line);
  }
});

Deno.test("PublicationReader leaves everything else to the codec", () => {
  for (
    const line of [
      "",
      "{}",
      "[]",
      '{"command":"LOGOUT"}',
      '{"command":"ACTIVITY_MESSAGE"}',
      '{"activity":{}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{}} ',
      '{"command":"ACTIVITY_MESSAGE","activity":{}}\r',
      '{"command":"ACTIVITY_MESSAGE","activity":{},"other":1}',
      '{"command":"ACTIVITY_MESSAGE","activity":{},"activity":{}}',
      '{"command":"LOGOUT","command":"ACTIVITY_MESSAGE","activity":{}}',
      '{"comm\\u0061nd":"ACTIVITY_MESSAGE","activity":{}}',
      '{"command":"ACTIVITY_MESSAG\\u0045","activity":{}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"authenticated_user":1}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"authenticated\\u005fuser":1}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"\\u0061":1}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":"\t"}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":1\t}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":"\\x"}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":"\\u12g4"}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":01}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":1.}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":-}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":1e}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":nul}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":1,}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":[1,]}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a":[1}}}',
      '{"command":"ACTIVITY_MESSAGE","activity":{"a"}}',
      '{"command":"ACTIVITY_MESSAGE","activity":[]}',
      '{"command":"ACTIVITY_MESSAGE","activity":{},"messageId":""}',
      `{"command":"ACTIVITY_MESSAGE","activity":{},"messageId":"${"x".repeat(129)}"}`,
      '{"command":"ACTIVITY_MESSAGE","activity":{},"messageId":"ø"}',
      '{"command":"ACTIVITY_MESSAGE","activity":{},"messageId":7}',
      '{"command":"ACTIVITY_MESSAGE","activity":{},"lamport":-1}',
      '{"command":"ACTIVITY_MESSAGE","activity":{},"lamport":01}',
      '{"command":"ACTIVITY_MESSAGE","activity":{},"lamport":1.5}',
      '{"command":"ACTIVITY_MESSAGE","activity":{},"lamport":1125899906842624}',
      `{"command":"ACTIVITY_MESSAGE","activity":{"deep":${"[".repeat(64)}${"]".repeat(64)}}}`,
    ]
  ) {
    assertEquals(read(line), undefined, line);
  }
});

Deno.test(`of ${FUZZ_LINES} odd lines each is read as the codec reads it, or not at all`, () => {
  let plain = 0;
  for (const line of oddLines(1, FUZZ_LINES)) {
    const found = read(line);
    if (found === undefined) continue;
    plain++;
    const expected = parseClientLine(line);
    // An assertion for each would take most of the time.
    if (JSON.stringify(found) !== JSON.stringify(expected)) assertEquals(found, expected, line);
  }
  // Else nothing was compared.
  assertEquals(plain > FUZZ_LINES / 5 && plain < FUZZ_LINES * 0.95, true, `${plain} were plain`);
});
