/** Rights by channel in a network of several servers, on a fake one (docs/protocol.md, section 2.15). */

import { assertEquals } from "@std/assert";
import type { ConfigLayer } from "../../../mod.ts";
import type { Received } from "../../support/line_client.ts";
import { type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const FEATURES = ["ack", "resume", "history", "channels"];
/** Staff may do everything; all others know nothing of the secret channels. */
const CONFIG: ConfigLayer = {
  auth: {
    rights: [
      { roles: ["staff"], may: ["publish", "read", "message", "listUsers"] },
      { channels: ["lab/secret/**"], may: [] },
    ],
  },
};

/** A client that is logged in, stays where it is, and has what it missed. */
async function reading(
  world: MeshWorld,
  server: string,
  username: string,
  channels: readonly string[],
  more: Received = {},
): Promise<MeshClient> {
  const client = await world.login(server, username, { features: FEATURES, channels, redirects: 3, ...more });
  await world.until(() => client.commands.includes("CAUGHT_UP"), `what ${username} missed`);
  return client;
}

function publish(client: MeshClient, n: number, channel: string): void {
  client.send({ command: "ACTIVITY_MESSAGE", messageId: `m-${n}`, activity: { n }, channel });
}

/** Three servers, with `anna`, who is staff by the word of an operator at the third. */
async function worldOf(): Promise<{ world: MeshWorld; give: (roles: readonly string[]) => Promise<void> }> {
  const world = await MeshWorld.of(["a", "b", "c"], CONFIG);
  await world.register("a", "anna");
  const give = async (roles: readonly string[]) => {
    void world.server("c").node.roles.give("anna", roles, "192.0.2.7");
    await world.run(100);
  };
  await give(["staff"]);
  return { world, give };
}

Deno.test("what another server took comes to nobody who may not read it, and a role holds wherever it was given", async () => {
  const { world, give } = await worldOf();
  const anna = await reading(world, "a", "anna", ["lab/**"]);
  const bystander = await reading(world, "b", "anonymous", ["lab/**"]);
  const narrow = await reading(world, "b", "anonymous", ["lab/secret"]);
  assertEquals(narrow.last("LOGIN_SUCCESS")!.refused, ["lab/secret"]);
  publish(anna, 1, "lab/secret");
  publish(anna, 2, "lab");
  await world.run(100);
  assertEquals([anna.activities, bystander.activities, narrow.activities], [[1, 2], [2], []]);
  await give([]);
  assertEquals(anna.last("END_CONNECTION")!.reason, "RIGHTS_CHANGED");
  assertEquals([bystander.last("END_CONNECTION"), narrow.last("END_CONNECTION")], [undefined, undefined]);
});

Deno.test("after a failover and a change of rights a vector brings what may be read now, and no more", async () => {
  const { world, give } = await worldOf();
  const anna = await reading(world, "a", "anna", ["lab/**"]);
  publish(anna, 1, "lab/secret");
  publish(anna, 2, "lab");
  await world.run(100);
  const { vector } = anna;
  const writer = await reading(world, "b", "anonymous", []);
  world.server("a").kill();
  await give([]);
  publish(writer, 3, "lab");
  await world.run(100);
  const back = await reading(world, "b", "anna", ["lab/**"], { resume: { vector } });
  assertEquals(back.activities, [3]);
  back.send({ command: "HISTORY", channel: "**" });
  back.send({ command: "SUBSCRIBE", channels: ["lab/secret/**"], history: 9 });
  await world.run(100);
  assertEquals(back.all("ACTIVITY_BROADCAST").filter(({ past }) => past).map(({ activity }) => activity.n), [2, 3]);
  assertEquals(back.last("SUBSCRIBE_FAILED")!.reason, "NOT_ALLOWED");
  await give(["staff"]);
  const staff = await reading(world, "c", "anna", ["lab/secret/**"], { resume: { vector: {} } });
  assertEquals(staff.activities, [1]);
});
