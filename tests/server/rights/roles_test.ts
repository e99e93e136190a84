/** Rights that change while the server runs, and those of guests, of older servers, and of who looks. */

import { assertEquals } from "@std/assert";
import { type ConfigLayer, DEFAULT_CONFIG } from "../../../config/config.ts";
import { Rights } from "../../../server/rights/rights.ts";
import { Records } from "../../../server/rights/records.ts";
import { givenRoles, rolesFault, rolesOf } from "../../../server/rights/roles.ts";
import type { RolesResult } from "../../../server/node/role_office.ts";
import { MeshWorld } from "../../support/mesh_world.ts";
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
  void world.node.roles.give("anna", ["teacher"], "192.0.2.7");
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
      account: () => undefined,
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

Deno.test("roles that an operator has given count for the account that was meant, and for no other", () => {
  const claim = { lamport: 7, origin: "s-1" };
  const value = { roles: ["teacher", "guide"], claim, by: "192.0.2.7" };
  assertEquals(givenRoles(value, claim), ["teacher", "guide"]);
  // Who has the name in the end, after two were registered while servers were apart.
  assertEquals(givenRoles(value, { lamport: 3, origin: "s-2" }), []);
  assertEquals(givenRoles(value, undefined), []);
  // Another server may have written anything.
  for (
    const wrong of [undefined, null, "teacher", ["teacher"], { roles: "teacher", claim }, { roles: ["guest"], claim }]
  ) {
    assertEquals(givenRoles(wrong, claim), []);
  }
  assertEquals(rolesFault(["a-b_9", "x".repeat(32)]), undefined);
  for (
    const wrong of [
      ["a b"],
      [""],
      ["x".repeat(33)],
      ["named"],
      Array.from({ length: 17 }, (_, index) => `r${index}`),
    ]
  ) {
    assertEquals(typeof rolesFault(wrong), "string", String(wrong));
  }
});

Deno.test("a role that both the config and an operator give is listed once", () => {
  const config = [{ role: "teacher", users: ["anna", "t-*"] }];
  const of = (username: string, given: string[]) => rolesOf({ username, address: "" }, config, given);
  assertEquals(of("anna", ["teacher", "guide"]), ["named", "teacher", "guide"]);
  assertEquals(of("bob", ["guide"]), ["named", "guide"]);
});

Deno.test("what an operator says of roles at one server holds at all, and is refused where it makes no sense", async () => {
  const config: ConfigLayer = {
    auth: {
      roles: [{ role: "teacher", users: ["tom", "t-*"] }],
      rights: [{ roles: ["teacher"], may: ["publish", "read"] }, { may: ["read"] }],
    },
  };
  const world = await MeshWorld.of(["a", "b"], config);
  await world.users("a", "anna", "tom");
  const anna = await world.login("b", "anna", { redirects: 3 });
  assertEquals(anna.last("LOGIN_SUCCESS")!.may, ["read"]);
  const gave = async (at: string, user: string, roles: string[]) => {
    let result: RolesResult | undefined;
    void world.server(at).node.roles.give(user, roles, "192.0.2.7").then((became) => result = became);
    await world.until(() => result !== undefined, "an answer");
    return result!;
  };
  assertEquals(await gave("a", "anna", ["teacher", "teacher"]), {
    ...{ ok: true, user: "anna", roles: ["named", "teacher"], given: ["teacher"] },
  });
  await world.until(() => anna.commands.includes("END_CONNECTION"), "the end");
  assertEquals(anna.last("END_CONNECTION")!.reason, "RIGHTS_CHANGED");
  const again = await world.login("b", "anna", { redirects: 3 });
  assertEquals(again.last("LOGIN_SUCCESS")!.may, ["publish", "read"]);
  assertEquals(world.server("b").node.roles.users, [
    { user: "anna", roles: ["named", "teacher"], given: ["teacher"] },
    { user: "tom", roles: ["named", "teacher"], given: [] },
  ]);
  const refusals = [await gave("b", "anna", ["anonymous"]), await gave("b", "nobody", ["guide"])];
  assertEquals(refusals.map((result) => !result.ok && result.problem), ["WRONG", "UNKNOWN"]);
  // Nothing takes all of it.
  assertEquals((await gave("b", "anna", [])).ok, true);
  await world.equal("a", "b");
  assertEquals(world.server("a").node.roles.of("anna").roles, ["named"]);
});
