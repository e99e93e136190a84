// @ts-check
/**
 * What is said and heard, over all connections of one user: publications and their acknowledgements, direct messages
 * and their marks, channels that are read, what was missed. Which connection there is, is the business of
 * `line_session.js`; what arrives is taken in by `received.js`, what waits for an answer is kept by `sending.js`, and
 * which channels are wanted by `channels/joined.js`.
 */

import { channelText, EVERYONE } from "./channels/channel_name.js";
import { Joined } from "./channels/joined.js";
import { Pasts } from "./channels/pasts.js";
import { FIRST_PAGE, NEXT_PAGE } from "./past.js";
import { rawValue } from "./raw_json.js";
import { Received } from "./received.js";
import { Sending } from "./sending.js";
import { gapsText, sentenceCase } from "./words.js";

/** @typedef {import("./session_types.js").Plan} Plan */
/** @typedef {import("./session_types.js").Message} Message */
/** @typedef {import("./session_types.js").SessionEffect} SessionEffect */
/** @typedef {import("./outbox.js").Unacknowledged} Unacknowledged */

/** @type {SessionEffect} */
const SAVE = Object.freeze({ kind: "save" });

/** Why nothing is said to a channel. */
const NO_CHANNELS = "this server is of an earlier version, and knows no channels";
const PLAIN = "plain clients know no channels";

/** One user's conversation. */
export class Talk {
  #received;
  #sending;
  /** The channels that are read. */
  joined;
  #pasts = new Pasts();
  /**
   * The connection, while it is logged in.
   * @type {{ plan: Plan, hasChat: boolean, hasHistory: boolean, hasChannels: boolean } | undefined}
   */
  #open;
  /** What this connection has acknowledged, as text. */
  #acknowledged = "";

  /**
   * @param {import("./session_types.js").Saved} [saved]
   * @param {boolean} [fromStart] Whether to ask for all that is kept.
   * @param {unknown} [channels] Those of an earlier visit.
   */
  constructor(saved, fromStart = false, channels = undefined) {
    this.joined = new Joined(saved?.channels ?? channels);
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
    const channels = this.joined.all;
    const others = { received: this.#received.saved, ...this.#sending.saved };
    return channels.length === 0 ? others : { ...others, channels };
  }

  /** What was said before in a channel, or in those of a pattern. @param {string} [place] */
  pastOf(place = EVERYONE) {
    return this.#pasts.of(place);
  }

  /** What was said before to everyone. */
  get past() {
    return this.pastOf();
  }

  /** Whether the page should ask what was said before at a place that the person looks at. @param {string} place */
  lacksPast(place) {
    const { isKnown, isAsking, problem } = this.pastOf(place);
    return place !== EVERYONE && this.hasPast && this.joined.isRead(place) && !isKnown && !isAsking && problem === "";
  }

  /** Whether this server knows channels; while there is no connection, nobody knows. */
  get hasChannels() {
    return this.#open?.hasChannels ?? true;
  }

  /** Rows are no longer shown. */
  dropped() {
    this.#pasts.dropped();
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
    this.#open = {
      plan,
      hasChat: features.includes("chat"),
      hasHistory: features.includes("history"),
      hasChannels: features.includes("channels"),
    };
    this.#acknowledged = "";
    this.#sending.hear(login.lamport);
    const isNew = !this.#received.hasBegun;
    const gaps = this.#received.begin(login);
    const text = `The server no longer has some missed entries: ${gapsText(gaps)}`;
    const { refused, changes } = this.joined.opened(features, login.refused);
    return [
      ...gaps.length === 0 ? [] : [warning(text, at)],
      ...refused.map((channel) =>
        warning(
          channel === EVERYONE
            ? "You may not read what is for everyone."
            : `Not joined: ${channelText(channel)}. You may not read it.`,
          at,
        )
      ),
      ...refused.length === 0 ? [] : this.#channels(),
      ...this.#change(changes),
      ...this.#sending.waiting.flatMap((entry) => this.#transmit(entry, at)),
      // Nobody is shown an empty room. Who comes back has what was said before.
      ...isNew && !refused.includes(EVERYONE) ? this.#ask(EVERYONE, undefined, FIRST_PAGE) : [],
      SAVE,
    ];
  }

  /** Whether the server tells what was said before. */
  get hasPast() {
    return this.#open?.hasHistory ?? false;
  }

  /**
   * The person wants to see what was said before `before`, the oldest that is shown at `place`.
   * @param {string | undefined} before
   * @param {string} [place] A channel or pattern; empty for what is for everyone.
   * @returns {SessionEffect[]}
   */
  earlier(before, place = EVERYONE) {
    const past = this.pastOf(place);
    if (past.isAsking) return [];
    const isFirst = place !== EVERYONE && !past.isKnown;
    return this.#ask(place, before, isFirst ? FIRST_PAGE : NEXT_PAGE);
  }

