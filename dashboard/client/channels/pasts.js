// @ts-check
/**
 * The pasts of all channels of the page, and which of its questions is answered next: pages of the past, and channels
 * that are read from now on or not any more, are answered in the order of the questions. Acts on nothing.
 */

import { Past } from "../past.js";
import { EVERYONE } from "./channel_name.js";

/** @typedef {import("../session_types.js").Message} Message */
/** @typedef {import("../past.js").PastActivity} PastActivity */
/**
 * Something that was asked. `hasPage`: a page of the past comes before the answer.
 * @typedef {{ readonly command: "HISTORY" | "SUBSCRIBE" | "UNSUBSCRIBE", readonly channel: string, hasPage: boolean,
 *   readonly isFirst: boolean }} Question
 */

/** Those of one page. */
export class Pasts {
  /** @type {Map<string, Past>} */
  #byChannel = new Map();
  /** Without an answer, the oldest first. @type {Question[]} */
  #asked = [];

  /** That of a channel or pattern. @param {string} channel @returns {Past} */
  of(channel) {
    let past = this.#byChannel.get(channel);
    if (past === undefined) this.#byChannel.set(channel, past = new Past(channel));
    return past;
  }

  /** Nobody looks at it any more. @param {string} channel */
  forget(channel) {
    if (channel !== EVERYONE) this.#byChannel.delete(channel);
  }

  /**
   * The line that asks for a page.
   * @param {string} channel
   * @param {string | undefined} before
   * @param {{ limit: number, isFirst: boolean }} page
   */
  ask(channel, before, { limit, isFirst }) {
    this.#asked.push({ command: "HISTORY", channel, hasPage: true, isFirst });
    return this.of(channel).ask(before, limit);
  }

  /**
   * The line that asks for a change of what the page reads.
   * @param {import("./joined.js").Change} change
   * @param {number} history So much of the past of a channel that is new; 0 for none.
   */
  change({ command, channel }, history) {
    const hasPage = command === "SUBSCRIBE" && history > 0;
    this.#asked.push({ command, channel, hasPage, isFirst: false });
    if (hasPage) this.of(channel).expect();
    return JSON.stringify({ command, channels: [channel], ...hasPage ? { history } : {} });
  }

  /**
   * A line of a page came, or its end. Gives the page when it is whole. `isBehind`: all of it is older than what comes
   * live, whatever the page has of the log.
   * @param {Message} message
   * @param {string} text The line.
   * @param {string | undefined} username Whose page this is.
   * @returns {{ activities: PastActivity[], isFirst: boolean, isBehind: boolean } | undefined}
   */
  take(message, text, username) {
    const [question] = this.#asked;
    // Whoever writes lines by hand may have asked.
    if (question === undefined || !question.hasPage) return undefined;
    const activities = this.of(question.channel).take(message, text, username);
    if (message.command !== "ACTIVITY_BROADCAST") {
      question.hasPage = false;
      if (question.command === "HISTORY") this.#asked.shift();
    }
    return activities && { activities, isFirst: question.isFirst, isBehind: question.command === "SUBSCRIBE" };
  }

  /**
   * The server has answered a change, or refuses it. Gives which.
   * @param {Message} message
   * @returns {Question | undefined} Nothing for an answer to what the page has not asked.
   */
  answered({ command, channels }) {
    const [question] = this.#asked;
    if (question === undefined || question.command === "HISTORY") return undefined;
    const isFailed = command === "SUBSCRIBE_FAILED";
    const isIt = isFailed || command === `${question.command}D` && channels?.[0] === question.channel;
    if (!isIt) return undefined;
    this.#asked.shift();
    if (question.hasPage) this.of(question.channel).cutOff();
    return question;
  }

  /** Whether a change of what is read of `channel` has no answer yet. @param {string} channel */
  isChanging(channel) {
    return this.#asked.some((one) => one.command !== "HISTORY" && one.channel === channel);
  }

  /** The connection is over: nothing that was asked is answered any more. */
  cutOff() {
    this.#asked = [];
    for (const past of this.#byChannel.values()) past.cutOff();
  }

  /** Rows are no longer shown: there may be more again. */
  dropped() {
    for (const past of this.#byChannel.values()) past.dropped();
  }
}
