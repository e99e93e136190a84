/**
 * A real server on a disk that takes long for each sync: acknowledgements and deliveries of what is not safe wait for
 * it, and nothing else does.
 */

import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { startServer } from "../support/program.ts";
import { NO_SLOW_SYNC, slowSync } from "../support/slow_sync.ts";
import { mountThrottledDisk, NO_THROTTLED_DISK } from "../support/throttled_disk.ts";

if (NO_SLOW_SYNC !== "") console.log(`Tests of a slow disk are skipped: ${NO_SLOW_SYNC}.`);

if (NO_THROTTLED_DISK !== "") console.log(`The test on a throttled disk is skipped: ${NO_THROTTLED_DISK}.`);

/** Long beside a round trip, on a busy machine too. */
const SYNC_MS = 2_000;

Deno.test({
  name: "a disk that is slow delays acknowledgements and their deliveries, and no heartbeat, login or older entry",
  ignore: NO_SLOW_SYNC !== "",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "thrum-slow-" });
    try {
      const config = `${folder}/config.json`;
      await Deno.writeTextFile(config, JSON.stringify({ store: { synchronous: "full" } }));
      const disk = slowSync(folder, SYNC_MS);
      await using server = startServer(["--no-prompt", "--config", config, "--data", `${folder}/data`, "--port", "0"], {
        env: disk.env,
      });
      const port = Number((await server.sees(/listening on .*:(\d+)/))[1]);
      await using publisher = await LineClient.loggedIn(port, { features: ["ack"] });
      await using other = await LineClient.loggedIn(port, { features: ["heartbeat"] });
      publisher.send({ command: "ACTIVITY_MESSAGE", activity: { n: 0 }, messageId: "m-0" });
      await publisher.next("ACTIVITY_ACK");
      disk.begin();
      for (let n = 1; n <= 3; n++) {
        let isAcknowledged = false;
        publisher.onMessage = ({ command }) => isAcknowledged ||= command === "ACTIVITY_ACK";
        publisher.send({ command: "ACTIVITY_MESSAGE", activity: { n }, messageId: `m-${n}` });
        let rounds = 0;
        while (!isAcknowledged) {
          other.send({ command: "HEARTBEAT", sequence: ++rounds });
          await other.next("HEARTBEAT_ACK");
          if (rounds !== 3) continue;
          // What is safe is delivered to whoever comes, and nothing more.
          await using late = await LineClient.loggedIn(port, { features: ["resume", "chat"], resume: { vector: {} } });
          await late.next("CAUGHT_UP");
          const got = late.received.filter(({ command }) => command === "ACTIVITY_BROADCAST");
          if (!isAcknowledged) {
            assertEquals(
              got.map(({ activity }) => activity.n),
              Array.from({ length: n }, (_, n) => n),
            );
          }
        }
        assertGreaterOrEqual(rounds, 4, "heartbeats were answered while the disk was written");
      }
      const delivered = () => other.received.filter(({ command }) => command === "ACTIVITY_BROADCAST").length;
      await other.until(() => delivered() === 4, "all deliveries");
      assert(other.received.length > 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "a database that cannot be brought to the disk ends the server with SERVER_FAILED, and loses nothing acknowledged",
  ignore: NO_SLOW_SYNC !== "",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "thrum-failing-" });
    try {
      // The thread that brings the database to the disk is the only one that is told so.
      const disk = slowSync(folder, 0, "/thrum.sqlite-wal");
      const args = ["--no-prompt", "--data", `${folder}/data`, "--port", "0"];
      const acknowledged = new Set<string>();
      {
        await using server = startServer(args, { env: disk.env });
        const port = Number((await server.sees(/listening on .*:(\d+)/))[1]);
        await using publisher = await LineClient.loggedIn(port, { features: ["ack"], receive: "none" });
        publisher.onMessage = ({ command, messageId }) => {
          if (command === "ACTIVITY_ACK") acknowledged.add(messageId);
        };
        disk.begin();
        const activity = { text: "x".repeat(1_000) };
        // Until the write-ahead log of the database is so long that it is brought to the disk.
        for (let n = 0; !publisher.isClosed; n++) {
          publisher.send({ command: "ACTIVITY_MESSAGE", messageId: `m-${n}`, activity });
          if (n % 50 === 49) await publisher.until(() => publisher.isClosed || acknowledged.size > n - 100, "answers");
        }
        const { command, reason } = publisher.received.at(-1)!;
        assertEquals([command, reason], ["END_CONNECTION", "SERVER_FAILED"]);
        assertEquals(await server.ended(), 5);
      }
      await using server = startServer(args);
      const port = Number((await server.sees(/listening on .*:(\d+)/))[1]);
      const reading = { features: ["resume", "chat"], resume: { vector: {} } };
      await using reader = await LineClient.loggedIn(port, reading);
      await reader.next("CAUGHT_UP");
      const got = reader.received.filter(({ command }) => command === "ACTIVITY_BROADCAST").length;
      assertGreaterOrEqual(got, acknowledged.size);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "a disk that takes 1 MiB a second slows down who publishes more, and no heartbeat; all of it is there afterwards",
  ignore: NO_THROTTLED_DISK !== "",
  async fn() {
    const bytesPerSecond = 1_048_576;
    const [count, size] = [400, 40_000];
    using disk = mountThrottledDisk(128, bytesPerSecond);
    const start = () =>
      startServer(["--no-prompt", "--data", `${disk.folder}/data`, "--port", "0"], { through: disk.through });
    const portOf = async (server: ReturnType<typeof start>) => Number((await server.sees(/listening on .*:(\d+)/))[1]);
    {
      await using server = start();
      const port = await portOf(server);
      const publishing = { features: ["ack"], receive: "none" };
      await using publisher = await LineClient.loggedIn(port, publishing);
      await using other = await LineClient.loggedIn(port, { features: ["heartbeat"], receive: "none" });
      let acknowledged = 0;
      publisher.onMessage = ({ command }) => {
        if (command === "ACTIVITY_ACK") acknowledged++;
      };
      const begunAt = performance.now();
      for (let n = 0; n < count; n++) {
        publisher.send({ command: "ACTIVITY_MESSAGE", messageId: `m-${n}`, activity: { n, text: "x".repeat(size) } });
      }
      let [rounds, longestMs] = [0, 0];
      while (acknowledged < count) {
        const askedAt = performance.now();
        other.send({ command: "HEARTBEAT", sequence: ++rounds });
        await other.next("HEARTBEAT_ACK");
        longestMs = Math.max(longestMs, performance.now() - askedAt);
      }
      const tookMs = performance.now() - begunAt;
      console.log(`    ${rounds} heartbeats in ${Math.round(tookMs)} ms, the slowest ${Math.round(longestMs)} ms`);
      // All but what may wait for the disk was there.
      assertGreater(tookMs, 1_000 * (count * size - 9_000_000) / bytesPerSecond, "the publisher waited for the disk");
      // Who waited in place for what may wait for the disk would wait for eight seconds.
      assertLess(longestMs, 4_000, "the longest that somebody waited for the answer to a heartbeat");
      server.signal("SIGTERM");
      assertEquals(await server.ended(), 0);
    }
    await using server = start();
    const reading = { features: ["resume", "chat"], resume: { vector: {} } };
    await using reader = await LineClient.loggedIn(await portOf(server), reading);
    await reader.next("CAUGHT_UP");
    const got = reader.received.filter(({ command }) => command === "ACTIVITY_BROADCAST");
    assertEquals(got.map(({ activity }) => activity.n), Array.from({ length: count }, (_, n) => n));
  },
});
