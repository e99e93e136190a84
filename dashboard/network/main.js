/**
 * The window into the network: one view, changed by what the stream brings, and drawn by the panels at most once a
 * frame. Each panel draws only what has changed, and the ages once a second.
 */

import { byId, element, setAttribute, setBadge, setText } from "../dom.js";
import { age, isolated, shortName } from "../format.js";
import { startOfDrained } from "../orders/draining.js";
import { banOrder, disconnectOrder, drainOrder } from "../orders/orders.js";
import {
  inviteOrder,
  logLevelOrder,
  networkSecretOrder,
  reloadOrder,
  withdrawOrder,
} from "../orders/network_orders.js";
import { banAddressOrder, liftOrder, userOrder } from "../orders/user_orders.js";
import { bansList } from "../operator/bans_list.js";
import { invitationsList } from "../operator/invitations_list.js";
import { laidDown, NOTHING_LAID_DOWN } from "../operator/laid_down.js";
import { Lists } from "../operator/lists.js";
import { newest, remember, settled } from "../lag.js";
import { knownServers, originOf } from "../client/gateways.js";
import { followMoves, NO_MOVES, serverNews } from "../news.js";
import { STATE_WORDS } from "../look/state_words.js";
import { titleOf, troubleOf } from "../look/title.js";
import { Place } from "../place/place.js";
import { partitionInWords, partitionOf } from "./reach/partition.js";
import { beat } from "../pulse.js";
import { channelRows, connectionRows, isGone, userRows } from "../rows.js";
import { apply, mergePatch } from "../view_state.js";
import { ActivitiesPanel } from "./activities_panel.js";
import { ChannelsPanel } from "./channels_panel.js";
import { ConnectionsPanel } from "./connections_panel.js";
import { DiagramPanel } from "./diagram_panel.js";
import { EndsPanel } from "./ends_panel.js";
import { LostServers } from "./reach/lost_servers.js";
import { NeighboursPanel } from "./neighbours_panel.js";
import { NewsPanel } from "./news_panel.js";
import { pageAddress, ServersPanel } from "./servers_panel.js";
import { Session } from "./session.js";
import { OtherServers } from "./reach/other_servers.js";
import { keepPass } from "./reach/pass.js";
import { follow } from "./reach/stream.js";
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
 *   readonly channelList: readonly import("../rows.js").ChannelRow[],
 *   readonly moves: import("../news.js").Moves, readonly pulse: import("../pulse.js").Pulse, readonly skipped: number,
 *   readonly isHome: boolean, readonly mayAct: boolean,
 *   readonly answers: ReadonlyMap<string, import("./reach/partition.js").Answer>,
 *   readonly laid: import("../operator/laid_down.js").LaidDown,
 * }} Frame `isHome`: the view is from the server that this page is of; `mayAct`: there may be buttons that change
 *   something; `answers`: of servers that only the page reaches; `laid`: what operators have set
 */

/** What the rows of users are made of. */
const USER_PARTS = ["users", "servers", "waiting", "lastSeen"];
const DIAGRAM_PATIENCE_MS = 5_000;

const { session: SESSION } = STATE_WORDS;
/** Where this page is from. */
const HOME = { host: location.host, isSecure: location.protocol === "https:" };

/** When the server that answers was started, if it was drained since: then it is no loss that it goes. */
let drainedStart;
const session = new Session({ now: serverNow, onChange: drawSoon });
/** What operators have set. */
const lists = new Lists(drawSoon);
/** What is shown, as the address has it. */
const place = new Place(drawSoon);
const otherServers = new OtherServers();
const renewPass = keepPass(otherServers, () => base);
const diagram = new DiagramPanel({
  askOther: (address) => otherServers.ask(address, DIAGRAM_PATIENCE_MS),
  address: place,
});
const news = new NewsPanel();
const panels = [
  new Summary(),
  new ServersPanel({ onDrain: askDrain, address: place }),
  new NeighboursPanel(),
  new ConnectionsPanel({
    onDisconnect: (row) => session.ask(() => disconnectOrder(row)),
    onBan: (row) => operate(() => banOrder(row)),
    address: place,
  }),
  new ChannelsPanel(place),
  new UsersPanel({ onAct: (act, row) => operate(() => userOrder(act, row)), address: place }),
  bansList({
    onAdd: () => operate(() => banAddressOrder()),
    onLift: ({ kind, about }) => operate(() => liftOrder(kind, about)),
    address: place,
  }),
  invitationsList({
    onAdd: () => operate(inviteOrder),
    onWithdraw: (invitation) => operate(() => withdrawOrder(invitation)),
    address: place,
  }),
  new ActivitiesPanel(place),
  new EndsPanel(place),
];

