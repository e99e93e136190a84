/**
 * A table of any number of rows, of which only those exist that are seen. To assistive technology it is a grid with all
 * its rows: each says its number.
 *
 * Rows have one height, `--row-height` of the table. A row element stays with its row while that is seen, and is used
 * again for another one afterwards. What a row shows is written by its columns, and only where it differs.
 */

import { element, setAttribute, setText } from "../dom.js";
import { readOrder, writeOrder } from "../place/address.js";
import { filtered, rowAfterKey, sorted, windowOf } from "../table_model.js";
import { SortHeads } from "./sort_heads.js";

/**
 * A column. `make` fills a new cell once, `draw` writes into it; without them a cell shows `value`.
 *
 * @template Row
 * @typedef {{
 *   readonly key: string, readonly title: string, readonly value: (row: Row) => string | number | null | undefined,
 *   readonly isNumber?: boolean, readonly make?: (cell: HTMLElement) => void,
 *   readonly draw?: (cell: any, row: Row, now: number) => void,
 * }} Column
 */

/** Rows before and after those that are seen: what one turn of a wheel passes. */
const MARGIN_ROWS = 8;

/** @template Row */
export class VirtualTable {
  #columns;
  #textOf;
  #drawRow;
  #onChoose;
  #scroller;
  #body;
  #heads;
  #sortSelect;
  #empty;
  /** All rows, and those that are shown, in their order. */
  #all = [];
  #shown = [];
  #filter = "";
  #order;
  #usualOrder;
  #place;
  #name;
  #now = 0;
  /** The elements of rows that exist, by key; and those that can be used again. */
  #elements = new Map();
  #spare = [];
  #activeKey = null;
  /** A row that the address names is brought into sight as soon as it is there. */
  #isWanted = false;
  #rowHeight = 36;
  #height = 0;
  #isScheduled = false;
  /** What the order depends on changed: all of the rows, the filter or the order. */
  #isStale = true;

