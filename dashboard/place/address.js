// @ts-check
/**
 * What a page shows, as a part of its address: filters, orders and what is chosen, behind the `#`. So no server is
 * told, and a link shows others the same. Pure.
 */

/** More is no address that this page wrote. A browser takes 32,000 at least. */
const MOST_CHARACTERS = 8_000;

/**
 * What `hash` says, by name; nothing for names that are not `known`. `undefined` for an anchor such as `#main`, which
 * is a spot on the page and says nothing of what it shows.
 *
 * @param {string} hash with its `#`, or empty
 * @param {ReadonlySet<string>} known
 * @returns {Map<string, string> | undefined}
 */
export function readAddress(hash, known) {
  const text = hash.replace(/^#/, "");
  if (text !== "" && !text.includes("=")) return undefined;
  /** @type {Map<string, string>} */
  const values = new Map();
  if (text.length > MOST_CHARACTERS) return values;
  for (const [name, value] of new URLSearchParams(text)) {
    if (known.has(name) && value !== "" && !values.has(name)) values.set(name, value);
  }
  return values;
}

/**
 * `values` as an address, by name; empty when there is nothing to say.
 *
 * @param {Iterable<readonly [string, string]>} values names and values; an empty value is left out
 */
export function writeAddress(values) {
  const said = new URLSearchParams([...values].filter(([, value]) => value !== "").map(([...pair]) => pair));
  said.sort();
  const text = `${said}`;
  return text === "" || text.length > MOST_CHARACTERS ? "" : `#${text}`;
}

/**
 * An order in an address: the column, after a `-` when it descends. Empty where it is the `usual` one.
 *
 * @param {import("../table_model.js").Order} order
 * @param {import("../table_model.js").Order} usual
 */
export function writeOrder({ key, descending }, usual) {
  return key === usual.key && descending === usual.descending ? "" : `${descending ? "-" : ""}${key}`;
}

/**
 * The order that an address names; the `usual` one where there is no such column.
 *
 * @param {string} text
 * @param {readonly { readonly key: string }[]} columns
 * @param {import("../table_model.js").Order} usual
 * @returns {import("../table_model.js").Order}
 */
export function readOrder(text, columns, usual) {
  const key = text.replace(/^-/, "");
  return columns.some((column) => column.key === key) ? { key, descending: text.startsWith("-") } : usual;
}
