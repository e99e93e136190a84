// @ts-check
/** What the page says about connections and people, in sentences. Pure. */

import { STATE_WORDS } from "../look/state_words.js";

const { session: SESSION } = STATE_WORDS;

/**
 * Why a connection ended, as the end of "The connection ended: …", and whether coming back helps: the table of
 * docs/protocol.md, section 2.9.
 * @type {Readonly<Record<string, { readonly sentence: string, readonly reconnect: "now" | "backoff" | "never" }>>}
 */
export const CLOSE_REASONS = Object.freeze({
  CLOSED_BY_OTHER_SIDE: { sentence: "the other side closed it", reconnect: "now" },
  CONNECTION_RESET: { sentence: "the network broke it", reconnect: "now" },
  LOGGED_OUT: { sentence: "the client logged out", reconnect: "never" },
  HEARTBEAT_TIMEOUT: { sentence: "no heartbeat was answered", reconnect: "now" },
  IDENTIFY_TIMEOUT: { sentence: "it did not log in in time", reconnect: "backoff" },
  INVALID_MESSAGE: { sentence: "it sent something that is not allowed", reconnect: "never" },
  LOGIN_FAILED: { sentence: "the login was refused", reconnect: "never" },
  REGISTER_FAILED: { sentence: "the registration was refused", reconnect: "never" },
  AUTHENTICATION_FAIL: { sentence: "it did not prove who it is", reconnect: "never" },
  FELL_BEHIND: { sentence: "the log no longer has its unread entries", reconnect: "now" },
  SERVER_STOPPING: { sentence: "the server is stopping", reconnect: "now" },
  SERVER_FAILED: { sentence: "the server cannot store anything any more", reconnect: "backoff" },
  REDIRECTED: { sentence: "another server has fewer clients", reconnect: "now" },
  NAME_LOST: { sentence: "the name belongs to another account of the network", reconnect: "never" },
  SESSION_REPLACED: { sentence: "the user logged in elsewhere", reconnect: "never" },
  DUPLICATE_LINK: { sentence: "there is another link between these servers", reconnect: "never" },
  TOO_MANY: { sentence: "its address has too many connections, or no place was left", reconnect: "backoff" },
  PEER_SILENT: { sentence: "the other server does not answer a question", reconnect: "backoff" },
  NO_SPACE: { sentence: "the server has no space for its message", reconnect: "backoff" },
  SERVER_LOST: { sentence: "its server was lost", reconnect: "now" },
  RIGHTS_CHANGED: { sentence: "what the user may do has changed", reconnect: "now" },
  ENDED_BY_OPERATOR: { sentence: "an operator of the network ended it", reconnect: "never" },
  BANNED: { sentence: "an operator of the network has banned the user or the address", reconnect: "never" },
  DISABLED: { sentence: "an operator of the network has disabled the account", reconnect: "never" },
  DELETED: { sentence: "the account was deleted", reconnect: "never" },
  SECRET_CHANGED: { sentence: "the account has another secret now", reconnect: "never" },
  TOO_OLD: { sentence: "the other server does not know the channels of this network", reconnect: "backoff" },
});

/** What a person can do about a refusal. @type {Readonly<Record<string, string>>} */
const REFUSALS = Object.freeze({
  UNKNOWN_USER: "Nobody has registered this name yet. Register it to use it.",
  LOOKS_ALIKE: "This name looks like one that exists. Try another one.",
  INVITATION: "A new name needs an invitation here, and this one is not good. Give its code.",
  CLOSED: "This server makes no accounts: ask who runs it for one.",
  WRONG_SECRET: "This is not the password that the name was registered with.",
  PASS_OVER: "The page was away for too long, or was opened twice. Give the password to go on.",
  NAME_TAKEN: "Somebody has this name already. If it is yours, log in with its password.",
  LOGGED_IN_ELSEWHERE: "This name is logged in already, and may be only once.",
});

/**
 * @param {string} reason One of `CLOSE_REASONS`, or one that only a newer server knows.
 * @param {string} [info] What the server said.
 * @returns {string}
 */
export function endSentence(reason, info = "") {
  return info !== "" ? info : rowOf(reason)?.sentence ?? reason;
}

/**
 * Whether coming back helps after a connection that ended so.
 * @param {string} reason
 * @returns {"now" | "backoff" | "never"}
 */
export function adviceFor(reason) {
  return rowOf(reason)?.reconnect ?? "now";
}

/** @param {string} reason */
function rowOf(reason) {
  return Object.hasOwn(CLOSE_REASONS, reason) ? CLOSE_REASONS[reason] : undefined;
}

/**
 * Why somebody cannot come in.
 * @param {unknown} reason
 * @param {string} info What the server said.
 * @returns {string}
 */
export function refusalSentence(reason, info) {
  const known = typeof reason === "string" && Object.hasOwn(REFUSALS, reason) ? REFUSALS[reason] : undefined;
  return known ?? `${sentenceCase(info)}.`;
}