  /**
   * @param {{
   *   place: HTMLElement, tools: HTMLElement, label: string, name: string, columns: readonly Column<Row>[],
   *   order: import("../table_model.js").Order, textOf: (row: Row) => string,
   *   drawRow?: (node: HTMLElement, row: Row, now: number) => void,
   *   address: import("../place/place.js").Place, chosen: string, onChoose?: () => void,
   * }} options `place`: where it is put; `tools`: where the choice of order is put, for screens that are too narrow for
   *   a head; `drawRow`: for what a whole row shows; `address`: it holds the order and the chosen row, named `chosen`;
   *   `onChoose`: another row is chosen, or none
   */
  constructor(
    { place, tools, label, name, columns, order, textOf, drawRow = () => {}, address, chosen, onChoose = () => {} },
  ) {
    this.#columns = columns;
    this.#order = this.#usualOrder = order;
    this.#place = address;
    this.#name = name;
    this.#textOf = textOf;
    this.#drawRow = drawRow;
    this.#onChoose = onChoose;
    this.#body = element("div", { class: "grid-body", role: "rowgroup" });
    this.#scroller = element(
      "div",
      {
        class: `grid ${name}-grid`,
        role: "grid",
        tabindex: 0,
        "aria-label": label,
        "aria-colcount": columns.length,
        "aria-readonly": "true",
      },
      this.#makeHead(),
      this.#body,
    );
    this.#sortSelect = this.#makeSortSelect(name);
    this.#empty = element("div", { class: "empty", hidden: true });
    tools.prepend(...this.#sortSelect);
    place.append(this.#scroller, this.#empty);
    this.#scroller.addEventListener("scroll", () => this.#schedule(), { passive: true });
    this.#scroller.addEventListener("keydown", (event) => this.#onKey(event));
    this.#body.addEventListener("click", (event) => this.#onClick(event));
    new ResizeObserver(() => this.#measure()).observe(this.#scroller);
    this.#measure();
    this.#drawHead();
    address.holds(`${name}.sort`, {
      get: () => writeOrder(this.#order, this.#usualOrder),
      set: (text) => this.#setOrder(readOrder(text, columns, this.#usualOrder)),
    });
    address.holds(chosen, {
      get: () => this.#activeKey ?? "",
      set: (key) => {
        this.#activeKey = key === "" ? null : key;
        this.#isWanted = key !== "";
      },
    });
  }

  /** The chosen row, if it is there. */
  get chosen() {
    return this.#activeKey === null ? undefined : this.#all.find(({ key }) => key === this.#activeKey);
  }

  /** The key of the chosen row if it is not there, or not any more. */
  get missing() {
    if (this.#activeKey === null || this.#all.some(({ key }) => key === this.#activeKey)) return undefined;
    return this.#activeKey;
  }

  /** Gives the keys to the table. */
  focus() {
    this.#scroller.focus({ preventScroll: true });
  }

  /** Rows that are shown, after the filter. */
  get shownCount() {
    return this.#shown.length;
  }

  /** @param {string} filter */
  set filter(filter) {
    if (filter === this.#filter) return;
    this.#filter = filter;
    this.#isStale = true;
    this.#scroller.scrollTop = 0;
  }

  /**
   * Shows `rows`, each with its own `key`.
   *
   * @param {readonly (Row & { key: string })[]} rows the same list as before where nothing has changed
   * @param {number} now
   * @param {() => Node[]} sayEmpty what is said when there are none
   */
  show(rows, now, sayEmpty) {
    this.#now = now;
    if (rows !== this.#all || this.#isStale) {
      this.#all = rows;
      this.#isStale = false;
      this.#shown = sorted(filtered(rows, this.#filter, this.#textOf), this.#columns, this.#order);
      this.#body.style.height = `${this.#shown.length * this.#rowHeight}px`;
      setAttribute(this.#scroller, "aria-rowcount", `${this.#shown.length + 1}`);
      const isEmpty = this.#shown.length === 0;
      this.#empty.hidden = !isEmpty;
      this.#scroller.classList.toggle("is-empty", isEmpty);
      if (isEmpty) {
        this.#empty.replaceChildren(
          ...(rows.length > 0 ? [document.createTextNode("Nothing has all of these words.")] : sayEmpty()),
        );
      }
    }
    if (this.#isWanted) this.#reveal(this.#shown.findIndex(({ key }) => key === this.#activeKey));
    this.#draw();
  }

  #makeHead() {
    this.#heads = new SortHeads(this.#columns, {
      onSort: (order) => this.#sortBy(order),
      onDown: () => this.focus(),
    });
    const cells = this.#columns.map(({ key, isNumber }) =>
      element(
        "div",
        { role: "columnheader", class: `cell c-${key}${isNumber ? " number" : ""}` },
        this.#heads.buttonOf(key),
      )
    );
    const head = element("div", { class: "grid-row grid-head", role: "row", "aria-rowindex": 1 }, ...cells);
    return element("div", { role: "rowgroup", class: "grid-heads" }, head);
  }

  #makeSortSelect(name) {
    const id = `${name}-order`;
    const select = element("select", { id, class: "order" });
    for (const { key, title } of this.#columns) {
      select.append(
        element("option", { value: `${key} up`, text: `${title} ↑` }),
        element("option", { value: `${key} down`, text: `${title} ↓` }),
      );
    }
    select.addEventListener("change", () => {
      const [key, way] = select.value.split(" ");
      this.#sortBy({ key, descending: way === "down" });
    });
    return [element("label", { for: id, class: "visually-hidden", text: "Order" }), select];
  }

  #sortBy(order) {
    this.#setOrder(order);
    this.show(this.#all, this.#now, () => []);
    this.#place.changed();
  }

  #setOrder(order) {
    this.#order = order;
    this.#isStale = true;
    this.#drawHead();
  }

