// @ts-check
/**
 * Parts of a JSON text as they were written: 1.0 stays 1.0, and 9007199254740993 keeps its last digit. What is
 * shown is cut from the text and not written out from what JSON.parse made of it. Also hides secrets in lines
 * that are shown. Pure.
 *
 * But for `masked`, every function here expects a text that JSON.parse has accepted.
 */

/** What stands in the place of a secret. */
export const MASK = '"…"';

/**
 * Nobody but the person and the server is to see these. A ticket stands for a secret for a day, a pass for hours. With
 * what is said for a proof, weak secrets can be guessed.
 */
const SECRET_KEYS = new Set(["secret", "ticket", "scram", "pass", "invitation"]);

/**
 * One member of an object: its key, and where `"key": value` and the value stand in the text.
 * @typedef {{ key: string, start: number, valueStart: number, end: number }} RawMember
 */

/**
 * The members of the object that `text` is, in order.
 * @param {string} text
 * @returns {RawMember[]}
 */
export function rawMembers(text) {
  const members = [];
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (at < text.length && text[at] !== "}") {
    const start = at;
    at = skipString(text, start);
    const key = String(JSON.parse(text.slice(start, at)));
    const valueStart = skipSpace(text, skipSpace(text, at) + 1);
    at = skipValue(text, valueStart);
    members.push({ key, start, valueStart, end: at });
    at = skipSpace(text, at);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return members;
}

/**
 * The text of the value of `key` in the object that `text` is. Of several equal keys the last one counts.
 * @param {string} text
 * @param {string} key
 * @returns {string | undefined}
 */
export function rawValue(text, key) {
  const member = rawMembers(text).findLast((one) => one.key === key);
  return member && text.slice(member.valueStart, member.end);
}

/**
 * The object that `text` is, without the member `key`, all else as it was written.
 * @param {string} text
 * @param {string} key
 * @returns {string}
 */
export function withoutMember(text, key) {
  const members = rawMembers(text);
  const kept = members.filter((member) => member.key !== key);
  const last = kept.at(-1);
  // The usual case, in which even the white space stays: it is the last one.
  const isLast = last !== undefined && last === members.at(-2) && kept.length === members.length - 1;
  if (isLast) return `${text.slice(0, last.end)}}`;
  return `{${kept.map(({ start, end }) => text.slice(start, end)).join(",")}}`;
}

/**
 * How many objects and arrays stand inside each other at most: 1 for `{}`, 0 for `1`.
 * @param {string} text
 * @returns {number}
 */
export function nestingDepth(text) {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') at = skipString(text, at) - 1;
    else if (sign === "{" || sign === "[") deepest = Math.max(deepest, ++depth);
    else if (sign === "}" || sign === "]") depth--;
  }
  return deepest;
}

/**
 * `line` as it may be shown: without the values of its secrets. In what is no JSON object everything behind the word is
 * hidden, as nobody knows where a secret ends there.
 * @param {string} line Any text.
 * @returns {string}
 */
export function masked(line) {
  if (!mayHoldSecret(line)) return line;
  if (!isJsonObject(line)) return line.replace(/(secret|ticket|scram|invitation|\\u)[^]*$/i, "$1…");
  const parts = [];
  let at = 0;
  for (const { key, valueStart, end } of rawMembers(line)) {
    if (!SECRET_KEYS.has(key)) continue;
    parts.push(line.slice(at, valueStart), MASK);
    at = end;
  }
  return parts.join("") + line.slice(at);
}

/**
 * @param {string} text
 * @returns {boolean}
 */
export function isJsonObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    // What cannot be read is none.
    return false;
  }
}

/**
 * Most lines hold none, and are not looked at any closer. A key may be written with escapes.
 * @param {string} line
 */
function mayHoldSecret(line) {
  return /secret|ticket|scram|invitation|\\u/i.test(line);
}

/**
 * From the opening quote to behind the closing one.
 * @param {string} text
 * @param {number} at
 */
function skipString(text, at) {
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === "\\") end++;
    else if (text[end] === '"') return end + 1;
  }
  return text.length;
}

/**
 * @param {string} text
 * @param {number} at
 */
function skipSpace(text, at) {
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/**
 * From the first character of a value to behind its last one.
 * @param {string} text
 * @param {number} at
 */
function skipValue(text, at) {
  if (text[at] === '"') return skipString(text, at);
  let depth = 0;
  while (at < text.length) {
    const sign = text[at];
    if (sign === '"') {
      at = skipString(text, at);
      continue;
    }
    if (depth === 0 && (sign === "," || sign === "}" || sign === "]" || text.charCodeAt(at) <= 0x20)) return at;
    if (sign === "{" || sign === "[") depth++;
    else if (sign === "}" || sign === "]") {
      depth--;
      if (depth === 0) return at + 1;
    }
    at++;
  }
  return at;
}
