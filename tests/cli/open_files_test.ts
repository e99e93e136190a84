/**
 * A server that may have few files open, and more connections than that: it goes on, stores what is large, shows its
 * numbers and takes whoever comes when somebody goes.
 */

import { assert, assertEquals } from "@std/assert";
import { connect, type Socket } from "node:net";
import { LineClient, PATIENCE_MS } from "../support/line_client.ts";
import { startServer } from "../support/program.ts";
import { ask } from "../support/raw_http.ts";
import { eventually } from "../support/until.ts";

/** A connection that logs in and says nothing more. */
function crowdMember(port: number, gone: () => void): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.on("data", () => {});
  socket.on("close", gone);
  socket.write('{"command":"LOGIN","username":"anonymous"}\n');
  return socket;
}

for (const limit of [64, 256]) {
  Deno.test({
    name: `a server that may open ${limit} files survives more connections than that`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const folder = await Deno.makeTempDir();
      const through = ["bash", "-c", `ulimit -n ${limit}; exec "$@"`, "limited"];
      await using server = startServer(["--no-prompt", "--port", "0", "--http", "127.0.0.1:0", "--data", folder], {
        through,
      });
      const port = Number((await server.sees(/listening on 127\.0\.0\.1:(\d+)/))[1]);
      const http = Number((await server.sees(/dashboard +http:\/\/127\.0\.0\.1:(\d+)/))[1]);
      await server.tells(/limits\.maxConnections is 50000, but this process may have only \d+ files open/);
      await using sender = await LineClient.loggedIn(port, { features: ["ack"] });
      let gone = 0;
      const crowd: Socket[] = [];
      for (let count = 0; count < limit + 100; count++) crowd.push(crowdMember(port, () => gone++));
      await eventually(() => gone > 0, "some are refused");
      // Large enough for a file of its own, which has to be opened.
      const filler = "x".repeat(20_000);
      for (let n = 0; n < 3; n++) {
        sender.send({ command: "ACTIVITY_MESSAGE", messageId: `m-${n}`, activity: { n, filler } });
      }
      for (let n = 0; n < 3; n++) assertEquals((await sender.next("ACTIVITY_ACK")).messageId, `m-${n}`);
      const metrics = (await ask(http, "GET /metrics")).body;
      const served = Number(/^thrum_connections_limit (\d+)$/m.exec(metrics)?.[1]);
      assert(served > 5 && served < limit, `${served} are served`);
      for (const socket of crowd) socket.destroy();
      // As soon as the server has noticed that, there is a place for the next one; until then it is refused.
      let newcomer: LineClient | undefined;
      for (const giveUpAt = Date.now() + PATIENCE_MS; newcomer === undefined;) {
        newcomer = await LineClient.loggedIn(port).catch((error) => {
          if (Date.now() > giveUpAt) throw error;
          return undefined;
        });
      }
      await using _newcomer = newcomer;
      newcomer.send({ command: "LIST_USERS", scope: "online" });
      await newcomer.next("USER_LIST");
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    },
  });
}
