/** Puts a text without end in the place of each text of a page, one after the other, and looks what comes of it. */

import type { Page } from "playwright-core";

/**
 * What `text` breaks, in words: nothing may make the page wider than its window or much higher, push what stands beside
 * it out of the window, or itself go beyond the window. Fields and choices count, too.
 */
export function lookAtLongTexts(page: Page, text: string): Promise<string[]> {
  return page.evaluate(LOOK, text);
}

/** Runs in the page. As text, since the types of a page are not those of this program. */
const LOOK = new Function(
  "text",
  `
  const faults = [];
  const root = document.documentElement;
  const height = root.scrollHeight;
  const isSeen = (node) => node.getClientRects().length > 0;
  const nameOf = (node) => {
    const names = [];
    for (let at = node; at !== null && at !== document.body && names.length < 3; at = at.parentElement) {
      names.unshift(at.localName + (at.id && "#" + at.id) + [...at.classList].map((name) => "." + name).join(""));
    }
    return names.join(" > ");
  };
  const cutter = (node) => {
    for (let at = node; at !== null && at !== root; at = at.parentElement) {
      if (getComputedStyle(at).overflowX !== "visible") return at;
    }
  };
  const isBeyond = (node) => node.getBoundingClientRect().right > innerWidth + 1;
  const look = (what, node) => {
    if (root.scrollWidth > innerWidth) faults.push(what + " makes the page wider by " + (root.scrollWidth - innerWidth));
    if (root.scrollHeight > height + 2500) faults.push(what + " makes the page higher by " + (root.scrollHeight - height));
    if (isBeyond(node) && cutter(node) === undefined) faults.push(what + " goes beyond the window");
    const around = node.closest(".panel, header, .banner, dialog, form, .stat");
    const beside = [...around?.querySelectorAll("button, input, select, .badge, h2, .count") ?? []];
    const out = beside.find((other) =>
      isSeen(other) && !other.contains(node) && isBeyond(other) && cutter(other.parentElement) === undefined
    );
    if (out !== undefined) faults.push(what + " pushes out " + nameOf(out));
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    const isText = data.trim() !== "" && parentElement.closest("script, style, option, noscript, datalist, svg") === null;
    if (isText && isSeen(parentElement)) nodes.push(texts.currentNode);
  }
  const seen = new Set();
  for (const node of nodes) {
    const name = nameOf(node.parentElement).replaceAll(/\\d+/g, "#");
    if (seen.has(name)) continue;
    seen.add(name);
    const before = node.data;
    node.data = text;
    look(name, node.parentElement);
    node.data = before;
  }
  for (const field of document.querySelectorAll("input:not([type=checkbox], [type=radio]), textarea")) {
    if (!isSeen(field)) continue;
    const { value, placeholder } = field;
    const write = (value) => {
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    write(text);
    look("what is typed into " + nameOf(field), field);
    write(value);
    field.placeholder = text;
    look("the hint in " + nameOf(field), field);
    field.placeholder = placeholder;
  }
  for (const choice of document.querySelectorAll("select")) {
    if (!isSeen(choice)) continue;
    const { selectedIndex } = choice;
    const option = new Option(text);
    choice.append(option);
    option.selected = true;
    look("a choice of " + nameOf(choice), choice);
    option.remove();
    choice.selectedIndex = selectedIndex;
  }
  return faults;
`,
) as (text: string) => string[];
