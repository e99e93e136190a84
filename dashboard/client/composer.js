/**
 * Where the person writes: to everyone, to a channel or to one user, text or JSON. Whom it goes to stands there before
 * it goes. What was meant for one user, or for a channel, is not told to everyone because something has changed
 * meanwhile: it stays where it is, until the person says so.
 */

import { byId, element, setAttribute, setText } from "../dom.js";
import { readAddressed } from "./addressed.js";
import { channelText, EVERYONE, isPattern } from "./channels/channel_name.js";
import { channelTarget, targetOf } from "./channels/target.js";
import { activityOf, ANONYMOUS, lengthProblem } from "./lines.js";
import { sentenceCase } from "./words.js";

/** @typedef {import("./line_session.js").LineSession} LineSession */
/** @typedef {import("./channels/target.js").Target} Target */
/** Whom what stands there goes to; why nobody gets it; or what is wrong with it. */
/** @typedef {Target & { readonly text: string } | { readonly kind: "mistake", readonly info: string }} Read */

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
  #label = byId("text-label");
  #radios = this.#form.elements.namedItem("kind");
  #onSay;
  #isFull = false;
  /** What the conversation shows. */
  #place = EVERYONE;
  /** What the page knows of the names that somebody types. `isRead`: whether some place shows what is of a channel. */
  #known = {
    /** @param {string} _name */
    isUser: (_name) => false,
    /** @param {string} _name */
    isChannel: (_name) => false,
    /** @param {string} _channel */
    isRead: (_channel) => true,
  };
  /** Why nothing can be sent to one user, in words. @type {string | undefined} */
  #whyNotToOne;
  /** The proposals that stand in the page, as one text. */
  #drawn = "";

  /**
   * @param {(target: Extract<Target, { kind: "channel" | "user" }>, text: string) => void} onSay Told what to say: an
   * activity's JSON to a channel or everyone, or a text to one user.
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
    this.#toAll.addEventListener("click", () => this.#sayHere());
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

  /** Another place is shown: whom a text was addressed to before does not count there. @param {string} place */
  moved(place) {
    this.#place = place;
    this.#to.value = "";
    this.#say(undefined);
    this.#adapt();
  }

  /** @param {LineSession} session @param {string} place */
  draw(session, place) {
    this.#place = place;
    const { status, isPlain, talk, username, surroundings } = session;
    const isOpen = status.kind !== "byHand" && status.kind !== "ended" && status.kind !== "leaving" &&
      username !== undefined;
    for (const field of [this.#text, this.#send, ...this.#radios]) field.disabled = !isOpen;
    this.#isFull = talk.isFull;
    const { joined } = talk;
    this.#known = {
      isUser: (name) => surroundings.isKnown(name),
      isChannel: (name) => joined.has(name),
      isRead: (channel) => joined.wants(channel),
    };
    // What a plain client sends to one user it has to write by hand.
    this.#whyNotToOne = isPlain
      ? "Plain clients publish to everyone"
      : username === ANONYMOUS
      ? "Only users with a name can write to one user"
      : undefined;
    // Who may not write to one user may still name one of the channels of a pattern.
    this.#to.disabled = !isOpen || this.#whyNotToOne !== undefined && joined.all.length === 0;
    this.#to.title = this.#whyNotToOne ?? "";
    const channels = joined.all.filter((one) => !isPattern(one)).map((one) => `#${one}`);
    const users = [...surroundings.online].filter((name) => name !== username).slice(0, MAX_PROPOSED);
    this.#propose([...channels, ...this.#whyNotToOne === undefined ? users : []]);
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

  /** Whom it goes to, as far as that does not stand in the text. @returns {Target} */
  get #target() {
    return targetOf(this.#to.value, this.#place, this.#known);
  }

  #adapt() {
    const target = this.#target;
    byId("kind").hidden = target.kind === "user";
    const isJson = this.#isJson;
    this.#text.classList.toggle("mono", isJson);
    this.#text.spellcheck = !isJson;
    const whom = wordsOf(target);
    this.#to.placeholder = isPattern(this.#place) ? `#… of ${channelText(this.#place)}` : channelText(this.#place);
    setText(this.#label, `Message ${whom}`);
    this.#text.placeholder = isJson
      ? '{"temperature": 21.5, "room": "lab"}'
      : target.kind === "nobody"
      ? "Say first in which channel"
      : `Say something ${whom}`;
    this.#drawWhom();
  }

  /** Whom it goes to, where that is not as the place says. */
  #drawWhom() {
    const read = this.#read();
    const isToOne = read.kind === "user" || read.kind === "nobody";
    const isElsewhere = read.kind === "channel" && read.channel !== this.#place;
    this.#form.classList.toggle("is-private", isToOne);
    this.#whom.hidden = !isToOne && !isElsewhere;
    // Where the person has chosen the receiver, that is where it can be chosen otherwise.
    this.#toAll.hidden = this.#to.value.trim() !== "" && !this.#to.disabled || this.#here === undefined;
    setText(this.#toAll, `Say it ${wordsOf(this.#here ?? ALL)}`);
    const whyNot = isToOne ? this.#whyNot(read) : undefined;
    setAttribute(this.#whom, "data-state", whyNot === undefined ? undefined : "warn");
    const whom = read.kind === "user" ? `To ${read.to} only` : isElsewhere ? sentenceCase(wordsOf(read)) : "";
    setText(this.#whomText, whyNot ?? whom);
  }

  /** Where a text goes at this place that says nothing else. */
  get #here() {
    const target = targetOf("", this.#place, this.#known);
    return target.kind === "channel" ? target : undefined;
  }

  get #isJson() {
    return this.#target.kind !== "user" && this.#radios.value === "json";
  }

  /** What is to be done about what stands there. @returns {Read} */
  #read() {
    const text = this.#text.value;
    const target = this.#target;
    if (target.kind === "user" || this.#isJson || this.#to.value.trim() !== "") return { ...target, text };
    const read = readAddressed(text, this.#known.isUser, this.#known.isChannel);
    switch (read.kind) {
      case "say":
        return { ...target, text: read.text };
      case "direct":
        return { ...read, kind: "user" };
      case "unknown":
        return { kind: "nobody", info: `To nobody: this page knows no user "${read.to}"`, text };
      case "channel":
        return { ...channelTarget(read.channel, this.#known.isRead), text: read.text };
      case "mistake":
        return read;
    }
  }

  /** Why a text goes to nobody, in words. @param {Extract<Read, { kind: "user" | "nobody" }>} read */
  #whyNot(read) {
    if (read.kind === "nobody") return read.info;
    return this.#whyNotToOne && `Not to ${read.to}: ${this.#whyNotToOne.toLowerCase()}`;
  }

  #submit() {
    const typed = this.#text.value;
    if (typed.trim() === "" || this.#text.disabled) return;
    const read = this.#read();
    if (read.kind === "mistake") return this.#say(read.info);
    if (read.kind === "channel") return this.#publish(read, read.text, this.#isJson ? "json" : "text");
    // Why not stands there already.
    if (read.kind === "nobody" || this.#whyNot(read) !== undefined) return this.#say("This was not sent.");
    const problem = lengthProblem(read.text);
    if (problem !== undefined) return this.#say(problem);
    if (read.text.trim() === "") return this.#say(`There is no text for ${read.to}`);
    this.#hand({ kind: "user", to: read.to }, read.text.toWellFormed());
  }

  /** The person says that all may hear it who read what is shown. */
  #sayHere() {
    const here = this.#here;
    this.#to.value = "";
    const typed = this.#text.value;
    if (here !== undefined && typed.trim() !== "" && !this.#text.disabled) this.#publish(here, typed, "text");
    this.#adapt();
    this.#text.focus();
  }

  /** @param {{ channel: string }} target @param {string} text @param {"text" | "json"} kind */
  #publish({ channel }, text, kind) {
    const made = activityOf(text, kind);
    if ("problem" in made) return this.#say(made.problem);
    this.#hand({ kind: "channel", channel }, made.activity);
  }

  /** @param {Extract<Target, { kind: "channel" | "user" }>} target @param {string} text */
  #hand(target, text) {
    if (this.#isFull) return this.#say("Too much waits for the server already. Your text is kept here.");
    this.#onSay(target, text);
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

/** @type {Target} */
const ALL = Object.freeze({ kind: "channel", channel: EVERYONE });

/** How a receiver stands in a sentence. @param {Target} target */
function wordsOf(target) {
  if (target.kind === "nobody") return "to nobody yet";
  if (target.kind === "user") return `to ${target.to}`;
  return target.channel === EVERYONE ? "to everyone" : `in ${channelText(target.channel)}`;
}
