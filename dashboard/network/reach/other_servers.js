/** The page's way to other servers, through the worker `elsewhere.js`. When new servers are known, a new one begins. */

const WORKER = "/assets/network/reach/elsewhere.js";

export class OtherServers {
  #worker;
  #known = "";
  /** What is shown to other servers where they want proof; empty for none. */
  pass = "";
  #ids = 0;
  /** What is done with what the worker says, by number. */
  #listeners = new Map();

  /**
   * These can be asked. To be called while the page's own server answers.
   *
   * @param {readonly string[]} bases
   */
  learn(bases) {
    const known = [...bases].sort().join(" ");
    if (known === this.#known) return;
    this.#known = known;
    this.#worker?.terminate();
    this.#worker = bases.length === 0 ? undefined : new Worker(WORKER);
    this.#worker?.addEventListener("message", ({ data }) => this.#listeners.get(data.id)?.(data));
  }

  /** `address` with the pass, if it is that of a server of the network: nobody else is shown it. */
  #withPass(address) {
    const { origin, searchParams, href } = new URL(address);
    const isKnown = this.#known.split(" ").some((base) => base !== "" && new URL(base).origin === origin);
    if (this.pass === "" || !isKnown) return address;
    return `${href}${searchParams.size === 0 ? "?" : "&"}pass=${encodeURIComponent(this.pass)}`;
  }

  /**
   * Reads a stream. What comes is told as `{ kind, data, isRefused }`.
   *
   * @param {string} address
   * @param {(told: { kind: string, data?: string, isRefused?: boolean }) => void} listener
   * @returns {() => void} ends it
   */
  read(address, listener) {
    const id = ++this.#ids;
    this.#listeners.set(id, listener);
    const worker = this.#worker;
    worker?.postMessage({ kind: "open", id, address: this.#withPass(address) });
    return () => {
      this.#listeners.delete(id);
      worker?.postMessage({ kind: "close", id });
    };
  }

  /**
   * Asks once. Resolves without an answer when nobody gives one.
   *
   * @param {string} address
   * @param {number} patienceMs
   * @returns {Promise<{ status?: number, text?: string }>}
   */
  ask(address, patienceMs) {
    const id = ++this.#ids;
    return new Promise((resolve) => {
      const done = (answer) => {
        clearTimeout(timer);
        this.#listeners.delete(id);
        resolve(answer);
      };
      // The worker may be gone by then.
      const timer = setTimeout(() => done({}), 2 * patienceMs);
      this.#listeners.set(id, done);
      this.#worker?.postMessage({ kind: "ask", id, address: this.#withPass(address), patienceMs });
    });
  }
}
