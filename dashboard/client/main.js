/**
 * /client: puts the parts of the page together. Decides nothing of the protocol (`line_session.js` does), and draws
 * at most once a frame.
 */

import { visibleName } from "../format.js";
import { byId, setBadge, setText } from "../dom.js";
import { titleOf } from "../look/title.js";
import { AccountView } from "./account/account_view.js";
import { channelText, EVERYONE } from "./channels/channel_name.js";
import { ChannelsView } from "./channels/channels_view.js";
import { readChannels, writeChannels } from "./channels/kept_channels.js";
import { changesAt, isAt, placeFor } from "./channels/places.js";
import { Unread } from "./channels/unread.js";
import { Composer } from "./composer.js";
import { ConsoleView } from "./console_view.js";
import { forgetKept, readKept, writeKept } from "./kept.js";
import { ANONYMOUS } from "./lines.js";
import { LineClient } from "./line_client.js";
import { PastView } from "./past_view.js";
import { SideView } from "./side_view.js";
import { SignInForm } from "./sign_in.js";
import { StreamModel } from "./stream_model.js";
import { StreamView } from "./stream_view.js";
import { outageText, stateBadge } from "./words.js";

/** @typedef {import("./session_types.js").SessionEffect} SessionEffect */

/** How soon after a change it is kept for a reload. A page that is left keeps it at once. */
const KEEP_MS = 400;
const SECOND_MS = 1_000;

const home = { host: location.host, isSecure: location.protocol === "https:" };
let stream = new StreamModel();
let isFrameAsked = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let keeping;
/** What was said that nobody has seen. */
const unread = new Unread();
/** What the conversation shows: a channel, a pattern, or what is for everyone. */
let place = EVERYONE;
/** What it showed when it was drawn last. @type {string | undefined} */
let drawnPlace;

const view = new StreamView();
const past = new PastView(() => client.take({ kind: "earlier", before: stream.oldest(place)?.id, place }));
/** How many rows were dropped when the past was drawn last. */
let dropped = 0;
const log = new ConsoleView(
  (text) => client.take({ kind: "raw", text }),
  (isOn) => client.take({ kind: "answering", isOn }),
  () => drawSoon(),
);
const client = new LineClient(home, {
  onEffect,
  onLine: (direction, line) => log.add(direction, line),
  onChange: () => {
    drawTitle();
    drawSoon();
  },
});
const { session } = client;
const composer = new Composer((target, text) => {
  const messageId = randomId();
  if (target.kind === "user") return client.take({ kind: "say", messageId, to: target.to, text });
  const { channel } = target;
  client.take({ kind: "say", messageId, to: undefined, text, ...channel === EVERYONE ? {} : { channel } });
  show(placeFor(channel, place, session.talk.joined.all));
});
const channels = new ChannelsView({
  onPlace: (chosen) => show(chosen),
  onJoin: (pattern) => {
    client.take({ kind: "join", channel: pattern });
    show(pattern);
  },
  onLeave: (pattern) => {
    client.take({ kind: "leaveChannel", channel: pattern });
    if (place === pattern) show(EVERYONE);
  },
});
const side = new SideView(
  (username) => {
    composer.address(username);
    showTab("talk");
  },
  (isPlain) => client.take({ kind: "plain", isPlain }),
);
const account = new AccountView(async (secret, newSecret) => {
  const { username = "" } = session;
  const outcome = await client.changeAccount(secret, newSecret);
  if (outcome.isDone && newSecret === undefined) writeChannels(localStorage, username, []);
  return outcome;
});
const signIn = new SignInForm((wish, { isPlain, fromStart }) => {
  if (wish.kind === "byHand") return begin(undefined, fromStart);
  const user = wish.kind === "user" ? wish : { username: ANONYMOUS, secret: "", register: false };
  begin({ ...user, isPlain }, fromStart);
});

