/** A client on this machine that listens for heartbeats on another address, and on the port of the server. */

import { assertEquals } from "@std/assert";
import { loggedLines } from "../../support/captured_log.ts";
import { NodeWorld } from "../../support/node_world.ts";

Deno.test("a server does not call itself for heartbeats, and sends them over the connection", async () => {
  await loggedLines(async (lines) => {
    const world = await NodeWorld.start({ heartbeat: { idleTimeoutMs: 300, intervalMs: 100, count: 3 } });
    const { port } = world.node;
    const login = { command: "LOGIN", username: "anonymous", features: ["heartbeat"], heartbeat: { port } };
    const client = await world.connectFrom("127.0.0.1", login);
    await world.clock.run(350);
    assertEquals(client.commands, ["LOGIN_SUCCESS", "HEARTBEAT"]);
    assertEquals([world.node.connectionCount, world.network.openEnds], [1, 2]);
    assertEquals(lines.filter((line) => line.includes("named the port of this server for heartbeats")).length, 1);
    await world.stop();
  });
});
