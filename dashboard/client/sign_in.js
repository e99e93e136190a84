/** The form with which somebody comes in. The secret goes from here to the session and nowhere else. */

import { byId, setText } from "../dom.js";
import { visibleName } from "../format.js";
import { deletedSentence } from "./account/account_words.js";
import { newSecretProblem } from "./new_secret.js";
import { refusalSentence, waitText } from "./words.js";

/** @typedef {import("./line_session.js").LineSession} LineSession */

/**
 * How somebody wants to come in. `register` and the like only where a name is given.
 * @typedef {{ kind: "user", username: string, secret: string, register: boolean,
 *   invitation?: string }
 *   | { kind: "anonymous" } | { kind: "byHand" }} Wish
 */

/** The card in the middle of the page. */
export class SignInForm {
  #username = byId("username");
  #secret = byId("secret");
  #invitation = byId("invitation");
  #problem = byId("sign-in-problem");
  #lead = byId("sign-in-lead");
  #fromStart = byId("from-start");
  #plain = byId("plain-first");
  #buttons = ["log-in", "register", "anonymous", "by-hand"].map((id) => byId(id));
  #onWish;
  /** What the person did wrong here, before anything was sent. @type {string | undefined} */
  #own;

  /** @param {(wish: Wish, options: { isPlain: boolean, fromStart: boolean }) => void} onWish */
  constructor(onWish) {
    this.#onWish = onWish;
    byId("sign-in-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#user(false);
    });
    byId("register").addEventListener("click", () => this.#user(true));
    byId("anonymous").addEventListener("click", () => this.#wish({ kind: "anonymous" }));
    byId("by-hand").addEventListener("click", () => this.#wish({ kind: "byHand" }));
    for (const field of [this.#username, this.#secret, this.#invitation]) {
      field.addEventListener("input", () => {
        this.#own = undefined;
        field.removeAttribute("aria-invalid");
      });
    }
  }

  /** Somebody was here before a reload. @param {string} username @param {boolean} isPlain */
  remember(username, isPlain) {
    this.#username.value = username;
    this.#plain.checked = isPlain;
    setText(this.#lead, "Log in again to go on where you were: what you missed will follow.");
  }

  focus() {
    (this.#username.value === "" ? this.#username : this.#secret).focus();
  }

  /** The secret is not needed any more here. */
  forgetSecret() {
    this.#secret.value = "";
  }

  /** @param {LineSession} session @param {number} now */
  draw(session, now) {
    const { status } = session;
    for (const button of this.#buttons) button.disabled = status.kind !== "signedOut";
    if (status.kind === "signedOut" && status.refusal?.reason === "INVITATION") byId("invited").hidden = false;
    if (status.kind === "signedOut" && status.forgotten !== undefined) this.#forgotten(status.forgotten);
    const problem = this.#own ?? problemOf(session, now);
    this.#problem.hidden = problem === undefined;
    setText(this.#problem, problem ?? "");
  }

  /** Nobody comes in under this name any more. @param {string} name */
  #forgotten(name) {
    const told = deletedSentence(visibleName(name));
    // Once: the person may type the name again, to see.
    if (this.#lead.textContent === told) return;
    setText(this.#lead, told);
    if (this.#username.value === name) this.#username.value = "";
  }

  /** @param {boolean} register */
  #user(register) {
    const username = this.#username.value.trim();
    const secret = this.#secret.value;
    const invitation = this.#invitation.value.trim();
    const weak = register && secret !== "" ? newSecretProblem(secret) : undefined;
    const missing = username === "" ? this.#username : secret === "" || weak !== undefined ? this.#secret : undefined;
    if (missing !== undefined) {
      this.#own = missing === this.#username ? "Give a name, or continue without one." : weak ?? "Give a password.";
      missing.setAttribute("aria-invalid", "true");
      missing.focus();
      this.#problem.hidden = false;
      setText(this.#problem, this.#own);
      return;
    }
    this.#wish({ kind: "user", username, secret, register, ...(invitation === "" ? {} : { invitation }) });
  }

  /** @param {Wish} wish */
  #wish(wish) {
    this.#own = undefined;
    this.#onWish(wish, { isPlain: this.#plain.checked, fromStart: this.#fromStart.checked });
  }
}

/** @param {LineSession} session @param {number} now */
function problemOf({ status, gateway, lossText }, now) {
  if (status.kind === "signedOut") return status.refusal && refusalSentence(status.refusal.reason, status.refusal.info);
  if (lossText === "") return undefined;
  const what = status.kind === "waiting" ? `Trying again in ${waitText(status.until - now)}.` : `Calling ${gateway} …`;
  return `There is no connection: ${lossText}. ${what}`;
}
