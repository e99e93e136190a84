/**
 * Carries out what `line_session.js` decides: one WebSocket at a time, one timer, and the question to the gateway which
 * other gateways there are. Tells what is to be shown.
 */

import { changeAccount } from "./account/account_change.js";
import { openWire } from "./account/wire.js";
import { answer, forget, newKeysOf, newNonce, sealedAnswer } from "./derivation.js";
import { lineUrl, withPass } from "./gateways.js";
import { LineSession } from "./line_session.js";

/** @typedef {import("./session_types.js").SessionEvent} SessionEvent */
/** @typedef {import("./session_types.js").SessionEffect} SessionEffect */

/**
 * @template T
 * @typedef {T extends unknown ? Omit<T, "at" | "chance"> : never} Timeless
 */

/**
 * Who is told.
 * @typedef {object} Listener
 * @property {(effect: SessionEffect) => void} onEffect
 * @property {(direction: "in" | "out" | "note", line: string) => void} onLine
 * @property {() => void} onChange The session is another one now.
 */

/** How often the gateway is asked for the others. */
const POLL_MS = 10_000;
/** How often it is asked for a pass, which is good for five minutes. */
const PASS_MS = 60_000;

/** Runs the client of a page. */
export class LineClient {
  /** What the client knows and decides. */
  session;
  #listener;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isPolling = false;
  #isToldNames = true;
  #home;
  /** What is shown to other gateways where they want proof; empty for none. The page's own knows it by its cookie. */
  #pass = "";
  #passAt = -Infinity;

  /**
   * @param {import("./gateways.js").Home} home
   * @param {Listener} listener
   */
  constructor(home, listener) {
    this.session = new LineSession(home);
    this.#home = home;
    this.#listener = listener;
    // Nobody looks at a page that is hidden; it asks when it connects.
    setInterval(() => document.hidden || this.#poll(), POLL_MS);
    this.#poll();
  }

  /** Hands something in. @param {Timeless<SessionEvent>} event */
  take(event) {
    const effects = this.session.take(/** @type {SessionEvent} */ ({ ...event, at: now(), chance: Math.random() }));
    for (const effect of effects) this.#act(effect);
    this.#wakeLater();
    this.#listener.onChange();
  }

  /**
   * Changes the account of whoever is logged in, at the server of the page; deletes it where there is no new secret.
   *
   * @param {string} secret The one of now.
   * @param {string | undefined} newSecret
   * @returns {Promise<import("./account/account_change.js").Outcome>}
   */
  async changeAccount(secret, newSecret) {
    const { username = "", gateway } = this.session;
    this.#listener.onLine("note", "connecting once more, to change the account");
    const wire = await openWire(withPass(lineUrl(gateway, this.#home), this.#pass, this.#home));
    if (wire === undefined) return { isDone: false, reason: "NO_ANSWER", info: `${gateway} does not answer` };
    const parts = { nonce: newNonce, keysOf: newKeysOf, answer: sealedAnswer };
    this.take({ kind: "changing", newSecret });
    let isDone = false;
    try {
      const outcome = await changeAccount({ username, secret, newSecret }, wire, parts);
      ({ isDone } = outcome);
      return outcome;
    } finally {
      this.take({ kind: "changed", isDone });
    }
  }

  /** @param {SessionEffect} effect */
  #act(effect) {
    switch (effect.kind) {
      case "dial":
        return this.#dial(effect.url);
      case "write":
        return this.#write(effect.line);
      case "hangUp":
        return this.#hangUp();
      case "poll":
        return this.#poll();
      case "prove":
        return this.#prove(effect);
      case "forget":
        forget();
        return this.#listener.onEffect(effect);
      default:
        this.#listener.onEffect(effect);
    }
  }

  /** @param {string} url */
  #dial(url) {
    this.#listener.onLine("note", `connecting to ${url}`);
    /** @type {WebSocket} */
    let socket;
    try {
      socket = this.#socket = new WebSocket(withPass(url, this.#pass, this.#home));
    } catch (error) {
      // The browser does not allow it. That is no other than a server that does not answer, but it must not be
      // one within this event.
      this.#listener.onLine("note", `not allowed to connect there: ${error instanceof Error ? error.message : error}`);
      setTimeout(() => this.take({ kind: "closed" }));
      return;
    }
    // One that was given up has no say any more.
    const isCurrent = () => socket === this.#socket;
    socket.onopen = () => isCurrent() && this.take({ kind: "opened", nonce: newNonce() });
    socket.onmessage = ({ data }) => {
      if (!isCurrent()) return;
      const text = String(data);
      this.#listener.onLine("in", text);
      this.take({ kind: "line", text });
    };
    const onOver = (/** @type {string} */ note) => {
      if (!isCurrent()) return;
      this.#socket = undefined;
      this.#listener.onLine("note", note);
      this.take({ kind: "closed" });
    };
    // After an error comes a close as a rule; not where the page's policy forbids the connection.
    socket.onerror = () => onOver("the connection broke, or could not be made");
    socket.onclose = () => onOver("the server closed the connection");
  }

  /** @param {Extract<SessionEffect, { kind: "prove" }>} effect */
  #prove({ first, question, secret }) {
    answer(question, secret).then(
      (proofs) => this.take({ kind: "proved", first, ...proofs }),
      (error) => this.take({ kind: "notProved", first, why: `no key can be derived: ${error}` }),
    );
  }

  /** @param {string} line */
  #write(line) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#listener.onLine("out", line);
    this.#socket.send(line);
  }

  #hangUp() {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #wakeLater() {
    clearTimeout(this.#timer);
    const { wakeAt } = this.session;
    if (wakeAt === undefined) return;
    const asked = now();
    const delayMs = Math.max(0, wakeAt - asked);
    this.#timer = setTimeout(() => {
      this.take({ kind: "woke", lateMs: Math.max(0, now() - asked - delayMs) });
    }, delayMs);
  }

  async #poll() {
    if (this.#isPolling) return;
    this.#isPolling = true;
    try {
      const answer = await this.#askForNetwork();
      if (answer.ok) this.take({ kind: "learned", view: await answer.json() });
      if (answer.ok && this.#isToldNames && now() - this.#passAt >= PASS_MS) await this.#renewPass();
    } catch {
      // The page's own gateway is gone, which is when the others are needed: what was learned last stands.
    } finally {
      this.#isPolling = false;
    }
  }

  /** Not everybody is told who there is. Where else to go on is told to all who may open the page. */
  async #askForNetwork() {
    const ask = (/** @type {string} */ url) => fetch(url, { headers: { accept: "application/json" } });
    if (this.#isToldNames) {
      const answer = await ask("/api/network");
      if (answer.status !== 401) return answer;
    }
    const answer = await ask("/api/network?only=servers");
    this.#isToldNames = !answer.ok;
    return answer;
  }

  async #renewPass() {
    const answer = await fetch("/api/pass");
    if (!answer.ok) return;
    const { pass } = await answer.json();
    this.#pass = typeof pass === "string" ? pass : "";
    this.#passAt = now();
  }
}

/** Milliseconds since 1970 on a clock that nobody sets: spans are measured with it. */
function now() {
  return Math.round(performance.timeOrigin + performance.now());
}
