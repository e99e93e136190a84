// @ts-check
/**
 * What the page receives: what came before is left out, how far the page got is noted, and which direct messages the
 * person has seen. Lives over all connections of one user. Acts on nothing and reads no clock.
 */

import { ANONYMOUS } from "./lines.js";
import { parseEntryId, Progress, SeenKeys } from "./progress.js";
import { withoutMember } from "./raw_json.js";

/** @typedef {import("./progress.js").Vector} Vector */

/**
 * Something to show. `json` is the activity without `authenticated_user`, as it was written. `channel` is empty for
 * what is for everyone.
 * @typedef {{ kind: "activity", id: string, user: string, activity: Record<string, unknown>, json: string,
 *     lamport: number, at: number, messageId: string | undefined, isOwn: boolean, channel: string }
 *   | { kind: "direct", id: string, from: string, to: string, text: string, lamport: number, at: number,
 *     wasOffline: boolean }
 *   | { kind: "presence", event: string, username: string, at: number }} Arrived
 */

/**
 * What is kept for a reload.
 * @typedef {{ vector?: Vector | undefined, pairs?: string[], directIds?: string[], ownIds?: string[],
 *   newest?: Vector }} SavedReceived
 */

/** How much of what was seen is kept for a reload: what comes again does so soon. */
const KEPT_KEYS = 500;

/** Takes in what comes. */
export class Received {
  #progress;
  /** Who sent it and what the sender calls it: two servers may have taken the same. */
  #pairs;
  /** Those that waited have no place among what comes in order. */
  #directIds;
  /** What this page called its own. */
  #ownIds;
  /** What came while the page was a plain client, which keeps no vector. */
  #plainIds = new SeenKeys();
  /** The newest direct message of each origin. @type {Vector} */
  #newest;
  /** The same, as far as the person has seen them. @type {Vector} */
  #seen;

  /** @param {SavedReceived} [saved] */
  constructor({ vector, pairs, directIds, ownIds, newest } = {}) {
    this.#progress = new Progress(vector);
    this.#pairs = new SeenKeys(pairs);
    this.#directIds = new SeenKeys(directIds);
    this.#ownIds = new SeenKeys(ownIds);
    this.#newest = { ...newest };
    this.#seen = { ...newest };
  }

  /** Whether the page has been there before, and knows what it has. */
  get hasBegun() {
    return this.#progress.received !== undefined;
  }

  /** Whether the entry `id` has come, or was there before the page: it does not come any more. @param {string} id */
  has(id) {
    const entry = parseEntryId(id);
    return entry !== undefined && entry.sequence <= (this.#progress.received?.[entry.origin] ?? 0);
  }

  /** What to ask for the rest of; `undefined` when there is nothing yet. */
  get vector() {
    return this.#progress.received;
  }

  /** Whether some of what was missed is still to come. */
  get isBehind() {
    return this.#progress.isBehind;
  }

  /** The direct messages that the person has seen, and all before them. */
  get seen() {
    return this.#seen;
  }

  /** @returns {SavedReceived} */
  get saved() {
    return {
      vector: this.vector,
      pairs: this.#pairs.newest(KEPT_KEYS),
      directIds: this.#directIds.newest(KEPT_KEYS),
      ownIds: this.#ownIds.newest(KEPT_KEYS),
      newest: this.#newest,
    };
  }

  /**
   * A server has answered the login. Returns what of it is no longer kept.
   * @param {Record<string, any>} login
   * @returns {{ origin: string, first: number, last: number | null }[]}
   */
  begin({ serverId, resume, features }) {
    if (resume === undefined) return [];
    const isTold = Array.isArray(features) && (features.includes("chat") || features.includes("channels"));
    const replayed = Number(resume.replayed);
    const renumbered = this.#progress.begin({ serverId, vector: { ...resume.vector }, replayed, isTold });
    if (renumbered !== undefined) {
      // What was seen under these numbers says nothing of the messages that get them now.
      delete this.#newest[renumbered];
      delete this.#seen[renumbered];
    }
    return Array.isArray(resume.gap) ? resume.gap : [];
  }

  /** @param {Vector} vector */
  caughtUp(vector) {
    this.#progress.caughtUp({ ...vector });
  }

  /** All up to there has come, or was not for this page. @param {Vector} vector */
  stands(vector) {
    this.#progress.stands({ ...vector });
  }

  /** The connection is over. */
  cutOff() {
    this.#progress.cutOff();
  }

  /** All that came is before the person's eyes. */
  markSeen() {
    this.#seen = { ...this.#newest };
  }

  /** @param {string} messageId Of something that this page says. */
  noteOwn(messageId) {
    this.#ownIds.isNew(messageId);
  }

  /** @param {string} messageId */
  isOwn(messageId) {
    return this.#ownIds.has(messageId);
  }

  /** Something else came that has its place in the log. Whether it is new. @param {string} id */
  entry(id) {
    return this.#progress.receive(id);
  }

  /**
   * Somebody has published.
   * @param {Record<string, any>} message
   * @param {string} raw The activity's text as it came.
   * @param {string | undefined} username Whose page this is.
   * @param {boolean} isPlain Whether the page keeps no vector now.
   * @returns {Arrived | undefined} Nothing when it came before.
   */
  activity({ id, activity, lamport, sentAt, messageId, channel }, raw, username, isPlain) {
    // A plain client has no vector; what it shows is left out when the page asks for it later.
    const isNew = isPlain ? this.#plainIds.isNew(id) : this.#progress.receive(id) && !this.#plainIds.has(id);
    if (!isNew) return undefined;
    const { authenticated_user: name, ...rest } = activity ?? {};
    const user = typeof name === "string" ? name : "";
    const hasId = typeof messageId === "string";
    if (hasId && !this.#pairs.isNew(`${user}\n${messageId}`)) return undefined;
    return {
      kind: "activity",
      id,
      user,
      activity: rest,
      json: withoutMember(raw, "authenticated_user"),
      lamport,
      at: sentAt,
      messageId: hasId ? messageId : undefined,
      isOwn: hasId && this.isOwn(messageId) || user !== ANONYMOUS && user === username,
      channel: typeof channel === "string" ? channel : "",
    };
  }

  /**
   * Somebody has written to this user.
   * @param {Record<string, any>} message
   * @returns {Arrived | undefined} Nothing when it came before.
   */
  direct({ id, from, to, text, lamport, sentAt, messageId, offline = false }) {
    // One that waited is older than much of what the page has.
    if (!offline && !this.#progress.receive(id)) return undefined;
    const entry = parseEntryId(id);
    if (entry === undefined) return undefined;
    const { origin, sequence } = entry;
    this.#newest[origin] = Math.max(this.#newest[origin] ?? 0, sequence);
    // A server that lost its newest entries gives their numbers to others.
    if (!this.#directIds.isNew([id, lamport, sentAt, messageId].join(" "))) return undefined;
    if (typeof messageId === "string" && !this.#pairs.isNew(`${from}\n${messageId}`)) return undefined;
    return {
      kind: "direct",
      id,
      from: String(from),
      to: String(to),
      text: String(text),
      lamport,
      at: sentAt,
      wasOffline: offline,
    };
  }
}