byId("leave").addEventListener("click", leave);
byId("outage-leave").addEventListener("click", leave);
byId("outage-retry").addEventListener("click", () => client.take({ kind: "retry" }));
for (const tab of ["talk", "network", "console"]) byId(`tab-${tab}`).addEventListener("click", () => showTab(tab));
byId("tabs").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (step === 0) return;
  const tabs = ["talk", "network", "console"];
  showTab(tabs[(tabs.indexOf(document.body.dataset.tab ?? "talk") + step + tabs.length) % tabs.length] ?? "talk");
  byId(`tab-${document.body.dataset.tab}`).focus();
});
// What waits is shown as a countdown.
setInterval(() => "until" in session.status && drawSoon(), SECOND_MS);
addEventListener("pagehide", keepNow);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") unread.seen(place);
  drawTitle();
  drawSoon();
  if (document.visibilityState === "hidden") keepNow();
  else client.take({ kind: "seen" });
});

const kept = readKept(sessionStorage);
if (kept !== undefined) {
  signIn.remember(kept.session.username, kept.isPlain);
  const { username, pass } = kept.session;
  // Whoever has no name has no secret either, and a pass takes the place of one: the page goes on by itself.
  if (username === ANONYMOUS || typeof pass === "string") {
    begin({ username, secret: "", register: false, isPlain: kept.isPlain && username === ANONYMOUS }, false);
  }
}
if (session.status.kind === "signedOut") signIn.focus();
drawSoon();

/**
 * Somebody comes in; nobody when lines are written by hand.
 *
 * @param {import("./lines.js").Plan | undefined} plan
 * @param {boolean} fromStart
 */
function begin(plan, fromStart) {
  const saved = readKept(sessionStorage);
  const isBack = saved !== undefined && saved.session.username === plan?.username && !fromStart;
  stream = new StreamModel(isBack ? saved.rows : []);
  place = isBack && typeof saved.place === "string" ? saved.place : EVERYONE;
  drawnPlace = undefined;
  unread.clear();
  if (isBack) {
    for (const entry of saved.session.outbox) onEffect({ kind: "sent", ...entry });
  } else {
    forgetKept(sessionStorage);
    composer.clear();
    channels.clear();
  }
  const before = plan === undefined ? undefined : readChannels(localStorage, plan.username);
  client.take({ kind: "signIn", plan, saved: isBack ? saved.session : undefined, fromStart, channels: before });
  showTab(plan === undefined ? "console" : "talk");
}

function leave() {
  client.take({ kind: "leave" });
}

/** @param {SessionEffect} effect */
function onEffect(effect) {
  if (effect.kind === "save") keeping ??= setTimeout(keepNow, KEEP_MS);
  else if (effect.kind === "forget") forget();
  else if (effect.kind === "channels") {
    writeChannels(localStorage, session.username ?? "", effect.channels);
    unread.keepOnly((channel) => session.talk.joined.wants(channel));
  } else {
    const username = session.username ?? "";
    stream.take(effect, username);
    unread.take(effect, { isSeen: document.visibilityState === "visible", username, place });
  }
}

/** Shows another place. @param {string} chosen */
function show(chosen) {
  if (chosen === place) return;
  place = chosen;
  composer.moved(place);
  if (document.visibilityState === "visible") unread.seen(place);
  drawTitle();
  drawSoon();
}

function keepNow() {
  clearTimeout(keeping);
  keeping = undefined;
  const { saved, isPlain } = session;
  if (saved !== undefined) writeKept(sessionStorage, { session: saved, rows: stream.kept, isPlain, place });
}

/** Somebody has logged out: nothing of the conversation stays in the tab. */
function forget() {
  unread.clear();
  place = EVERYONE;
  drawnPlace = undefined;
  clearTimeout(keeping);
  keeping = undefined;
  forgetKept(sessionStorage);
  stream = new StreamModel();
  composer.clear();
  channels.clear();
}

function drawSoon() {
  if (isFrameAsked) return;
  isFrameAsked = true;
  requestAnimationFrame(draw);
}

/** At once: a page that nobody sees has no frames, and its title is all that is seen of it. */
function drawTitle() {
  const { state, text } = stateBadge(session);
  const trouble = state === "warn" || state === "bad" ? text : undefined;
  setText(document.querySelector("title"), titleOf({ unread: unread.total, trouble, name: "Client" }));
}

