/**
 * Parts of a JSON text, exactly as they were written. An activity must pass through a server unharmed: 1.0 stays 1.0,
 * 9007199254740993 keeps its last digit, and keys keep their order. So we never write a value that JSON.parse read; we
 * cut the text. Pure.
 *
 * Every function expects a text that JSON.parse has accepted. This keeps the scanner small.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

/** One member of an object: its key, and the places of `"key": value` and of the value in the text. */
export interface RawMember {
  readonly key: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/**
 * All members of the object `text`, in order. JSON.parse takes the last of several equal keys; the last of them stands
 * last here, too.
 */
export function rawMembers(text: string): RawMember[] {
  const members: RawMember[] = [];
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACE) {
    const start = at;
    at = skipString(text, start);
    const key = readKey(text, start, at);
    at = skipSpace(text, at);
    const valueStart = skipSpace(text, at + 1);
    at = skipValue(text, valueStart);
    members.push({ key, start, valueStart, end: at });
    at = skipSpace(text, at);
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
  }
  return members;
}

/** The text of the value of `key` in the object `text`; `undefined` if there is no such key. */
export function rawValue(text: string, key: string): string | undefined {
  let value: string | undefined;
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACE) {
    const start = at;
    at = skipString(text, start);
    const wanted = isKey(text, start, at, key);
    const valueStart = skipSpace(text, skipSpace(text, at) + 1);
    at = skipValue(text, valueStart);
    if (wanted) value = text.slice(valueStart, at);
    at = skipSpace(text, at);
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
  }
  return value;
}

/** The texts of the elements of the array `text`. */
export function rawElements(text: string): string[] {
  const elements: string[] = [];
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACKET) {
    const end = skipValue(text, at);
    elements.push(text.slice(at, end));
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
  }
  return elements;
}

/** The object `text` without the member `key`. Everything else stays as it was written. */
export function withoutMember(text: string, key: string): string {
  const kept = rawMembers(text).filter((member) => member.key !== key);
  return `{${kept.map((member) => text.slice(member.start, member.end)).join(",")}}`;
}

/** How deep objects and arrays are nested: 1 for `{}`, 0 for `1`. */
export function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = skipString(text, at) - 1;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) deepest = Math.max(deepest, ++depth);
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
  return deepest;
}

function readKey(text: string, start: number, end: number): string {
  const key = text.slice(start + 1, end - 1);
  return key.includes("\\") ? JSON.parse(text.slice(start, end)) : key;
}

/** Compares without a copy of the key, as this runs for every line of every client. */
function isKey(text: string, start: number, end: number, key: string): boolean {
  const extra = end - start - (key.length + 2);
  // A key with escapes is longer than its value.
  return extra === 0 ? text.startsWith(key, start + 1) : extra > 0 && readKey(text, start, end) === key;
}

/** From the opening quote to behind the closing one. */
function skipString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  // A quote after an odd number of backslashes is part of the string.
  while (text.charCodeAt(end - 1) === BACKSLASH && oddBackslashesBefore(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

function oddBackslashesBefore(text: string, at: number): boolean {
  let count = 0;
  while (text.charCodeAt(at - 1 - count) === BACKSLASH) count++;
  return count % 2 === 1;
}

function skipSpace(text: string, at: number): number {
  while (text.charCodeAt(at) <= SPACE) at++;
  return at;
}

/** From the first character of a value to behind its last one. */
function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return skipString(text, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return skipScalar(text, at);
  let depth = 0;
  do {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(text, at);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    at++;
  } while (depth > 0);
  return at;
}

function skipScalar(text: string, at: number): number {
  for (;; at++) {
    const code = text.charCodeAt(at);
    if (!(code > SPACE) || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET) return at;
  }
}
