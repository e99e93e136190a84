/** The network, looked at from one server: three real servers on a fake network. */

import { assert, assertEquals } from "@std/assert";
import { applyPatch } from "../../../view/merge_patch.ts";
import type { NetworkChange, NetworkView } from "../../../view/network_view.ts";
import { activityLine, loginOf, MeshWorld } from "../../support/mesh_world.ts";

/** Somebody who looks, and what it sees. */
class Watcher {
  readonly changes: NetworkChange[] = [];
  #view: NetworkView;
  readonly end: () => void;

  constructor(world: MeshWorld, name: string) {
    const observation = world.server(name).node.observe({ changed: (change) => this.#take(change) });
    this.#view = JSON.parse(JSON.stringify(observation.view));
    this.end = observation.end;
  }

  get view(): NetworkView {
    return this.#view;
  }

  #take(change: NetworkChange): void {
    this.changes.push(change);
    const { patch, ends, activities } = JSON.parse(JSON.stringify(change)) as NetworkChange;
    this.#view = {
      ...applyPatch(this.#view, patch) as NetworkView,
      ends: [...this.#view.ends, ...ends],
      activities: [...this.#view.activities, ...activities],
    };
  }
}

/** What a client asks for that is to be supervised. */
const WATCHED = { features: ["ack", "resume", "heartbeat"] };
const NAMES = ["anna", "bert", "carl"];

Deno.test("who looks at one server sees all of them, and what they serve", async () => {
  const world = await MeshWorld.of(NAMES);
  await world.users("anna", "yan", "zoe");
  await world.login("bert", "zoe", WATCHED);
  await world.login("carl", "yan", WATCHED);
  const watcher = new Watcher(world, "anna");
  await world.until(() => Object.keys(watcher.view.connections).length === 3, "what the others tell");
  await world.run(1_500);
  const ids = NAMES.map((name) => world.server(name).node.serverId);
  assertEquals(Object.keys(watcher.view.servers).sort(), [...ids].sort());
  assertEquals(watcher.view.from, ids[0]);
  assertEquals(ids.map((id) => watcher.view.servers[id]!.state), ["self", "linked", "linked"]);
  assertEquals(ids.map((id) => watcher.view.servers[id]!.load), [0, 1, 1]);
  assertEquals(watcher.view.users, { yan: [ids[2]!], zoe: [ids[1]!] });
  const [zoe] = Object.values(watcher.view.connections[ids[1]!]!).filter(({ user }) => user === "zoe");
  assertEquals([zoe!.kind, zoe!.over, zoe!.state], ["client", "tcp", "watching"]);
  for (const id of ids) {
    const links = watcher.view.servers[id]!.links;
    assertEquals(Object.keys(links).sort(), ids.filter((other) => other !== id).sort());
  }
});

Deno.test("who looks sees what waits for users, and when those who are offline were online last", async () => {
  const world = await MeshWorld.of(NAMES);
  await world.users("anna", "yan", "zoe");
  const watcher = new Watcher(world, "anna");
  const zoe = await world.chat("bert", "zoe");
  const send = (messageId: string) => zoe.send({ command: "DIRECT_MESSAGE", to: "yan", text: "hello", messageId });
  ["1", "2"].forEach(send);
  await world.run(1_500);
  assertEquals([watcher.view.waiting, watcher.view.lastSeen], [{ yan: 2 }, {}]);
  // It comes to another server, and takes both.
  const yan = await world.chat("carl", "yan");
  await world.run(2_500);
  assertEquals([watcher.view.waiting, watcher.view.lastSeen], [{}, {}]);
  yan.send({ command: "LOGOUT" });
  await world.run(1_500);
  const leftAt = watcher.view.lastSeen.yan!;
  assert(Math.abs(world.clock.wallMs() - leftAt - 1_500) < 200, `${world.clock.wallMs() - leftAt} ms ago`);
  zoe.link.destroy();
  await world.run(5_000);
  assertEquals(Object.keys(watcher.view.lastSeen).sort(), ["yan", "zoe"]);
  assertEquals(watcher.view.lastSeen.yan, leftAt);
  const other = new Watcher(world, "carl");
  await world.run(500);
  assert(Math.abs(other.view.lastSeen.zoe! - watcher.view.lastSeen.zoe!) < 200);
  send("3");
  await world.chat("anna", "zoe");
  await world.run(1_500);
  assertEquals(Object.keys(watcher.view.lastSeen), ["yan"]);
});

Deno.test("who looks sees who reads each channel at all servers, and what passes in it", async () => {
  const world = await MeshWorld.of(NAMES);
  const reading = (channels: readonly string[]) =>
    loginOf("anonymous", { features: ["ack", "resume", "channels"], channels, redirects: 3 });
  const sender = await world.client("anna", reading([]));
  const lab = await world.client("bert", reading(["lab", "lab/**"]));
  await world.client("carl", reading(["lab/*"]));
  const watcher = new Watcher(world, "anna");
  await world.run(1_500);
  for (const channel of ["lab", "lab/door", "lab/door"]) {
    sender.send({ command: "ACTIVITY_MESSAGE", activity: {}, channel });
  }
  await world.run(2_500);
  const readersOf = () => Object.entries(watcher.view.channels!).map(([name, { readers }]) => `${name}: ${readers}`);
  assertEquals(readersOf().sort(), [": 0", "lab/door: 2", "lab: 1"]);
  const { "lab/door": door, lab: one } = watcher.view.channels!;
  assert(door!.rate > one!.rate && one!.rate > 0, `${door!.rate} and ${one!.rate}`);
  assert(door!.bytes! > one!.bytes! && one!.bytes! > 0, `${door!.bytes} and ${one!.bytes}`);
  lab.link.destroy();
  await world.run(8_000);
  // Nothing has passed lately. What is kept is known still.
  const now = watcher.view.channels!;
  assertEquals([now.lab!.readers, now.lab!.rate, now.lab!.bytes], [0, 0, one!.bytes]);
});

Deno.test("an account that was deleted leaves the list of who looks", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "yan", "zoe");
  await world.login("bert", "zoe", WATCHED);
  const watcher = new Watcher(world, "anna");
  await world.run(1_500);
  assertEquals(Object.keys(watcher.view.users).sort(), ["yan", "zoe"]);
  const before = watcher.view.laidDown!;
  for (const about of ["yan", "zoe"]) {
    void world.server("bert").node.rule({ kind: "deleted", about, by: "192.0.2.7" });
  }
  await world.run(2_500);
  assertEquals(watcher.view.users, {});
  assertEquals(watcher.view.laidDown, before + 2);
});

Deno.test("changes add up to what a new view shows", async () => {
  const world = await MeshWorld.of(NAMES);
  await world.users("anna", "yan", "zoe");
  const watcher = new Watcher(world, "anna");
  const zoe = await world.login("bert", "zoe");
  const yan = await world.login("carl", "yan");
  zoe.send({ command: "ACTIVITY_MESSAGE", activity: { text: "one" } });
  await world.run(1_200);
  yan.send({ command: "ACTIVITY_MESSAGE", activity: { text: "two", __proto__: 1 } });
  zoe.link.destroy();
  // Both of the same moment: a look comes with the second observer.
  await world.run(5_000);
  const other = new Watcher(world, "anna");
  const { at: _, ...seen } = watcher.view;
  const { at: __, ...fresh } = other.view;
  assertEquals(JSON.parse(JSON.stringify(seen.servers)), JSON.parse(JSON.stringify(fresh.servers)));
  assertEquals(JSON.parse(JSON.stringify(seen.connections)), JSON.parse(JSON.stringify(fresh.connections)));
  assertEquals(seen.users, fresh.users);
  assertEquals(seen.activities, fresh.activities);
  assertEquals(seen.activities.map(({ user, activity }) => [user, activity]), [["zoe", { text: "one" }], [
    "yan",
    { text: "two" },
  ]]);
  assertEquals(seen.ends, fresh.ends);
  const last = seen.ends.at(-1)!;
  assertEquals([last.server, last.user, last.reason], ["bert", "zoe", "CONNECTION_RESET"]);
});

Deno.test("however many look in one moment, it is looked once, and each is told what the others are", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "zoe");
  const first = new Watcher(world, "anna");
  await world.run(2_500);
  const { node } = world.server("anna");
  const told = first.changes.length;
  const views = new Set<NetworkView>();
  for (let round = 1; round <= 50; round++) {
    const observation = node.observe({ changed: () => {} });
    views.add(observation.view);
    observation.end();
  }
  assertEquals([views.size, first.changes.length], [1, told + 1]);
  await world.login("anna", "zoe", WATCHED);
  // In the middle between two looks; what is new comes with the next.
  const late = new Watcher(world, "anna");
  await world.run(1_100);
  await world.until(() => late.changes.length > 0, "a change");
  for (const part of ["servers", "connections", "users"] as const) {
    assertEquals(late.view[part], first.view[part], part);
  }
  await world.run(300);
  assertEquals(node.observe({ changed: () => {} }).view.users.zoe, [node.serverId]);
});

