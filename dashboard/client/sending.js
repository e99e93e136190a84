// @ts-check
/**
 * What the page says, and its Lamport time: keeps what has no answer yet over all connections, and makes the line of
 * each as it is sent. Which connection there is, is the business of `line_session.js`.
 */

import { directLine, plainPublishLine, publishLine } from "./lines.js";
import { Outbox } from "./outbox.js";

/** @typedef {import("./outbox.js").Unacknowledged} Unacknowledged */
/** @typedef {import("./lines.js").Plan} Plan */

/** Lives over all connections of one user. */
export class Sending {
  #outbox;
  #lamport;
  /** @type {string | undefined} */
  #last;

  /** @param {{ outbox: readonly Unacknowledged[], lamport: number, last: string | undefined }} [saved] */
  constructor({ outbox, lamport, last } = { outbox: [], lamport: 0, last: undefined }) {
    this.#outbox = new Outbox(outbox);
    this.#lamport = lamport;
    this.#last = last;
  }

  /** The page's logical time. */
  get lamport() {
    return this.#lamport;
  }

  /** The newest of the page's own that the network has: what it publishes next comes after that, for everybody. */
  get last() {
    return this.#last;
  }

  /** What is not acknowledged, the oldest first. */
  get waiting() {
    return this.#outbox.all;
  }

  /** Whether so much waits that no more should be taken. */
  get isFull() {
    return this.#outbox.isFull;
  }

  get saved() {
    return { outbox: this.#outbox.all, lamport: this.#lamport, last: this.#last };
  }

  /** Something came that was sent at `lamport`. @param {unknown} lamport */
  hear(lamport) {
    this.#lamport = Math.max(this.#lamport, typeof lamport === "number" ? lamport : 0) + 1;
  }

  /** @param {Unacknowledged} entry */
  add(entry) {
    this.#outbox.add(entry);
  }

  /**
   * The server has it, as `id`. Gives it, if it was waited for.
   * @param {unknown} messageId
   * @param {unknown} id
   */
  stored(messageId, id) {
    const entry = this.#outbox.remove(String(messageId));
    if (entry !== undefined && typeof id === "string") this.#last = id;
    return entry;
  }

  /** Nobody takes it. Gives it, if it was waited for. @param {unknown} messageId */
  refused(messageId) {
    return this.#outbox.remove(String(messageId));
  }

  /**
   * The line of `entry`, to be sent now. `isOver`: nothing will tell that it arrived, so it is not kept any more.
   * @param {Unacknowledged} entry
   * @param {Plan} plan
   * @returns {{ line: string, isOver: boolean }}
   */
  lineOf({ messageId, to, text, channel }, plan) {
    if (to === undefined && plan.isPlain) {
      this.#outbox.remove(messageId);
      return { line: plainPublishLine(text, plan), isOver: true };
    }
    const stamp = { messageId, lamport: ++this.#lamport };
    return { line: to === undefined ? publishLine(text, stamp, channel) : directLine(to, text, stamp), isOver: false };
  }
}
