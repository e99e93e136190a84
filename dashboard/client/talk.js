// @ts-check
/**
 * What is said and heard, over all connections of one user: publications and their acknowledgements, direct messages
 * and their marks, what was missed. Which connection there is, is the business of `line_session.js`; what arrives is
 * taken in by `received.js`, and what waits for an answer is kept by `sending.js`.
 */

import { FIRST_PAGE, NEXT_PAGE, Past } from "./past.js";
import { rawValue } from "./raw_json.js";
import { Received } from "./received.js";
import { Sending } from "./sending.js";
import { gapsText } from "./words.js";

/** @typedef {import("./session_types.js").Plan} Plan */
/** @typedef {import("./session_types.js").Message} Message */
/** @typedef {import("./session_types.js").SessionEffect} SessionEffect */
/** @typedef {import("./outbox.js").Unacknowledged} Unacknowledged */

/** @type {SessionEffect} */
const SAVE = Object.freeze({ kind: "save" });

/** One user's conversation. */
export class Talk {
  #received;
  #sending;
  /** What was said before. */
  past = new Past();
  #isFirstPage = false;
  /**
   * The connection, while it is logged in.
   * @type {{ plan: Plan, hasChat: boolean, hasHistory: boolean } | undefined}
   */
  #open;
  /** What this connection has acknowledged, as text. */
  #acknowledged = "";

  /**
   * @param {import("./session_types.js").Saved} [saved]
   * @param {boolean} [fromStart] Whether to ask for all that is kept.
   */
  constructor(saved, fromStart = false) {
    this.#received = new Received(fromStart ? { vector: {} } : saved?.received);
    this.#sending = new Sending(saved);
  }

  /** What the page has of each server's log; undefined when it has nothing yet. */
  get vector() {
    return this.#received.vector;
  }

  /** The page's logical time. */
  get lamport() {
    return this.#sending.lamport;
  }

  /** The newest of the page's own that the network has. */
  get last() {
    return this.#sending.last;
  }

  /** How much is not acknowledged. */
  get waiting() {
    return this.#sending.waiting.length;
  }

  /** Whether so much waits that no more should be taken. */
  get isFull() {
    return this.#sending.isFull;
  }

  get saved() {
    return { received: this.#received.saved, ...this.#sending.saved };
  }

  /**
   * A login was answered. What is not acknowledged is said again.
   * @param {Message} login
   * @param {Plan} plan
   * @param {number} at
   * @returns {SessionEffect[]}
   */
  opened(login, plan, at) {
    const features = Array.isArray(login.features) ? login.features : [];
    this.#open = { plan, hasChat: features.includes("chat"), hasHistory: features.includes("history") };
    this.#acknowledged = "";
    this.#sending.hear(login.lamport);
    const isNew = !this.#received.hasBegun;
    const gaps = this.#received.begin(login);
    const text = `The server no longer has some missed entries: ${gapsText(gaps)}`;
    return [
      ...gaps.length === 0 ? [] : [/** @type {SessionEffect} */ ({ kind: "note", tone: "warn", text, at })],
      ...this.#sending.waiting.flatMap((entry) => this.#transmit(entry, at)),
      // Nobody is shown an empty room. Who comes back has what was said before.
      ...isNew ? this.#ask(undefined, FIRST_PAGE) : [],
      SAVE,
    ];
  }

  /** Whether the server tells what was said before. */
  get hasPast() {
    return this.#open?.hasHistory ?? false;
  }

  /**
   * The person wants to see what was said before `before`, the oldest that is shown.
   * @param {string | undefined} before
   * @returns {SessionEffect[]}
   */
  earlier(before) {
    return this.past.isAsking ? [] : this.#ask(before, NEXT_PAGE);
  }

  /** @param {string | undefined} before @param {number} limit @returns {SessionEffect[]} */
  #ask(before, limit) {
    if (!this.hasPast) return [];
    this.#isFirstPage = limit === FIRST_PAGE;
    return [{ kind: "write", line: this.past.ask(before, limit) }];
  }