Deno.test("a server that dies is shown dead within the detection time, and its clients at others", async () => {
  const world = await MeshWorld.of(NAMES);
  await world.users("anna", "yan", "zoe");
  await world.login("bert", "zoe");
  const watcher = new Watcher(world, "anna");
  await world.run(2_000);
  const bert = world.server("bert").node.serverId;
  assert(Object.values(watcher.view.connections[bert]!).some(({ user }) => user === "zoe"));
  world.server("bert").kill();
  const tookMs = await world.until(() => watcher.view.servers[bert]!.state === "dead", "its death in the view");
  assert(tookMs < 6_000, `${tookMs} ms`);
  assertEquals(watcher.view.connections[bert], undefined);
  await world.run(2_000);
  assertEquals(watcher.view.users.zoe ?? [], []);
});

Deno.test("why a connection was closed can be seen, with its heartbeats", async () => {
  const world = await MeshWorld.of(["anna"], { heartbeat: { idleTimeoutMs: 3_000, intervalMs: 1_000, count: 3 } });
  await world.users("anna", "zoe");
  await world.login("anna", "zoe", WATCHED);
  await world.run(12_000);
  const { ends } = await looked(world, "anna");
  const end = ends.at(-1)!;
  assertEquals([end.user, end.reason], ["zoe", "HEARTBEAT_TIMEOUT"]);
  assertEquals(
    end.heartbeats.map(({ event, attempt, of }) => [event, attempt, of]),
    [["sent", 1, 3], ["sent", 2, 3], ["sent", 3, 3], ["unanswered", 3, 3]],
  );
  const [first, , last] = end.heartbeats;
  assert(last!.at - first!.at >= 2_000);
});

