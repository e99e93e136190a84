/** A network for a test changes nothing that other programs of the machine notice. */

import { assertEquals } from "@std/assert";
import { connect } from "node:net";
import { startServer } from "./program.ts";
import { splitNetwork } from "./split_network.ts";

Deno.test("a split network is reached, and gives the machine no address: a new one makes browsers drop what they load", async () => {
  await using network = await splitNetwork(2).then((made) => {
    if (typeof made === "string") throw new Error(made);
    return made;
  });
  const { host } = network.endpoint(0);
  const block = host.split(".").slice(0, 3).join(".");
  if (network.kind === "network namespaces") {
    const own = Deno.networkInterfaces().map(({ address }) => address);
    assertEquals(own.filter((address) => address.startsWith(`${block}.`)), []);
  }
  const env = { THRUM_SECRET: "of-the-network" };
  const args = ["--no-prompt", "--ephemeral", ...network.flags(0)];
  await using server = startServer(args, { env, through: network.through(0) });
  await server.sees(/listening on/);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(network.endpoint(0), () => {
      socket.destroy();
      socket.once("close", () => resolve());
    });
    socket.once("error", reject);
  });
});
