/**
 * Asks servers that are lost to the one that answers how they are, as far as this browser can reach them. It shows
 * whether they are dead, or on the other side of a partition.
 */

import { silentServers } from "./partition.js";

const INTERVAL_MS = 4_000;
const PATIENCE_MS = 3_000;
/** A server that wants its token is alive, and each question is an error in the browser's console. */
const CLOSED_MS = 30_000;
/** Servers that are asked in one round. */
const MOST_ASKED = 8;

export class LostServers {
  /** By server: what it has answered in the last round. */
  answers = new Map();
  #look;
  #changed;
  #others;
  #isAsking = false;
  /** When servers that do not let this page look may be asked again. */
  #closedUntil = new Map();

  /**
   * @param {() => { view: import("../../../view/network_view.ts").NetworkView | undefined,
   *   bases: ReadonlyMap<string, string> }} look the view by then, and where servers can be asked
   * @param {import("./other_servers.js").OtherServers} others the way to them
   * @param {() => void} changed
   */
  constructor(look, others, changed) {
    this.#others = others;
    this.#look = look;
    this.#changed = changed;
    setInterval(() => this.ask(), INTERVAL_MS);
  }

  /** Asks those that are lost now. */
  async ask() {
    const { view, bases } = this.#look();
    if (view === undefined || this.#isAsking || document.hidden) return;
    const lost = silentServers(view).filter((id) => bases.has(id)).slice(0, MOST_ASKED);
    if (lost.length === 0 && this.answers.size === 0) return;
    this.#isAsking = true;
    try {
      const answers = await Promise.all(lost.map(async (id) => [id, await this.#answerOf(bases.get(id), id)]));
      this.answers = new Map(answers.filter(([, answer]) => answer !== undefined));
      this.#changed();
    } finally {
      this.#isAsking = false;
    }
  }

  async #answerOf(base, id) {
    if (Date.now() < (this.#closedUntil.get(id) ?? 0)) return "closed";
    const { status, text } = await this.#others.ask(`${base}/api/network?only=servers`, PATIENCE_MS);
    const answer = status === 401 ? "closed" : viewIn(text, id);
    if (answer === "closed") this.#closedUntil.set(id, Date.now() + CLOSED_MS);
    return answer;
  }
}

/** The view in an answer of the server `id`; `undefined` where nobody answered, or another server. */
function viewIn(text, id) {
  try {
    const { from, servers } = JSON.parse(text);
    return from === id && typeof servers === "object" && servers !== null ? { from, servers } : undefined;
  } catch {
    // No answer, or that of another program.
    return undefined;
  }
}
