/** What callers that are not let in are told, and what they cost the log. */

import { assertEquals, assertMatch } from "@std/assert";
import type { ConfigLayer } from "../../../config/config.ts";
import { loggedLines } from "../../support/captured_log.ts";
import type { Received } from "../../support/line_client.ts";
import { FakeLineClient, NodeWorld } from "../../support/node_world.ts";

/** A connection that has sent `text`, until it is gone; what it was told. */
async function told(world: NodeWorld, text: string, address = "caller"): Promise<Received[]> {
  const client = await world.connectFrom(address);
  client.link.write(new TextEncoder().encode(text));
  await world.endAllDerivations();
  await world.clock.run(10);
  return client.received;
}

const BUNDLE = '{"messages":[{"secret":"abc","command":"AUTHENTICATE"}],"command":"BUNDLE"}\n';
const AUTHENTICATE = '{"secret":"abc","command":"AUTHENTICATE"}\n';

Deno.test("the third family is told AUTHENTICATION_FAIL, whichever of its lines comes first", async () => {
  for (const olderDialect of [true, false]) {
    const world = await NodeWorld.start({ cluster: { secret: "abc", olderDialect } });
    for (const text of [`h\n${AUTHENTICATE}`, `h\r\n`, `h\n${BUNDLE}`, BUNDLE]) {
      const answers = await told(world, text);
      assertEquals(answers.map(({ command }) => command), ["AUTHENTICATION_FAIL"], text);
    }
    // To a client an h is a line like any other that makes no sense.
    const [, answer] = await told(world, '{"command":"LOGIN","username":"anonymous"}\nh\n');
    assertEquals(answer?.command, "INVALID_MESSAGE");
    await world.stop();
  }
});

/** Each kind of caller that is refused: what it sends, and the configuration that refuses it. */
const KINDS: Record<string, { text: string; options?: ConfigLayer }> = {
  "the third family": { text: `h\n${AUTHENTICATE}` },
  "no JSON": { text: "GET / HTTP/1.1\r\n\r\n" },
  "a wrong secret of the network": { text: '{"command":"AUTHENTICATE","secret":"guess"}\n' },
  "an older server where none may join": { text: AUTHENTICATE },
  "an older server that breaks the rules": {
    text: `${AUTHENTICATE}{"command":"WHAT"}\n`,
    options: { cluster: { secret: "abc", olderDialect: true } },
  },
  "an older server of the third family": {
    text: `${AUTHENTICATE}h\n`,
    options: { cluster: { secret: "abc", olderDialect: true } },
  },
  "a login of nobody": { text: '{"command":"LOGIN","username":"nobody","secret":"guess"}\n' },
  "a name that cannot be": { text: '{"command":"REGISTER","username":"","secret":"s"}\n' },
  "an activity without a login": { text: '{"command":"ACTIVITY_MESSAGE","activity":{}}\n' },
  "too many registrations": {
    text: '{"command":"REGISTER","username":"bob","secret":"s"}\n',
    options: { limits: { maxRegistrationsPerHourPerAddress: 1 } },
  },
  "nothing at all": { text: "", options: { limits: { identifyTimeoutMs: 10 } } },
};

for (const [kind, { text, options = { cluster: { secret: "abc" } } }] of Object.entries(KINDS)) {
  Deno.test(`a caller that is refused 200 times costs one line a minute, with a count: ${kind}`, async () => {
    await loggedLines(async (lines) => {
      const world = await NodeWorld.start(options);
      await told(world, text);
      await told(world, text);
      lines.length = 0;
      for (let n = 0; n < 200; n++) await told(world, text);
      assertEquals(lines, []);
      await world.clock.run(60_000);
      assertEquals(lines.length, 1, lines.join("\n"));
      assertMatch(lines[0]!, /^refused 20\d more of caller within 60 s, the last: ./);
      // Somebody else is told of as ever.
      await told(world, "nonsense\n", "another");
      assertEquals(lines.filter((line) => line.includes("another")).length, 2);
      await world.stop();
    });
  });
}

Deno.test("a caller that has too many connections costs one line a minute, with a count", async () => {
  await loggedLines(async (lines) => {
    const world = await NodeWorld.start({ limits: { maxUnidentifiedPerAddress: 1 } });
    const held = await world.connectFrom("caller");
    await told(world, "");
    assertEquals(lines.at(-1), "an address has reached its limit of connections without a login: caller");
    lines.length = 0;
    for (let n = 0; n < 200; n++) await told(world, "");
    assertEquals(lines, []);
    held.link.destroy();
    await world.clock.run(60_000);
    assertEquals(lines.filter((line) => line.startsWith("refused 200 more of caller within 60 s")).length, 1);
    await world.stop();
  });
});

Deno.test("many connections at once that are refused cost few lines, and many that are let in are told each", async () => {
  await loggedLines(async (lines) => {
    const world = await NodeWorld.start();
    const many = async (count: number) => await Promise.all(Array.from({ length: count }, () => world.connect()));
    for (const client of await many(200)) client.link.write(new TextEncoder().encode("nonsense\n"));
    await world.clock.run(61_000);
    assertEquals(lines.length, 8 + 1 + 1);
    await world.clock.run(60_000);
    lines.length = 0;
    for (const client of await many(200)) client.send({ command: "LOGIN", username: "anonymous" });
    await world.clock.run(10);
    const connected = lines.filter((line) => line.startsWith("connected with")).map((line) => line.split(" ").at(-1)!);
    assertEquals([connected.length, new Set(connected).size], [200, 200]);
    await world.stop();
  });
});

Deno.test("who was refused and is let in then is told of in full, and what waits is told at the end", async () => {
  await loggedLines(async (lines) => {
    const world = await NodeWorld.start();
    for (let n = 0; n < 3; n++) await told(world, "nonsense\n");
    lines.length = 0;
    const client = await world.connectFrom("caller", { command: "LOGIN", username: "anonymous" });
    assertEquals(client instanceof FakeLineClient, true);
    assertEquals(lines.map((line) => line.replace(/:\d+/, "")), [
      "connected with caller",
      "anonymous connected from caller",
    ]);
    await world.stop();
    assertEquals(lines.filter((line) => line.startsWith("refused 2 more of caller")).length, 1);
  });
});