Deno.test("who looks at a server that has stopped is shown what was seen last, and does it no harm", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  const before = await looked(world, "anna");
  const { node } = world.server("anna");
  let end: unknown;
  node.finished.then((how) => end = how);
  void node.stop();
  await world.until(() => end !== undefined, "the end");
  // Its store is closed: whatever reads it fails.
  assertEquals(node.observe({ changed: () => {} }).view, before);
  assertEquals(await node.look(), before);
  assertEquals(node.diagram(60), []);
  assertEquals(end, { reason: "stopped" });

  const unseen = await MeshWorld.of(["carl"]);
  const { node: carl } = unseen.server("carl");
  void carl.stop();
  await unseen.run(5_000);
  assertEquals((await carl.look()).servers, {});
});

Deno.test("direct messages are seen by nobody, and a flood of activities is cut and counted", async () => {
  const world = await MeshWorld.of(["anna"]);
  await world.users("anna", "zoe");
  const watcher = new Watcher(world, "anna");
  const zoe = await world.login("anna", "zoe");
  zoe.send({ command: "DIRECT_MESSAGE", to: "zoe", text: "secret plans" });
  for (let number = 1; number <= 500; number++) {
    zoe.send({ command: "ACTIVITY_MESSAGE", activity: { number } });
  }
  zoe.send({ command: "ACTIVITY_MESSAGE", activity: { text: "x".repeat(5_000) } });
  await world.run(2_500);
  assert(!JSON.stringify(watcher.changes).includes("secret plans"));
  const { activities } = watcher.view;
  assertEquals(activities.length, 100);
  assertEquals(activities.at(-1)!.cut, true);
  assertEquals((activities.at(-1)!.activity as string).length, 2_048);
  assertEquals(activities.at(-2)!.activity, { number: 500 });
  const skipped = watcher.changes.reduce((sum, change) => sum + change.skipped, 0);
  assertEquals(skipped, 401);
});

Deno.test("what was forgotten before it came here has not passed, however much of it a peer claims", async () => {
  const world = await MeshWorld.of(["anna"]);
  const watcher = new Watcher(world, "anna");
  await world.run(1_500);
  const peer = await world.peer("anna", "s-liar");
  const far = Number.MAX_SAFE_INTEGER - 1;
  peer.entries("s-liar", far, [activityLine(`s-liar:${far}`, 1)], { after: 0 });
  await world.run(1_500);
  assertEquals(watcher.view.activities.map(({ id }) => id), [`s-liar:${far}`]);
  assertEquals(watcher.changes.filter(({ skipped }) => skipped > 0), []);
});

Deno.test("a gateway that listens on all addresses of its server is told of with one that it can be reached at", async () => {
  const world = await MeshWorld.of(["anna"]);
  const petra = await world.peer("anna", "petra");
  const about = { version: "9.9.9", startedAt: 1_735_689_500_000, lamport: 7 };
  const facts = { serverId: "petra", host: "petra", port: 8000, load: 0, vector: {}, members: [], ...about };
  for (
    const [http, seen] of [["0.0.0.0:8080", "petra:8080"], ["[::]:8080", "petra:8080"], ["10.0.0.9:80", "10.0.0.9:80"]]
  ) {
    petra.send({ command: "SERVER_ANNOUNCE", ...facts, http });
    // What was seen a moment ago does for this one too.
    await world.run(300);
    const { servers } = await looked(world, "anna");
    assertEquals(servers.petra!.http, seen!);
    assertEquals([servers.petra!.version, servers.petra!.startedAt], ["9.9.9", 1_735_689_500_000]);
  }
});

