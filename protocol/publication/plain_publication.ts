/**
 * Reads a publication where it stands, without making a text or a value of it: the line of an `ACTIVITY_MESSAGE` in its
 * plain form. The activity is checked, and its place is told, so that its bytes can be copied as they are. Whatever is
 * unusual is not plain: `protocol/client_codec.ts` reads it, and says what is wrong. Pure.
 *
 * Why there are two ways: with ten receivers, decoding, JSON.parse and the search for the activity's text took more
 * than a third of the server's time. For a line of 275 bytes they take 0.67 µs, and this takes 0.14 µs. For 60,000
 * bytes of text both take the same, and nothing in between is slower here (`deno run -A bench/publication_read.ts`).
 */

/** Where the parts of a publication stand in the bytes. A field that is absent, or null, begins at 0. */
export interface PlainPublication {
  /** Of the newline that ends the line. */
  readonly end: number;
  readonly activityFrom: number;
  readonly activityTo: number;
  /** Without the quotes, like the others. All of them are ASCII without escapes. */
  readonly usernameFrom: number;
  readonly usernameTo: number;
  readonly secretFrom: number;
  readonly secretTo: number;
  readonly messageIdFrom: number;
  readonly messageIdTo: number;
  /** A text that may be the name of a channel. */
  readonly channelFrom: number;
  readonly channelTo: number;
  /** -1 when there is none. */
  readonly lamport: number;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Objects and arrays in each other: one bit of a small integer for each. Activities are deeper hardly ever. */
const MAX_PLAIN_DEPTH = 24;
/** `messageId` has no more characters. */
const MAX_MESSAGE_ID_BYTES = 128;
/** A `lamport` with more digits may be more than counts. */
const MAX_LAMPORT_DIGITS = 15;

/** What bytes are. */
const DIGIT = 1;
const HEX = 2;
const ESCAPED = 4;
/** Ends the plain part of a string: a quote, a backslash, or what may not stand in it. */
const STOPS = 8;
const CLASSES = new Uint8Array(256);
for (let byte = 0; byte < SPACE; byte++) CLASSES[byte] = STOPS;
for (const byte of ascii("0123456789")) CLASSES[byte]! |= DIGIT | HEX;
for (const byte of ascii("abcdefABCDEF")) CLASSES[byte]! |= HEX;
for (const byte of ascii('"\\/bfnrt')) CLASSES[byte]! |= ESCAPED;
CLASSES[QUOTE]! |= STOPS;
CLASSES[BACKSLASH]! |= STOPS;

const COMMAND = ascii("command");
const ACTIVITY_MESSAGE = ascii("ACTIVITY_MESSAGE");
const USERNAME = ascii("username");
const SECRET = ascii("secret");
const MESSAGE_ID = ascii("messageId");
const LAMPORT = ascii("lamport");
const CHANNEL = ascii("channel");
const ACTIVITY = ascii("activity");
const AUTHENTICATED_USER = ascii("authenticated_user");
const NULL = ascii("null");
const TRUE = ascii("true");
const FALSE = ascii("false");

/** Nothing that is plain stands here. No place in the bytes. */
const NOT_PLAIN = -1;

/** Reads one publication after the other. What it has found is there until the next one. */
export class PublicationReader implements PlainPublication {
  end = 0;
  activityFrom = 0;
  activityTo = 0;
  usernameFrom = 0;
  usernameTo = 0;
  secretFrom = 0;
  secretTo = 0;
  messageIdFrom = 0;
  messageIdTo = 0;
  channelFrom = 0;
  channelTo = 0;
  lamport = -1;