function draw() {
  isFrameAsked = false;
  const { status, username, hasBeenLive } = session;
  const wasOut = document.body.dataset.view !== "in";
  const isOut = status.kind === "signedOut" ||
    !session.isByHand && !hasBeenLive && status.kind !== "ended" && stream.rows.length + stream.pending.length === 0;
  document.body.dataset.view = isOut ? "out" : "in";
  document.body.toggleAttribute("data-hand", session.isByHand);
  setText(
    byId("stream-empty"),
    session.isByHand
      ? "Write lines to the server below. Its news of others appears here."
      : `Nothing has been said ${place === EVERYONE ? "" : `in ${channelText(place)} `}since you came.`,
  );
  setBadge(byId("state"), stateBadge(session));
  byId("me").hidden = username === undefined;
  setText(byId("me"), visibleName(username ?? ""));
  byId("me").title = visibleName(username ?? "");
  byId("leave").hidden = status.kind === "signedOut";
  setText(
    byId("leave"),
    status.kind === "live" ? "Log out" : session.isByHand ? "Leave" : status.kind === "ended" ? "Sign out" : "Cancel",
  );
  drawOutage();
  if (isOut) signIn.draw(session, Date.now());
  side.draw(session);
  account.draw(session);
  composer.draw(session, place);
  channels.draw(session, place, unread);
  log.draw(session);
  const changes = drawRows();
  drawPast();
  if (isOut) return;
  if (wasOut) arrive();
  if (changes.added.length > 0 && document.visibilityState === "visible") client.take({ kind: "seen" });
}

/** What is new at this place, or all of it. */
function drawRows() {
  const changes = stream.takeChanges();
  const pending = stream.pending.filter((row) => isAt(row, place));
  const isOther = place !== drawnPlace;
  drawnPlace = place;
  if (!isOther && !changes.isAnew) view.draw(changesAt(changes, place), pending);
  else view.drawAnew(stream.rows.filter((row) => isAt(row, place)), pending, { place, isOther });
  return changes;
}

function drawPast() {
  const { talk } = session;
  if (stream.dropped > dropped) talk.dropped();
  dropped = stream.dropped;
  const { id: before, at: oldestAt = 0 } = stream.oldest(place) ?? {};
  // Nobody is shown an empty channel.
  if (talk.lacksPast(place)) client.take({ kind: "earlier", before, place });
  const { isAsking, isKnown, hasMore, isForgotten, beginsAt, problem } = talk.pastOf(place);
  const { isFull } = stream;
  past.draw(
    talk.hasPast && (isKnown || oldestAt > 0)
      ? { isAsking, hasMore, isForgotten, beginsAt, problem, oldestAt, isFull, now: Date.now() }
      : undefined,
  );
}

function drawOutage() {
  const outage = outageText(session, Date.now());
  const banner = byId("outage");
  banner.hidden = outage === undefined;
  if (outage === undefined) return;
  banner.dataset.state = outage.state;
  setText(byId("outage-text"), outage.text);
  setText(byId("outage-countdown"), outage.countdown);
  byId("outage-retry").hidden = !outage.canRetry;
  setText(byId("outage-retry"), outage.state === "bad" ? "Connect again" : "Try now");
  byId("outage-leave").hidden = outage.state !== "bad";
}

/** The person is in. */
function arrive() {
  signIn.forgetSecret();
  if (session.isByHand) log.focus();
  else composer.focus();
}

/** On a narrow page one part is shown at a time. @param {string} tab */
function showTab(tab) {
  document.body.dataset.tab = tab;
  for (const one of ["talk", "network", "console"]) {
    const button = byId(`tab-${one}`);
    button.setAttribute("aria-selected", `${one === tab}`);
    button.tabIndex = one === tab ? 0 : -1;
  }
  if (tab === "talk") view.scrollToEnd();
  if (tab === "console") log.open(true);
}

/** 128 bits. `crypto.randomUUID` is only there on pages from this machine or over TLS. */
function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
