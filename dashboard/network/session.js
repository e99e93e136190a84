/** Signing in with the token, and what needs it: draining the server that answers. */

import { byId, setText } from "../dom.js";
import { drainText } from "../draining.js";

export class Session {
  #button = byId("sign-in");
  #tokenDialog = byId("token-dialog");
  #token = byId("token");
  #tokenError = byId("token-error");
  #drainDialog = byId("drain-dialog");
  #drainError = byId("drain-error");
  #mayChange = false;
  #onDrained;
  /** What to do when signed in. */
  #then = () => {};

  /** @param {{ onDrained: () => void }} listener `onDrained`: the server has taken the order to drain */
  constructor({ onDrained }) {
    this.#onDrained = onDrained;
    this.#button.addEventListener("click", () => this.#mayChange ? this.#signOut() : this.#askToken());
    byId("token-cancel").addEventListener("click", () => this.#tokenDialog.close());
    byId("drain-cancel").addEventListener("click", () => this.#drainDialog.close());
    byId("token-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#signIn();
    });
    byId("drain-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#drain();
    });
  }

  /** Asks the server what this browser may do; where it may not even look, asks the visitor for the token. */
  async look() {
    try {
      const answer = await fetch("/api/session");
      const { mayChange, needsToken } = await answer.json();
      this.#setMayChange(mayChange === true);
      if (needsToken && !mayChange && !this.#tokenDialog.open) this.#askToken(() => location.reload());
    } catch {
      // The server is not there: the banner says so, and the next stream asks again.
    }
  }

  /**
   * Asks whether this server is to be drained, and for the token before that.
   *
   * @param {() => import("../../view/network_view.ts").NetworkView} look what the network is like by then
   */
  askDrain(look) {
    if (!this.#mayChange) {
      this.#askToken(() => this.askDrain(look));
      return;
    }
    setText(byId("drain-text"), drainText(look()));
    setText(this.#drainError, "");
    this.#drainDialog.showModal();
  }

  #askToken(then = () => {}) {
    this.#then = then;
    this.#token.value = "";
    this.#sayToken("");
    this.#tokenDialog.showModal();
  }

  #sayToken(text) {
    setText(this.#tokenError, text);
    this.#token.setAttribute("aria-invalid", `${text !== ""}`);
  }

  async #signIn() {
    const error = await post("/api/session", { token: this.#token.value });
    this.#sayToken(error);
    if (error !== "") {
      this.#token.select();
      return;
    }
    this.#tokenDialog.close();
    this.#setMayChange(true);
    this.#then();
  }

  async #signOut() {
    try {
      await fetch("/api/session", { method: "DELETE" });
    } catch {
      // Not there any more, so neither is its session.
    }
    await this.look();
  }

  async #drain() {
    const error = await post("/api/drain", {});
    setText(this.#drainError, error);
    if (error !== "") return await this.look();
    this.#drainDialog.close();
    this.#onDrained();
  }

  #setMayChange(mayChange) {
    this.#mayChange = mayChange;
    this.#button.hidden = false;
    setText(this.#button, mayChange ? "Sign out" : "Sign in");
  }
}

/** Sends JSON; what went wrong, in a sentence, or nothing. */
async function post(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) return "";
    const { error } = await answer.json().catch(() => ({}));
    return typeof error === "string"
      ? `${error.charAt(0).toUpperCase()}${error.slice(1)}`
      : `The server answered ${answer.status}`;
  } catch {
    return "The server cannot be reached";
  }
}
