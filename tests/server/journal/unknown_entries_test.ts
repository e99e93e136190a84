/**
 * Entries of a kind that does not exist today, as a newer server has some: kept, passed on, and shown to nobody, in
 * every reader of the log. And what a log has from before there were rules for entries.
 */

import { assert, assertEquals } from "@std/assert";
import { EVERYONE, type Segment } from "../../../log/segment.ts";
import { Guest } from "../../../server/guests/guest.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import type { ActivityView } from "../../../view/network_view.ts";
import { batchOf } from "../../support/log_writer.ts";
import { activityLine, MeshWorld } from "../../support/mesh_world.ts";
import { NodeWorld } from "../../support/node_world.ts";

/** What somebody who looks at a server sees pass. */
function lookAt(node: { observe: NodeWorld["node"]["observe"] }): ActivityView[] {
  const seen: ActivityView[] = [];
  seen.push(...node.observe({ changed: ({ activities }) => void seen.push(...activities) }).view.activities);
  return seen;
}

const SHOUT = { command: "SHOUT", lamport: 5, loud: true };

for (const to of ["everyone", "servers", { user: "anna" }]) {
  Deno.test(`an entry of an unknown kind, for ${JSON.stringify(to)}, reaches all servers and nobody else`, async () => {
    const world = await MeshWorld.of(["a", "b"], { cluster: { rebalance: false } });
    await world.users("a", "anna");
    const clients = [
      await world.plain("a", "anna"),
      await world.chat("b", "anna"),
      await world.login("a", "anonymous", { redirects: 3 }),
      await world.login("b", "anonymous", { redirects: 3 }),
    ];
    const seen = ["a", "b"].map((name) => lookAt(world.server(name).node));
    const took: unknown[] = [];
    const owner = { arrived: () => {}, ended: () => {} };
    const guest = world.server("b").node.guests.enter({ name: "gus", host: "h", port: 1, lamport: 1 }, owner);
    assert(guest instanceof Guest);
    await world.run(1_500);
    const before = clients.map(({ received }) => received.length);

    const newer = await world.peer("a", "newer");
    newer.entries("newer", 1, [{ ...SHOUT, id: "newer:1" }], { to });
    newer.entries("newer", 2, [activityLine("newer:2", 2)]);
    await world.equal("a", "b");
    await world.run(1_500);

    assertEquals(world.server("a").vector, { a: 1, newer: 2 });
    for (const name of ["a", "b"]) {
      assertEquals(world.server(name).entries.get("newer:1"), { line: { ...SHOUT, id: "newer:1" }, isFor: "servers" });
    }
    for (const [n, client] of clients.entries()) {
      assertEquals(client.end, undefined);
      const news = client.received.slice(before[n]).filter(({ command }) =>
        !["PRESENCE", "HEARTBEAT", "BACKUP_LIST"].includes(command)
      );
      assertEquals(news.map(({ command, id }) => [command, id]), [["ACTIVITY_BROADCAST", "newer:2"]]);
    }
    for (const activities of seen) assertEquals(activities.map(({ id }) => id), ["newer:2"]);
    for (let item = guest.take(); item !== undefined; item = guest.take()) took.push(item.kind);
    assertEquals(took, ["activity"]);

    // Nor to whoever comes later, nor after the servers were started again.
    const late = await world.login("b", "anonymous", { resume: { vector: {} }, redirects: 3 });
    assertEquals(late.activities, [2]);
    world.server("a").kill();
    world.start("a", ["b"]);
    await world.linked("a", "b");
    const again = await world.login("a", "anonymous", { resume: { vector: {} }, redirects: 3 });
    assertEquals(again.activities, [2]);
    assertEquals(world.server("a").node.state, "ready");
  });
}

/** Lines for everyone, as a server without rules has stored them. */
function segment(position: number, origin: string, lines: readonly unknown[]): Segment {
  const bytes = new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return { position, origin, first: 1, last: lines.length, audience: EVERYONE, takenAt: 0, bytes };
}

Deno.test("what an old log has for everyone and is no activity goes to peers as it is, and to nobody else", async () => {
  const id = (n: number) => `s-liar:${n}`;
  const lines = [
    activityLine(id(1), 1),
    { command: "REDIRECT", hostname: "evil.example", port: 6666, lamport: 5, id: id(2) },
    { ...activityLine(id(3), 3), activity: null },
    activityLine(id(4), 4),
    { ...activityLine(id(5), 5), activity: [5] },
    { ...activityLine(id(6), 6), sentAt: "x" },
    { ...activityLine(id(7), 7), messageId: "m".repeat(500) },
    { ...activityLine(id(8), 8), activity: { n: 8 } },
    activityLine(id(9), 9, { messageId: "m-9", after: "s-1:3" }, 'with "quotes"'.replaceAll('"', "'")),
    { command: "SHOUT", lamport: 5, id: id(10) },
  ];
  const store = openMemoryStore({ serverId: "s-1" });
  store.commit(batchOf({ segments: [segment(1, "s-liar", lines), segment(2, "s-other", [SHOUT])] }));
  // It says what it had when it was opened.
  const opened = { ...store.opened, head: 2, vector: { "s-liar": 10, "s-other": 1 } };
  const reopened = new Proxy(store, {
    get: (store, key) => {
      const value = key === "opened" ? opened : Reflect.get(store, key);
      return typeof value === "function" ? value.bind(store) : value;
    },
  });
  const world = await NodeWorld.start({}, { store: reopened });
  const seen = lookAt(world.node);
  const login = { command: "LOGIN", username: "anonymous", features: ["resume"] };
  for (const [has, expected] of [[0, [1, 4, 9]], [1, [4, 9]], [2, [4, 9]], [4, [9]], [9, []]] as const) {
    const client = await world.connect({ ...login, resume: { vector: { "s-liar": has } } });
    await world.clock.run(100);
    const activities = client.received.filter(({ command }) => command === "ACTIVITY_BROADCAST");
    assertEquals(activities.map(({ activity }) => activity.n), [...expected]);
    assert(!client.commands.includes("REDIRECT") && !client.commands.includes("SHOUT"));
    assertEquals(client.end, undefined);
  }
  await world.clock.run(3_000);
  // As far as they can be shown.
  assert(seen.every(({ activity }) => typeof activity === "object"));
  assertEquals(world.node.state, "ready");
  assertEquals((await world.stop()).reason, "stopped");
});
