/**
 * Making and changing elements. Whatever is shown goes through `text`, never through markup: all of it may be
 * the text of strangers.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `text` is its text; everything else is an attribute, left out where it is `undefined` or `false`.
 *
 * @param {string} tag
 * @param {Record<string, string | number | boolean | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * As `element`, for drawings.
 *
 * @param {string} tag
 * @param {Record<string, string | number | boolean | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * The element with an id that is in the page.
 *
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no "${id}"`);
  return found;
}

/**
 * Writes a text where it is another one.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Sets an attribute where it is another one; `undefined` removes it.
 *
 * @param {Element} node
 * @param {string} name
 * @param {string | undefined} value
 */
export function setAttribute(node, name, value) {
  if (value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * A badge, to be written with `setBadge`.
 *
 * @returns {HTMLElement}
 */
export function badge() {
  return element("span", { class: "badge" });
}

/**
 * @param {HTMLElement} node
 * @param {import("./rows.js").Badge} badge
 */
export function setBadge(node, { state, text }) {
  setAttribute(node, "data-state", state);
  setText(node, text);
}

/**
 * Makes the children of `parent` those of `items`, in their order. An element stays with its key; `make` makes one,
 * `draw` is called for each.
 *
 * @template Item
 * @param {Element} parent
 * @param {readonly Item[]} items
 * @param {{ keyOf: (item: Item) => string, make: (item: Item) => any, draw: (node: any, item: Item) => void }} how
 */
export function keyed(parent, items, { keyOf, make, draw }) {
  const old = new Map();
  for (const child of parent.children) old.set(child.thrumKey, child);
  /** @type {Element | null} */
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = old.get(key);
    if (node === undefined) {
      node = make(item);
      node.thrumKey = key;
    } else old.delete(key);
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
    draw(node, item);
  }
  for (const child of old.values()) {
    if (child === next) next = next.nextElementSibling;
    child.remove();
  }
}

/**
 * @template {Element} E
 * @param {E} node
 * @param {Record<string, string | number | boolean | undefined>} attributes
 * @param {readonly (Node | string)[]} children
 * @returns {E}
 */
function filled(node, { text, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : `${value}`);
  }
  if (text !== undefined) node.textContent = `${text}`;
  node.append(...children);
  return node;
}
