/** Participants of a door that is in a channel, over real gRPC, with those of another door and the line protocol. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../../../mod.ts";
import { eventually } from "../../../support/until.ts";
import { DoorWorld, TestParticipant } from "./_world.ts";
import { RoomWorld } from "./_room.ts";

const SECRET = "the secret of this network";

Deno.test("participants in a channel publish there, and hear that alone, in two servers and with the line protocol", async () => {
  const gateway = { grpc: { channel: "lesson/1" } };
  await using one = await DoorWorld.open({ cluster: { secret: SECRET }, gateway });
  const join = [`127.0.0.1:${one.node.port}`];
  await using two = await DoorWorld.open({ cluster: { secret: SECRET, join }, gateway });
  await using open = await DoorWorld.open({ cluster: { secret: SECRET, join } });
  const isLinked = ({ node }: DoorWorld) => node.isJoined && node.members.every(({ state }) => state === "linked");
  await eventually(() => one.node.members.length === 2 && [one, two, open].every(isLinked), "the servers are linked");
  await using ada = await connect({ host: "127.0.0.1", port: two.node.port, channels: ["", "lesson/**"] });
  const activities = ada.activities();
  await using here = await TestParticipant.joined(one.server);
  await using there = await TestParticipant.joined(two.server);
  await using outside = await TestParticipant.joined(open.server);
  // Who comes is told to all.
  await here.hears(new RegExp(`^Participant ${outside.id} joined`));

  await here.program.say("Hej");
  await there.hears(`${here.id}: Hej`);
  await outside.program.say("to everyone");
  await ada.publish({ text: "to everyone, too" });
  await ada.publish({ text: "to the next lesson" }, { channel: "lesson/2" });
  await ada.publish({ text: "to this one" }, { channel: "lesson/1" });
  for (const participant of [here, there]) await participant.hears(/: to this one$/);
  await outside.hears(/: to everyone, too$/);
  assertEquals(here.said, [`${here.id}: Hej`, "anonymous: to this one"]);
  assertEquals(there.said, here.said);
  assertEquals(outside.said.length, 2);
  const seen: unknown[] = [];
  for await (const { activity, channel } of activities) {
    if (seen.push(`${channel}: ${activity.text}`) === 5) break;
  }
  assertEquals(seen.toSorted(), [
    "lesson/1: Hej",
    "lesson/1: to this one",
    "lesson/2: to the next lesson",
    "undefined: to everyone",
    "undefined: to everyone, too",
  ]);
});

Deno.test("what a participant may do is asked for its channel", async () => {
  const rights = [
    { channels: ["lesson/1"], may: ["read" as const] },
    { channels: ["lesson/2"], may: [] },
    { may: ["read" as const, "publish" as const] },
  ];
  const auth = { rights };
  const reads = await RoomWorld.inChannel("lesson/1", { auth });
  reads.join("1111");
  await reads.run(1_500);
  assertEquals(await reads.say("1111", "Hej"), "PERMISSION_DENIED: 1111 may not publish here");
  await reads.close();
  const stranger = await RoomWorld.inChannel("lesson/2", { auth });
  assertEquals(stranger.join("1111"), "PERMISSION_DENIED: 1111 may not read here");
  await stranger.close();
  const open = await RoomWorld.inChannel("lesson/3", { auth });
  await open.joined("1111");
  assertEquals(await open.say("1111", "Hej"), "Publish message reply");
  await open.close();
});

Deno.test("a Publish in a channel is refused while a server of the network does not know channels", async () => {
  const world = await RoomWorld.inChannel("lesson/1");
  await world.joined("1111");
  const { guests } = world.world.node;
  Object.defineProperty(guests, "takesChannels", { value: false, configurable: true });
  assertStringIncludes(
    await world.say("1111", "Hej"),
    "UNAVAILABLE: Not every server of this network is known to understand channels",
  );
  Object.defineProperty(guests, "takesChannels", { value: true });
  assertEquals(await world.say("1111", "Hej"), "Publish message reply");
  assertEquals(world.heardBy("1111"), ["1111: Hej"]);
  await world.close();
});
