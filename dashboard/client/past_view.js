/** Draws what the page knows of what was said before: how far it is shown, where it begins, and how to see more. */

import { byId, setText } from "../dom.js";
import { pastText } from "./words.js";

/** @typedef {import("./words.js").PastShown} PastShown */

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });

/** The beginning of the conversation in the page. */
export class PastView {
  #frame = byId("past");
  #more = byId("earlier");
  #text = byId("past-text");
  #progress = /** @type {HTMLProgressElement} */ (byId("past-progress"));

  /** @param {() => void} onMore */
  constructor(onMore) {
    this.#more.addEventListener("click", onMore);
  }

  /** @param {PastShown | undefined} shown Nothing where a server tells no past. */
  draw(shown) {
    this.#frame.hidden = shown === undefined;
    if (shown === undefined) return;
    const { isAsking } = shown;
    const { text, canAsk, progress } = pastText(shown, (at) => moment.format(at));
    // Whoever has pressed it keeps the focus meanwhile.
    this.#more.hidden = !canAsk && !isAsking;
    this.#more.setAttribute("aria-disabled", `${isAsking}`);
    setText(this.#more, isAsking ? "Loading what was said before …" : "Show what was said before");
    setText(this.#text, text);
    this.#progress.hidden = !isAsking && progress === undefined;
    if (isAsking) this.#progress.removeAttribute("value");
    else if (progress !== undefined) this.#progress.value = progress;
  }
}
