/** Connections that have ended, newest first: who, why, and the heartbeats before. */

import { badge, byId, drawn, element, keyed, setBadge, setText } from "../dom.js";
import { age, moment, reasonInWords, span, timeOfDay, visibleName } from "../format.js";
import { endState, serverName } from "../rows.js";
import { walkByKeys } from "../look/feed_keys.js";
import { filtered } from "../table_model.js";
import { layOutTimeline, momentInWords, timelineInWords } from "../timeline.js";

/** @typedef {import("../../view/network_view.ts").EndView} EndView */

const WIDTH = 130;
const HEIGHT = 22;

export class EndsPanel {
  #list = byId("ends");
  #count = byId("ends-count");
  #filter = byId("ends-filter");
  #empty = element("li", { class: "empty" });
  #address;
  #view;
  /** The key of the end that was opened last, as the address has it; and whether it is still to be opened. */
  #chosen = "";
  #isWanted = false;

  /** @param {import("../place/place.js").Place} address */
  constructor(address) {
    this.#address = address;
    walkByKeys(this.#list);
    address.holdsFilter("ends", this.#filter, () => this.#draw());
    address.holds("end", {
      get: () => this.#chosen,
      set: (key) => {
        if (key === this.#chosen) return;
        this.#itemOf(this.#chosen)?.firstElementChild.removeAttribute("open");
        this.#chosen = key;
        this.#isWanted = key !== "";
        this.#draw();
      },
    });
  }

  /** @param {import("./main.js").Frame} frame */
  show({ view }) {
    if (view.ends === this.#view?.ends) return;
    this.#view = view;
    this.#draw();
  }

  #draw() {
    if (this.#view === undefined) return;
    const view = this.#view;
    const shown = filtered(
      view.ends,
      this.#filter.value,
      (end) =>
        `${end.user} ${end.address} ${serverName(view, end.server)} ${end.reason} ${
          reasonInWords(end.reason)
        } ${end.sentence}`,
    );
    // As they were told, those of one server after those of another.
    keyed(this.#list, shown.toSorted((one, other) => other.at - one.at), {
      keyOf,
      make: (end) => makeItem(end, serverName(view, end.server), (isOpen) => this.#opened(keyOf(end), isOpen)),
      draw: () => {},
    });
    this.#reveal();
    const all = view.ends.length;
    const lost = shown.filter(({ reason }) => reason === "SERVER_LOST").length;
    const count = shown.length === all ? `the last ${all}` : `${shown.length} of ${all}`;
    setText(this.#count, all === 0 ? "" : `${count}${lost === 0 ? "" : `, ${lost} lost with their server`}`);
    if (shown.length > 0) return;
    setText(
      this.#empty,
      all > 0 ? "Nothing has all of these words." : "No connection has ended, as far as these servers remember.",
    );
    this.#list.append(this.#empty);
  }

  /** Opens the end that the address names, as soon as it is there. */
  #reveal() {
    if (!this.#isWanted) return;
    const item = this.#itemOf(this.#chosen);
    if (item === undefined) return;
    this.#isWanted = false;
    item.firstElementChild.open = true;
    this.#list.scrollTop = item.offsetTop - this.#list.offsetTop;
  }

  #itemOf(key) {
    return [...this.#list.children].find(({ thrumKey }) => thrumKey === key);
  }

  #opened(key, isOpen) {
    if (isOpen === (key === this.#chosen)) return;
    this.#chosen = isOpen ? key : "";
    this.#address.changed();
  }
}

/** @param {EndView} end */
function keyOf({ server, at, since, address, user }) {
  return `${server} ${address} ${since} ${at} ${user}`;
}

/**
 * @param {EndView} end
 * @param {string} name the server's
 * @param {(isOpen: boolean) => void} onToggle a person opens or shuts it
 */
function makeItem(end, name, onToggle) {
  const reason = badge();
  setBadge(reason, { state: endState(end.reason), text: reasonInWords(end.reason) });
  const line = element(
    "summary",
    { tabindex: -1 },
    element("time", { class: "faint", title: moment(end.at), text: timeOfDay(end.at) }),
    element("bdi", {
      class: "who clip",
      text: end.user === "" ? "—" : visibleName(end.user),
      title: visibleName(end.user),
    }),
    element("bdi", { class: "at clip faint", text: name, title: name }),
    element("span", { class: "reason" }, reason),
    drawTimeline(end),
  );
  const details = element("details", {}, line);
  details.addEventListener("toggle", () => {
    onToggle(details.open);
    if (details.childElementCount === 1) details.append(...explained(end, name));
  });
  return element("li", { class: "item end" }, details);
}

/** @param {EndView} end */
function explained(end, name) {
  const facts = element("dl", { class: "facts" });
  const fact = (term, text) => facts.append(element("dt", { text: term }), element("dd", { class: "stranger", text }));
  fact("What", end.sentence);
  if (end.why !== "" && end.why !== end.sentence) fact("Why", end.why);
  if (end.address !== "") fact("Address", end.address);
  fact("Server", name);
  fact("Open for", `${end.since > 0 ? `${age(end.at - end.since)}, ` : ""}until ${moment(end.at)}`);
  const beats = element("ol", { class: "beats" });
  for (const beat of end.heartbeats) {
    beats.append(
      element(
        "li",
        { "data-event": beat.event },
        element("span", { class: "faint number", text: `−${span(Math.max(0, end.at - beat.at))}` }),
        element("span", { text: momentInWords(beat) }),
      ),
    );
  }
  return end.heartbeats.length > 0
    ? [facts, element("h3", { text: "Heartbeats, and how long before the end" }), beats]
    : [facts];
}

/** @param {EndView} end */
function drawTimeline(end) {
  const { marks, spanMs } = layOutTimeline(end);
  const words = timelineInWords(end);
  const within = end.since > 0 || end.heartbeats.length > 0 ? `, within ${age(spanMs)}` : "";
  const middle = HEIGHT / 2;
  const right = WIDTH - 7;
  const svg = drawn(
    "svg",
    { class: "timeline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words },
    drawn("title", { text: `${words}${within}` }),
  );
  svg.append(drawn("path", { class: "line", d: `M4 ${middle}H${right}` }));
  for (const { x, event } of marks) {
    const at = Math.round((5 + x * (right - 10)) * 10) / 10;
    if (event === "sent") svg.append(drawn("path", { class: "sent", d: `M${at} ${middle - 5}v10` }));
    else if (event === "answered") svg.append(drawn("circle", { class: "answered", cx: at, cy: middle, r: 3 }));
    else svg.append(drawn("path", { class: "unanswered", d: `M${at - 3} ${middle - 3}l6 6m0 -6l-6 6` }));
  }
  svg.append(drawn("path", { class: "stop", "data-state": endState(end.reason), d: `M${right} ${middle - 7}v14` }));
  return svg;
}