  /** @param {Message} message @param {string} text @param {Plan | undefined} plan @returns {SessionEffect[]} */
  #tellPast(message, text, plan) {
    const page = this.past.take(message, text, plan?.username);
    if (page === undefined) return [];
    // All else is still to come live.
    const activities = page.filter(({ id }) => this.#received.has(id));
    return [{ kind: "past", activities, isFirst: this.#isFirstPage }];
  }

  /** The connection is over, or about to be. */
  closed() {
    this.#open = undefined;
    this.past.cutOff();
    this.#received.cutOff();
  }

  /**
   * Somebody says something here.
   * @param {Unacknowledged} entry
   * @param {number} at
   * @returns {SessionEffect[]}
   */
  say(entry, at) {
    this.#sending.add(entry);
    this.#received.noteOwn(entry.messageId);
    return [{ kind: "sent", ...entry }, ...this.#transmit(entry, at), SAVE];
  }

  /**
   * All that came is before the person's eyes.
   * @returns {SessionEffect[]}
   */
  seen() {
    this.#received.markSeen();
    return this.#acknowledge();
  }

  /**
   * A line came.
   * @param {Message} message
   * @param {string} text The line.
   * @param {Plan | undefined} plan Nobody's while lines are written by hand.
   * @param {number} at
   * @returns {SessionEffect[] | undefined} Nothing when it is about something else.
   */
  take(message, text, plan, at) {
    switch (message.command) {
      case "ACTIVITY_BROADCAST":
        if (message.past === true) return this.#tellPast(message, text, plan);
        return this.#activity(message, text, plan);
      case "HISTORY_PAGE":
      case "HISTORY_FAILED":
        return this.#tellPast(message, text, plan);
      case "ACTIVITY_ACK":
        return this.#stored(message.messageId, message.id, at, undefined);
      case "DIRECT_MESSAGE":
        this.#sending.hear(message.lamport);
        return shown(this.#received.direct(message));
      case "RECEIPT":
        return this.#receipt(message, at);
      case "ACTIVITY_FAILED":
      case "DIRECT_MESSAGE_FAILED": {
        const { messageId, info } = message;
        if (!this.#sending.refused(messageId)) return [];
        return [{ kind: "refused", messageId: String(messageId), info: String(info) }, SAVE];
      }
      case "PRESENCE": {
        const { event, username, lamport } = message;
        this.#sending.hear(lamport);
        return [{ kind: "presence", event: String(event), username: String(username), at }];
      }
      case "CAUGHT_UP":
        this.#received.caughtUp(message.vector);
        return [...this.#acknowledge(), SAVE];
    }
    return undefined;
  }

  /** @param {Message} message @param {string} text @param {Plan | undefined} plan @returns {SessionEffect[]} */
  #activity(message, text, plan) {
    this.#sending.hear(message.lamport);
    const raw = rawValue(text, "activity") ?? "{}";
    const arrived = this.#received.activity(message, raw, plan?.username, plan?.isPlain ?? true);
    // What came back is in the log, whether or not somebody said so.
    if (this.#received.isOwn(String(message.messageId))) this.#sending.stored(message.messageId, message.id);
    return shown(arrived);
  }

  /** @param {Message} message @param {number} at @returns {SessionEffect[]} */
  #receipt({ messageId, of, state, id, lamport }, at) {
    this.#sending.hear(lamport);
    // The word that it was stored may have been lost; what was delivered was stored.
    const effects = this.#stored(messageId, of, at, lamport);
    if (state !== "delivered" || typeof id === "string" && !this.#received.entry(id)) return effects;
    return [...effects, { kind: "delivered", messageId: String(messageId) }, SAVE];
  }

  /**
   * @param {unknown} messageId
   * @param {unknown} id
   * @param {number} at
   * @param {number | undefined} lamport
   * @returns {SessionEffect[]}
   */
  #stored(messageId, id, at, lamport) {
    if (!this.#sending.stored(messageId, id)) return [];
    return [{ kind: "stored", messageId: String(messageId), id: String(id), at, lamport }, SAVE];
  }

  /** @param {Unacknowledged} entry @param {number} at @returns {SessionEffect[]} */
  #transmit(entry, at) {
    if (this.#open === undefined) return [];
    const { line, isOver } = this.#sending.lineOf(entry, this.#open.plan);
    const { messageId } = entry;
    return [
      { kind: "write", line },
      ...isOver
        ? [/** @type {SessionEffect} */ ({ kind: "stored", messageId, id: undefined, at, lamport: undefined })]
        : [],
    ];
  }

  /** Says which direct messages the person has seen, if that is news. @returns {SessionEffect[]} */
  #acknowledge() {
    // Before all that waited has come, what was seen is not all up to there.
    if (!this.#open?.hasChat || this.#received.isBehind) return [];
    const vector = this.#received.seen;
    const text = JSON.stringify(vector);
    if (text === this.#acknowledged || text === "{}") return [];
    this.#acknowledged = text;
    return [{ kind: "write", line: JSON.stringify({ command: "ACK", vector }) }];
  }
}

/** @param {import("./received.js").Arrived | undefined} arrived @returns {SessionEffect[]} */
function shown(arrived) {
  return arrived === undefined ? [SAVE] : [arrived, SAVE];
}