  /**
   * Whether a plain publication stands in `bytes` from `at` on. `bytes` are UTF-8, and there is a newline in them from
   * `at` on: nothing is read beyond it.
   */
  read(bytes: Uint8Array, at: number): boolean {
    this.activityFrom =
      this.usernameFrom =
      this.secretFrom =
      this.messageIdFrom =
      this.channelFrom =
        0;
    this.lamport = -1;
    let isCommanded = false;
    let hasSeen = 0;
    if (bytes[at] !== OPEN_BRACE) return false;
    for (;;) {
      const keyFrom = skipSpaces(bytes, at + 1) + 1;
      if (bytes[keyFrom - 1] !== QUOTE) return false;
      const keyTo = plainStringEnd(bytes, keyFrom);
      if (keyTo < 0) return false;
      at = skipSpaces(bytes, keyTo + 1);
      if (bytes[at] !== COLON) return false;
      const from = skipSpaces(bytes, at + 1);
      let bit: number;
      if (isAt(bytes, keyFrom, keyTo, COMMAND)) {
        bit = 1;
        if (bytes[from] !== QUOTE) return false;
        at = plainStringEnd(bytes, from + 1) + 1;
        isCommanded = at > 0 && isAt(bytes, from + 1, at - 1, ACTIVITY_MESSAGE);
        if (!isCommanded) return false;
      } else if (isAt(bytes, keyFrom, keyTo, ACTIVITY)) {
        bit = 2;
        if (bytes[from] !== OPEN_BRACE) return false;
        at = activityEnd(bytes, from);
        this.activityFrom = from;
        this.activityTo = at;
      } else if (isAt(bytes, keyFrom, keyTo, USERNAME)) {
        bit = 4;
        at = optionalStringEnd(bytes, from);
        if (bytes[from] === QUOTE) [this.usernameFrom, this.usernameTo] = [from + 1, at - 1];
      } else if (isAt(bytes, keyFrom, keyTo, SECRET)) {
        bit = 8;
        at = optionalStringEnd(bytes, from);
        if (bytes[from] === QUOTE) [this.secretFrom, this.secretTo] = [from + 1, at - 1];
      } else if (isAt(bytes, keyFrom, keyTo, MESSAGE_ID)) {
        bit = 16;
        at = optionalStringEnd(bytes, from);
        if (bytes[from] === QUOTE) {
          const length = at - from - 2;
          if (length < 1 || length > MAX_MESSAGE_ID_BYTES) return false;
          [this.messageIdFrom, this.messageIdTo] = [from + 1, at - 1];
        }
      } else if (isAt(bytes, keyFrom, keyTo, LAMPORT)) {
        bit = 32;
        at = this.#lamportEnd(bytes, from);
      } else if (isAt(bytes, keyFrom, keyTo, CHANNEL)) {
        bit = 64;
        at = optionalStringEnd(bytes, from);
        if (bytes[from] === QUOTE) [this.channelFrom, this.channelTo] = [from + 1, at - 1];
      } else return false;
      // Of equal keys the last one counts: that is for the other way.
      if (at < 0 || (hasSeen & bit) !== 0) return false;
      hasSeen |= bit;
      at = skipSpaces(bytes, at);
      if (bytes[at] === COMMA) continue;
      this.end = at + 1;
      return bytes[at] === CLOSE_BRACE && bytes[at + 1] === NEWLINE && isCommanded && this.activityFrom > 0;
    }
  }

  #lamportEnd(bytes: Uint8Array, from: number): number {
    if ((CLASSES[bytes[from]!]! & DIGIT) === 0) return literalEnd(bytes, from, NULL);
    let at = from;
    let lamport = 0;
    while ((CLASSES[bytes[at]!]! & DIGIT) !== 0) lamport = lamport * 10 + (bytes[at++]! - ZERO);
    if (at - from > MAX_LAMPORT_DIGITS || (bytes[from] === ZERO && at - from > 1)) return NOT_PLAIN;
    this.lamport = lamport;
    return at;
  }
}

/** Behind the object that begins at `from`, if it is JSON and has no user of its own. */
function activityEnd(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  let depth = 1;
  // The innermost is the lowest bit: 1 for an object.
  let objects = 1;
  let mayEnd = true;
  for (;;) {
    at = skipSpaces(bytes, at);
    if (mayEnd && bytes[at] === ((objects & 1) === 1 ? CLOSE_BRACE : CLOSE_BRACKET)) {
      at++;
    } else {
      if ((objects & 1) === 1) {
        if (bytes[at] !== QUOTE) return NOT_PLAIN;
        const keyFrom = at + 1;
        at = depth === 1 ? ownKeyEnd(bytes, keyFrom) : stringEnd(bytes, keyFrom);
        if (at < 0) return NOT_PLAIN;
        at = skipSpaces(bytes, at);
        if (bytes[at] !== COLON) return NOT_PLAIN;
        at = skipSpaces(bytes, at + 1);
      }
      const first = bytes[at]!;
      if (first === OPEN_BRACE || first === OPEN_BRACKET) {
        if (++depth > MAX_PLAIN_DEPTH) return NOT_PLAIN;
        objects = (objects << 1) | (first === OPEN_BRACE ? 1 : 0);
        mayEnd = true;
        at++;
        continue;
      }
      at = scalarEnd(bytes, at);
      if (at < 0) return NOT_PLAIN;
      at = skipSpaces(bytes, at);
      if (bytes[at] === COMMA) {
        mayEnd = false;
        at++;
        continue;
      }
      if (bytes[at] !== ((objects & 1) === 1 ? CLOSE_BRACE : CLOSE_BRACKET)) return NOT_PLAIN;
      at++;
    }
    // One has ended, and perhaps those around it.
    for (;;) {
      if (--depth === 0) return at;
      objects >>= 1;
      at = skipSpaces(bytes, at);
      if (bytes[at] === COMMA) break;
      if (bytes[at] !== ((objects & 1) === 1 ? CLOSE_BRACE : CLOSE_BRACKET)) return NOT_PLAIN;
      at++;
    }
    mayEnd = false;
    at++;
  }
}

