/**
 * A real server on a disk that takes long for each sync: acknowledgements and deliveries of what is not safe wait for
 * it, and nothing else does.
 */

import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { startServer } from "../support/program.ts";
import { NO_SLOW_SYNC, slowSync } from "../support/slow_sync.ts";

if (NO_SLOW_SYNC !== "") console.log(`Tests of a slow disk are skipped: ${NO_SLOW_SYNC}.`);

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
