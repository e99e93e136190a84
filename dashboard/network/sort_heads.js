/**
 * The heads of a table that sort it. To the Tab key all of them are one stop, as 21 stops stood between a visitor and
 * what is below: the arrow keys go from head to head, Enter sorts, and Down goes into the table.
 */

import { element, setAttribute } from "../dom.js";
import { headAfterKey, pressed } from "../table_model.js";

export class SortHeads {
  #columns;
  /** By column: the button. */
  #buttons = new Map();
  #order;

  /**
   * @param {readonly { readonly key: string, readonly title: string }[]} columns
   * @param {{ onSort: (order: import("../table_model.js").Order) => void, onDown: () => void }} listener `onDown`: the
   *   keys are to go into the table
   */
  constructor(columns, { onSort, onDown }) {
    this.#columns = columns;
    for (const { key, title } of columns) {
      const button = element("button", { type: "button", class: "sort", tabindex: -1, text: title });
      button.addEventListener("click", () => {
        this.#stopAt(key);
        onSort(pressed(this.#order, key));
      });
      button.addEventListener("keydown", (event) => {
        if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
        if (event.key === "ArrowDown") onDown();
        else if (!this.#go(event.key, key)) return;
        // Neither the page nor the table scrolls.
        event.preventDefault();
      });
      this.#buttons.set(key, button);
    }
  }

  /** The button of a column, to be put into its head. @param {string} key */
  buttonOf(key) {
    return this.#buttons.get(key);
  }

  /** Says on each head how the table is sorted by it. @param {import("../table_model.js").Order} order */
  draw(order) {
    const { key: by, descending } = order;
    if (by !== this.#order?.key && !this.#hasFocus) this.#stopAt(by);
    this.#order = order;
    for (const [key, button] of this.#buttons) {
      const way = descending ? "descending" : "ascending";
      if (button.parentElement !== null) setAttribute(button.parentElement, "aria-sort", key === by ? way : undefined);
    }
  }

  /** Gives the keys to the head where Tab stops. */
  focus() {
    for (const button of this.#buttons.values()) if (button.tabIndex === 0) button.focus();
  }

  get #hasFocus() {
    return [...this.#buttons.values()].includes(document.activeElement);
  }

  #go(key, from) {
    const active = this.#columns.findIndex((column) => column.key === from);
    const index = headAfterKey(key, { active, count: this.#columns.length });
    if (index === -1) return false;
    this.#stopAt(this.#columns[index].key);
    this.focus();
    return true;
  }

  /** Makes one head the stop of the Tab key. */
  #stopAt(at) {
    for (const [key, button] of this.#buttons) button.tabIndex = key === at ? 0 : -1;
  }
}
