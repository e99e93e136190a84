// @ts-check
/**
 * The channels and patterns that the page reads beside what is for everyone, over all its connections: a login names
 * them, and what changes between two logins is asked for. Decides; sends nothing (`talk.js` does).
 */

import { EVERYONE, matches, normalName, patternProblem } from "./channel_name.js";

/**
 * What the server is to be asked: one at a time, so that one that is refused does not stand in the way of others.
 * @typedef {{ readonly command: "SUBSCRIBE" | "UNSUBSCRIBE", readonly channel: string }} Change
 */

/** As many as a person can look after. Servers take 1,000 where they were not told otherwise. */
export const MAX_JOINED = 100;

/** What one page reads. */
export class Joined {
  /** In the order in which the person joined. @type {string[]} */
  #wanted;
  /** What the login of this connection names. @type {readonly string[]} */
  #named = [];
  /**
   * What the server was told on this connection; nothing while it does not know channels.
   * @type {Set<string> | undefined}
   */
  #told;
  /** A server takes fewer: the next login names none, and each is asked for by itself. */
  #isCareful = false;

  /** @param {unknown} [kept] From before; anything may stand in a browser's storage. */
  constructor(kept) {
    this.#wanted = joinable(kept);
  }

  /** What the person wants, in order. A copy. */
  get all() {
    return [...this.#wanted];
  }

  /**
   * What the next login says; nothing where the page reads what is for everyone alone.
   * @returns {string[] | undefined}
   */
  login() {
    this.#told = undefined;
    this.#named = this.#isCareful ? [] : this.all;
    return this.#named.length === 0 ? undefined : [EVERYONE, ...this.#named];
  }

  /** The server takes fewer than the login has named. Whether another login may do better. */
  tooMany() {
    const isNamed = this.#named.length > 0;
    this.#isCareful ||= isNamed;
    return isNamed;
  }

  /**
   * The login was answered.
   * @param {readonly string[]} features Those in force.
   * @param {unknown} refused Those of the named ones that this user may not read; what is for everyone may be among
   * them, whether or not it was named.
   * @returns {{ refused: string[], changes: Change[] }}
   */
  opened(features, refused) {
    this.#isCareful = false;
    if (!features.includes("channels")) return { refused: [], changes: [] };
    const gone = Array.isArray(refused) ? [EVERYONE, ...this.#named].filter((one) => refused.includes(one)) : [];
    this.#told = new Set(this.#named.filter((pattern) => !gone.includes(pattern)));
    this.#wanted = this.#wanted.filter((pattern) => !gone.includes(pattern));
    return { refused: gone, changes: this.#untold() };
  }

  /**
   * The person joins.
   * @param {string} pattern One that has no problem.
   * @returns {Change[]}
   */
  join(pattern) {
    if (!this.#wanted.includes(pattern) && this.#wanted.length < MAX_JOINED) this.#wanted.push(pattern);
    return this.#untold();
  }

  /** The person leaves. @param {string} pattern @returns {Change[]} */
  leave(pattern) {
    this.#wanted = this.#wanted.filter((one) => one !== pattern);
    return this.#untold();
  }

  /** The server does not let the page read it. Whether the person still wanted to. @param {string} pattern */
  refused(pattern) {
    this.#told?.delete(pattern);
    const wasWanted = this.#wanted.includes(pattern);
    this.#wanted = this.#wanted.filter((one) => one !== pattern);
    return wasWanted;
  }

  /** The connection is over. */
  cutOff() {
    this.#told = undefined;
  }

  /** Whether the person wants just this. @param {string} pattern */
  has(pattern) {
    return this.#wanted.includes(pattern);
  }

  /** Whether this server is asked for it. @param {string} pattern */
  isRead(pattern) {
    return this.#told?.has(pattern) ?? false;
  }

  /** Whether the page is to get what is of `channel`. @param {string} channel */
  wants(channel) {
    return channel === EVERYONE || this.#wanted.some((pattern) => matches(pattern, channel));
  }

  /** @returns {Change[]} */
  #untold() {
    const told = this.#told;
    if (told === undefined) return [];
    this.#told = new Set(this.#wanted);
    return [
      ...this.#wanted.filter((pattern) => !told.has(pattern)).map((channel) => changeOf("SUBSCRIBE", channel)),
      ...[...told].filter((pattern) => !this.#wanted.includes(pattern))
        .map((channel) => changeOf("UNSUBSCRIBE", channel)),
    ];
  }
}

/**
 * What a person has typed to join, as servers compare it; or what is wrong with it, as a sentence. A `#` before it
 * is only how the page writes channels.
 * @param {string} typed
 * @param {readonly string[]} joined
 * @returns {{ pattern: string } | { problem: string }}
 */
export function readJoin(typed, joined) {
  const pattern = normalName(typed.trim().replace(/^#/, ""));
  const problem = pattern === "" ? "the name of a channel is empty" : patternProblem(pattern);
  if (problem !== undefined) return { problem: `This cannot be joined: ${problem}.` };
  if (joined.length >= MAX_JOINED && !joined.includes(pattern)) {
    return { problem: `This page reads ${MAX_JOINED} channels already. Leave one first.` };
  }
  return { pattern };
}

/** @param {unknown} kept @returns {string[]} */
function joinable(kept) {
  if (!Array.isArray(kept)) return [];
  const texts = kept.filter((one) => typeof one === "string").map(normalName);
  const names = texts.filter((one) => one !== EVERYONE && patternProblem(one) === undefined);
  return [...new Set(names)].slice(0, MAX_JOINED);
}

/** @param {Change["command"]} command @param {string} channel @returns {Change} */
function changeOf(command, channel) {
  return { command, channel };
}
