/**
 * What can be done with the chosen row of a table, below it: to the Tab key one stop behind the table, within which the
 * arrow keys go from button to button.
 */

import { element, setAttribute, setText } from "../dom.js";
import { visibleName } from "../format.js";
import { headAfterKey } from "../table_model.js";

/** Acts that cannot be taken back. */
const DANGEROUS = new Set(["delete", "withdraw"]);

/** @template {string} Act */
export class ActsBar {
  #place;
  #name = element("bdi", { class: "acts-name clip" });
  /** By act: its button. */
  #buttons = new Map();
  #onLost;

  /**
   * @param {{ place: HTMLElement, acts: readonly Act[], onAct: (act: Act) => void, onLost: () => void }} options
   *   `onLost`: the keyboard was here, and there is nothing to press any more
   */
  constructor({ place, acts, onAct, onLost }) {
    this.#place = place;
    this.#onLost = onLost;
    const tools = element("div", { class: "acts-tools", role: "toolbar" });
    for (const act of acts) {
      const button = element("button", { type: "button", class: DANGEROUS.has(act) ? "small danger" : "small" });
      button.addEventListener("click", () => {
        this.#stopAt(button);
        onAct(act);
      });
      button.addEventListener("keydown", (event) => this.#onKey(event, button));
      this.#buttons.set(act, button);
      tools.append(button);
    }
    place.append(this.#name, tools);
  }

  /**
   * @param {string | undefined} name whose row is chosen; nothing is shown where there is none
   * @param {Partial<Record<Act, string>>} texts what stands on the button of each act; one without a text is not shown
   */
  draw(name, texts) {
    const hadFocus = this.#place.contains(document.activeElement);
    this.#place.hidden = name === undefined;
    if (name === undefined) return hadFocus ? this.#onLost() : undefined;
    const said = visibleName(name);
    setText(this.#name, said);
    this.#name.title = said;
    setAttribute(this.#place.lastElementChild, "aria-label", `What can be done with ${said}`);
    for (const [act, button] of this.#buttons) {
      const text = texts[act] ?? "";
      button.hidden = text === "";
      setText(button, text);
      setAttribute(button, "aria-label", `${text} ${said}`);
    }
    const shown = this.#shown;
    if (!shown.some(({ tabIndex }) => tabIndex === 0)) this.#stopAt(shown[0]);
    // A button that is not shown any more has let the keyboard go, or is about to.
    if (hadFocus && !shown.includes(document.activeElement)) shown[0]?.focus();
  }

  get #shown() {
    return [...this.#buttons.values()].filter(({ hidden }) => !hidden);
  }

  #onKey(event, button) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const shown = this.#shown;
    const index = headAfterKey(event.key, { active: shown.indexOf(button), count: shown.length });
    if (index === -1) return;
    // Neither the page nor the table scrolls.
    event.preventDefault();
    this.#stopAt(shown[index]);
    shown[index].focus();
  }

  /** Makes one button the stop of the Tab key. */
  #stopAt(at) {
    for (const button of this.#buttons.values()) button.tabIndex = button === at ? 0 : -1;
  }
}