Deno.test("other servers are asked to tell while somebody looks, and for a moment longer", async () => {
  const world = await MeshWorld.of(["anna"]);
  const petra = await world.peer("anna", "petra");
  const asked = () => petra.received.filter(({ command }) => command === "OBSERVE").map(({ active }) => active);
  await world.run(3_000);
  assertEquals(asked(), []);
  const watcher = new Watcher(world, "anna");
  await world.run(20);
  assertEquals(asked(), [true]);
  petra.send({
    command: "OBSERVED",
    reset: true,
    patch: { server: { connections: 7, memoryBytes: 42 }, connections: { c1: { user: "paul" } } },
    ends: [{ server: "anna", user: "olaf", reason: "LOGGED_OUT" }],
    events: [{ nonsense: true }],
  });
  await world.run(1_100);
  assertEquals([watcher.view.servers.petra!.connections, watcher.view.servers.petra!.memoryBytes], [7, 42]);
  assertEquals(watcher.view.connections.petra!.c1!.user, "paul");
  // It speaks for itself alone.
  assertEquals(watcher.view.ends.map(({ server, user }) => [server, user]), [["petra", "olaf"]]);
  petra.send({
    command: "OBSERVED",
    reset: false,
    patch: { connections: { c1: null, c2: { user: "pia" } } },
    ends: [],
    events: [],
  });
  await world.run(1_100);
  assertEquals(Object.keys(watcher.view.connections.petra!), ["c2"]);
  watcher.end();
  await world.run(4_000);
  assertEquals(asked(), [true]);
  await world.run(2_000);
  assertEquals(asked(), [true, false]);
});

Deno.test("a server that looks is told all at once, then what has changed, and nothing when it does not look any more", async () => {
  const world = await MeshWorld.of(["anna"]);
  await world.users("anna", "zoe");
  const petra = await world.peer("anna", "petra");
  const told = () => petra.received.filter(({ command }) => command === "OBSERVED");
  await world.run(3_000);
  assertEquals(told(), []);
  petra.send({ command: "OBSERVE", active: true });
  await world.run(100);
  assertEquals(told().map(({ reset }) => reset), [true]);
  assertEquals(told()[0]!.patch.server.state, "self");
  await world.login("anna", "zoe");
  await world.run(1_100);
  assertEquals(told().at(-1)!.reset, false);
  assertEquals(Object.values(told().at(-1)!.patch.connections).map((row) => (row as { user: string }).user), ["zoe"]);
  petra.send({ command: "OBSERVE", active: false });
  await world.run(50);
  const until = told().length;
  await world.run(5_000);
  assertEquals(told().length, until);
});

Deno.test("the live trace says since when it is recorded, for as long as somebody looks from here", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  const { node } = world.server("anna");
  assertEquals(node.recordedSinceMs, undefined);
  const begunAt = world.network.clock.wallMs();
  const watcher = new Watcher(world, "anna");
  await world.run(3_000);
  assertEquals(node.recordedSinceMs, begunAt);
  // That somebody looks there does not mean that all is seen there.
  assertEquals(world.server("bert").node.recordedSinceMs, undefined);
  const there = new Watcher(world, "bert");
  watcher.end();
  await world.run(4_000);
  assertEquals(node.recordedSinceMs, begunAt);
  await world.run(2_000);
  assertEquals(node.recordedSinceMs, undefined);
  there.end();
});

Deno.test("the live trace has what happens at all servers, so much a second and no more", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "zoe");
  const watcher = new Watcher(world, "anna");
  await world.run(1_500);
  const zoe = await world.login("bert", "zoe");
  for (let number = 1; number <= 1_000; number++) {
    zoe.send({ command: "ACTIVITY_MESSAGE", activity: { number }, messageId: `m${number}` });
  }
  await world.run(3_000);
  const events = world.server("anna").node.diagram(60);
  const nodes = new Set(events.map(({ node }) => node));
  assertEquals(nodes, new Set([world.server("anna").node.serverId, world.server("bert").node.serverId]));
  assert(events.some(({ event, node }) => event === "login" && node === world.server("bert").node.serverId));
  assert(events.length < 800, String(events.length));
  watcher.end();
  await world.run(6_000);
  assertEquals(world.server("anna").node.diagram(60), []);
});

/** One look, while time goes on. */
async function looked(world: MeshWorld, name: string): Promise<NetworkView> {
  let view: NetworkView | undefined;
  world.server(name).node.look().then((seen) => view = seen);
  await world.until(() => view !== undefined, "a look");
  return view!;
}
