/**
 * Keeps the address of the page equal to what the page shows. Each act of a person is a step that Back takes back. What
 * is typed into one filter is one step, and so is a walk through one table with the arrow keys.
 */

import { readAddress, writeAddress } from "./address.js";

/** Browsers refuse an address that changes with each repetition of a key. */
const SETTLE_MS = 150;

/**
 * A part of what is shown. `get` gives an empty text for what is usual, and `set` takes it.
 *
 * @typedef {{ readonly get: () => string, readonly set: (value: string) => void }} Held
 */

/** The place where a person is on the page. */
export class Place {
  /** @type {Map<string, Held>} */
  #held = new Map();
  #onMoved;
  /** The kind of act that the newest step is of, while further acts of this kind belong to it. */
  #going;
  #settling;

  /** @param {() => void} onMoved what is shown was set from the address: by Back, or by a link */
  constructor(onMoved) {
    this.#onMoved = onMoved;
    addEventListener("popstate", () => this.restore());
    addEventListener("pagehide", () => this.#settle());
    // Who goes elsewhere begins something new.
    document.addEventListener("focusin", () => this.#settle());
  }

  /**
   * @param {string} name in the address
   * @param {Held} held
   */
  holds(name, held) {
    this.#held.set(name, held);
  }

  /**
   * Holds what is typed into `input`.
   *
   * @param {string} name
   * @param {HTMLInputElement} input
   * @param {() => void} apply shows what the filter leaves
   */
  holdsFilter(name, input, apply) {
    this.holds(name, {
      get: () => input.value.trim(),
      set: (value) => {
        if (input.value.trim() === value) return;
        input.value = value;
        apply();
      },
    });
    input.addEventListener("input", () => {
      apply();
      this.changed(name);
    });
  }

  /** Shows what the address says. */
  restore() {
    const values = readAddress(location.hash, new Set(this.#held.keys()));
    this.#going = undefined;
    clearTimeout(this.#settling);
    this.#settling = undefined;
    if (values === undefined) return;
    for (const [name, { set }] of this.#held) set(values.get(name) ?? "");
    this.#onMoved();
  }

  /**
   * A person has changed what is shown.
   *
   * @param {string} [kind] given for acts that follow each other closely: those of one kind are one step
   */
  changed(kind) {
    if (this.#address() === location.hash && this.#settling === undefined) return;
    if (kind !== undefined && kind === this.#going) {
      this.#settling ??= setTimeout(() => this.#write("replaceState"), SETTLE_MS);
      return;
    }
    this.#going = kind;
    this.#write("pushState");
  }

  /**
   * Goes where `values` say, and leaves the rest as it is.
   *
   * @param {Readonly<Record<string, string>>} values
   */
  go(values) {
    for (const [name, value] of Object.entries(values)) this.#held.get(name)?.set(value);
    this.#onMoved();
    this.changed();
  }

  /**
   * Makes `link` lead to `values`: with a plain click on this page, and otherwise to a page that shows them alone.
   *
   * @param {HTMLAnchorElement} link
   * @param {() => void} [then] after a plain click
   */
  leads(link, then = () => {}) {
    link.addEventListener("click", (event) => {
      if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.go(Object.fromEntries(readAddress(link.hash, new Set(this.#held.keys())) ?? []));
      then();
    });
  }

  #address() {
    return writeAddress([...this.#held].map(([name, { get }]) => [name, get()]));
  }

  /** What is still to be written is written, and what follows is a step of its own. */
  #settle() {
    if (this.#settling !== undefined) this.#write("replaceState");
    this.#going = undefined;
  }

  /** @param {"pushState" | "replaceState"} how */
  #write(how) {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    try {
      history[how](null, "", `${location.pathname}${location.search}${this.#address()}`);
    } catch {
      // Too many at once for this browser. The next change is written with all that this one would have said.
    }
  }
}
