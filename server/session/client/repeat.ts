/**
 * Whether a message is the same as the one that was stored under its message id before. If so, the client sends it
 * again. If not, the client has given one id to two messages. Pure.
 */

import { isObject } from "../../../protocol/fields.ts";
import { textOf } from "../../../protocol/publication/raw_text.ts";
import type { ActivityMessage, SendDirectMessage } from "../../../protocol/message.ts";

/** Whether `line`, an entry of the log, is what `message` says. The order of keys makes no difference. */
export function isRepeatOf(line: string, message: ActivityMessage | SendDirectMessage): boolean {
  const entry = parsed(line);
  if (!isObject(entry)) return false;
  if (message.command === "DIRECT_MESSAGE") {
    return entry.command === message.command && entry.to === message.to && entry.text === message.text;
  }
  if (entry.command !== "ACTIVITY_BROADCAST" || !isObject(entry.activity)) return false;
  if (entry.channel !== message.channel) return false;
  // The user of the id is the user of the message.
  const { authenticated_user: _user, ...stored } = entry.activity;
  return isEqual(stored, parsed(textOf(message.activity)));
}

/** Only a text with so many digits in a row can have a number that a `number` cannot hold. */
const MANY_DIGITS = /\d{16}/;
const WHOLE_NUMBER = /^-?\d+$/;

/** As `JSON.parse`, but whole numbers keep their last digit, as they do in the log. */
function parsed(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text);
  const exact = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context?.source ?? "";
    return WHOLE_NUMBER.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, exact);
}

/** Both are values of JSON, nested no deeper than an activity may be. */
function isEqual(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => {
    return Object.hasOwn(other, key) &&
      isEqual((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]);
  });
}
