import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { parseClientLine } from "../../protocol/client_codec.ts";
import { MAX_LAMPORT } from "../../protocol/lamport_bounds.ts";

function infoOf(line: string): string {
  const message = parseClientLine(line);
  assertEquals(message.command, "", `${line} was accepted`);
  return (message as { info: string }).info;
}

Deno.test("parseClientLine() reads LOGIN with everything that may stand in it", () => {
  assertEquals(
    parseClientLine(
      '{"username":"anna","secret":"x","features":["ack","later","resume"],"resume":{"vector":{"s-1":7}},' +
        '"heartbeat":{"port":9000},"redirects":2,"ticket":"t","last":"s-1:6","unknown":[1],"command":"LOGIN"}',
    ),
    {
      command: "LOGIN",
      username: "anna",
      secret: "x",
      features: ["ack", "resume"],
      resume: { "s-1": 7 },
      heartbeatPort: 9000,
      heartbeatHost: undefined,
      redirects: 2,
      ticket: "t",
      last: "s-1:6",
    },
  );
});

Deno.test("parseClientLine() takes a LOGIN for the first one where it does not say otherwise", () => {
  for (const rest of ["", ',"redirects":null,"ticket":null,"last":null']) {
    const message = parseClientLine(`{"command":"LOGIN","username":"anonymous"${rest}}`);
    assert(message.command === "LOGIN");
    assertEquals([message.redirects, message.ticket, message.last], [0, undefined, undefined]);
  }
});

Deno.test("parseClientLine() reads AUTHENTICATE with everything, and with nothing but the secret", () => {
  const all = {
    command: "AUTHENTICATE",
    secret: "x",
    serverId: "s-1",
    host: "h",
    port: 8000,
    features: ["thrum/1"],
    vector: { "s-1": 7 },
    lamport: 9,
  };
  assertEquals(parseClientLine(JSON.stringify(all)) as unknown, all);
  assertEquals(parseClientLine('{"command":"AUTHENTICATE","secret":"x"}') as unknown, {
    command: "AUTHENTICATE",
    secret: "x",
    serverId: undefined,
    host: undefined,
    port: undefined,
    features: [],
    vector: {},
    lamport: undefined,
  });
});

Deno.test("parseClientLine() passes over a time that is too high to count, and takes the highest that does", () => {
  for (const line of ['"command":"ACTIVITY_MESSAGE","activity":{}', '"command":"DIRECT_MESSAGE","to":"b","text":"x"']) {
    const read = (lamport: number) =>
      (parseClientLine(`{${line},"lamport":${lamport}}`) as { lamport?: number }).lamport;
    assertEquals([read(MAX_LAMPORT), read(MAX_LAMPORT + 1)], [MAX_LAMPORT, undefined]);
  }
});

Deno.test("parseClientLine() reads DIRECT_MESSAGE and LIST_USERS, with everything and with as little as may be", () => {
  const all = { command: "DIRECT_MESSAGE", to: "bob", text: "\u{1f600} \u0007", messageId: "m-1", lamport: 7 };
  assertEquals(parseClientLine(JSON.stringify({ ...all, from: "carl", id: "a:1" })) as unknown, all);
  const least = { command: "DIRECT_MESSAGE", to: "", text: "", messageId: undefined, lamport: undefined };
  assertEquals(parseClientLine('{"command":"DIRECT_MESSAGE","to":"","text":"","messageId":null}') as unknown, least);
  for (const scope of ["online", "all"]) {
    assertEquals(parseClientLine(JSON.stringify({ command: "LIST_USERS", scope })) as unknown, {
      command: "LIST_USERS",
      scope,
    });
  }
});

Deno.test("parseClientLine() takes null for an absent secret", () => {
  for (
    const line of [
      '{"command":"LOGIN","username":"anonymous","secret":null}',
      '{"command":"LOGIN","username":"anonymous"}',
    ]
  ) {
    const message = parseClientLine(line);
    assert(message.command === "LOGIN");
    assertEquals(message.secret, undefined);
  }
});

Deno.test("parseClientLine() passes an activity's text on as it was written", () => {
  const activity = '{"z":1.0,"big":9007199254740993,"a":null,"e":1e2,"s":"\\u00fc\\/","o":{"b":[1, 2]}}';
  const message = parseClientLine(
    `{"command":"ACTIVITY_MESSAGE","username":"a","secret":null,"activity": ${activity} }`,
  );
  assert(message.command === "ACTIVITY_MESSAGE");
  assertEquals(message.activity, activity);
});

Deno.test("parseClientLine() takes out an authenticated_user that the client claims, however it is written", () => {
  for (const key of ["authenticated_user", "authenticated\\u005fuser"]) {
    const message = parseClientLine(`{"command":"ACTIVITY_MESSAGE","activity":{"a":1.0,"${key}":"boss"}}`);
    assert(message.command === "ACTIVITY_MESSAGE");
    assertEquals(message.activity, '{"a":1.0}');
  }
});

Deno.test("parseClientLine() leaves no carriage return in an activity, which would be a line's end to others", () => {
  const message = parseClientLine('{"command":"ACTIVITY_MESSAGE","activity":{"a":1,\r"b":2}}');
  assert(message.command === "ACTIVITY_MESSAGE");
  assertEquals(message.activity, '{"a":1, "b":2}');
});

