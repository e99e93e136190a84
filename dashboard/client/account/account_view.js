/** The account in the page: its two buttons, and the dialogs that ask before anything is changed. Keeps no secret. */

import { byId, setText } from "../../dom.js";
import { visibleName } from "../../format.js";
import { ANONYMOUS } from "../lines.js";
import { deletionProblem, outcomeSentence, passwordProblem } from "./account_words.js";

/** @typedef {import("./account_change.js").Outcome} Outcome */
/** @typedef {(secret: string, newSecret: string | undefined) => Promise<Outcome>} Change */

/** The panel "Account", with both dialogs. */
export class AccountView {
  #panel = byId("account");
  #hint = byId("account-hint");
  #buttons = [byId("account-password"), byId("account-delete")];
  #username = "";
  #password;
  #deletion;

  /** @param {Change} change Changes the account of whoever is logged in. */
  constructor(change) {
    this.#password = new Dialog("password", {
      problemOf: ({ now: secret, new: newSecret, again }) => {
        const problem = passwordProblem({ secret, newSecret, again });
        return problem && { ...problem, field: FIELDS[problem.field] };
      },
      change: ({ now, new: newSecret }) => change(now, newSecret),
      kind: "secret",
    });
    this.#deletion = new Dialog("delete", {
      problemOf: ({ secret, name }) => deletionProblem({ secret, name }, this.#username),
      change: ({ secret }) => change(secret, undefined),
      kind: "forget",
    });
    this.#buttons[0].addEventListener("click", () => this.#password.open());
    this.#buttons[1].addEventListener("click", () => {
      setText(byId("delete-title"), `Delete the account of ${visibleName(this.#username)}?`);
      this.#deletion.open();
    });
  }

  /** @param {import("../line_session.js").LineSession} session */
  draw({ status, username, isByHand }) {
    this.#username = username ?? "";
    const hasAccount = !isByHand && username !== undefined && username !== ANONYMOUS;
    this.#panel.hidden = !hasAccount;
    // Both dialogs have it for programs that keep passwords.
    for (const id of ["password-user", "delete-user"]) byId(id).value = this.#username;
    const isLive = status.kind === "live";
    for (const button of this.#buttons) button.disabled = !isLive;
    setText(this.#hint, isLive ? "" : "While there is no connection, nothing can be changed.");
    this.#hint.hidden = isLive;
    if (!hasAccount) {
      this.#password.close();
      this.#deletion.close();
    }
  }
}

const FIELDS = Object.freeze({ secret: "now", newSecret: "new", again: "again" });

/**
 * What a dialog does. `problemOf`: what is wrong with its fields, by their names.
 * @typedef {object} DialogParts
 * @property {(fields: Record<string, string>) => { field: string, problem: string } | undefined} problemOf
 * @property {(fields: Record<string, string>) => Promise<Outcome>} change
 * @property {"secret" | "forget"} kind
 */

/** A dialog with a form. All that is typed goes when it closes. */
class Dialog {
  #dialog;
  #form;
  #error;
  #do;
  #cancel;
  #parts;

  /** @param {string} id @param {DialogParts} parts */
  constructor(id, parts) {
    this.#parts = parts;
    this.#dialog = byId(`${id}-dialog`);
    this.#form = byId(`${id}-form`);
    this.#error = byId(`${id}-error`);
    this.#do = byId(`${id}-do`);
    this.#cancel = byId(`${id}-cancel`);
    this.#cancel.addEventListener("click", () => this.close());
    // What was begun has an end that is told.
    this.#dialog.addEventListener(
      "cancel",
      (/** @type {Event} */ event) => this.#do.disabled && event.preventDefault(),
    );
    this.#dialog.addEventListener("close", () => this.#clear());
    this.#form.addEventListener("input", (/** @type {any} */ { target }) => target.removeAttribute("aria-invalid"));
    this.#form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  open() {
    this.#clear();
    this.#dialog.showModal();
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  async #submit() {
    if (this.#do.disabled) return;
    const fields = Object.fromEntries(new FormData(this.#form));
    const wrong = this.#parts.problemOf(fields);
    this.#tell(wrong?.problem ?? "");
    if (wrong !== undefined) return this.#point(wrong.field);
    this.#do.disabled = this.#cancel.disabled = true;
    try {
      const outcome = await this.#parts.change(fields);
      if (outcome.isDone) return this.close();
      this.#tell(outcomeSentence(outcome, this.#parts.kind));
      if (outcome.reason === "WRONG_SECRET") this.#point(this.#parts.kind === "secret" ? "now" : "secret");
    } catch (error) {
      this.#tell(`No key can be derived: ${error}`);
    } finally {
      this.#do.disabled = this.#cancel.disabled = false;
    }
  }

  /** @param {string} field */
  #point(field) {
    const input = this.#form.elements.namedItem(field);
    input.setAttribute("aria-invalid", "true");
    input.focus();
  }

  /** @param {string} text */
  #tell(text) {
    setText(this.#error, text);
  }

  #clear() {
    this.#form.reset();
    this.#tell("");
    for (const field of this.#form.elements) field.removeAttribute("aria-invalid");
  }
}