/** Behind the quote that ends a key of the activity itself, if the key is not the one that the server writes. */
function ownKeyEnd(bytes: Uint8Array, from: number): number {
  const to = plainStringEnd(bytes, from);
  return to < 0 || isAt(bytes, from, to, AUTHENTICATED_USER) ? NOT_PLAIN : to + 1;
}

function scalarEnd(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first === QUOTE) return stringEnd(bytes, at + 1);
  if (first === MINUS || (CLASSES[first]! & DIGIT) !== 0) return numberEnd(bytes, at);
  return literalEnd(bytes, at, first === NULL[0] ? NULL : first === TRUE[0] ? TRUE : FALSE);
}

function numberEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] === MINUS) at++;
  if (bytes[at] === ZERO) at++;
  else if ((at = digitsEnd(bytes, at)) < 0) return NOT_PLAIN;
  if (bytes[at] === POINT && (at = digitsEnd(bytes, at + 1)) < 0) return NOT_PLAIN;
  if (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E) return at;
  const sign = bytes[at + 1];
  return digitsEnd(bytes, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
}

/** Behind at least one digit. */
function digitsEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while ((CLASSES[bytes[at]!]! & DIGIT) !== 0) at++;
  return at === from ? NOT_PLAIN : at;
}

function optionalStringEnd(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== QUOTE) return literalEnd(bytes, from, NULL);
  const to = plainStringEnd(bytes, from + 1);
  return to < 0 || !isAscii(bytes, from, to) ? NOT_PLAIN : to + 1;
}

function literalEnd(bytes: Uint8Array, at: number, literal: Uint8Array): number {
  return isAt(bytes, at, at + literal.length, literal) ? at + literal.length : NOT_PLAIN;
}

/** Behind the quote that ends the string whose text begins at `at`. */
function stringEnd(bytes: Uint8Array, at: number): number {
  for (;;) {
    while ((CLASSES[bytes[at]!]! & STOPS) === 0) at++;
    if (bytes[at] === QUOTE) return at + 1;
    if (bytes[at] !== BACKSLASH) return NOT_PLAIN;
    const escaped = bytes[at + 1]!;
    if ((CLASSES[escaped]! & ESCAPED) !== 0) at += 2;
    else if (escaped !== LOWER_U || !isHex(bytes, at + 2)) return NOT_PLAIN;
    else at += 6;
  }
}

/** At the quote that ends the string whose text begins at `at`, if it has no escapes. */
function plainStringEnd(bytes: Uint8Array, at: number): number {
  while ((CLASSES[bytes[at]!]! & STOPS) === 0) at++;
  return bytes[at] === QUOTE ? at : NOT_PLAIN;
}

/** Whether four hexadecimal digits stand there. A newline is none, so nothing is read beyond it. */
function isHex(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 4; index++) if ((CLASSES[bytes[at + index]!]! & HEX) === 0) return false;
  return true;
}

function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at]! >= 0x80) return false;
  return true;
}

function skipSpaces(bytes: Uint8Array, at: number): number {
  while (bytes[at] === SPACE) at++;
  return at;
}

/** Whether `text` is what stands from `from` to `to`. */
function isAt(bytes: Uint8Array, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false;
  for (let index = 0; index < text.length; index++) if (bytes[from + index] !== text[index]) return false;
  return true;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