Deno.test("parseClientLine() says in words what is wrong", () => {
  const wrong: [string, string][] = [
    ["", "empty"],
    ["  ", "empty"],
    ["nonsense", "not valid JSON"],
    ["[1]", "not a JSON object"],
    ["null", "not a JSON object"],
    ["{}", '"command" is missing'],
    ['{"command":7}', '"command" must be a string'],
    ['{"command":"DANCE"}', "not known: DANCE"],
    ['{"command":"LOGIN"}', '"username" is missing'],
    ['{"command":"LOGIN","username":5}', '"username" must be a string'],
    ['{"command":"LOGIN","username":"a","features":"ack"}', '"features" must be a list of strings'],
    ['{"command":"LOGIN","username":"a","resume":{"vector":{"s":-1}}}', '"vector" must have a sequence'],
    ['{"command":"LOGIN","username":"a","resume":{"vector":[1]}}', '"vector" must be an object'],
    ['{"command":"LOGIN","username":"a","heartbeat":{"port":70000}}', "from 1 to 65535"],
    ['{"command":"LOGIN","username":"a","redirects":-1}', '"redirects" must be a whole number'],
    ['{"command":"LOGIN","username":"a","ticket":7}', '"ticket" must be a string'],
    ['{"command":"LOGIN","username":"a","last":{}}', '"last" must be a string'],
    ['{"command":"AUTHENTICATE"}', '"secret" is missing'],
    ['{"command":"AUTHENTICATE","secret":"x","port":0}', '"port" must be a whole number'],
    ['{"command":"AUTHENTICATE","secret":"x","vector":[]}', '"vector" must be an object'],
    ['{"command":"REGISTER","username":"a"}', '"secret" is missing'],
    ['{"command":"REGISTER","username":"a","secret":null}', '"secret" must be a string'],
    ['{"command":"ACTIVITY_MESSAGE"}', '"activity" is missing'],
    ['{"command":"ACTIVITY_MESSAGE","activity":"x"}', '"activity" must be an object'],
    ['{"command":"ACTIVITY_MESSAGE","activity":[1]}', '"activity" must be an object'],
    ['{"command":"ACTIVITY_MESSAGE","activity":{},"messageId":""}', '"messageId" must have 1 to 128'],
    ['{"command":"ACTIVITY_MESSAGE","activity":{},"lamport":-1}', '"lamport" must be a whole number'],
    [`{"command":"ACTIVITY_MESSAGE","activity":{"a":${"[".repeat(64)}${"]".repeat(64)}}}`, "nested deeper than 64"],
    ['{"command":"DIRECT_MESSAGE","text":"x"}', '"to" is missing'],
    ['{"command":"DIRECT_MESSAGE","to":"bob"}', '"text" is missing'],
    ['{"command":"DIRECT_MESSAGE","to":"bob","text":["x"]}', '"text" must be a string'],
    ['{"command":"DIRECT_MESSAGE","to":"bob","text":"\\ud800"}', "half a surrogate pair"],
    ['{"command":"DIRECT_MESSAGE","to":"bob","text":"x","messageId":7}', '"messageId" must be a string'],
    [`{"command":"DIRECT_MESSAGE","to":"bob","text":"x","messageId":"${"m".repeat(129)}"}`, "1 to 128"],
    ['{"command":"DIRECT_MESSAGE","to":"bob","text":"x","lamport":1e17}', '"lamport" must be a whole number'],
    ['{"command":"LIST_USERS"}', '"scope" is missing'],
    ['{"command":"LIST_USERS","scope":"some"}', '"scope" must be "online" or "all"'],
    ['{"command":"HEARTBEAT_ACK"}', '"sequence" is missing'],
    ['{"command":"HEARTBEAT_ACK","sequence":1.5}', "whole number"],
  ];
  for (const [line, words] of wrong) assertStringIncludes(infoOf(line), words);
});

Deno.test("parseClientLine() accepts the deepest activity that is allowed", () => {
  const line = `{"command":"ACTIVITY_MESSAGE","activity":{"a":${"[".repeat(63)}${"]".repeat(63)}}}`;
  assertEquals(parseClientLine(line).command, "ACTIVITY_MESSAGE");
});

Deno.test("parseClientLine() never repeats a secret in what it says", () => {
  const secret = "correct-horse";
  for (
    const line of [
      `{"command":"LOGIN","username":"a","secret":"${secret}"`,
      `{"command":"LOGIN","secret":"${secret}"}`,
      `{"command":"${secret}"}`,
      `{"command":"LOGIN","username":{"secret":"${secret}"},"secret":"${secret}"}`,
      `${secret}`,
    ]
  ) assert(!infoOf(line).includes(secret), line);
});

Deno.test("parseClientLine() answers any text, and never throws", () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (line) => {
    assertEquals(typeof parseClientLine(line).command, "string");
  }));
});

Deno.test("parseClientLine() answers any field of any type, and never throws", () => {
  const command = fc.constantFrom(
    "LOGIN",
    "REGISTER",
    "LOGOUT",
    "ACTIVITY_MESSAGE",
    "HEARTBEAT",
    "HEARTBEAT_ACK",
    "ACK",
    "END_CONNECTION",
    "INVALID_MESSAGE",
    "AUTHENTICATE",
    "DIRECT_MESSAGE",
    "LIST_USERS",
  );
  const names = [
    "username",
    "secret",
    "features",
    "resume",
    "heartbeat",
    "activity",
    "messageId",
    "sequence",
    "vector",
    "of",
    "redirects",
    "ticket",
    "last",
    "serverId",
    "host",
    "port",
    "lamport",
    "to",
    "text",
    "scope",
  ];
  const fields = fc.dictionary(fc.constantFrom(...names), fc.jsonValue());
  fc.assert(fc.property(command, fields, (name, rest) => {
    const message = parseClientLine(JSON.stringify({ ...rest, command: name }));
    assert(message.command === name || message.command === "");
  }));
});
