/**
 * The dialog that asks whether something is to be done: with what has to be filled in, what went wrong, and what came
 * of it. A secret that an answer has stands on the page for as long as the dialog is open, and nowhere else.
 */

import { byId, element, keyed, setAttribute, setText } from "../dom.js";
import { post } from "./post.js";

/** @typedef {import("./order.js").Order} Order */

/** The name of the field for what has to be typed. */
const TYPED = "typed";

export class OrderDialog {
  #dialog = byId("order-dialog");
  #title = byId("order-title");
  #text = byId("order-text");
  #fields = byId("order-fields");
  #made = byId("order-made");
  #secret = byId("order-secret");
  #copy = byId("order-copy");
  #lines = byId("order-lines");
  #error = byId("order-error");
  #cancel = byId("order-cancel");
  #button = byId("order-do");
  #now;
  #onRefused;
  /** @type {Order | undefined} */
  #order;
  #done = () => {};
  /** Whether an order is on its way. What comes of it is said whatever is pressed meanwhile: it may be a new secret. */
  #isBusy = false;

  /**
   * @param {{ now: () => number, onRefused: () => void }} options `now`: the time of the server that answers;
   *   `onRefused`: it was not done
   */
  constructor({ now, onRefused }) {
    this.#now = now;
    this.#onRefused = onRefused;
    this.#cancel.addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("cancel", (event) => this.#isBusy && event.preventDefault());
    this.#dialog.addEventListener("close", () => this.#isBusy || this.#forget());
    this.#copy.addEventListener("click", () => this.#copySecret());
    byId("order-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#give();
    });
  }

  /**
   * Asks.
   *
   * @param {Order} order
   * @param {() => void} done the server says that it is done
   */
  ask(order, done) {
    if (this.#isBusy) return;
    this.#order = order;
    this.#done = done;
    setText(this.#title, order.title);
    setText(this.#text, order.text);
    setText(this.#button, order.button);
    setText(this.#cancel, "Cancel");
    setText(this.#error, "");
    this.#button.className = order.isCalm ? "primary" : "danger";
    this.#button.hidden = this.#button.disabled = false;
    this.#made.hidden = this.#lines.hidden = true;
    this.#fields.replaceChildren(...(order.fields ?? []).map(fieldOf), ...this.#typedField(order));
    this.#dialog.showModal();
  }

  #typedField({ typed }) {
    if (typed === undefined) return [];
    const hint = element("span", {}, "Type ", element("code", { class: "stranger", text: typed }), " to go on");
    return [fieldOf({ name: TYPED, label: hint, attributes: { required: true, autocapitalize: "off" } })];
  }

  async #give() {
    const order = this.#order;
    if (order === undefined || this.#button.hidden || this.#isBusy) return;
    const values = Object.fromEntries(
      [...this.#fields.querySelectorAll("input, select")].map(({ name, value }) => [name, value]),
    );
    if (order.typed !== undefined && values[TYPED].trim() !== order.typed.trim()) {
      setText(this.#error, "This is not the name. Nothing was done.");
      return;
    }
    const problem = order.problem?.(values) ?? "";
    if (problem !== "") return setText(this.#error, problem);
    const body = typeof order.body === "function" ? order.body(values, this.#now()) : order.body;
    // Another server has some seconds to answer, and is told once.
    this.#setBusy(true);
    const { error, answer } = await post(order.path, body);
    this.#setBusy(false);
    setText(this.#error, error);
    if (error === "") this.#done();
    else this.#onRefused();
    if (error === "" && order.told === undefined) return this.#dialog.open ? this.#dialog.close() : this.#forget();
    // Browsers close it all the same when Escape is pressed twice.
    if (!this.#dialog.open) this.#dialog.showModal();
    if (error === "") this.#tell(order.told(answer));
    // While it was on its way, no button could have the keyboard.
    else this.#button.focus();
  }

  #setBusy(isBusy) {
    this.#isBusy = this.#button.disabled = this.#cancel.disabled = isBusy;
  }

  /** @param {import("./order.js").Told} told */
  #tell({ title, text, secret, lines = [] }) {
    setText(this.#title, title);
    setText(this.#text, text);
    this.#fields.replaceChildren();
    this.#made.hidden = secret === undefined;
    setText(this.#secret, secret ?? "");
    setText(this.#copy, "Copy");
    // Only a page that came by TLS, or from this machine, may write there. The text can be chosen by hand.
    this.#copy.hidden = navigator.clipboard === undefined;
    this.#lines.hidden = lines.length === 0;
    keyed(this.#lines, lines, {
      keyOf: ({ text }) => text,
      make: () => element("li", {}, element("span", { class: "mark", "aria-hidden": "true" }), element("bdi")),
      draw: (item, line) => {
        setAttribute(item, "data-state", line.state);
        setText(item.lastChild, line.text);
      },
    });
    this.#button.hidden = true;
    setText(this.#cancel, "Close");
    this.#cancel.focus();
  }

  async #copySecret() {
    try {
      await navigator.clipboard.writeText(this.#secret.textContent);
      setText(this.#copy, "Copied");
    } catch {
      setText(this.#copy, "Not allowed");
    }
  }

  #forget() {
    this.#order = undefined;
    setText(this.#secret, "");
    this.#fields.replaceChildren();
    this.#lines.replaceChildren();
  }
}

/**
 * A field with its label, and the hint that belongs to it.
 *
 * @param {Omit<import("./order.js").Field, "label"> & { readonly label: string | Node }} field
 */
function fieldOf({ name, label, value = "", hint, choices, attributes = {} }) {
  const id = `order-field-${name}`;
  const about = { id, name, ...hint === undefined ? {} : { "aria-describedby": `${id}-hint` } };
  const control = choices === undefined
    ? element("input", { type: "text", autocomplete: "off", spellcheck: "false", ...about, ...attributes, value })
    : element(
      "select",
      about,
      ...choices.map(([of, text]) => element("option", { value: of, text, selected: of === value })),
    );
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, label),
    control,
    ...hint === undefined ? [] : [element("p", { id: `${id}-hint`, class: "faint hint", text: hint })],
  );
}
