/**
 * Draws the rows of `stream_model.js`, and keeps the newest in sight unless the person has scrolled away. All texts are
 * strangers' and are set as text only.
 */

import { visibleName } from "../format.js";
import { byId, drawn, element } from "../dom.js";
import { channelText, EVERYONE, isPattern } from "./channels/channel_name.js";

/** @typedef {import("./stream_model.js").Row} Row */
/** @typedef {import("./stream_model.js").Changes} Changes */

/** Rows of one sender within this time stand together under one name. */
const TOGETHER_MS = 180_000;
/** Of longer texts the rest is counted. */
const MAX_SHOWN_TEXT = 8_000;
/** So near to the end counts as being there. */
const AT_END_PX = 40;

const MARKS = Object.freeze({
  sending: { path: "M12 6v6l4 2M12 3a9 9 0 1 0 .01 0", word: "on its way" },
  sent: { path: "M5 12.5l4.5 4.500L19 7", word: "sent" },
  stored: { path: "M5 12.500l4.500 4.500L19 7", word: "stored" },
  delivered: { path: "M2 12.500l4.500 4.500L15 8M11 16l1 1L21 7.500", word: "delivered" },
  refused: { path: "M6 6l12 12M18 6L6 18", word: "not sent" },
});

// Made once: making one takes longer than a row does.
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** The conversation in the page. */
export class StreamView {
  #frame = byId("stream");
  #rows = byId("rows");
  #pending = byId("pending");
  #empty = byId("stream-empty");
  #toEnd = byId("to-end");
  /** @type {Map<number, HTMLElement>} */
  #byKey = new Map();
  /** @type {Row | undefined} */
  #newest;
  /** @type {Row | undefined} */
  #oldest;
  #isAtEnd = true;
  /** Whether each activity says of which channel it is: the place shows several. */
  #showsChannel = false;

  constructor() {
    this.#frame.addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = this.#frame;
      this.#isAtEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
      if (this.#isAtEnd) this.#toEnd.hidden = true;
    }, { passive: true });
    this.#toEnd.addEventListener("click", () => this.scrollToEnd());
    // The frame grows and shrinks with the composer and the console.
    new ResizeObserver(() => this.#isAtEnd && this.scrollToEnd()).observe(this.#frame);
  }

