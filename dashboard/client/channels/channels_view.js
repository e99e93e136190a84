/**
 * The list beside the conversation: everyone, and the channels that the page reads, each with what was not seen of it;
 * and the form to join one. All names may be the texts of strangers, and are set as text only.
 */

import { byId, element, keyed, setAttribute, setText } from "../../dom.js";
import { channelText, EVERYONE } from "./channel_name.js";
import { readJoin } from "./joined.js";

/** @typedef {import("../line_session.js").LineSession} LineSession */
/** @typedef {import("./unread.js").Unread} Unread */

/** More is not counted: the list is narrow. */
const MOST_UNREAD = 99;
/** What the arrow keys do in the list. @type {Readonly<Record<string, (at: number, last: number) => number>>} */
const STEPS = Object.freeze({
  ArrowDown: (at, last) => Math.min(last, at + 1),
  ArrowRight: (at, last) => Math.min(last, at + 1),
  ArrowUp: (at) => Math.max(0, at - 1),
  ArrowLeft: (at) => Math.max(0, at - 1),
  Home: () => 0,
  End: (_, last) => last,
});

/**
 * Who is told.
 * @typedef {object} ChannelsOwner
 * @property {(place: string) => void} onPlace Another place is to be shown.
 * @property {(pattern: string) => void} onJoin
 * @property {(pattern: string) => void} onLeave
 */

/** The list in the page. It is one stop of the Tab key; the arrow keys go through it. */
export class ChannelsView {
  #list = byId("places");
  #form = byId("join");
  #name = byId("join-name");
  #button = byId("join-do");
  #problem = byId("join-problem");
  #owner;
  /** @type {readonly string[]} */
  #joined = [];
  #drawnPlace = "";

  /** @param {ChannelsOwner} owner */
  constructor(owner) {
    this.#owner = owner;
    this.#form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#join();
    });
    this.#name.addEventListener("input", () => this.#tell(undefined));
    this.#list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#step(event));
  }

  /** @param {LineSession} session @param {string} place The one that is shown. @param {Unread} unread */
  draw({ talk, isPlain, status, username }, place, unread) {
    this.#joined = talk.joined.all;
    const whyNot = username === undefined
      ? "Nobody is logged in."
      : isPlain
      ? "A plain client gets what is for everyone, and nothing else."
      : status.kind === "live" && !talk.hasChannels
      ? "This server is of an earlier version, and knows no channels."
      : undefined;
    for (const control of [this.#name, this.#button]) control.disabled = whyNot !== undefined;
    this.#name.title = whyNot ?? "A name, or a pattern: lab/* is one level below lab, lab/** all of it";
    // One that was refused stays until the person goes elsewhere: what was meant for it is not for everyone.
    const places = [...new Set([EVERYONE, ...this.#joined, place])];
    keyed(this.#list, places, {
      keyOf: (name) => name,
      make: (name) => this.#item(name),
      draw: (node, name) => {
        const [button, leave] = node.children;
        const isShown = name === place;
        setAttribute(button, "aria-current", isShown ? "true" : undefined);
        button.tabIndex = isShown ? 0 : -1;
        const count = unread.of(name);
        const shown = count > MOST_UNREAD ? `${MOST_UNREAD}+` : `${count}`;
        const badge = button.querySelector(".unread");
        badge.hidden = count === 0;
        setText(badge.firstElementChild, shown);
        const isRead = name === EVERYONE || !isPlain && this.#joined.includes(name) && talk.hasChannels;
        button.querySelector(".place-state").hidden = isRead;
        if (leave !== undefined) leave.hidden = !isShown;
      },
    });
    if (place === this.#drawnPlace) return;
    this.#drawnPlace = place;
    // On a narrow page the list is one row, which is longer than the page.
    this.#list.querySelector("[aria-current]")?.parentElement?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Somebody else may come. */
  clear() {
    this.#name.value = "";
    this.#tell(undefined);
  }

  /** @param {string} name */
  #item(name) {
    const text = name === EVERYONE ? "Everyone" : channelText(name);
    const button = element(
      "button",
      { type: "button", class: "place", title: name === EVERYONE ? "What is for everyone" : text },
      element("span", { class: "stranger clip", text }),
      element("span", { class: "place-state faint", text: "not read here" }),
      element(
        "span",
        { class: "unread" },
        element("span"),
        element("span", { class: "visually-hidden", text: " unread" }),
      ),
    );
    button.addEventListener("click", () => this.#owner.onPlace(name));
    if (name === EVERYONE) return element("li", {}, button);
    const leave = element("button", { type: "button", class: "plain leave", "aria-label": `Leave ${text}`, text: "×" });
    leave.addEventListener("click", () => {
      this.#owner.onLeave(name);
      // This button goes; whoever used it by the keyboard is not to be lost.
      /** @type {any} */ (this.#list.querySelector(".place"))?.focus();
    });
    return element("li", {}, button, leave);
  }

  #join() {
    const read = readJoin(this.#name.value, this.#joined);
    if ("problem" in read) {
      this.#tell(read.problem);
      return this.#name.focus();
    }
    this.#name.value = "";
    this.#owner.onJoin(read.pattern);
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const step = Object.hasOwn(STEPS, event.key) ? STEPS[event.key] : undefined;
    const buttons = [...this.#list.querySelectorAll(".place")];
    const at = buttons.indexOf(/** @type {Element} */ (event.target));
    if (step === undefined || at < 0) return;
    event.preventDefault();
    const next = /** @type {HTMLElement} */ (buttons[step(at, buttons.length - 1)]);
    next.click();
    next.focus();
  }

  /** @param {string | undefined} problem */
  #tell(problem) {
    this.#problem.hidden = problem === undefined;
    setText(this.#problem, problem ?? "");
    setAttribute(this.#name, "aria-invalid", problem === undefined ? undefined : "true");
  }
}
