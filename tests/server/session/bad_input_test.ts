/** What a server makes of bytes that are no protocol (docs/protocol.md, section 1), on real sockets. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Server } from "../../../mod.ts";
import { doorOf } from "../../support/test_door.ts";

const door = doorOf(import.meta.url);
const { start } = door;

/** Sends `bytes` as the first thing that is said, and gives what the server made of it. */
async function answerTo(server: Server, bytes: string | Uint8Array, finish = false): Promise<string> {
  await using client = await door.connect(server);
  client.sendRaw(bytes);
  if (finish) client.finish();
  const { info } = await client.next("INVALID_MESSAGE");
  await client.closed();
  return info;
}

Deno.test("a line that is too long, not UTF-8 or not JSON is answered with what was wrong, and others feel nothing", async () => {
  await using server = await start({ limits: { maxLineBytes: 2_000 } });
  await using bystander = await door.loggedIn(server);
  assertStringIncludes(await answerTo(server, `{"command":"${"x".repeat(2_000)}"}\n`), "longer than 2000 bytes");
  assertStringIncludes(await answerTo(server, "x".repeat(5_000)), "longer than 2000 bytes");
  assertStringIncludes(await answerTo(server, new Uint8Array([0x7b, 0xff, 0x7d, 0x0a])), "UTF-8");
  assertStringIncludes(await answerTo(server, "hello\n"), "JSON");
  assertStringIncludes(await answerTo(server, "\n"), "empty");
  assertStringIncludes(await answerTo(server, '{"command":"DANCE"}\n'), "DANCE");
  bystander.send({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { still: "here" } });
  await bystander.untilActivities(1);
  assertEquals(bystander.received.length, 2);
});

Deno.test("half a line and then FIN is answered", async () => {
  await using server = await start();
  // A frame has an end.
  const problem = door.over === "tcp" ? "middle of a line" : "JSON";
  assertStringIncludes(await answerTo(server, '{"command":"LOG', true), problem);
});

Deno.test("what came before a bad line in one packet has its effect", async () => {
  await using server = await start();
  await using bystander = await door.loggedIn(server);
  await using client = await door.connect(server);
  client.sendRaw(
    '{"command":"LOGIN","username":"anonymous"}\n{"command":"ACTIVITY_MESSAGE","activity":{"n":1}}\nnonsense\n',
  );
  await client.next("INVALID_MESSAGE");
  await bystander.untilActivities(1);
  assertEquals(bystander.activities, [{ n: 1 }]);
});

Deno.test("10,000 fuzzed lines: each is answered, the server lives, and others feel nothing", async () => {
  await using server = await start();
  await using bystander = await door.loggedIn(server);
  const junk = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify({ command: "LOGIN", username: value })),
    fc.constantFrom("LOGIN", "REGISTER", "ACTIVITY_MESSAGE", "LOGOUT", "AUTHENTICATE", "HEARTBEAT").chain((command) =>
      fc.dictionary(
        fc.constantFrom("username", "secret", "activity", "features", "resume", "heartbeat"),
        fc.jsonValue(),
      )
        .map((fields) => JSON.stringify({ ...fields, command, username: 1, secret: [], activity: 0 }))
    ),
  );
  const lines = fc.sample(junk, { numRuns: 10_000, seed: 20_26 }).map((line) => line.replaceAll("\n", " "));
  let next = 0;
  let answered = 0;
  const worker = async () => {
    while (next < lines.length) {
      const line = lines[next++]!;
      await using client = await door.connect(server);
      client.sendRaw(`${line}\n`);
      await client.closed();
      assertEquals(client.received.length, 1, line);
      assert(/^(INVALID_MESSAGE|AUTHENTICATION_FAIL|LOGIN_FAILED)$/.test(client.received[0]!.command), line);
      assertEquals(typeof client.received[0]!.info, "string");
      answered++;
    }
  };
  await Promise.all(Array.from({ length: 50 }, worker));
  assertEquals(answered, 10_000);
  bystander.send({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { still: "here" } });
  await bystander.untilActivities(1);
  assertEquals(bystander.received.length, 2);
});

Deno.test("at the connection limit one more waits until another goes", async () => {
  await using server = await start({ limits: { maxConnections: 2 } });
  const first = await door.loggedIn(server);
  await using _second = await door.loggedIn(server);
  await using third = await door.connect(server);
  third.send({ command: "LOGIN", username: "anonymous" });
  assertEquals(server.connectionCount, 2);
  first.send({ command: "LOGOUT" });
  await third.next("LOGIN_SUCCESS");
  await first[Symbol.asyncDispose]();
});
