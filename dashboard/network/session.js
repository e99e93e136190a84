/** Signing in with the token, and what needs it: orders to the servers of the network. */

import { byId, setText } from "../dom.js";

export class Session {
  #button = byId("sign-in");
  #tokenDialog = byId("token-dialog");
  #token = byId("token");
  #tokenError = byId("token-error");
  #orderDialog = byId("order-dialog");
  #orderError = byId("order-error");
  #orderButton = byId("order-do");
  /** What is asked about just now. */
  #order = { path: "", body: {}, done: () => {} };
  #mayChange = false;
  /** What to do when signed in. */
  #then = () => {};

  constructor() {
    this.#button.addEventListener("click", () => this.#mayChange ? this.#signOut() : this.#askToken());
    byId("token-cancel").addEventListener("click", () => this.#tokenDialog.close());
    byId("order-cancel").addEventListener("click", () => this.#orderDialog.close());
    byId("token-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#signIn();
    });
    byId("order-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#give();
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
   * Asks whether something is to be done, and for the token before that.
   *
   * @param {() => import("../orders/orders.js").Order} makeOrder as the network is by then
   * @param {() => void} [done] the server says that it is done
   */
  ask(makeOrder, done = () => {}) {
    if (!this.#mayChange) {
      this.#askToken(() => this.ask(makeOrder, done));
      return;
    }
    const { title, text, button, path, body } = makeOrder();
    this.#order = { path, body, done };
    setText(byId("order-title"), title);
    setText(byId("order-text"), text);
    setText(this.#orderButton, button);
    setText(this.#orderError, "");
    this.#orderButton.disabled = false;
    this.#orderDialog.showModal();
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
    // A token may let its owner look alone.
    await this.look();
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

  async #give() {
    const order = this.#order;
    // Another server has some seconds to answer, and is told once.
    this.#orderButton.disabled = true;
    const error = await post(order.path, order.body);
    this.#orderButton.disabled = false;
    if (this.#order !== order) return;
    setText(this.#orderError, error);
    if (error !== "") return await this.look();
    this.#orderDialog.close();
    order.done();
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
