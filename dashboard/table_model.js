// @ts-check
/** Which rows of a table are shown, and in what order. Pure. */

/**
 * A column as far as order is concerned.
 *
 * @template Row
 * @typedef {{ readonly key: string, readonly value: (row: Row) => string | number | null | undefined }} Sortable
 */

/**
 * By which column a table is sorted.
 *
 * @typedef {{ readonly key: string, readonly descending: boolean }} Order
 */

/** As people expect it: "b2" before "b10", and case does not matter. */
const { compare } = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/**
 * `rows` in `order`. Equal ones stay in the order that they had, and what has no value is last, whichever way.
 *
 * @template Row
 * @param {readonly Row[]} rows
 * @param {readonly Sortable<Row>[]} columns
 * @param {Order} order
 * @returns {readonly Row[]}
 */
export function sorted(rows, columns, { key, descending }) {
  const column = columns.find((column) => column.key === key);
  if (column === undefined) return rows;
  const sign = descending ? -1 : 1;
  // Each value is looked up once and not at every comparison: of 5,000 rows there are 60,000.
  return rows.map((row) => ({ row, value: column.value(row) })).sort((one, other) => {
    const [a, b] = [one.value, other.value];
    if (isNothing(a) || isNothing(b)) return Number(isNothing(a)) - Number(isNothing(b));
    return sign * (typeof a === "number" && typeof b === "number" ? a - b : compare(`${a}`, `${b}`));
  }).map(({ row }) => row);
}

/**
 * The order after the head of a column was pressed: by that column, or the other way round when it already was.
 *
 * @param {Order} order
 * @param {string} key
 * @returns {Order}
 */
export function pressed(order, key) {
  return { key, descending: order.key === key && !order.descending };
}

/**
 * The rows in which every word of `filter` occurs, in whatever place and case. All of them when there is no word.
 *
 * @template Row
 * @param {readonly Row[]} rows
 * @param {string} filter
 * @param {(row: Row) => string} textOf all that can be found of a row
 * @returns {readonly Row[]}
 */
export function filtered(rows, filter, textOf) {
  const words = folded(filter).split(/\s+/u).filter((word) => word !== "");
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = folded(textOf(row));
    return words.every((word) => text.includes(word));
  });
}

/**
 * Which rows of a scrolled table have to exist: those that are seen, and `margin` before and after.
 *
 * @param {{ count: number, rowHeight: number, scrollTop: number, height: number, margin: number }} table
 *   lengths in pixels
 * @returns {{ from: number, to: number }} from the first to before the last
 */
export function windowOf({ count, rowHeight, scrollTop, height, margin }) {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight);
  const last = Math.ceil((Math.max(0, scrollTop) + height) / rowHeight);
  const from = Math.min(Math.max(0, first - margin), count);
  return { from, to: Math.max(from, Math.min(count, last + margin)) };
}

/**
 * The row that a key leads to from row `active`; -1 when there is none, or when the key leads nowhere.
 *
 * @param {string} key as `KeyboardEvent.key` says it
 * @param {{ active: number, count: number, page: number }} table `page`: rows that are seen at once
 */
export function rowAfterKey(key, { active, count, page }) {
  if (count === 0) return -1;
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }[key];
  if (step !== undefined) return Math.min(count - 1, Math.max(0, active === -1 && step > 0 ? step - 1 : active + step));
  return key === "Home" ? 0 : key === "End" ? count - 1 : -1;
}

/**
 * The head that a key leads to from head `active`; -1 when the key leads nowhere. There is no head before the first,
 * and none after the last.
 *
 * @param {string} key as `KeyboardEvent.key` says it
 * @param {{ active: number, count: number }} heads
 */
export function headAfterKey(key, { active, count }) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (step !== undefined) return Math.min(count - 1, Math.max(0, active + step));
  return key === "Home" ? 0 : key === "End" ? count - 1 : -1;
}

/** @param {unknown} value */
function isNothing(value) {
  return value === null || value === undefined || value === "";
}

/** @param {string} text */
function folded(text) {
  return text.normalize("NFKC").toLowerCase();
}
