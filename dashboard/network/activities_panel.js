/** The activities that passed, newest first. Each shows its text in one line, and all of it when it is opened. */

import { byId, element, keyed, setText } from "../dom.js";
import { moment, number, plural, timeOfDay, visibleName } from "../format.js";
import { walkByKeys } from "../look/feed_keys.js";
import { filtered } from "../table_model.js";
import { commandOf } from "./command_line.js";

/** @typedef {import("../../view/network_view.ts").ActivityView} ActivityView */

export class ActivitiesPanel {
  #list = byId("activities");
  #count = byId("activities-count");
  #filter = byId("activities-filter");
  #pause = byId("activities-pause");
  #empty = element("li", { class: "empty" });
  #activities = [];
  #skipped = 0;
  #view;
  #isStale = true;

  /** @param {import("../place/place.js").Place} address */
  constructor(address) {
    walkByKeys(this.#list);
    address.holdsFilter("activities", this.#filter, () => this.#draw());
    this.#pause.addEventListener("click", () => {
      const isPaused = !this.#isPaused;
      this.#pause.setAttribute("aria-pressed", `${isPaused}`);
      setText(this.#pause, isPaused ? "Go on" : "Pause");
      this.#draw();
    });
  }

  /** @param {import("./main.js").Frame} frame */
  show({ view, skipped }) {
    if (view.activities === this.#activities && skipped === this.#skipped && !this.#isStale) return;
    this.#activities = view.activities;
    this.#view = view;
    this.#skipped = skipped;
    this.#isStale = true;
    if (!this.#isPaused) this.#draw();
  }

  get #isPaused() {
    return this.#pause.getAttribute("aria-pressed") === "true";
  }

  #draw() {
    this.#isStale = false;
    const shown = filtered(
      this.#activities,
      this.#filter.value,
      ({ id, user, activity }) => `${id} ${user} ${textOf(activity)}`,
    );
    keyed(this.#list, shown.toReversed(), { keyOf: ({ id }) => id, make: makeItem, draw: () => {} });
    const all = this.#activities.length;
    const more = this.#skipped > 0 ? `, ${number(this.#skipped)} more not shown` : "";
    setText(
      this.#count,
      all === 0 ? "" : (shown.length === all ? `the last ${all}` : `${shown.length} of ${all}`) + more,
    );
    this.#count.title = this.#skipped > 0
      ? "There were too many at once; or they are registrations and direct messages, which are never shown"
      : "";
    if (shown.length > 0) return;
    this.#empty.replaceChildren(
      ...(all > 0 ? [document.createTextNode("Nothing has all of these words.")] : [
        document.createTextNode("Nothing was published since this page was opened."),
        element("br"),
        commandOf(`publish '{"text":"hello"}'`, this.#view),
      ]),
    );
    this.#list.append(this.#empty);
  }
}

/** @param {ActivityView} activity */
function makeItem({ id, user, at, lamport, activity, cut }) {
  const text = `${textOf(activity)}${cut ? " …" : ""}`;
  const line = element(
    "summary",
    { tabindex: -1 },
    element("time", { class: "faint", datetime: isoOf(at), title: moment(at), text: timeOfDay(at) }),
    element("bdi", { class: "who clip", text: user === "" ? "—" : visibleName(user), title: visibleName(user) }),
    element("bdi", { class: "what clip mono", text }),
  );
  const details = element("details", {}, line);
  // Most are never opened.
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    const whole = cut ? text : JSON.stringify(activity, undefined, 2);
    details.append(
      element("pre", { class: "stranger", dir: "auto", text: whole }),
      element("p", {
        class: "faint more",
        text: `${id} · Lamport time ${number(lamport)} · ${moment(at)}${
          cut ? ` · only the beginning, ${plural(text.length, "character")}` : ""
        }`,
      }),
    );
  });
  return element("li", { class: "item activity" }, details);
}

/** In one line. What is only a text is shown as that. */
function textOf(activity) {
  return typeof activity === "string" ? activity : JSON.stringify(activity) ?? "";
}

function isoOf(at) {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
