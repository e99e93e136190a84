/**
 * The window into the network: one view, changed by what the stream brings, and drawn by the panels at most once a
 * frame. Each panel draws only what has changed, and the ages once a second.
 */

import { byId, element, setAttribute, setBadge, setText } from "../dom.js";
import { age } from "../format.js";
import { startOfDrained } from "../draining.js";
import { newest, remember, settled } from "../lag.js";
import { followMoves, NO_MOVES, serverNews } from "../news.js";
import { beat } from "../pulse.js";
import { connectionRows, isGone, userRows } from "../rows.js";
import { apply, mergePatch } from "../view_state.js";
import { ActivitiesPanel } from "./activities_panel.js";
import { ConnectionsPanel } from "./connections_panel.js";
import { DiagramPanel } from "./diagram_panel.js";
import { EndsPanel } from "./ends_panel.js";
import { NeighboursPanel } from "./neighbours_panel.js";
import { NewsPanel } from "./news_panel.js";
import { pageAddress, ServersPanel } from "./servers_panel.js";
import { Session } from "./session.js";
import { follow } from "./stream.js";
import { Summary } from "./summary.js";
import { UsersPanel } from "./users_panel.js";

/**
 * What the panels draw. `now` is the time of the server that answers, to whole seconds. Lists and maps are the same
 * objects as long as nothing in them has changed.
 *
 * @typedef {{
 *   readonly view: import("../../view/network_view.ts").NetworkView, readonly now: number,
 *   readonly heads: Map<string, number>, readonly connectionList: readonly import("../rows.js").ConnectionRow[],
 *   readonly userList: readonly import("../rows.js").UserRow[],
 *   readonly moves: import("../news.js").Moves, readonly pulse: import("../pulse.js").Pulse, readonly skipped: number,
 * }} Frame
 */

/** A stream that says nothing for longer than this is said to be silent. */
const SILENT_MS = 5_000;

/** When the server that answers was started, if it was drained since: then it is no loss that it goes. */
let drainedStart;
const session = new Session({ onDrained: () => drainedStart = view.servers[view.from]?.startedAt });
const diagram = new DiagramPanel();
const news = new NewsPanel();
const panels = [
  new Summary(),
  new ServersPanel({ onDrain: () => session.askDrain(() => view) }),
  new NeighboursPanel(),
  new ConnectionsPanel(),
  new UsersPanel(),
  new ActivitiesPanel(),
  new EndsPanel(),
];

let view;
let connections = new Map();
let connectionList = [];
let users = new Map();
let userList = [];
let moves = NO_MOVES;
let pulse = new Map();
let skipped = 0;
let heads = [];
/** What the clock of the server is ahead of the one here. */
let aheadMs = 0;
let heardAt = 0;
let isLost = true;
let isDue = false;

follow({
  onView(whole) {
    // What passed before this page was opened belongs to its first minute.
    if (view === undefined) pulse = whole.activities.reduce((pulse, { at }) => beat(pulse, at, 1), pulse);
    // Merged into nothing: without prototypes, like every view that changes make of it.
    take(mergePatch(undefined, whole));
  },
  onChange(change) {
    if (view === undefined) return;
    pulse = beat(pulse, change.at, change.activities.length + change.skipped);
    skipped += change.skipped;
    take(apply(view, change));
  },
  onState(state) {
    const wasLost = isLost;
    isLost = state === "lost";
    if (wasLost && !isLost) session.look();
    diagram.isLive = !isLost;
    drawSoon();
  },
  onRefused: () => session.look(),
});
session.look();
setInterval(drawSoon, 1_000);

/** Makes `next` the view that is shown. */
function take(next) {
  const before = view;
  view = next;
  drainedStart = startOfDrained(next, drainedStart);
  heardAt = Date.now();
  aheadMs = next.at - heardAt;
  heads = remember(heads, next.at, newest(next.servers));
  if (before === undefined || before.connections !== next.connections || before.servers !== next.servers) {
    const rows = connectionRows(next, connections);
    if (before !== undefined) {
      const followed = followMoves(moves, connections, rows, next.at);
      const fresh = [...followed.moved].filter(([key]) => !moves.moved.has(key));
      moves = followed;
      news.tell(serverNews(before, next), next.at);
      news.tellMoves(fresh.map(([key, { from }]) => ({ from, to: rows.get(key).serverName })), next.at);
    }
    if (!isSame(rows, connections)) connectionList = [...rows.values()];
    connections = rows;
  }
  if (before === undefined || before.users !== next.users || before.servers !== next.servers) {
    const rows = userRows(next, users);
    if (!isSame(rows, users)) userList = [...rows.values()];
    users = rows;
  }
  drawSoon();
}

/** Draws before the next frame; when the page cannot be seen, that is when it can. */
function drawSoon() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw();
  });
}

function draw() {
  drawStream();
  if (view === undefined) return;
  const now = Math.floor((Date.now() + aheadMs) / 1_000) * 1_000;
  const frame = { view, now, heads: settled(heads, now), connectionList, userList, moves, pulse, skipped };
  for (const panel of panels) panel.show(frame);
  const own = view.servers[view.from];
  setText(document.querySelector("title"), own === undefined ? "thrum" : `thrum · ${own.name}`);
}

/** Whether what is seen is true still. */
function drawStream() {
  const silentMs = Date.now() - heardAt;
  const wasDrained = drainedStart !== undefined;
  const isShown = view !== undefined;
  document.body.classList.toggle("is-stale", isLost && isShown);
  document.body.classList.toggle("is-empty", !isShown);
  if (isLost) {
    setBadge(
      byId("live"),
      !isShown
        ? { state: "quiet", text: "connecting" }
        : wasDrained
        ? { state: "quiet", text: "stopped" }
        : { state: "bad", text: "lost" },
    );
  } else {setBadge(
      byId("live"),
      silentMs < SILENT_MS ? { state: "good", text: "live" } : { state: "warn", text: `silent for ${age(silentMs)}` },
    );}
  byId("lost").hidden = !(isLost && isShown);
  setAttribute(byId("lost"), "data-state", wasDrained ? "warn" : "bad");
  // Said once, and not again with every second of its age.
  const lost = wasDrained
    ? "This server was drained and has stopped."
    : "The connection to the server is lost. Trying again.";
  setText(byId("lost-text"), isLost && isShown ? lost : "");
  if (!isLost || !isShown) return;
  setText(byId("lost-age"), wasDrained ? "Below is how it was before." : `This view is ${age(silentMs)} old.`);
  const others = Object.values(view.servers).filter((server) => server.state !== "self" && !isGone(server))
    .flatMap((server) => pageAddress(server.http) === undefined ? [] : [[server.name, pageAddress(server.http)]]);
  const place = byId("lost-others");
  const addresses = others.map(([, address]) => address).join(" ");
  if (place.dataset.shown === addresses) return;
  setAttribute(place, "data-shown", addresses);
  place.replaceChildren(
    ...others.flatMap((
      [name, href],
      index,
    ) => [index === 0 ? "Look from " : ", ", element("a", { href, rel: "noreferrer", text: name })]),
  );
}

/** Whether two maps have the same rows. */
function isSame(rows, before) {
  if (rows.size !== before.size) return false;
  for (const [key, row] of rows) if (before.get(key) !== row) return false;
  return true;
}
