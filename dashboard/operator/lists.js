/**
 * Asks this page's own server for what operators have set. It asks again when the view says that something of it has
 * changed, and at once when this page itself has changed something.
 */

/** By name, where each list is. */
const LISTS = { rulings: "/api/rulings", roles: "/api/roles", invitations: "/api/invitations" };
/** Changes of others may follow each other closely, as invitations are used. */
const PAUSE_MS = 3_000;

export class Lists {
  #onChange;
  /** @type {import("./laid_down.js").Answers} */
  #answers = {};
  /** By list: the text of the last answer. */
  #texts = new Map();
  #isAsking = false;
  /** Whether it is to be asked again after this time: at once, or after the pause. @type {"" | "now" | "soon"} */
  #next = "";
  #pause;

  /** @param {() => void} onChange a list is another one than before */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** The newest answers: another object as soon as one of them is another one. */
  get answers() {
    return this.#answers;
  }

  /** Something may have changed. */
  look() {
    if (this.#pause === undefined && !this.#isAsking) this.lookNow();
    else if (this.#next === "") this.#next = "soon";
  }

  /** Something has changed. */
  async lookNow() {
    if (this.#isAsking) {
      this.#next = "now";
      return;
    }
    this.#isAsking = true;
    this.#next = "";
    clearTimeout(this.#pause);
    await Promise.all(Object.entries(LISTS).map(([name, path]) => this.#ask(name, path)));
    this.#isAsking = false;
    if (this.#next === "now") return this.lookNow();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#next !== "") this.lookNow();
    }, PAUSE_MS);
  }

  /** @param {string} name @param {string} path */
  async #ask(name, path) {
    try {
      const answer = await fetch(path);
      const text = answer.ok ? await answer.text() : "";
      // Who may not look, or a server that is gone, changes nothing that is shown.
      if (text === "" || text === this.#texts.get(name)) return;
      const { [name]: list, ...whole } = JSON.parse(text);
      this.#texts.set(name, text);
      this.#answers = { ...this.#answers, [name]: list ?? whole };
      this.#onChange();
    } catch {
      // The banner says that the server is gone. What it said stays.
    }
  }
}
