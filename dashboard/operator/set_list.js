/**
 * A list of something that operators have set: a table with a filter, and below it what can be done with the chosen
 * row. What it is a list of, it is told.
 */

import { byId, setAttribute, setText } from "../dom.js";
import { number } from "../format.js";
import { ActsBar } from "../look/acts_bar.js";
import { VirtualTable } from "../network/virtual_table.js";

/** @template {{ key: string }} Row */
export class SetList {
  #panel;
  #count;
  #filter;
  #table;
  #acts;
  #about;
  #frame;

  /**
   * The page has the elements `NAME-panel`, `NAME`, `NAME-tools`, `NAME-count`, `NAME-filter`, `NAME-add` and
   * `NAME-acts`.
   *
   * @param {{
   *   name: string, label: string, chosen: string,
   *   columns: readonly import("../network/virtual_table.js").Column<Row>[],
   *   order: import("../table_model.js").Order, textOf: (row: Row) => string,
   *   rowsOf: (laid: import("./laid_down.js").LaidDown) => readonly Row[] | undefined, sayEmpty: string,
   *   act: string, actText: string, nameOf: (row: Row) => string,
   *   onAdd: () => void, onAct: (row: Row) => void, address: import("../place/place.js").Place,
   * }} about `rowsOf`: `undefined` where the server does not tell; `act`: what can be done with a row, with the text of
   *   its button; `nameOf`: what a row is called there
   */
  constructor(about) {
    const { name, label, chosen, columns, order, textOf, address, act } = about;
    this.#about = about;
    this.#panel = byId(`${name}-panel`);
    this.#count = byId(`${name}-count`);
    this.#filter = byId(`${name}-filter`);
    byId(`${name}-add`).addEventListener("click", about.onAdd);
    this.#acts = new ActsBar({
      place: byId(`${name}-acts`),
      acts: [act],
      onAct: () => this.#table.chosen !== undefined && about.onAct(this.#table.chosen),
      onLost: () => this.#table.focus(),
    });
    this.#table = new VirtualTable({
      ...{ place: byId(name), tools: byId(`${name}-tools`), label, name, order, columns, textOf, address, chosen },
      onChoose: () => this.#drawActs(),
    });
    address.holdsFilter(name, this.#filter, () => {
      this.#table.filter = this.#filter.value;
      // How many were found is read out; how many there are changes by itself.
      setAttribute(this.#count, "aria-live", this.#filter.value === "" ? undefined : "polite");
      if (this.#frame !== undefined) this.show(this.#frame);
    });
  }

  /** @param {import("../network/main.js").Frame} frame */
  show(frame) {
    this.#frame = frame;
    const rows = this.#about.rowsOf(frame.laid);
    this.#panel.hidden = rows === undefined;
    if (rows === undefined) return;
    this.#table.show(rows, frame.now, () => [document.createTextNode(this.#about.sayEmpty)]);
    const shown = this.#table.shownCount;
    setText(this.#count, shown === rows.length ? number(rows.length) : `${number(shown)} of ${number(rows.length)}`);
    this.#drawActs();
  }

  #drawActs() {
    const { act, actText, nameOf } = this.#about;
    const row = this.#frame?.mayAct ? this.#table.chosen : undefined;
    this.#acts.draw(row && nameOf(row), { [act]: actText });
  }
}
