/**
 * Where the person writes: to everyone or to one user, text or JSON. Whom it goes to stands there before it goes.
 * What was meant for one user is not told to everyone because something has changed meanwhile: it stays where it is,
 * until the person says so.
 */

import { byId, element, setAttribute, setText } from "../dom.js";
import { readAddressed } from "./addressed.js";
import { activityOf, ANONYMOUS, lengthProblem } from "./lines.js";

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
  #whom = byId("whom");
  #whomText = byId("whom-text");
  #toAll = byId("to-all");
  #radios = this.#form.elements.namedItem("kind");
  #onSay;
  #isFull = false;
  /** @type {(name: string) => boolean} */
  #isUser = () => false;
  /** Why nothing can be sent to one user, in words. @type {string | undefined} */
  #whyNotToOne;
  /** The proposals that stand in the page, as one text. */
  #drawn = "";

  /**
   * @param {(to: string | undefined, text: string) => void} onSay Told what to say: an activity's JSON to everyone,
   * or a text to one user.
   */
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
    this.#text.addEventListener("input", () => {
      this.#say(undefined);
      this.#adapt();
    });
    this.#toAll.addEventListener("click", () => this.#sayToAll());
    this.#to.addEventListener("input", () => this.#adapt());
    byId("kind").addEventListener("change", () => this.#adapt());
  }

  /** The next message goes to `username`. @param {string} username */
  address(username) {
    this.#to.value = username;
    this.#adapt();
    this.#text.focus();
  }

  /** Somebody else may come: nothing of what was written stays. */
  clear() {
    this.#to.value = "";
    this.#text.value = "";
    this.#say(undefined);
    this.#adapt();
  }

  /** @param {LineSession} session */
  draw(session) {
    const { status, isPlain, talk, username, surroundings } = session;
    const isOpen = status.kind !== "byHand" && status.kind !== "ended" && status.kind !== "leaving" &&
      username !== undefined;
    for (const field of [this.#text, this.#send, ...this.#radios]) field.disabled = !isOpen;
    this.#isFull = talk.isFull;
    this.#isUser = (name) => surroundings.isKnown(name);
    // What a plain client sends to one user it has to write by hand.
    this.#whyNotToOne = isPlain
      ? "Plain clients publish to everyone"
      : username === ANONYMOUS
      ? "Only users with a name can write to one user"
      : undefined;
    this.#to.disabled = !isOpen || this.#whyNotToOne !== undefined;
    this.#to.title = this.#whyNotToOne ?? "";
    this.#propose([...surroundings.online].filter((name) => name !== username).slice(0, MAX_PROPOSED));
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
    const isJson = this.#isJson;
    this.#text.classList.toggle("mono", isJson);
    this.#text.spellcheck = !isJson;
    this.#text.placeholder = isJson
      ? '{"temperature": 21.5, "room": "lab"}'
      : to === undefined
      ? "Say something to everyone"
      : `Say something to ${to}`;
    this.#drawWhom();
  }

  /** Whom it goes to, where that is not everyone. */
  #drawWhom() {
    const read = this.#read();
    const isToOne = read.kind === "direct" || read.kind === "unknown";
    this.#form.classList.toggle("is-private", isToOne);
    this.#whom.hidden = !isToOne;
    // Where the person has chosen the receiver, that is where it can be chosen otherwise.
    this.#toAll.hidden = this.#receiver !== undefined && !this.#to.disabled;
    const whyNot = isToOne ? this.#whyNotTo(read) : undefined;
    setAttribute(this.#whom, "data-state", whyNot === undefined ? undefined : "warn");
    setText(this.#whomText, whyNot ?? (isToOne ? `To ${read.to} only` : ""));
  }

  get #isJson() {
    return this.#receiver === undefined && this.#radios.value === "json";
  }

  /** What is to be done about what stands there. @returns {import("./addressed.js").Addressed} */
  #read() {
    const typed = this.#text.value;
    const to = this.#receiver;
    if (to !== undefined) return { kind: "direct", to, text: typed };
    return this.#isJson ? { kind: "say", text: typed } : readAddressed(typed, this.#isUser);
  }

  /** Why a text cannot go to one user. @param {{ kind: "direct" | "unknown", to: string }} read */
  #whyNotTo({ kind, to }) {
    if (this.#whyNotToOne !== undefined) return `Not to ${to}: ${this.#whyNotToOne.toLowerCase()}`;
    return kind === "unknown" ? `To nobody: this page knows no user "${to}"` : undefined;
  }

  #submit() {
    const typed = this.#text.value;
    if (typed.trim() === "" || this.#text.disabled) return;
    const read = this.#read();
    if (read.kind === "mistake") return this.#say(read.info);
    if (read.kind === "say") return this.#publish(read.text, this.#isJson ? "json" : "text");
    // Why not stands there already.
    if (read.kind === "unknown" || this.#whyNotTo(read) !== undefined) return this.#say("This was not sent.");
    const problem = lengthProblem(read.text);
    if (problem !== undefined) return this.#say(problem);
    if (read.text.trim() === "") return this.#say(`There is no text for ${read.to}`);
    this.#hand(read.to, read.text.toWellFormed());
  }

  /** The person says that all may hear it. */
  #sayToAll() {
    this.#to.value = "";
    const typed = this.#text.value;
    if (typed.trim() !== "" && !this.#text.disabled) this.#publish(typed, "text");
    this.#adapt();
    this.#text.focus();
  }

  /** @param {string} text @param {"text" | "json"} kind */
  #publish(text, kind) {
    const made = activityOf(text, kind);
    if ("problem" in made) return this.#say(made.problem);
    this.#hand(undefined, made.activity);
  }

  /** @param {string | undefined} to @param {string} text */
  #hand(to, text) {
    if (this.#isFull) return this.#say("Too much waits for the server already. Your text is kept here.");
    this.#onSay(to, text);
    this.#text.value = "";
    this.#say(undefined);
    this.#adapt();
  }

  /** @param {string | undefined} problem */
  #say(problem) {
    this.#problem.hidden = problem === undefined;
    setText(this.#problem, problem ?? "");
    if (problem === undefined) this.#text.removeAttribute("aria-invalid");
    else this.#text.setAttribute("aria-invalid", "true");
  }
}
