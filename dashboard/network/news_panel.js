/**
 * What happened to the network lately, in sentences, newest first. It is a log to assistive technology:
 * what is new is read out.
 */

import { byId, element } from "../dom.js";
import { isolated, plural, timeOfDay } from "../format.js";

const MOST_NEWS = 6;
/** Users that move within this span are one sentence. */
const SAME_MOVE_MS = 15_000;

export class NewsPanel {
  #list = byId("news");
  #empty = element("li", { class: "faint", text: "Nothing has happened since this page was opened." });
  /** The sentence of those who move just now, by the server that they come from. */
  #moves = new Map();

  constructor() {
    this.#list.append(this.#empty);
  }

  /**
   * @param {{ text: string, tone: string }[]} news
   * @param {number} at
   */
  tell(news, at) {
    for (const { text, tone } of news) this.#add(text, tone, at);
  }

  /**
   * Users were at `from` and are now at `to`.
   *
   * @param {{ from: string, to: string }[]} moves
   * @param {number} at
   */
  tellMoves(moves, at) {
    for (const { from, to } of moves) {
      let move = this.#moves.get(from);
      if (move === undefined || at - move.at > SAME_MOVE_MS) {
        move = { at, count: 0, to: new Map(), item: this.#add("", "good", at) };
        this.#moves.set(from, move);
      }
      move.count++;
      move.to.set(to, (move.to.get(to) ?? 0) + 1);
      const where = [...move.to].map(([name, count]) =>
        move.to.size === 1 ? isolated(name) : `${isolated(name)} (${count})`
      ).join(", ");
      move.item.lastChild.textContent = `${plural(move.count, "client")} of ${isolated(from)} moved to ${where}`;
    }
  }

  #add(text, tone, at) {
    this.#empty.remove();
    const item = element(
      "li",
      { "data-state": tone },
      element("time", { class: "faint", text: timeOfDay(at) }),
      element("span", { class: "mark", "aria-hidden": "true" }),
      element("bdi", { text }),
    );
    this.#list.prepend(item);
    while (this.#list.childElementCount > MOST_NEWS) this.#list.lastElementChild.remove();
    return item;
  }
}
