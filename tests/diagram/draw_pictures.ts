/**
 * Draws the pictures of docs/time.md anew, from real servers and clients on a fake clock:
 * `deno run -A tests/diagram/draw_pictures.ts [FOLDER]`. Which times come out may change with the code, so
 * no test compares them.
 */

import { drawSvg } from "../../diagram/diagram_svg.ts";
import { type History, historyOf } from "../../diagram/history.ts";
import { through } from "../../diagram/window.ts";
import { MeshWorld } from "../support/mesh_world.ts";
import { TracedWorld } from "../trace/_world.ts";

const CONFIG = {
  cluster: { rebalance: false, holdBackMs: 500, drainMs: 0 },
  heartbeat: { idleTimeoutMs: 6_000, intervalMs: 2_000, count: 3 },
};

/** One activity, from its publisher to everybody. */
async function drawMessage(): Promise<string> {
  const world = await MeshWorld.of(["s1", "s2"], CONFIG, 3);
  const traced = new TracedWorld(world);
  await traced.client("s2", { username: "bob", secret: "x", register: true });
  await world.run(300);
  const eve = await traced.client("s2", { username: "eve", secret: "x", register: true });
  // Announcements: servers stop to ask each other for what they had before.
  await world.run(5_100);
  // The last to come, so that her clock is not far behind.
  const ada = await traced.client("s1", { username: "ada", secret: "x", register: true });
  void ada.client.publish({ text: "Hello" });
  await world.run(100);
  void eve.client.publish({ text: "Hi" });
  await world.run(100);
  const history = historyOf(world.traced);
  return drawSvg(through(history, { from: firstSend(history) - 6 }), {
    title: "Two activities, two servers, three clients",
  });
}

/** A client that answers no heartbeat, a network in two parts, a crash, and a client that goes elsewhere. */
async function drawTrouble(): Promise<string> {
  const servers = ["s1", "s2", "s3"];
  const world = await MeshWorld.of(servers, CONFIG, 3);
  const traced = new TracedWorld(world);
  const bob = await traced.client("s2", { username: "bob", secret: "x", register: true });
  const cy = await traced.client("s3", { username: "cy", secret: "x", register: true });
  await world.run(4_600);
  await traced.client("s1", {
    username: "eve",
    secret: "x",
    register: true,
    blockHeartbeatMs: 60_000,
    reconnect: false,
  });
  await world.run(300);
  const ada = await traced.client("s1", { username: "ada", secret: "x", register: true });
  void ada.client.publish({ n: 1 });
  await world.run(8_000);
  world.part(["s2"], ["s1", "s3"]);
  void bob.client.publish({ n: 2 });
  void ada.client.publish({ n: 3 });
  await world.run(5_000);
  void cy.client.publish({ n: 4 });
  await world.run(4_000);
  world.network.heal();
  await world.run(3_000);
  world.server("s3").kill();
  await world.run(1_500);
  void cy.client.publish({ n: 5 });
  await world.run(1_500);
  world.start("s3", servers, CONFIG);
  await world.run(4_000);
  const history = historyOf(world.traced);
  return drawSvg(
    through(history, { from: firstSend(history) - 6 }),
    { title: "A client that answers nothing, a network in two parts, a crash" },
  );
}

/** The Lamport time at which a client published first. */
function firstSend({ events }: History): number {
  return events.find(({ event, id }) => event === "send" && id?.includes("-"))!.lamport;
}

const docs = Deno.args[0] === undefined ? new URL("../../docs/", import.meta.url) : `file://${Deno.args[0]}/`;
Deno.writeTextFileSync(new URL("time-message.svg", docs), await drawMessage());
Deno.writeTextFileSync(new URL("time-trouble.svg", docs), await drawTrouble());
// The worlds go on as long as their servers do.
Deno.exit(0);