  #drawHead() {
    const { key, descending } = this.#order;
    this.#heads.draw(this.#order);
    this.#sortSelect[1].value = `${key} ${descending ? "down" : "up"}`;
  }

  #measure() {
    const style = getComputedStyle(this.#scroller);
    const rowHeight = Number.parseFloat(style.getPropertyValue("--row-height")) || this.#rowHeight;
    this.#height = this.#scroller.clientHeight;
    if (rowHeight !== this.#rowHeight) {
      this.#rowHeight = rowHeight;
      this.#body.style.height = `${this.#shown.length * rowHeight}px`;
      for (const node of this.#elements.values()) node.thrumIndex = -1;
    }
    this.#schedule();
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#draw();
    });
  }

  #draw() {
    const { from, to } = windowOf({
      count: this.#shown.length,
      rowHeight: this.#rowHeight,
      scrollTop: this.#scroller.scrollTop,
      height: this.#height,
      margin: MARGIN_ROWS,
    });
    const wanted = this.#shown.slice(from, to);
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, node] of this.#elements) {
      if (keys.has(key)) continue;
      this.#elements.delete(key);
      this.#spare.push(node);
      node.remove();
    }
    // The elements are in the order of the rows, as some read them in that order and not where they are.
    let next = this.#body.firstElementChild;
    wanted.forEach((row, offset) => {
      const node = this.#drawAt(row, from + offset);
      if (node === next) next = next.nextElementSibling;
      else this.#body.insertBefore(node, next);
    });
    this.#spare.length = Math.min(this.#spare.length, 2 * MARGIN_ROWS);
    this.#drawActive();
  }

  #drawAt(row, index) {
    let node = this.#elements.get(row.key);
    if (node === undefined) {
      node = this.#spare.pop() ?? this.#makeRow();
      this.#elements.set(row.key, node);
      node.thrumRow = undefined;
    }
    if (node.thrumIndex !== index) {
      node.thrumIndex = index;
      node.style.transform = `translateY(${index * this.#rowHeight}px)`;
      node.setAttribute("aria-rowindex", `${index + 2}`);
      node.classList.toggle("is-odd", index % 2 === 1);
    }
    // Time passes for a row even when nothing else does; while it is scrolled, nothing of it changes.
    if (node.thrumRow === row && node.thrumNow === this.#now) return node;
    node.thrumRow = row;
    node.thrumNow = this.#now;
    this.#columns.forEach(({ value, draw }, column) => {
      const cell = node.children[column];
      if (draw === undefined) setText(cell, `${value(row) ?? ""}`);
      else draw(cell, row, this.#now);
    });
    this.#drawRow(node, row, this.#now);
    return node;
  }

  #makeRow() {
    const node = element("div", { class: "grid-row", role: "row" });
    for (const { key, isNumber, make } of this.#columns) {
      const cell = element("div", { role: "gridcell", class: `cell c-${key}${isNumber ? " number" : ""}` });
      make?.(cell);
      node.append(cell);
    }
    node.id = `row-${++rowsMade}`;
    return node;
  }

  #drawActive() {
    const active = this.#activeKey === null ? undefined : this.#elements.get(this.#activeKey);
    setAttribute(this.#scroller, "aria-activedescendant", active?.id);
    for (const node of this.#elements.values()) {
      if (node === active) setAttribute(node, "aria-selected", "true");
      else if (node.hasAttribute("aria-selected")) node.removeAttribute("aria-selected");
    }
  }

  #onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target !== this.#scroller) return;
    if (event.key === "Escape" && this.#activeKey !== null) return this.#choose(null);
    const active = this.#activeKey === null ? undefined : this.#elements.get(this.#activeKey);
    if (event.key === "Enter") return active?.querySelector("a")?.click();
    const head = this.#scroller.firstElementChild.offsetHeight;
    const activeIndex = this.#activeKey === null ? -1 : this.#shown.findIndex(({ key }) => key === this.#activeKey);
    if (event.key === "ArrowUp" && activeIndex === 0) return this.#heads.focus();
    const index = rowAfterKey(event.key, {
      active: activeIndex,
      count: this.#shown.length,
      page: Math.max(1, Math.floor((this.#height - head) / this.#rowHeight) - 1),
    });
    if (index === -1) return;
    event.preventDefault();
    this.#choose(this.#shown[index].key, `${this.#name} keys`);
    this.#reveal(index);
    this.#draw();
  }

  /** Scrolls to row `index`, if it is not in sight; not the page, only the table. */
  #reveal(index) {
    if (index === -1) return;
    this.#isWanted = false;
    const head = this.#scroller.firstElementChild.offsetHeight;
    const top = index * this.#rowHeight;
    const { scrollTop } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + this.#height - head) {
      this.#scroller.scrollTop = top + this.#rowHeight - this.#height + head;
    }
  }

  #onClick(event) {
    const node = event.target.closest?.(".grid-row");
    // The keys are for the table, and not for a link in it.
    this.focus();
    if (node?.thrumRow === undefined || event.target.closest("a") !== null) return;
    this.#choose(node.thrumRow.key);
  }

  #choose(key, kind) {
    this.#activeKey = key;
    this.#isWanted = false;
    this.#drawActive();
    this.#place.changed(kind);
    this.#onChoose();
  }
}

let rowsMade = 0;
