// @ts-check
/**
 * The conversation as rows, the oldest first, and below them what is on its way. Bounded; what is dropped is counted.
 * Pure: what a row looks like is the business of `stream_view.js`.
 */

import { matches } from "./channels/channel_name.js";

/** @typedef {import("./received.js").Arrived} Arrived */
/** @typedef {import("./session_types.js").SessionEffect} SessionEffect */

/**
 * One row. `mark` is how far something of the person's own got.
 * @typedef {object} Row
 * @property {number} key Counts up; a row that changes keeps it.
 * @property {"activity" | "direct" | "presence" | "note"} kind
 * @property {string} who Who says it; empty for notes.
 * @property {string} to Whom it is for; empty for everyone.
 * @property {string} text What is said, or the JSON of it.
 * @property {boolean} isJson
 * @property {boolean} isOwn
 * @property {number} at Milliseconds since 1970; 0 where it is not known yet.
 * @property {string} tone Of notes and presence: "plain", "good", "warn".
 * @property {"" | "sending" | "sent" | "stored" | "delivered" | "refused"} mark
 * @property {string} id Of an activity, where it is known; else empty.
 * @property {string} channel Whom an activity is for; empty for everyone.
 * @property {number} lamport Of an activity, where it is known; else 0.
 * @property {string} detail For those who want to know: the identity, the Lamport time.
 */

/**
 * What changed since `takeChanges` was called last.
 * `before` came before all others, the oldest first. `isAnew`: rows came in between, so that all are to be drawn anew.
 * @typedef {{ before: Row[], added: Row[], changed: Row[], removed: number[], pending: boolean,
 *   isAnew: boolean }} Changes
 */

/** As many as a browser scrolls easily, and more than a person reads. */
export const MAX_ROWS = 500;
/** The same with what was said before, which the person asks for. */
export const MAX_ROWS_WITH_PAST = 5_000;
/** Rows that are kept for a reload, and characters of them in all. */
const KEPT_ROWS = 200;
const KEPT_CHARACTERS = 400_000;

/** Keeps the rows. */
export class StreamModel {
  /** @type {Row[]} */
  #rows = [];
  /** How many rows there are of each channel. @type {Map<string, number>} */
  #counts = new Map();
  /** By what the page calls them. @type {Map<string, Row>} */
  #pending = new Map();
  /** Direct messages of the person's own that are stored and not delivered yet. @type {Map<string, Row>} */
  #undelivered = new Map();
  #key = 0;
  #dropped = 0;
  /** The most rows now: more where the person has asked for what was said before. */
  #most = MAX_ROWS;
  /** @type {Changes} */
  #changes = noChanges();

  /** @param {readonly Row[]} [rows] From before a reload. */
  constructor(rows = []) {
    for (const row of rows) this.#add({ ...BLANK, ...row });
  }

  /** @returns {readonly Row[]} */
  get rows() {
    return this.#rows;
  }

