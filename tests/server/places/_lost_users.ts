/** Users who lose their connections or their servers, and come again, for the tests beside this file. */

import type { ConfigLayer } from "../../../config/config.ts";
import { DEFAULT_CONFIG } from "../../../config/config.ts";
import { type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const { cluster: { peerIdleTimeoutMs, peerIntervalMs, peerHeartbeats, announceIntervalMs } } = DEFAULT_CONFIG;
export { announceIntervalMs };
/** A server is known to be dead after this at the latest, with a little for the network. */
export const DETECTION_MS = peerIdleTimeoutMs + peerIntervalMs * (peerHeartbeats + 1) + 500;
export const ALL = ["a", "b", "c", "d"];

/** Four servers on which anna and bob are registered, and somebody at b who publishes. */
export async function fourServers(layer: ConfigLayer = {}): Promise<{ world: MeshWorld; sender: MeshClient }> {
  const world = await MeshWorld.of(ALL, { ...layer, cluster: { rebalance: false, ...layer.cluster } });
  await world.users("a", "anna", "bob");
  const sender = await world.login("b", "anonymous", { redirects: 3 });
  return { world, sender };
}

/** The same, with anna as a plain client at a, of whom all know. */
export async function withAnna(): Promise<{ world: MeshWorld; sender: MeshClient; anna: MeshClient }> {
  const { world, sender } = await fourServers();
  const anna = await plain(world, "a", "anna");
  await world.run(announceIntervalMs + 100);
  return { world, sender, anna };
}

/** Starts `server` anew, on the data that it had. */
export function restart(world: MeshWorld, server: string): void {
  world.start(server, ALL, { cluster: { rebalance: false } });
}

/** A plain client that stays at `server`: one that comes back there at once is not sent on a second time. */
export async function plain(world: MeshWorld, server: string, username = "anna"): Promise<MeshClient> {
  const machine = `m${++machines}`;
  for (;;) {
    const client = world.over(await world.dial(server, machine));
    client.send({ command: "LOGIN", username, secret: username });
    await world.until(() => client.commands.includes("LOGIN_SUCCESS"), `the login of ${username} at ${server}`);
    // A REDIRECT follows it, and may come by itself.
    await world.run(20);
    if (!client.commands.includes("REDIRECT")) return client;
  }
}
let machines = 0;

/** What a new plain client of `username` is given at `server`. */
export async function given(world: MeshWorld, server: string, username = "anna"): Promise<unknown[]> {
  const client = await plain(world, server, username);
  await world.run(300);
  const { activities } = client;
  client.send({ command: "LOGOUT" });
  await world.run(100);
  return activities;
}
