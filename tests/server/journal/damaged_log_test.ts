/** A real server whose disk gives back something else than was written to it. */

import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { serve, type Server, StoreError } from "../../../mod.ts";
import { LineClient, type Received } from "../../support/line_client.ts";

/** Larger than what goes into rows of the database. */
const TEXT = "x".repeat(10_000);
const ACTIVITIES = 60;

function start(data: string): Promise<Server> {
  // Hardly anything is kept in memory, so that what is resumed is read from the disk.
  return serve({ server: { host: "127.0.0.1", port: 0 }, store: { data }, limits: { tailBytes: 20_000 } });
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "thrum-damaged-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Turns one bit of a file around, or back. */
function flip(file: string, at: number): void {
  const bytes = Deno.readFileSync(file);
  bytes[at]! ^= 1;
  Deno.writeFileSync(file, bytes);
}

/** What a client got, and how far it is by what it was told. */
function vectorOf(received: readonly Received[]): Record<string, number> {
  const vector: Record<string, number> = {};
  for (const { command, id, vector: told } of received) {
    if (command === "CAUGHT_UP") Object.assign(vector, told);
    if (command !== "ACTIVITY_BROADCAST") continue;
    const [origin, sequence] = id.split(":");
    vector[origin] = Number(sequence);
  }
  return vector;
}

Deno.test("one bit flipped in a log file: a client that resumes is not told that it has caught up, and gets all of it when the folder is whole again", async () => {
  await withFolder(async (folder) => {
    const before: Received[] = [];
    {
      await using server = await start(folder);
      await using publisher = await LineClient.loggedIn(server.port, { features: ["ack"] });
      for (let n = 1; n <= ACTIVITIES; n++) {
        publisher.send({
          command: "ACTIVITY_MESSAGE",
          username: "anonymous",
          activity: { n, text: TEXT },
          messageId: `m-${n}`,
        });
        await publisher.next("ACTIVITY_ACK");
      }
    }
    {
      // After a restart nothing of it is in memory.
      await using server = await start(folder);
      await using publisher = await LineClient.loggedIn(server.port, { features: ["ack"] });
      flip(`${folder}/log-00000001.bytes`, 30 * TEXT.length);
      await using client = await LineClient.connect(server.port);
      client.send({
        command: "LOGIN",
        username: "anonymous",
        features: ["resume", "chat"],
        resume: { vector: {} },
      });
      await client.closed();
      before.push(...client.received);
      const { reason, error } = await server.finished;
      assertEquals(reason, "failed");
      assert(error instanceof StoreError);
      assertStringIncludes(error.message, "log-00000001.bytes is damaged");
      await publisher.closed();
      assertEquals(publisher.received.at(-1)!.reason, "SERVER_FAILED");
    }
    const commands = before.map(({ command }) => command);
    assert(!commands.includes("CAUGHT_UP"));
    assertEquals([commands.at(-1), before.at(-1)!.reason], ["END_CONNECTION", "SERVER_FAILED"]);
    const first = before.filter(({ command }) => command === "ACTIVITY_BROADCAST").map(({ activity }) => activity.n);
    assertEquals(first, Array.from({ length: first.length }, (_, index) => index + 1));
    assertGreater(first.length, 0);
    assertLess(first.length, 30);

    flip(`${folder}/log-00000001.bytes`, 30 * TEXT.length);
    await using server = await start(folder);
    await using client = await LineClient.connect(server.port);
    const resume = { vector: vectorOf(before) };
    client.send({ command: "LOGIN", username: "anonymous", features: ["resume", "chat"], resume });
    await client.next("CAUGHT_UP");
    const rest = client.received.filter(({ command }) => command === "ACTIVITY_BROADCAST");
    const all = [...first, ...rest.map(({ activity }) => activity.n)];
    assertEquals(all, Array.from({ length: ACTIVITIES }, (_, index) => index + 1));
  });
});

const TAKEN: readonly [what: string, take: (folder: string) => void][] = [
  ["a log file is removed", (folder) => Deno.removeSync(`${folder}/log-00000001.bytes`)],
  ["a log file is cut short", (folder) => Deno.truncateSync(`${folder}/log-00000001.bytes`, 1_000)],
  ["the database is removed", (folder) => Deno.removeSync(`${folder}/thrum.sqlite`)],
  ["the folder is moved away", (folder) => Deno.renameSync(folder, `${folder}-elsewhere`)],
];
for (const [what, take] of TAKEN) {
  Deno.test({
    name: `${what} under a server that runs: it tells everybody and ends, however much it still could write`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await withFolder(async (parent) => {
        const folder = `${parent}/data`;
        await using server = await start(folder);
        await using publisher = await LineClient.loggedIn(server.port, { features: ["ack"] });
        const message = { command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { text: TEXT } };
        publisher.send({ ...message, messageId: "first" });
        await publisher.next("ACTIVITY_ACK");
        take(folder);
        // It goes on publishing, as fast as it is told that it may.
        let n = 0;
        publisher.onMessage = ({ command }) => {
          if (command === "ACTIVITY_ACK") publisher.send({ ...message, messageId: `m-${++n}` });
        };
        publisher.send({ ...message, messageId: "next" });
        await publisher.closed();
        const last = publisher.received.at(-1)!;
        assertEquals([last.command, last.reason], ["END_CONNECTION", "SERVER_FAILED"]);
        const { reason, error } = await server.finished;
        assertEquals(reason, "failed");
        assert(error instanceof StoreError);
        assertStringIncludes(error.message, "while the server ran");
      });
    },
  });
}
