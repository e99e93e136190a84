/**
 * A list of things that can be opened is one stop for the Tab key, and not one for each thing: within it, the arrow
 * keys go from one to the next.
 */

/**
 * @param {HTMLElement} list in each of its items a `summary`, which has the tabindex -1
 */
export function walkByKeys(list) {
  list.addEventListener("keydown", (event) => {
    const isOnItem = event.target instanceof HTMLElement && event.target.matches("summary");
    if (event.altKey || event.ctrlKey || event.metaKey || !(isOnItem || event.target === list)) return;
    const items = [...list.querySelectorAll("summary")];
    const at = items.indexOf(event.target);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined || items.length === 0) return;
    event.preventDefault();
    items[Math.min(items.length - 1, Math.max(0, next))].focus();
  });
}
