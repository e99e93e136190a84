// @ts-check
/**
 * The lines that the page sends (docs/protocol.md, section 2.1), and what can be said against an activity
 * before it is sent. Pure.
 */

import { isJsonObject, nestingDepth } from "./raw_json.js";

/** All features that the page can do something with, beside "scram": those of `FEATURES` in protocol/message.ts. */
export const PAGE_FEATURES = Object.freeze(["heartbeat", "presence", "ack", "resume", "chat", "history", "channels"]);

/**
 * Who logs in, and how.
 * @typedef {object} Plan
 * @property {string} username
 * @property {string} secret Empty for `anonymous`, and after a reload: then a pass takes its place.
 * @property {string} [invitation] The code of an invitation, where a new name needs one.
 * @property {boolean | "ifNew"} register Whether to register first, and what to do when the name is taken.
 * @property {boolean} isPlain Without features.
 */

/** The user of whoever names none. */
export const ANONYMOUS = "anonymous";
/** What servers take where they were not told otherwise. */
export const MAX_LINE_BYTES = 65_536;
/** How deep servers let activities be nested. */
export const MAX_DEPTH = 64;
/** Room for all that stands in a line beside the activity or the text: the names, the secret, the identity. */
const ENVELOPE_BYTES = 1_024;

const encoder = new TextEncoder();

/** @param {Plan} plan */
export function registerLine({ username, secret, invitation }) {
  return JSON.stringify({ command: "REGISTER", username, secret, invitation });
}

/**
 * @param {Plan} plan
 * @param {{ vector: Record<string, number> | undefined, redirects: number, ticket: string | undefined,
 *   pass: string | undefined, last: string | undefined, scram?: string | undefined,
 *   channels?: readonly string[] | undefined }} having
 */
export function loginLine({ username, secret, isPlain }, { vector, redirects, ticket, pass, last, scram, channels }) {
  const isNamed = username !== ANONYMOUS;
  const tells = isNamed && (secret !== "" || pass === undefined);
  return JSON.stringify({
    command: "LOGIN",
    username,
    ...scram !== undefined ? { scram } : tells ? { secret } : {},
    ...isPlain ? {} : {
      features: scram === undefined ? PAGE_FEATURES : [...PAGE_FEATURES, "scram"],
      ...channels === undefined ? {} : { channels },
      ...vector === undefined ? {} : { resume: { vector } },
      ...ticket === undefined ? {} : { ticket },
      // For the next reload. A server that has to prove itself first is shown none.
      ...isNamed ? { pass: scram === undefined && pass !== undefined ? pass : true } : {},
      ...last === undefined ? {} : { last },
    },
    ...redirects === 0 ? {} : { redirects },
  });
}

/**
 * @param {string} activity A JSON text, which goes out as it is.
 * @param {{ messageId: string, lamport: number }} stamp
 * @param {string} [channel] Everyone, where there is none.
 */
export function publishLine(activity, { messageId, lamport }, channel) {
  const head = JSON.stringify({ command: "ACTIVITY_MESSAGE", messageId, lamport, channel });
  return `${head.slice(0, -1)},"activity":${activity}}`;
}

/**
 * What a plain client says: who publishes, every time, and no identity.
 * @param {string} activity
 * @param {Plan} plan
 */
export function plainPublishLine(activity, { username, secret }) {
  const user = username === ANONYMOUS ? { username } : { username, secret };
  return `${JSON.stringify({ command: "ACTIVITY_MESSAGE", ...user }).slice(0, -1)},"activity":${activity}}`;
}

/**
 * @param {string} to
 * @param {string} text
 * @param {{ messageId: string, lamport: number }} stamp
 */
export function directLine(to, text, { messageId, lamport }) {
  return JSON.stringify({ command: "DIRECT_MESSAGE", to, text, messageId, lamport });
}

/**
 * The activity that somebody has typed, in one line; or what is wrong with it.
 * @param {string} typed
 * @param {"text" | "json"} kind
 * @returns {{ activity: string } | { problem: string }}
 */
export function activityOf(typed, kind) {
  if (kind === "text") return fitting(JSON.stringify({ text: typed.toWellFormed() }));
  const problem = jsonProblem(typed);
  // Within strings JSON has no bare line ends; between tokens they are white space.
  return problem === undefined ? fitting(typed.replace(/[\r\n]+/g, " ").trim()) : { problem };
}

/**
 * What is wrong with a text that is to be an activity, in words.
 * @param {string} text
 * @returns {string | undefined}
 */
export function jsonProblem(text) {
  try {
    JSON.parse(text);
  } catch (error) {
    return `This is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!isJsonObject(text)) return 'An activity is a JSON object: {"…": …}';
  if (nestingDepth(text) > MAX_DEPTH) return `An activity may be nested at most ${MAX_DEPTH} levels deep`;
  return undefined;
}

/**
 * Whether a text is too long to be sent in one line, in words.
 * @param {string} text
 * @returns {string | undefined}
 */
export function lengthProblem(text) {
  const bytes = encoder.encode(JSON.stringify(text)).length;
  return bytes + ENVELOPE_BYTES > MAX_LINE_BYTES ? tooLong(bytes) : undefined;
}

/** @param {string} activity */
function fitting(activity) {
  const bytes = encoder.encode(activity).length;
  return bytes + ENVELOPE_BYTES > MAX_LINE_BYTES ? { problem: tooLong(bytes) } : { activity };
}

/** @param {number} bytes */
function tooLong(bytes) {
  const most = MAX_LINE_BYTES - ENVELOPE_BYTES;
  return `This is too long for one line: ${bytes.toLocaleString("en")} bytes of at most ${most.toLocaleString("en")}`;
}