  /** What is on its way, in order. */
  get pending() {
    return [...this.#pending.values()];
  }

  /** The oldest activity that is shown at a place. @param {string} [place] @returns {Row | undefined} */
  oldest(place = "") {
    return this.#rows.find(({ id, channel }) => id !== "" && matches(place, channel));
  }

  /** Whether no more of what was said before can be shown. */
  get isFull() {
    return this.#rows.length >= MAX_ROWS_WITH_PAST;
  }

  /** How many rows are no longer shown. */
  get dropped() {
    return this.#dropped;
  }

  /** The newest rows, for a reload: of notes, which say what happened before it, none. @returns {Row[]} */
  get kept() {
    const kept = [];
    let characters = 0;
    for (const row of this.#rows.slice(-KEPT_ROWS).reverse()) {
      characters += row.text.length;
      if (characters > KEPT_CHARACTERS) break;
      if (row.kind === "activity" || row.kind === "direct") kept.push(row);
    }
    return kept.reverse();
  }

  /**
   * Takes in what the session says. Whether it was about the conversation.
   * @param {SessionEffect} effect
   * @param {string} username Whose page this is.
   * @returns {boolean}
   */
  take(effect, username) {
    switch (effect.kind) {
      case "activity":
        return this.#activity(effect);
      case "past":
        this.#past(effect.activities, effect.isFirst);
        return true;
      case "direct": {
        const { from, to, text, at, id, lamport, wasOffline } = effect;
        const detail = `${detailOf(id, lamport)}${wasOffline ? " · it waited for you" : ""}`;
        this.#add({ ...BLANK, kind: "direct", who: from, to, text, at, detail, isOwn: from === username });
        return true;
      }
      case "sent": {
        const { messageId, to, text, channel = "" } = effect;
        const kind = to === undefined ? "activity" : "direct";
        const said = to === undefined ? saidIn(JSON.parse(text), text) : { text, isJson: false };
        const key = ++this.#key;
        this.#pending.set(messageId, {
          ...BLANK,
          ...said,
          ...{ key, kind, who: username, to: to ?? "", isOwn: true, mark: "sending", channel },
        });
        this.#changes.pending = true;
        return true;
      }
      case "stored":
        return this.#stored(effect);
      case "delivered": {
        const row = this.#undelivered.get(effect.messageId);
        this.#undelivered.delete(effect.messageId);
        if (row !== undefined) this.#change(row, { mark: "delivered" });
        return true;
      }
      case "refused": {
        const row = this.#pending.get(effect.messageId);
        if (row === undefined) return true;
        this.#pending.delete(effect.messageId);
        this.#changes.pending = true;
        this.#add({ ...row, at: 0, mark: "refused", detail: effect.info });
        return true;
      }
      case "presence": {
        const { event, username: who, at } = effect;
        const text = event === "joined" ? "joined" : event === "left" ? "left" : "lost its connection";
        this.#add({ ...BLANK, kind: "presence", who, text, at });
        return true;
      }
      case "note":
        this.#add({ ...BLANK, kind: "note", text: effect.text, at: effect.at, tone: effect.tone });
        return true;
      default:
        return false;
    }
  }

  /** What changed since the last call. @returns {Changes} */
  takeChanges() {
    const changes = this.#changes;
    this.#changes = noChanges();
    return changes;
  }

  /**
   * What was said before all that is shown.
   * @param {import("./past.js").PastActivity[]} activities The oldest first.
   * @param {boolean} isFirst Whether the person has just come.
   */
  #past(activities, isFirst) {
    const shown = new Set(this.#rows.map(({ id }) => id));
    const rows = activities.filter(({ id }) => !shown.has(id)).map((activity) => ({
      ...rowOf(activity),
      key: ++this.#key,
    }));
    if (rows.length === 0) return;
    for (const { channel } of rows) this.#count(channel, 1);
    const merged = inOrder(this.#rows, rows);
    // The past of one channel lies between what was said in others.
    const isBefore = merged[rows.length - 1] === rows.at(-1);
    if (isFirst) {
      const here = { ...BLANK, key: ++this.#key, text: "You came here", at: 0 };
      merged.splice(merged.indexOf(/** @type {Row} */ (rows.at(-1))) + 1, 0, here);
      if (isBefore) rows.push(here);
      this.#count("", 1);
    }
    this.#rows = merged;
    if (isBefore) this.#changes.before.unshift(...rows);
    else this.#changes.isAnew = true;
    // Room for what is said now.
    this.#most = Math.min(MAX_ROWS_WITH_PAST, Math.max(this.#most, this.#rows.length + MAX_ROWS / 2));
  }

  /** @param {Extract<Arrived, { kind: "activity" }>} activity */
  #activity(activity) {
    const { messageId } = activity;
    if (messageId !== undefined && this.#pending.delete(messageId)) this.#changes.pending = true;
    this.#add(rowOf(activity));
    return true;
  }

  /** @param {Extract<SessionEffect, { kind: "stored" }>} stored */
  #stored({ messageId, id, at, lamport, isLast = false }) {
    const row = this.#pending.get(messageId);
    if (row === undefined) return true;
    this.#changes.pending = true;
    if (row.kind === "activity" && !isLast) {
      // It comes with all others' in a moment; a plain client cannot tell which one it is.
      if (id === undefined) this.#pending.delete(messageId);
      else this.#pending.set(messageId, { ...row, mark: "stored" });
      return true;
    }
    this.#pending.delete(messageId);
    const stored = this.#add({ ...row, at, mark: "stored", detail: detailOf(id, lamport) });
    if (row.kind === "activity") return true;
    this.#undelivered.set(messageId, stored);
    const [oldest] = this.#undelivered.keys();
    if (this.#undelivered.size > MAX_ROWS && oldest !== undefined) this.#undelivered.delete(oldest);
    return true;
  }

  /** @param {Row} row */
  #add(row) {
    const added = { ...row, key: ++this.#key };
    this.#rows.push(added);
    this.#changes.added.push(added);
    this.#count(added.channel, 1);
    if (this.#rows.length > this.#most) this.#drop();
    return added;
  }

  /** The oldest row of the channel with the most: what is quiet is not pushed out by what is loud. */
  #drop() {
    const [loudest] = [...this.#counts].reduce((most, one) => one[1] > most[1] ? one : most);
    const [oldest] = this.#rows.splice(this.#rows.findIndex(({ channel }) => channel === loudest), 1);
    if (oldest === undefined) return;
    this.#count(loudest, -1);
    this.#dropped++;
    // What nobody saw does not have to be taken away.
    for (const unseen of [this.#changes.before, this.#changes.added]) {
      const index = unseen.indexOf(oldest);
      if (index >= 0) return void unseen.splice(index, 1);
    }
    this.#changes.removed.push(oldest.key);
  }

  /** @param {string} channel @param {number} more */
  #count(channel, more) {
    const count = (this.#counts.get(channel) ?? 0) + more;
    if (count > 0) this.#counts.set(channel, count);
    else this.#counts.delete(channel);
  }

  /** @param {Row} row @param {Partial<Row>} change */
  #change(row, change) {
    const index = this.#rows.findLastIndex(({ key }) => key === row.key);
    if (index < 0) return;
    const changed = { ...row, ...change };
    this.#rows[index] = changed;
    const unseen = this.#changes.added.findIndex(({ key }) => key === row.key);
    if (unseen >= 0) this.#changes.added[unseen] = changed;
    else this.#changes.changed.push(changed);
  }
}

/** @type {Row} */
const BLANK = Object.freeze({
  key: 0,
  kind: "note",
  who: "",
  to: "",
  text: "",
  id: "",
  channel: "",
  lamport: 0,
  isJson: false,
  isOwn: false,
  at: 0,
  tone: "plain",
  mark: "",
  detail: "",
});

/** @param {Extract<Arrived, { kind: "activity" }>} activity @returns {Row} */
function rowOf({ id, user, activity, json, lamport, at, isOwn, channel }) {
  // A direct message to a plain client.
  const { direct_message: direct, ...rest } = activity;
  const isDirect = typeof direct === "string" && Object.keys(rest).length === 0;
  const said = isDirect ? { text: direct, isJson: false } : saidIn(activity, json);
  return {
    ...BLANK,
    ...said,
    ...{ kind: isDirect ? "direct" : "activity", who: user, at, isOwn, mark: isOwn ? "stored" : "" },
    id: String(id),
    ...{ channel, lamport, detail: detailOf(id, lamport) },
  };
}

/**
 * Rows and past ones as one, each in their order: a past one stands before the first that is not earlier by Lamport's
 * clock. Rows that have no such time stay with the next that has one.
 * @param {readonly Row[]} rows
 * @param {readonly Row[]} past
 */
function inOrder(rows, past) {
  const merged = [];
  let from = 0;
  let next = 0;
  for (const [at, { id, lamport }] of rows.entries()) {
    if (id === "" || lamport === 0) continue;
    for (let one = past[next]; one !== undefined && one.lamport <= lamport; one = past[++next]) merged.push(one);
    merged.push(...rows.slice(from, at + 1));
    from = at + 1;
  }
  return [...merged, ...past.slice(next), ...rows.slice(from)];
}

/**
 * An activity's text, where that is all it has, else its JSON as it was written.
 * @param {Record<string, unknown>} activity
 * @param {string} json
 * @returns {{ text: string, isJson: boolean }}
 */
function saidIn({ text, ...rest }, json) {
  return typeof text === "string" && Object.keys(rest).length === 0
    ? { text, isJson: false }
    : { text: json, isJson: true };
}

/** @param {string | undefined} id @param {number | undefined} lamport */
function detailOf(id, lamport) {
  return [id, lamport === undefined ? undefined : `Lamport time ${lamport}`].filter(Boolean).join(" · ");
}

/** @returns {Changes} */
function noChanges() {
  return { before: [], added: [], changed: [], removed: [], pending: false, isAnew: false };
}
