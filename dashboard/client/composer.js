/** Where the person writes: to everyone or to one user, text or JSON. */

import { byId, element, setText } from "../dom.js";
import { activityOf, lengthProblem } from "./lines.js";

/** @typedef {import("./line_session.js").LineSession} LineSession */

/** Users that are proposed as receivers at most. */
const MAX_PROPOSED = 100;

/** The form below the conversation. */
export class Composer {
  #form = byId("composer");
  #to = byId("to");
  #proposed = byId("to-list");
  #text = byId("text");
  #problem = byId("text-problem");
  #send = byId("send");
  #radios = this.#form.elements.namedItem("kind");
  #onSay;
  #isFull = false;
  /** The proposals that stand in the page, as one text. */
  #drawn = "";

  /** @param {(to: string | undefined, text: string) => void} onSay Told what to say: an activity's JSON to everyone, or a text to one user. */
  constructor(onSay) {
    this.#onSay = onSay;
    this.#form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      // While a word is put together from several keys, Enter belongs to that.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("input", () => this.#say(undefined));
    this.#to.addEventListener("input", () => this.#adapt());
    byId("kind").addEventListener("change", () => this.#adapt());
  }

  /** The next message goes to `username`. @param {string} username */
  address(username) {
    this.#to.value = username;
    this.#adapt();
    this.#text.focus();
  }

  /** @param {LineSession} session */
  draw(session) {
    const { status, isPlain, talk, username } = session;
    const isOpen = status.kind !== "byHand" && status.kind !== "ended" && status.kind !== "leaving" &&
      username !== undefined;
    for (const field of [this.#text, this.#send, ...this.#radios]) field.disabled = !isOpen;
    this.#isFull = talk.isFull;
    // What a plain client sends to one user it has to write by hand.
    this.#to.disabled = !isOpen || isPlain || username === "anonymous";
    this.#to.title = isPlain
      ? "Plain clients publish to everyone"
      : username === "anonymous"
      ? "Only users with a name can write to one user"
      : "";
    if (this.#to.disabled) this.#to.value = "";
    this.#propose([...session.surroundings.online].filter((name) => name !== username).slice(0, MAX_PROPOSED));
    this.#adapt();
  }

  focus() {
    this.#text.focus();
  }

  /** @param {readonly string[]} names */
  #propose(names) {
    const text = names.join("\n");
    if (text === this.#drawn) return;
    this.#drawn = text;
    this.#proposed.replaceChildren(...names.map((name) => element("option", { value: name })));
  }

  get #receiver() {
    const to = this.#to.value.trim();
    return to === "" || to === "everyone" ? undefined : to;
  }

  #adapt() {
    const to = this.#receiver;
    byId("kind").hidden = to !== undefined;
    const isJson = to === undefined && this.#radios.value === "json";
    this.#text.classList.toggle("mono", isJson);
    this.#text.spellcheck = !isJson;
    this.#text.placeholder = isJson
      ? '{"temperature": 21.5, "room": "lab"}'
      : to === undefined
      ? "Say something to everyone"
      : `Say something to ${to}`;
  }

  #submit() {
    const typed = this.#text.value;
    if (typed.trim() === "" || this.#text.disabled) return;
    if (this.#isFull) return this.#say("Too much waits for the server already. What was written is kept here.");
    const to = this.#receiver;
    if (to !== undefined) {
      const problem = lengthProblem(typed);
      if (problem !== undefined) return this.#say(problem);
      this.#onSay(to, typed.toWellFormed());
    } else {
      const made = activityOf(typed, this.#radios.value === "json" ? "json" : "text");
      if ("problem" in made) return this.#say(made.problem);
      this.#onSay(undefined, made.activity);
    }
    this.#text.value = "";
    this.#say(undefined);
  }

  /** @param {string | undefined} problem */
  #say(problem) {
    this.#problem.hidden = problem === undefined;
    setText(this.#problem, problem ?? "");
    if (problem === undefined) this.#text.removeAttribute("aria-invalid");
    else this.#text.setAttribute("aria-invalid", "true");
  }
}