let view;
let connections = new Map();
let connectionList = [];
let users = new Map();
let userList = [];
let channels = new Map();
let channelList = [];
let laid = NOTHING_LAID_DOWN;
/** What `laid` is made of. */
let laidAnswers;
let moves = NO_MOVES;
let pulse = new Map();
let skipped = 0;
let heads = [];
/** What the clock of the server is ahead of the one here. */
let aheadMs = 0;
let heardAt = 0;
/** @type {"connecting" | "live" | "lost"} */
let state = "connecting";
let isDue = false;
place.restore();
/** Where the view is from: "" for the page's own server. */
let base = "";
/** The name of the page's own server, and where the others can be asked, by server. */
let homeName = "";
let bases = new Map();

const lostServers = new LostServers(() => ({ view, bases }), otherServers, drawSoon);
const following = follow({
  onView(whole, from) {
    base = diagram.base = from;
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
  onState(next) {
    if (next === "live") {
      session.look();
      renewPass();
      if (base === "") lists.look();
    }
    state = next;
    diagram.isLive = state === "live";
    drawSoon();
  },
  onRefused: () => session.look(),
}, otherServers);
session.look();
const networkOrders = { "log-level": logLevelOrder, reload: reloadOrder, "network-secret": networkSecretOrder };
for (const [id, order] of Object.entries(networkOrders)) byId(id).addEventListener("click", () => operate(order));
setInterval(() => {
  drawTitle();
  drawSoon();
}, 1_000);

/** Makes `next` the view that is shown. */
function take(next) {
  const before = view;
  view = next;
  if (base === "") learnHome(next);
  heardAt = Date.now();
  aheadMs = next.at - heardAt;
  heads = remember(heads, next.at, newest(next.servers));
  if (before === undefined || before.connections !== next.connections || before.servers !== next.servers) {
    const rows = connectionRows(next, connections);
    if (before !== undefined) {
      const followed = followMoves(moves, connections, rows, next.at);
      const fresh = [...followed.moved].filter(([key]) => !moves.moved.has(key));
      moves = followed;
      // From another server things look otherwise, and that is no news.
      if (before.from === next.from) news.tell(serverNews(before, next), next.at);
      news.tellMoves(fresh.map(([key, { from }]) => ({ from, to: rows.get(key).serverName })), next.at);
    }
    if (!isSame(rows, connections)) connectionList = [...rows.values()];
    connections = rows;
  }
  if (before === undefined || USER_PARTS.some((part) => before[part] !== next[part])) takeUsers();
  if (before === undefined || before.channels !== next.channels) {
    const rows = channelRows(next, channels);
    if (!isSame(rows, channels)) channelList = [...rows.values()];
    channels = rows;
  }
  // From another server it is not told, and would be counted otherwise.
  if (before !== undefined && base === "" && before.laidDown !== next.laidDown) lists.look();
  drawSoon();
}

function takeUsers() {
  const rows = userRows(view, users, laid);
  if (!isSame(rows, users)) userList = [...rows.values()];
  users = rows;
}

/** Takes what operators have set, if it is another than before: also as a ban has ended. */
function takeLaidDown() {
  if (laidAnswers === lists.answers && serverNow() < laid.endsNext) return;
  laidAnswers = lists.answers;
  laid = laidDown(laidAnswers, serverNow());
  takeUsers();
}

/**
 * Somebody wants something done that changes what operators have set.
 *
 * @param {() => import("../orders/order.js").Order} makeOrder
 */
function operate(makeOrder) {
  session.ask(makeOrder, () => lists.lookNow());
}

/** Somebody wants this server drained. @param {string} serverId */
function askDrain(serverId) {
  session.ask(() => drainOrder(view, serverId), () => {
    if (serverId === view.from) drainedStart = view.servers[serverId]?.startedAt;
  });
}

/** What this page's own server says of itself, and where others can be asked. */
function learnHome(next) {
  drainedStart = startOfDrained(next, drainedStart);
  following.isAtRest = drainedStart !== undefined;
  homeName = next.servers[next.from]?.name ?? homeName;
  const others = knownServers(next, HOME).filter(({ id, gateway }) => id !== next.from && gateway !== undefined);
  bases = new Map(others.map(({ id, gateway }) => [id, originOf(gateway)]));
  otherServers.learn([...bases.values()]);
  following.learn(others.toSorted((one, other) => one.isGone - other.isGone).map(({ id }) => bases.get(id)));
  if (partitionOf(next, lostServers.answers)?.isSure === false) lostServers.ask();
}

/** The time of the server that answers, in milliseconds since 1970. */
function serverNow() {
  return Date.now() + aheadMs;
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
  takeLaidDown();
  const now = Math.floor(serverNow() / 1_000) * 1_000;
  const isHome = base === "";
  const mayAct = isHome && !session.onlyLooks;
  document.body.classList.toggle("may-not-act", !mayAct);
  const frame = {
    ...{ view, now, heads: settled(heads, now), connectionList, channelList, userList, moves, pulse, skipped },
    ...{ isHome, mayAct, answers: lostServers.answers, laid },
  };
  drawPartition();
  for (const panel of panels) panel.show(frame);
  drawTitle();
}

/** Without a frame: a page that nobody sees has none, and its title is all that is seen of it. */
function drawTitle() {
  if (view === undefined) return;
  const stream = streamBadge(true, drainedStart !== undefined, base !== "" && state === "live");
  const isParted = partitionOf(view, lostServers.answers)?.isSure === true;
  const trouble = stream.state === "good" ? troubleOf(view, isParted) : stream.text;
  setText(document.querySelector("title"), titleOf({ trouble, name: view.servers[view.from]?.name ?? "" }));
}

/** Whether what is seen is true still, and whose view it is. */
function drawStream() {
  const silentMs = Date.now() - heardAt;
  const wasDrained = drainedStart !== undefined;
  const isShown = view !== undefined;
  const isLost = state !== "live";
  const isElsewhere = !isLost && base !== "";
  document.body.classList.toggle("is-stale", isLost && isShown);
  document.body.classList.toggle("is-empty", !isShown);
  setBadge(byId("live"), streamBadge(isShown, wasDrained, isElsewhere));
  byId("lost").hidden = !isShown || !(isLost || isElsewhere);
  setAttribute(byId("lost"), "data-state", wasDrained || isElsewhere ? "warn" : "bad");
  // Said once, and not again with every second of its age.
  const lost = isElsewhere
    ? `${isolated(homeName)} does not answer. Below is the network as ${isolated(ownName())} sees it.`
    : wasDrained
    ? "This server was drained and has stopped."
    : "The connection to the server is lost. Reconnecting.";
  setText(byId("lost-text"), (isLost || isElsewhere) && isShown ? lost : "");
  if (!isShown || !(isLost || isElsewhere)) return;
  const age_ = wasDrained ? "Below is how it was before." : `This view is ${age(silentMs)} old.`;
  setText(byId("lost-age"), isElsewhere ? "This page goes back by itself." : age_);
  drawOthers(isElsewhere);
}

function streamBadge(isShown, wasDrained, isElsewhere) {
  if (isElsewhere) return { state: "warn", text: `${SESSION.live} from ${shortName(ownName())}` };
  if (state === "live") return { state: "good", text: SESSION.live };
  if (!isShown) return { state: "quiet", text: SESSION.connecting };
  return wasDrained ? { state: "quiet", text: SESSION.stopped } : { state: "bad", text: SESSION.reconnecting };
}

/** The pages of other servers. */
function drawOthers(isElsewhere) {
  const others = Object.values(view.servers).filter((server) =>
    (isElsewhere || server.state !== "self") && !isGone(server)
  )
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

/** Whether the network is parted, and what each side lacks. */
function drawPartition() {
  const partition = partitionOf(view, lostServers.answers);
  byId("parted").hidden = partition === undefined;
  const { what, lacks } = partition === undefined ? { what: "", lacks: "" } : partitionInWords(partition, view);
  setText(byId("parted-text"), what);
  setText(byId("parted-lacks"), lacks);
}

/** The name of the server whose view this is. */
function ownName() {
  return view?.servers[view.from]?.name ?? "another server";
}

/** Whether two maps have the same rows. */
function isSame(rows, before) {
  if (rows.size !== before.size) return false;
  for (const [key, row] of rows) if (before.get(key) !== row) return false;
  return true;
}
