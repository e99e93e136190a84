// @ts-check
/**
 * What was said before the page came, page by page: what is asked for, what has come of it, and where the kept past
 * begins (docs/protocol.md, section 2.13). Acts on nothing and reads no clock.
 */

import { ANONYMOUS } from "./lines.js";
import { rawValue, withoutMember } from "./raw_json.js";

/** @typedef {import("./received.js").Arrived} Arrived */
/** @typedef {Extract<Arrived, { kind: "activity" }>} PastActivity */
/** @typedef {Record<string, any>} Message */

/** With so much the page begins. */
export const FIRST_PAGE = 20;
/** So much comes at a time when the person asks for more. */
export const NEXT_PAGE = 50;
/** A server ends each page long before; what is more is passed over. */
const MAX_LINES = 2_000;

/** The past of one conversation. */
export class Past {
  #channel;
  /** What a page has so far. @type {PastActivity[] | undefined} */
  #coming;
  /** The entry that the newest question named. @type {string | undefined} */
  #asked;
  /** Where the server goes on, for who asks with `#asked`. @type {string | undefined} */
  #next;
  #isKnown = false;
  #hasMore = true;
  #isForgotten = false;
  #problem = "";
  /** When the oldest that is kept was taken in. @type {number | undefined} */
  #beginsAt;

  /** @param {string} [channel] The channel or pattern that it is of; empty for what is for everyone. */
  constructor(channel = "") {
    this.#channel = channel;
  }

  /** Whether a page is on its way. */
  get isAsking() {
    return this.#coming !== undefined;
  }

  /** Whether a server has told anything of it. */
  get isKnown() {
    return this.#isKnown;
  }

  /** Whether there may be more before what is shown. */
  get hasMore() {
    return this.#hasMore;
  }

  /** Whether something older is no longer kept. */
  get isForgotten() {
    return this.#isForgotten;
  }

  /** Milliseconds since 1970, by the server's clock; undefined where it keeps nothing. */
  get beginsAt() {
    return this.#beginsAt;
  }

  /** Why the last page did not come, in words; empty when it did. */
  get problem() {
    return this.#problem;
  }

  /**
   * The line that asks for the page before the entry `before`; for the newest page without one.
   * @param {string | undefined} before The oldest that is shown.
   * @param {number} limit
   */
  ask(before, limit) {
    // The last page was empty, or was known: the server has looked further than to what is shown.
    const isFurther = this.#next !== undefined && before === this.#asked;
    const from = isFurther ? this.#next : before;
    this.#asked = before;
    this.#coming = [];
    this.#problem = "";
    return JSON.stringify({
      command: "HISTORY",
      limit,
      ...from === undefined ? {} : { before: from },
      ...this.#channel === "" ? {} : { channel: this.#channel },
    });
  }

  /** The newest page comes by itself. */
  expect() {
    this.#asked = undefined;
    this.#coming = [];
    this.#problem = "";
  }

  /**
   * A line of a page came, or its end. Gives the page when it is whole.
   * @param {Message} message
   * @param {string} text The line.
   * @param {string | undefined} username Whose page this is.
   * @returns {PastActivity[] | undefined}
   */
  take(message, text, username) {
    if (this.#coming === undefined) return undefined;
    switch (message.command) {
      case "ACTIVITY_BROADCAST":
        if (this.#coming.length < MAX_LINES) this.#coming.push(activityOf(message, text, username));
        return undefined;
      case "HISTORY_PAGE": {
        const page = this.#coming;
        const { more, before, begins, forgotten } = message;
        this.#coming = undefined;
        this.#isKnown = true;
        this.#next = typeof before === "string" ? before : undefined;
        this.#hasMore = more === true && this.#next !== undefined;
        this.#isForgotten = forgotten === true;
        this.#beginsAt = typeof begins?.at === "number" ? begins.at : undefined;
        return page;
      }
      case "HISTORY_FAILED":
        this.#coming = undefined;
        this.#problem = String(message.info ?? "");
        return undefined;
    }
    return undefined;
  }

  /** Rows at the beginning are no longer shown: there is more again. */
  dropped() {
    this.#hasMore = true;
    this.#next = undefined;
  }

  /** The connection is over: the rest of the page does not come. */
  cutOff() {
    this.#coming = undefined;
    // The next server may not know that entry. What is shown it does.
    this.#next = undefined;
  }
}

/** @param {Message} message @param {string} text @param {string | undefined} username @returns {PastActivity} */
function activityOf({ id, activity, lamport, sentAt, messageId, channel }, text, username) {
  const { authenticated_user: name, ...rest } = activity ?? {};
  const user = typeof name === "string" ? name : "";
  return {
    kind: "activity",
    id: String(id),
    user,
    activity: rest,
    json: withoutMember(rawValue(text, "activity") ?? "{}", "authenticated_user"),
    lamport: Number(lamport),
    at: Number(sentAt),
    messageId: typeof messageId === "string" ? messageId : undefined,
    isOwn: user !== ANONYMOUS && user === username,
    channel: typeof channel === "string" ? channel : "",
  };
}
