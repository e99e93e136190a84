// @ts-check
/**
 * Whom a text is for that somebody has typed: `NAME: text` goes to NAME alone and `#NAME text` to a channel, as in the
 * terminal client, whose rules these are (client/terminal/chat/typed_line.ts; a test holds one against the other).
 * Pure.
 */

import { channelProblem, channelText, normalName } from "./channels/channel_name.js";
import { sentenceCase } from "./words.js";

/**
 * What is to be done about a text. `direct`: the text may be empty still. `unknown`: it names somebody of whom the page
 * has not heard, so neither everyone nor anyone is to get it. `channel`: its name, as
 * servers compare it; the page need not read it. `mistake`: it was meant otherwise; for people.
 * @typedef {{ kind: "say", text: string } | { kind: "direct", to: string, text: string }
 *   | { kind: "channel", channel: string, text: string } | { kind: "unknown", to: string }
 *   | { kind: "mistake", info: string }} Addressed
 */

/** What stands before a text for everyone that would mean something else. */
const SAY = "/say";
/** The longest name of a channel: 128 characters, each of at most two units. */
const MAX_NAME_UNITS = 256;

/**
 * Reads a text without the space around it. `NAME:` needs a space behind it, so that an address of the web or a time of
 * day is a text, unless `isUser` knows the name: then it must not be told to everyone. A name is in one line.
 * @param {string} typed
 * @param {(name: string) => boolean} isUser
 * @param {(name: string) => boolean} [isChannel] Of a channel that it does not know, the name has no spaces.
 * @returns {Addressed}
 */
export function readAddressed(typed, isUser, isChannel = () => false) {
  const line = typed.trim();
  if (line.startsWith("/")) return readSlashed(line);
  const channel = readMarked(line, isChannel);
  const colon = line.indexOf(":");
  const to = line.slice(0, Math.max(0, colon)).trim();
  // A user may have such a name, too: what is for one is not told to many.
  if (channel !== undefined && !isUser(to)) return channel;
  if (to === "" || /[\r\n]/.test(to)) return { kind: "say", text: typed };
  const text = line.slice(colon + 1);
  const isKnown = isUser(to);
  if (!isKnown && (!/^(?:\s|$)/.test(text) || /[\\/"]/.test(to))) return { kind: "say", text: typed };
  return isKnown ? { kind: "direct", to, text: text.trim() } : { kind: "unknown", to };
}

/**
 * `#NAME text`; nothing for what begins like that by chance, as a heading does.
 * @param {string} line
 * @param {(name: string) => boolean} isChannel
 * @returns {Addressed | undefined}
 */
function readMarked(line, isChannel) {
  const [, first] = /^#([^\s#]\S*)/.exec(line) ?? [];
  if (first === undefined) return undefined;
  const name = knownName(line, isChannel) ?? first;
  const text = line.slice(name.length + 1).trim();
  // As before a message to a user.
  const channel = normalName(isChannel(normalName(name)) ? name : name.replace(/(?<=.):$/, ""));
  const problem = channelProblem(channel);
  if (problem !== undefined) return { kind: "mistake", info: `${sentenceCase(problem)}.` };
  if (text === "") return { kind: "mistake", info: `There is no text for ${channelText(channel)}` };
  return { kind: "channel", channel, text };
}

/**
 * The longest known name that `line` begins with: it may have spaces.
 * @param {string} line
 * @param {(name: string) => boolean} isChannel
 */
function knownName(line, isChannel) {
  const near = line.slice(1, MAX_NAME_UNITS + 2);
  const starts = [...near.matchAll(/\s|$/g)].map(({ index }) => near.slice(0, index));
  return starts.findLast((start) => isChannel(normalName(start)));
}

/** What begins with a slash is never said by mistake. @param {string} line @returns {Addressed} */
function readSlashed(line) {
  if (line.startsWith("//")) return { kind: "say", text: line.slice(1) };
  const [word = ""] = line.split(/\s/, 1);
  const text = line.slice(SAY.length).trim();
  if (word !== SAY) return { kind: "mistake", info: `To say it, type ${SAY} before it` };
  return text === "" ? { kind: "mistake", info: "There is no text to say" } : { kind: "say", text };
}
