// @ts-check
/**
 * Names of channels, and patterns of names, as `protocol/channels/channel_name.ts` has them; a test holds one against
 * the other. Pure.
 */

import { visibleName } from "../../format.js";

/** Stands for what has no channel: what is for everyone. */
export const EVERYONE = "";
/** Longest name and longest pattern, in characters (code points). */
const MAX_CHARACTERS = 128;
/** Control characters and separators of lines. UTF-8 cannot encode half of a pair. */
const FORBIDDEN = /[\p{Cc}\u2028\u2029]|\p{Cs}/u;

/**
 * As servers compare names.
 * @param {string} text
 */
export function normalName(text) {
  return text.normalize("NFC");
}

/**
 * Why `name`, which is normal, is no name of a channel, in words.
 * @param {string} name
 * @returns {string | undefined}
 */
export function channelProblem(name) {
  if (name === "") return "the name of a channel is empty";
  if ([...name].length > MAX_CHARACTERS) return `the name of a channel is longer than ${MAX_CHARACTERS} characters`;
  if (name.includes("*")) return "the name of a channel has a *";
  if (FORBIDDEN.test(name)) return "the name of a channel has a control character";
  const hasEmptyLevel = name.startsWith("/") || name.endsWith("/") || name.includes("//");
  return hasEmptyLevel ? "the name of a channel has an empty level" : undefined;
}

/**
 * Why `pattern`, which is normal, is no pattern, in words.
 * @param {string} pattern
 * @returns {string | undefined}
 */
export function patternProblem(pattern) {
  if ([...pattern].length > MAX_CHARACTERS) return `a pattern of channels is longer than ${MAX_CHARACTERS} characters`;
  if (["", "*", "**"].includes(pattern)) return undefined;
  const { base } = readPattern(pattern);
  if (base.includes("*")) return "a pattern of channels may end in /* or /**, and has no other *";
  return channelProblem(base);
}

/** Whether `pattern` may stand for more than one channel. @param {string} pattern */
export function isPattern(pattern) {
  return readPattern(pattern).kind !== "name";
}

/**
 * Whether `pattern` stands for `name`, which is empty where there is no channel.
 * @param {string} pattern
 * @param {string} name
 */
export function matches(pattern, name) {
  const { kind, base } = readPattern(pattern);
  if (kind === "name") return name === base;
  if (kind === "level") return name !== "" && name.slice(0, Math.max(0, name.lastIndexOf("/"))) === base;
  return base === "" || name === base || name.startsWith(`${base}/`);
}

/**
 * How a channel or a pattern stands in a sentence: what is invisible in it is shown.
 * @param {string} name
 */
export function channelText(name) {
  return name === EVERYONE ? "everyone" : `#${visibleName(name)}`;
}

/** @param {string} pattern @returns {{ kind: "name" | "level" | "rest", base: string }} */
function readPattern(pattern) {
  if (pattern === "*") return { kind: "level", base: "" };
  if (pattern === "**") return { kind: "rest", base: "" };
  if (pattern.endsWith("/**")) return { kind: "rest", base: pattern.slice(0, -3) };
  if (pattern.endsWith("/*")) return { kind: "level", base: pattern.slice(0, -2) };
  return { kind: "name", base: pattern };
}