/**
 * @param {string} text
 * @returns {string}
 */
export function sentenceCase(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * A span that somebody waits for: `"3 s"`.
 * @param {number} ms
 * @returns {string}
 */
export function waitText(ms) {
  return `${Math.max(1, Math.ceil(ms / 1000))} s`;
}

/**
 * What is no longer kept, of what was missed.
 * @param {readonly { origin: string, first: number, last: number | null }[]} gaps
 * @returns {string}
 */
export function gapsText(gaps) {
  return gaps.map(({ origin, first, last }) => {
    return `${origin} ${last === null ? `from ${first} on` : first === last ? first : `${first} to ${last}`}`;
  }).join(", ");
}

/**
 * Where the client stands, in a word.
 * @param {import("./line_session.js").LineSession} session
 * @returns {{ state: "good" | "warn" | "bad" | "quiet" | "accent", text: string }}
 */
export function stateBadge({ status, hasBeenLive, isPlain }) {
  switch (status.kind) {
    case "live":
      return { state: "good", text: isPlain ? `${SESSION.live}, plain` : SESSION.live };
    case "byHand":
      return { state: "accent", text: "by hand" };
    case "signedOut":
      return { state: "quiet", text: SESSION.signedOut };
    case "leaving":
      return { state: "quiet", text: "leaving" };
    case "ended":
      return { state: "bad", text: SESSION.ended };
    default:
      return hasBeenLive ? { state: "warn", text: SESSION.reconnecting } : { state: "quiet", text: SESSION.connecting };
  }
}

/**
 * What to say about a connection that is not there; undefined while all is well. The countdown changes every second and
 * is no news to anybody who listens.
 * @param {import("./line_session.js").LineSession} session
 * @param {number} now
 * @returns {{ state: "warn" | "bad", text: string, countdown: string, canRetry: boolean } | undefined}
 */
export function outageText({ status, gateway, lossText, failures, hasOthers, hasBeenLive }, now) {
  if (status.kind === "ended") {
    return { state: "bad", text: `${sentenceCase(status.sentence)}.`, countdown: "", canRetry: true };
  }
  const what = hasBeenLive ? `The connection was lost: ${lossText}.` : `There is no connection: ${lossText}.`;
  if (status.kind === "dialing" || status.kind === "greeting") {
    const text = lossText === "" ? `Connecting to ${gateway} …` : `${what} Calling ${gateway} …`;
    return { state: "warn", text, countdown: "", canRetry: false };
  }
  if (status.kind !== "waiting") return undefined;
  const others = hasOthers ? "" : " This page knows no other gateway.";
  const attempt = failures > 1 ? `, attempt ${failures + 1}` : "";
  return {
    state: "warn",
    text: `${what}${others}`,
    countdown: `Calling ${gateway} in ${waitText(status.until - now)}${attempt}.`,
    canRetry: true,
  };
}

/**
 * What of the past is shown. Moments are milliseconds since 1970.
 * @typedef {object} PastShown
 * @property {boolean} isAsking A page is on its way.
 * @property {boolean} hasMore There may be more before what is shown.
 * @property {boolean} isFull No more rows can be shown.
 * @property {boolean} isForgotten Something older is no longer kept.
 * @property {number | undefined} beginsAt When the oldest that is kept was taken in.
 * @property {number} oldestAt When the oldest that is shown was said; 0 where nothing is shown.
 * @property {string} problem Why the last page did not come.
 * @property {number} now
 */

/**
 * What to say of it, whether more can be asked for, and how much of the kept time is shown, from 0 to 1.
 * @param {PastShown} shown
 * @param {(at: number) => string} when A moment in words.
 * @returns {{ text: string, canAsk: boolean, progress: number | undefined }}
 */
export function pastText({ hasMore, isFull, isForgotten, beginsAt, oldestAt, problem, now }, when) {
  if (problem !== "") return { text: `It did not come: ${problem}.`, canAsk: !isFull, progress: undefined };
  const gone = isForgotten ? " What was said before that is no longer kept." : "";
  if (hasMore) {
    if (beginsAt === undefined || oldestAt === 0) return { text: "", canAsk: !isFull, progress: undefined };
    const kept = `Shown back to ${when(oldestAt)}, kept since ${when(beginsAt)}.${gone}`;
    const text = isFull ? `${kept} No more fits into this page.` : kept;
    const span = now - beginsAt;
    return { text, canAsk: !isFull, progress: span <= 0 ? 1 : Math.min(1, Math.max(0, (now - oldestAt) / span)) };
  }
  if (beginsAt === undefined) {
    return { text: "Nothing that was said before is kept.", canAsk: false, progress: undefined };
  }
  const text = isForgotten
    ? `What is kept begins here, on ${when(beginsAt)}.${gone}`
    : `This is the beginning, on ${when(beginsAt)}: nothing was said before.`;
  return { text, canAsk: false, progress: undefined };
}
