/**
 * A real server that is flooded from many addresses, by all that strangers can do: who has a name gets in, and so
 * does another server.
 */

import { assert, assertEquals } from "@std/assert";
import { connect, type Socket } from "node:net";
import { serve } from "../../../../mod.ts";
import { LineClient } from "../../../support/line_client.ts";
import { until } from "../../../support/until.ts";

const PLACES = 40;
const FLOOD = 280;
/** One for each connection of the flood, in turns. Other systems than Linux have one such address only. */
const addressOf = (n: number) => `127.${1 + n % 7}.${n % 11}.${1 + n % 13}`;

const LINES: readonly ((n: number) => string)[] = [
  () => "",
  () => '{"command":"LOGIN","username":"anonymous"}\n',
  () => '{"command":"LOGIN","username":"anonymous","features":["ack"]}\n',
  (n) => `{"command":"LOGIN","username":"anna","secret":"guess ${n}"}\n`,
  (n) => `{"command":"REGISTER","username":"flood ${n}","secret":"s"}\n`,
  () => `{"command":"LOGIN","username":"${"x".repeat(30_000)}`,
  () => '{"command":"AUTHENTICATE","secret":"guess","serverId":"s-x","port":1,"features":["thrum/1"],"vector":{}}\n',
];

Deno.test({
  name: "a server that is flooded from many addresses has a place for users with a name and for servers",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const cluster = { secret: "of the network" };
    const here = { host: "127.0.0.1", port: 0 };
    await using server = await serve({
      ...{ server: { ...here, host: "0.0.0.0" }, store: { ephemeral: true }, limits: { maxConnections: PLACES } },
      cluster: { ...cluster, advertise: "127.0.0.1" },
    });
    {
      await using client = await LineClient.connect(server.port);
      client.send({ command: "REGISTER", username: "anna", secret: "s" });
      await client.next("REGISTER_SUCCESS");
    }
    const sockets: Socket[] = [];
    let opened = 0;
    for (let n = 0; n < FLOOD; n++) {
      const socket = connect({ host: "127.0.0.1", port: server.port, localAddress: addressOf(n) });
      socket.on("error", () => {});
      socket.on("connect", () => {
        opened++;
        socket.write(LINES[n % LINES.length]!(n));
      });
      socket.resume();
      sockets.push(socket);
    }
    try {
      await until(() => opened > FLOOD / 2, "half of the flood");
      await using client = await LineClient.connect(server.port);
      client.send({ command: "LOGIN", username: "anna", secret: "s", features: ["ack"] });
      await client.next("LOGIN_SUCCESS");
      await using other = await serve({
        ...{ server: here, store: { ephemeral: true } },
        cluster: { ...cluster, join: [`127.0.0.1:${server.port}`] },
      });
      // It has the account, as it was let in and joined.
      await using there = await LineClient.connect(other.port);
      there.send({ command: "LOGIN", username: "anna", secret: "s" });
      await there.next("LOGIN_SUCCESS");
      // A place for each, and one more at most for the server.
      assert(server.connectionCount <= PLACES + 1, `${server.connectionCount} have places`);
      client.send({ command: "ACTIVITY_MESSAGE", messageId: "m", activity: { still: "here" } });
      await client.next("ACTIVITY_ACK");
      assertEquals((await there.next("ACTIVITY_BROADCAST")).activity.still, "here");
    } finally {
      for (const socket of sockets) socket.destroy();
      await until(() => sockets.every((socket) => socket.closed), "the end of the flood");
    }
  },
});