  /**
   * Draws all rows of a place. Where another place was shown, at its end; else what the person looks at stays there.
   * @param {readonly Row[]} rows
   * @param {readonly Row[]} pending
   * @param {{ place: string, isOther: boolean }} how
   */
  drawAnew(rows, pending, { place, isOther }) {
    const fromEnd = this.#frame.scrollHeight - this.#frame.scrollTop;
    const wasAtEnd = this.#isAtEnd || isOther;
    // Nobody wants to have read out once more what stood there.
    this.#frame.setAttribute("aria-live", "off");
    setTimeout(() => this.#frame.setAttribute("aria-live", "polite"));
    this.clear();
    this.#showsChannel = isPattern(place);
    this.draw({ before: [], added: [...rows], changed: [], removed: [], pending: true, isAnew: false }, pending);
    if (wasAtEnd) return;
    this.#frame.scrollTop = this.#frame.scrollHeight - fromEnd;
    this.#isAtEnd = false;
    this.#toEnd.hidden = true;
  }

  /** Begins anew. */
  clear() {
    this.#rows.replaceChildren();
    this.#pending.replaceChildren();
    this.#byKey.clear();
    this.#newest = undefined;
    this.#oldest = undefined;
    this.#empty.hidden = false;
    this.#toEnd.hidden = true;
    this.#isAtEnd = true;
  }

  /** @param {Changes} changes @param {readonly Row[]} pending */
  draw({ before, added, changed, removed, pending: isPendingNew }, pending) {
    for (const key of removed) {
      this.#byKey.get(key)?.remove();
      this.#byKey.delete(key);
    }
    if (removed.length > 0) {
      // Its name was in the row above.
      this.#rows.firstElementChild?.classList.add("first");
      this.#oldest = undefined;
    }
    this.#drawBefore(before);
    for (const row of changed) {
      const old = this.#byKey.get(row.key);
      if (old === undefined) continue;
      const drawnAgain = this.#row(row, old.classList.contains("first"));
      old.replaceWith(drawnAgain);
      this.#byKey.set(row.key, drawnAgain);
    }
    const fresh = document.createDocumentFragment();
    for (const row of added) {
      const node = this.#row(row, !isTogether(this.#newest, row));
      this.#byKey.set(row.key, node);
      this.#newest = row;
      this.#oldest ??= row;
      fresh.append(node);
    }
    this.#rows.append(fresh);
    if (isPendingNew) {
      this.#pending.replaceChildren(
        ...pending.map((row, index) =>
          this.#row(row, !isTogether(index === 0 ? this.#newest : pending[index - 1], row))
        ),
      );
    }
    this.#empty.hidden = this.#byKey.size + pending.length > 0;
    if (this.#isAtEnd || isPendingNew && added.length === 0) this.scrollToEnd();
    else if (added.length > 0) this.#toEnd.hidden = false;
  }

  /** What was said before. What the person looks at stays where it is. @param {readonly Row[]} rows */
  #drawBefore(rows) {
    if (rows.length === 0) return;
    const nodes = rows.map((row, index) => this.#row(row, !isTogether(rows[index - 1], row)));
    rows.forEach((row, index) => this.#byKey.set(row.key, /** @type {HTMLElement} */ (nodes[index])));
    const last = rows.at(-1);
    const first = this.#rows.firstElementChild;
    if (this.#oldest !== undefined) first?.classList.toggle("first", !isTogether(last, this.#oldest));
    const fromEnd = this.#frame.scrollHeight - this.#frame.scrollTop;
    this.#rows.prepend(...nodes);
    if (!this.#isAtEnd) this.#frame.scrollTop = this.#frame.scrollHeight - fromEnd;
    this.#oldest = rows[0];
    this.#newest ??= last;
  }

  /** @param {Row} row @param {boolean} isFirst */
  #row(row, isFirst) {
    return rowElement(row, isFirst, this.#showsChannel && row.channel !== EVERYONE);
  }

  scrollToEnd() {
    this.#frame.scrollTop = this.#frame.scrollHeight;
    this.#isAtEnd = true;
    this.#toEnd.hidden = true;
  }
}

/**
 * A name's colour: the same everywhere.
 *
 * @param {HTMLElement} node
 * @param {string} name
 */
export function colourOf(node, name) {
  let hash = 7;
  for (const sign of name) hash = (hash * 31 + (sign.codePointAt(0) ?? 0)) % 3_600;
  node.style.setProperty("--hue", `${hash / 10}`);
  node.textContent = [...name][0]?.toUpperCase() ?? "?";
  return node;
}

/** @param {Row | undefined} above @param {Row} row */
function isTogether(above, row) {
  if (above === undefined || above.kind !== row.kind || above.who !== row.who) return false;
  if (above.to !== row.to || above.channel !== row.channel) return false;
  return (row.at || Date.now()) - (above.at || Date.now()) < TOGETHER_MS;
}

/** @param {Row} row @param {boolean} isFirst @param {boolean} showsChannel */
function rowElement(row, isFirst, showsChannel) {
  return row.kind === "note" || row.kind === "presence" ? aside(row) : said(row, isFirst, showsChannel);
}

/** @param {Row} row */
function aside({ kind, who, text, tone, at }) {
  const state = tone === "plain" ? undefined : tone;
  const node = element("li", { class: "row aside first", "data-state": state, title: momentText(at) });
  if (kind === "presence") node.append(element("b", { class: "stranger", text: visibleName(who) }));
  node.append(element("span", { class: "stranger", text }));
  return node;
}

/** @param {Row} row @param {boolean} isFirst @param {boolean} showsChannel */
function said({ kind, who, to, text, isJson, isOwn, at, mark, detail, channel }, isFirst, showsChannel) {
  const isDirect = kind === "direct";
  const node = element("li", {
    class: `row${isFirst ? " first" : ""}${isDirect ? " direct" : ""}${isOwn ? " own" : ""}`,
    title: [momentText(at), detail].filter(Boolean).join(" · "),
  });
  const name = who === "" ? "nobody" : who;
  node.append(
    colourOf(element("span", { class: "row-sign", "aria-hidden": "true" }), name),
    element(
      "div",
      { class: "row-head" },
      element("span", { class: "row-name stranger", text: visibleName(name) }),
      ...isDirect
        ? [
          element("span", {
            class: "row-private stranger",
            text: isOwn && to !== "" ? `to ${visibleName(to)}` : "to you",
          }),
        ]
        : [],
      ...showsChannel ? [element("span", { class: "row-channel stranger", text: channelText(channel) })] : [],
      element("time", { class: "row-time", text: at > 0 ? clock.format(at) : "" }),
    ),
    element("div", { class: `row-text stranger${isJson ? " json" : ""}`, text: shortened(text) }),
  );
  if (mark !== "") node.append(markElement(mark, detail));
  return node;
}

/** @param {keyof typeof MARKS} mark @param {string} detail */
function markElement(mark, detail) {
  const { path, word } = MARKS[mark];
  const info = mark === "refused" ? `${word}: ${detail}` : word;
  const isShown = mark === "refused";
  return element(
    "span",
    { class: "row-mark", "data-mark": mark, title: info },
    drawn(
      "svg",
      { viewBox: "0 0 24 24", "aria-hidden": "true" },
      drawn("path", {
        d: path,
        fill: "none",
        stroke: "currentColor",
        "stroke-width": 2,
        "stroke-linecap": "round",
        "stroke-linejoin": "round",
      }),
    ),
    element("span", { class: isShown ? "" : "visually-hidden", text: info }),
  );
}

/** @param {string} text */
function shortened(text) {
  if (text.length <= MAX_SHOWN_TEXT) return text;
  const more = text.length - MAX_SHOWN_TEXT;
  return `${text.slice(0, MAX_SHOWN_TEXT)} … and ${more.toLocaleString("en")} more characters`;
}

/** @param {number} at */
function momentText(at) {
  return at > 0 ? moment.format(at) : "";
}
