/** A server that is killed in the middle of its work, and one whose disk gives out: real processes, real disks. */

import { assert, assertEquals, assertNotMatch } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { type Program, startServer } from "../support/program.ts";
import { mountSmallDisk, NO_SMALL_DISK } from "../support/small_disk.ts";

async function start(folder: string, ...flags: string[]): Promise<{ server: Program; port: number }> {
  const server = startServer(["--no-prompt", "--port", "0", "--data", folder, "--log-level", "error", ...flags]);
  const [, port] = await server.sees(/listening on \S+:(\d+)/);
  return { server, port: Number(port) };
}

Deno.test("kill -9 under load: after a restart every acknowledged activity and account is there, once and in order", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const acknowledged = new Map<string, number>();
    const accounts: string[] = [];
    const first = await start(folder);
    {
      await using server = first.server;
      const publishers = await Promise.all(
        Array.from({ length: 4 }, () => LineClient.loggedIn(first.port, { features: ["ack"] })),
      );
      await using registrar = await LineClient.connect(first.port);
      let killed = false;
      const publish = async (client: LineClient, sender: number) => {
        for (let n = 0; !killed; n++) {
          const messageId = `${sender}-${n}`;
          client.send({ command: "ACTIVITY_MESSAGE", messageId, activity: { sender, n } });
          // A window of 50, so that the kill always comes in the middle of something.
          if (n % 50 === 49) {
            await client.until(
              () => killed || (client.received.at(-1)?.command !== undefined && acks(client) > n - 50),
              "acks",
            );
          }
        }
      };
      const register = async () => {
        for (let n = 0; !killed && n < 8; n++) {
          registrar.send({ command: "REGISTER", username: `user${n}`, secret: "s" });
          await registrar.next("REGISTER_SUCCESS");
          accounts.push(`user${n}`);
        }
      };
      const work = [...publishers.map(publish), register()];
      await registrar.until(() => accounts.length >= 3 && publishers.every((one) => acks(one) > 500), "some work done");
      server.signal("SIGKILL");
      killed = true;
      // What was under way ends with the connections.
      await Promise.allSettled(work);
      await Promise.all(publishers.map((one) => one.closed()));
      for (const client of publishers) {
        for (const { command, messageId, id } of client.received) {
          if (command === "ACTIVITY_ACK") acknowledged.set(messageId, Number(id.split(":")[1]));
        }
        await client[Symbol.asyncDispose]();
      }
    }

    const again = await start(folder);
    await using _server = again.server;
    await using reader = await LineClient.connect(again.port);
    reader.send({ command: "LOGIN", username: "anonymous", features: ["resume"], resume: { vector: {} } });
    const { resume } = await reader.next("LOGIN_SUCCESS");
    await reader.untilActivities(resume.replayed);
    const found = new Map(
      reader.received.filter(({ command }) => command === "ACTIVITY_BROADCAST")
        .map(({ messageId, id }) => [messageId, Number(id.split(":")[1])]),
    );
    assert(acknowledged.size > 2_000, `only ${acknowledged.size} were acknowledged`);
    for (const [messageId, sequence] of acknowledged) assertEquals(found.get(messageId), sequence, messageId);
    assertEquals(found.size, reader.activities.length, "an activity is there twice");
    for (let sender = 0; sender < 4; sender++) {
      const own = reader.activities.filter((activity) => activity.sender === sender).map(({ n }) => n);
      assertEquals(own, own.map((_, index) => index), "an activity is missing in between, or out of order");
    }
    for (const username of accounts) {
      await using user = await LineClient.loggedIn(again.port, { username, secret: "s" });
      assert(!user.isClosed);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name:
    "a disk that gets full: clients are told, the program says so in a sentence and ends with 5, and what was acknowledged is there",
  ignore: NO_SMALL_DISK !== "",
  fn: async () => {
    using disk = mountSmallDisk(4_000);
    const acknowledged = new Set<string>();
    // As when somebody else fills the disk between two looks at it.
    const config = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(config, JSON.stringify({ store: { maxBytes: 1e12, minFreeBytes: 0 } }));
    {
      const { server, port } = await start(`${disk.folder}/data`, "--config", config);
      await using _server = server;
      await using client = await LineClient.loggedIn(port, { features: ["ack"] });
      client.onMessage = ({ command, messageId }) => command === "ACTIVITY_ACK" && acknowledged.add(messageId);
      const filler = "x".repeat(20_000);
      for (let n = 0; !client.isClosed && n < 1_000; n++) {
        client.send({ command: "ACTIVITY_MESSAGE", messageId: `m${n}`, activity: { n, filler } });
        await client.until(() => client.isClosed || acknowledged.has(`m${n}`), "an answer").catch(() => {});
      }
      const { reason, reconnect } = await client.next("END_CONNECTION");
      assertEquals([reason, reconnect], ["SERVER_FAILED", "backoff"]);
      assertEquals(await server.ended(), 5);
      assert(server.errors.includes(disk.folder), server.errors);
      assertNotMatch(server.errors, /^ +at /m);
    }
    assert(acknowledged.size > 10);
    disk.makeLarger(20_000);
    const { server, port } = await start(`${disk.folder}/data`, "--config", config);
    await using _server = server;
    await using reader = await LineClient.connect(port);
    reader.send({ command: "LOGIN", username: "anonymous", features: ["resume"], resume: { vector: {} } });
    const { resume } = await reader.next("LOGIN_SUCCESS");
    await reader.untilActivities(resume.replayed);
    const found = new Set(reader.received.map(({ messageId }) => messageId));
    for (const messageId of acknowledged) assert(found.has(messageId), messageId);
    await Deno.remove(config);
  },
});

