/** Rights that change while the server runs, and those of guests, of older servers, and of who looks. */

import { assertEquals } from "@std/assert";
import { type ConfigLayer, DEFAULT_CONFIG } from "../../../config/config.ts";
import { Rights, ROLES } from "../../../server/rights/rights.ts";
import { Records } from "../../../server/rights/records.ts";
import { NodeWorld } from "../../support/node_world.ts";
import { RoomWorld } from "../gateway/grpc/_room.ts";

const STUDENTS_READ: ConfigLayer = {
  auth: { rights: [{ roles: ["teacher"], may: ["publish", "read"] }, { may: ["read"] }] },
};

function login(username: string): Record<string, unknown> {
  return { command: "LOGIN", username, secret: username, features: ["ack"] };
}

Deno.test("a user whose role an operator changes begins anew, with the rights of the new one", async () => {
  const world = await NodeWorld.start(STUDENTS_READ);
  for (const name of ["anna", "bob"]) await world.register(name);
  const [anna, bob] = [await world.connect(login("anna")), await world.connect(login("bob"))];
  await world.endAllDerivations();
  assertEquals(anna.received[0]!.may, ["read"]);
  world.node.records.set({ of: ROLES, key: "anna", value: ["teacher"] });
  await world.settle();
  const end = anna.received.at(-1)!;
  assertEquals([end.command, end.reason, end.reconnect], ["END_CONNECTION", "RIGHTS_CHANGED", "now"]);
  assertEquals(bob.commands, ["LOGIN_SUCCESS"]);
  const again = await world.connect(login("anna"));
  await world.endAllDerivations();
  assertEquals(again.received[0]!.may, ["publish", "read"]);
  await world.stop();
});

Deno.test("a guest that may not read does not come in, and one that may not publish is told so", async () => {
  const deaf = await RoomWorld.open({ auth: { rights: [{ roles: ["guest"], may: ["publish"] }] } });
  const request = { participantID: "1111", lamportTime: 1 };
  assertEquals(deaf.room.join(request, "127.0.0.1"), {
    refused: { code: "PERMISSION_DENIED", sentence: "1111 may not read here" },
  });
  await deaf.world.stop();
  const mute = await RoomWorld.open({
    auth: { rights: [{ users: ["11*"], addresses: ["127.0.0.0/8"], may: ["read"] }] },
  });
  assertEquals("reply" in mute.room.join(request, "127.0.0.1"), true);
  const message = { ...request, message: "hello", isPublish: true, isJoin: false, isLeave: false };
  assertEquals(await mute.room.publish(message, "127.0.0.1"), {
    refused: { code: "PERMISSION_DENIED", sentence: "1111 may not publish here" },
  });
  mute.room.close();
  await mute.world.stop();
});

Deno.test("a guest reads and publishes what has no channel, so rules for that channel count for it, also later", async () => {
  const request = { participantID: "1111", lamportTime: 1 };
  const deaf = await RoomWorld.open({ auth: { rights: [{ channels: [""], may: ["publish"] }] } });
  assertEquals("refused" in deaf.room.join(request, "127.0.0.1"), true);
  await deaf.world.stop();
  const open = await RoomWorld.open({ auth: { rights: [{ channels: ["lab"], may: [] }] } });
  assertEquals("reply" in open.room.join(request, "127.0.0.1"), true);
  assertEquals(open.world.node.load, 1);
  const { auth } = DEFAULT_CONFIG;
  open.world.node.useRights({ ...auth, rights: [{ channels: ["lab", "hall"], may: [] }] });
  await open.world.settle();
  assertEquals(open.world.node.load, 0, "what it may do is something else now");
  assertEquals("reply" in open.room.join(request, "127.0.0.1"), true, "it may come in again");
  open.world.node.useRights({ ...auth, rights: [{ roles: ["guest"], may: ["read"] }] });
  await open.world.settle();
  assertEquals("reply" in open.room.join(request, "127.0.0.1"), true);
  open.room.close();
  await open.world.stop();
});

Deno.test("another table of rights ends the sessions whose rights it changes, and no others", async () => {
  const world = await NodeWorld.start();
  for (const name of ["anna", "bob"]) await world.register(name);
  const [anna, bob] = [await world.connect(login("anna")), await world.connect(login("bob"))];
  await world.endAllDerivations();
  world.node.useRights({ ...DEFAULT_CONFIG.auth, rights: [{ users: ["anna"], channels: ["lab/**"], may: [] }] });
  await world.settle();
  assertEquals([anna.received.at(-1)!.reason, bob.end], ["RIGHTS_CHANGED", undefined]);
  await world.stop();
});

Deno.test("who shows nothing looks at the network as somebody without a name would, and older servers speak for users", () => {
  const rights = (auth: NonNullable<ConfigLayer["auth"]>) =>
    new Rights({
      auth: { ...DEFAULT_CONFIG.auth, ...auth },
      records: new Records(),
      takenNames: { alike: () => undefined },
      hasAccount: () => false,
      invitationKey: (code) => code,
    });
  assertEquals(rights({}).mayLook("127.0.0.1"), true);
  assertEquals(rights({ rights: [{ roles: ["anonymous"], may: ["read"] }] }).mayLook("127.0.0.1"), false);
  assertEquals(rights({ rights: [{ roles: ["anonymous"], may: ["listUsers"] }] }).mayLook("127.0.0.1"), false);
  assertEquals(rights({ rights: [{ addresses: ["10.0.0.1"], may: [] }] }).mayLook("127.0.0.1"), true);
  // The page names channels.
  assertEquals(rights({ rights: [{ channels: ["lab"], may: [] }] }).mayLook("127.0.0.1"), false);
  assertEquals(rights({ rights: [{ channels: ["lab"], may: ["read"] }] }).mayLook("127.0.0.1"), true);
  assertEquals(rights({ anonymous: false }).mayPublish("anonymous", "::1"), false);
  assertEquals(rights({ anonymous: false }).mayPublish("anna", "::1"), true);
  assertEquals(rights({ rights: [{ users: ["anna"], may: ["read"] }] }).mayPublish("anna", "::1"), false);
  assertEquals(rights({ rights: [{ channels: [""], may: ["read"] }] }).mayPublish("anna", "::1"), false);
  assertEquals(rights({ rights: [{ channels: ["lab"], may: ["read"] }] }).mayPublish("anna", "::1"), true);
});
