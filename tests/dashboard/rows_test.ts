/** Rows made of a view: the same object as long as nothing in them has changed. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  channelRows,
  connectionRows,
  endState,
  heartbeatBadge,
  serverBadge,
  serverName,
  userRows,
} from "../../dashboard/rows.js";
import { apply } from "../../dashboard/view_state.js";
import { CLOSE_REASONS } from "../../protocol/close_reason.ts";
import { sampleChange, sampleConnection, sampleServer, sampleView } from "./_sample.ts";

const VIEW = sampleView({
  servers: { a: sampleServer({ state: "self" }), b: sampleServer({ name: "127.0.0.1:8001" }) },
  connections: { a: { c1: sampleConnection(), c2: sampleConnection({ user: "bela" }) }, b: { c1: sampleConnection() } },
  users: { ada: ["a", "b"], bela: ["a"], carla: [] },
});

Deno.test("a connection's row is new only when something in it is", () => {
  const before = connectionRows(VIEW, new Map());
  assertEquals([...before.keys()], ["a c1", "a c2", "b c1"]);
  const patch = { connections: { a: { c1: { attempt: 1, state: "probing" as const } } } };
  const after = connectionRows(apply(VIEW, sampleChange({ patch })), before);
  assert(after.get("a c1") !== before.get("a c1"));
  assertStrictEquals(after.get("a c2"), before.get("a c2"));
  assertStrictEquals(after.get("b c1"), before.get("b c1"));
});

Deno.test("connections of a server that is dead are gone", () => {
  const before = connectionRows(VIEW, new Map());
  const view = apply(VIEW, sampleChange({ patch: { servers: { b: { state: "dead" } } } }));
  const row = connectionRows(view, before).get("b c1")!;
  assertEquals(heartbeatBadge(row), { state: "bad", text: "lost" });
});

Deno.test("a user's row says where it is online by the servers' names", () => {
  const before = userRows(VIEW, new Map());
  assertEquals(before.get("ada")?.names, ["127.0.0.1:8000", "127.0.0.1:8001"]);
  assertEquals(before.get("carla")?.names, []);
  const after = userRows(apply(VIEW, sampleChange({ patch: { users: { bela: [] } } })), before);
  assertStrictEquals(after.get("ada"), before.get("ada"));
  assertEquals(after.get("bela")?.names, []);
});

Deno.test("a user's row says what waits, and when a user who is offline was online last", () => {
  const before = userRows(VIEW, new Map());
  const patch = { users: { bela: [] }, waiting: { bela: 2, carla: 3 }, lastSeen: { ada: 7, bela: 8 } };
  const view = apply(VIEW, sampleChange({ patch }));
  const after = userRows(view, before);
  assertStrictEquals(after.get("ada"), before.get("ada"));
  assertEquals([after.get("bela")!.waiting, after.get("bela")!.seenAt], [2, 8]);
  assertEquals([after.get("carla")!.waiting, after.get("carla")!.seenAt], [3, 0]);
  const taken = userRows(apply(view, sampleChange({ patch: { waiting: { bela: null } } })), after);
  assertEquals(taken.get("bela")!.waiting, 0);
  assertStrictEquals(taken.get("carla"), after.get("carla"));
});

Deno.test("a heartbeat's badge says which of how many probes it is at", () => {
  const [row] = connectionRows(VIEW, new Map()).values();
  const badge = (data: Parameters<typeof sampleConnection>[0]) =>
    heartbeatBadge({ ...row!, data: sampleConnection(data) }).text;
  assertEquals(badge({}), "watching");
  assertEquals(badge({ state: "probing", attempt: 2, of: 3 }), "probing 2 of 3");
  assertEquals(badge({ state: "unwatched" }), "not watched");
});

Deno.test("a server's badge is a word and a look for every state", () => {
  const badges = (["self", "linked", "suspect", "left", "dead"] as const).map((state) =>
    serverBadge(sampleServer({ state }))
  );
  assertEquals(badges.map(({ state }) => state), ["good", "good", "warn", "quiet", "bad"]);
  assertEquals(serverBadge(sampleServer({ state: "self", draining: { total: 3, left: 1 } })).text, "draining");
  assertEquals(serverBadge(sampleServer({ state: "dead", draining: { total: 3, left: 1 } })).text, "dead");
});

Deno.test("a server that is not known any more is called by the beginning of its id", () => {
  assertEquals([serverName(VIEW, "b"), serverName(VIEW, "s-0123456789abcdef")], ["127.0.0.1:8001", "s-0123456789…"]);
});

Deno.test("every reason for an end has a look", () => {
  const looks = Object.keys(CLOSE_REASONS).map(endState);
  assertEquals(new Set(looks), new Set(["quiet", "warn", "bad"] as const));
  assertEquals(endState("HEARTBEAT_TIMEOUT"), "bad");
  assertEquals(endState("LOGGED_OUT"), "quiet");
  assertEquals(endState("A_REASON_OF_A_NEWER_SERVER"), "warn");
});

Deno.test("a channel's row is new only when something in it is, and an older server tells of none", () => {
  const view = sampleView({ channels: { "": { readers: 2, rate: 0 }, lab: { readers: 1, rate: 0 } } });
  const before = channelRows(view, new Map());
  assertEquals([...before.values()].map(({ key, name }) => [key, name]), [["#", ""], ["#lab", "lab"]]);
  const after = channelRows(apply(view, sampleChange({ patch: { channels: { lab: { rate: 3 } } } })), before);
  assertStrictEquals(after.get("#"), before.get("#"));
  assertEquals(after.get("#lab")!.data, { readers: 1, rate: 3 });
  assertEquals([...channelRows(VIEW, new Map())], []);
});