Deno.test({
  name:
    "a disk on which too little is left: clients are told, the server goes on and lets them in, and takes all again when there is space",
  ignore: NO_SMALL_DISK !== "",
  fn: async () => {
    using disk = mountSmallDisk(12_000);
    const config = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(config, JSON.stringify({ store: { maxBytes: 1e12, minFreeBytes: 2_000_000 } }));
    {
      const { server, port } = await start(`${disk.folder}/data`, "--config", config);
      await using _server = server;
      await using client = await LineClient.loggedIn(port, { features: ["ack"] });
      const filler = "x".repeat(60_000);
      const isRefused = () => client.received.at(-1)?.command === "ACTIVITY_FAILED";
      let sent = 0;
      const publish = async () => {
        const messageId = `m${sent++}`;
        client.send({ command: "ACTIVITY_MESSAGE", messageId, activity: { filler } });
        await client.until(() => client.received.at(-1)?.messageId === messageId, "an answer");
      };
      while (!isRefused() && sent < 1_000) await publish();
      const { command, reason } = client.received.at(-1)!;
      assertEquals([command, reason], ["ACTIVITY_FAILED", "NO_SPACE"]);
      await using newcomer = await LineClient.loggedIn(port, { features: ["ack"] });
      newcomer.send({ command: "LIST_USERS", scope: "all" });
      await newcomer.next("USER_LIST");
      disk.makeLarger(40_000);
      const before = sent;
      while (isRefused() && sent < before + 20_000) await publish();
      assertEquals(isRefused(), false);
      server.signal("SIGTERM");
      assertEquals(await server.ended(), 0);
    }
    await Deno.remove(config);
  },
});
if (NO_SMALL_DISK !== "") console.log(`SKIPPED: a disk that gets full, as ${NO_SMALL_DISK}`);

/** Acknowledgements that came, counted as they come. */
function acks(client: LineClient): number {
  let count = counted.get(client)?.count ?? 0;
  let at = counted.get(client)?.at ?? 0;
  for (; at < client.received.length; at++) if (client.received[at]!.command === "ACTIVITY_ACK") count++;
  counted.set(client, { count, at });
  return count;
}
const counted = new WeakMap<LineClient, { count: number; at: number }>();