  /** @param {string} place @param {string | undefined} before @param {number} limit @returns {SessionEffect[]} */
  #ask(place, before, limit) {
    // A server that does not know channels would tell of everyone.
    if (!this.hasPast || place !== EVERYONE && !this.joined.isRead(place)) return [];
    const isFirst = place === EVERYONE && limit === FIRST_PAGE;
    return [{ kind: "write", line: this.#pasts.ask(place, before, { limit, isFirst }) }];
  }

  /** @param {Message} message @param {string} text @param {Plan | undefined} plan @returns {SessionEffect[]} */
  #tellPast(message, text, plan) {
    const page = this.#pasts.take(message, text, plan?.username);
    if (page === undefined) return [];
    // All else is still to come live.
    const activities = page.activities.filter(({ id }) => page.isBehind || this.#received.has(id));
    return [{ kind: "past", activities, isFirst: page.isFirst }];
  }

  /**
   * The person joins a channel, or the channels of a pattern.
   * @param {string} channel One that has no problem.
   * @param {number} at
   * @returns {SessionEffect[]}
   */
  join(channel, at) {
    const changes = this.#change(this.joined.join(channel));
    const text = `${channelText(channel)} is not read here: ${NO_CHANNELS}`;
    return [...this.#channels(), ...changes, ...this.hasChannels ? [] : [warning(text, at)]];
  }

  /** The person leaves it. @param {string} channel @returns {SessionEffect[]} */
  leave(channel) {
    const changes = this.#change(this.joined.leave(channel));
    this.#pasts.forget(channel);
    return [...this.#channels(), ...changes];
  }

  /** @param {import("./channels/joined.js").Change[]} changes @returns {SessionEffect[]} */
  #change(changes) {
    const history = this.hasPast ? FIRST_PAGE : 0;
    return changes.map((change) => ({ kind: "write", line: this.#pasts.change(change, history) }));
  }

  /** @param {Message} message @param {number} at @returns {SessionEffect[]} */
  #changed(message, at) {
    const question = this.#pasts.answered(message);
    if (message.command !== "SUBSCRIBE_FAILED") {
      this.#received.stands(message.vector);
      return [SAVE];
    }
    if (question?.command !== "SUBSCRIBE") return [];
    const { channel } = question;
    // The person has left it and joined it again meanwhile: that question is answered, too.
    if (this.#pasts.isChanging(channel) || !this.joined.refused(channel)) return [];
    const text = `Not joined: ${channelText(channel)}. ${sentenceCase(String(message.info ?? ""))}.`;
    return [warning(text, at), ...this.#channels()];
  }

  /** @returns {SessionEffect[]} */
  #channels() {
    return [{ kind: "channels", channels: this.joined.all }, SAVE];
  }

  /** The connection is over, or about to be. */
  closed() {
    this.#open = undefined;
    this.joined.cutOff();
    this.#pasts.cutOff();
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
      case "SUBSCRIBED":
      case "UNSUBSCRIBED":
      case "SUBSCRIBE_FAILED":
        return this.#changed(message, at);
      case "POSITION":
        this.#received.stands(message.vector);
        return [SAVE];
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
    const entry = this.#sending.stored(messageId, id);
    if (entry === undefined) return [];
    // What the page does not read any more does not come back to it.
    const isLast = !this.joined.wants(entry.channel ?? EVERYONE);
    return [
      { kind: "stored", messageId: String(messageId), id: String(id), at, lamport, ...isLast ? { isLast } : {} },
      SAVE,
    ];
  }

  /** @param {Unacknowledged} entry @param {number} at @returns {SessionEffect[]} */
  #transmit(entry, at) {
    if (this.#open === undefined) return [];
    const { hasChannels, plan: { isPlain } } = this.#open;
    if (entry.channel !== undefined && (isPlain || !hasChannels)) {
      // It would be told to everybody.
      this.#sending.refused(entry.messageId);
      return [{ kind: "refused", messageId: entry.messageId, info: isPlain ? PLAIN : NO_CHANNELS }, SAVE];
    }
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

/** @param {string} text @param {number} at @returns {SessionEffect} */
function warning(text, at) {
  return { kind: "note", tone: "warn", text, at };
}

/** @param {import("./received.js").Arrived | undefined} arrived @returns {SessionEffect[]} */
function shown(arrived) {
  return arrived === undefined ? [SAVE] : [arrived, SAVE];
}
