/** Signing in with the token, and what needs it: orders to the servers of the network. */

import { byId, setText } from "../dom.js";
import { OrderDialog } from "../orders/order_dialog.js";
import { post } from "../orders/post.js";

export class Session {
  #button = byId("sign-in");
  #tokenDialog = byId("token-dialog");
  #token = byId("token");
  #tokenError = byId("token-error");
  #orders;
  #onChange;
  #mayChange = false;
  #onlyLooks = false;
  /** What to do when signed in, and whether that needs a token that lets its owner do more than look. */
  #then = () => {};
  #isForAct = false;

  /**
   * @param {{ now: () => number, onChange: () => void }} options `now`: the time of the server that answers;
   *   `onChange`: this browser may do something else than before
   */
  constructor({ now, onChange }) {
    this.#onChange = onChange;
    this.#orders = new OrderDialog({ now, onRefused: () => this.look() });
    this.#button.addEventListener("click", () => this.#isSignedIn ? this.#signOut() : this.#askToken());
    byId("token-cancel").addEventListener("click", () => this.#tokenDialog.close());
    byId("token-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#signIn();
    });
  }

  /** Whether this browser has shown a token that lets its owner look alone: there is nothing for it to press. */
  get onlyLooks() {
    return this.#onlyLooks;
  }

  get #isSignedIn() {
    return this.#mayChange || this.#onlyLooks;
  }

  /** Asks the server what this browser may do; where it may not even look, asks the visitor for the token. */
  async look() {
    try {
      const answer = await fetch("/api/session");
      const { mayChange, needsToken, onlyLooks } = await answer.json();
      this.#set(mayChange === true, onlyLooks === true);
      if (needsToken && !mayChange && !this.#tokenDialog.open) this.#askToken(() => location.reload());
    } catch {
      // The server is not there: the banner says so, and the next stream asks again.
    }
  }

  /**
   * Asks whether something is to be done, and for the token before that.
   *
   * @param {() => import("../orders/order.js").Order} makeOrder as the network is by then
   * @param {() => void} [done] the server says that it is done
   */
  ask(makeOrder, done = () => {}) {
    if (!this.#mayChange) {
      this.#askToken(() => this.ask(makeOrder, done), true);
      return;
    }
    this.#orders.ask(makeOrder(), done);
  }

  #askToken(then = () => {}, isForAct = false) {
    this.#then = then;
    this.#isForAct = isForAct;
    this.#token.value = "";
    this.#sayToken("");
    this.#tokenDialog.showModal();
  }

  #sayToken(text) {
    setText(this.#tokenError, text);
    this.#token.setAttribute("aria-invalid", `${text !== ""}`);
  }

  async #signIn() {
    const { error } = await post("/api/session", { token: this.#token.value });
    this.#sayToken(error);
    if (error !== "") {
      this.#token.select();
      return;
    }
    await this.look();
    if (this.#isForAct && !this.#mayChange) {
      this.#sayToken("With this token one may look, and change nothing.");
      this.#token.select();
      return;
    }
    this.#tokenDialog.close();
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

  #set(mayChange, onlyLooks) {
    const isSame = mayChange === this.#mayChange && onlyLooks === this.#onlyLooks;
    this.#mayChange = mayChange;
    this.#onlyLooks = onlyLooks;
    this.#button.hidden = false;
    setText(this.#button, this.#isSignedIn ? "Sign out" : "Sign in");
    if (!isSame) this.#onChange();
  }
}
