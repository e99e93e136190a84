/**
 * Makes the line for an activity or a direct message, and checks it for everything that the server would refuse. Pure.
 */

import { findJsonFault } from "../config/json_fault.ts";
import { MAX_ACTIVITY_DEPTH } from "../protocol/client_codec.ts";
import { isObject } from "../protocol/fields.ts";
import type { SendDirectMessage } from "../protocol/message.ts";
import { nestingDepth } from "../protocol/raw_json.ts";
import { lineBytes } from "../protocol/server_codec.ts";

/** The fields beside an activity. */
export interface Publication {
  /** The activity's JSON text, from `activityText`. */
  readonly activity: string;
  readonly messageId: string;
  readonly lamport: number;
  /** Absent for everyone. */
  readonly channel?: string | undefined;
  /** Who says it, where the server wants to hear it every time. */
  readonly user: { readonly username: string; readonly secret: string | undefined } | undefined;
}

const encoder = new TextEncoder();
/** The search for a fault goes as deep as the text. No person wrote a text with more brackets than this. */
const MAX_BRACKETS = 1_000;

/**
 * The JSON text of an activity, in one line. A text is taken as it is, so that no digit of a number changes.
 * @throws {TypeError} when it is not a JSON object.
 * @throws {RangeError} when it is nested deeper than servers allow.
 */
export function activityText(activity: object | string): string {
  const text = typeof activity === "string" ? checkedText(activity) : writtenText(activity);
  if (nestingDepth(text) > MAX_ACTIVITY_DEPTH) {
    throw new RangeError(`Cannot publish an activity that is nested deeper than ${MAX_ACTIVITY_DEPTH} levels`);
  }
  return text;
}

/**
 * The line, its end included.
 * @throws {RangeError} when it is longer than `maxLineBytes` without its end.
 */
export function encodePublication(
  { activity, messageId, lamport, channel, user }: Publication,
  maxLineBytes: number,
): Uint8Array {
  const pair = user === undefined ? "" : JSON.stringify(user).slice(1, -1) + ",";
  const to = channel === undefined ? "" : `"channel":${JSON.stringify(channel)},`;
  const line = encoder.encode(
    `{"command":"ACTIVITY_MESSAGE",${pair}${to}"messageId":"${messageId}","lamport":${lamport},"activity":${activity}}\n`,
  );
  const length = line.length - 1;
  if (length <= maxLineBytes) return line;
  throw new RangeError(
    `Cannot publish this activity: its line would have ${length} bytes, allowed are ${maxLineBytes}`,
  );
}

/**
 * The line of a direct message, its end included.
 * @throws {TypeError} when the text cannot be written in UTF-8.
 * @throws {RangeError} when the line is longer than `maxLineBytes` without its end.
 */
export function encodeDirectMessage(message: SendDirectMessage, maxLineBytes: number): Uint8Array {
  if (!message.text.isWellFormed()) throw new TypeError("Cannot send a text with half a surrogate pair");
  const line = lineBytes(message);
  const length = line.length - 1;
  if (length <= maxLineBytes) return line;
  throw new RangeError(`Cannot send this text: its line would have ${length} bytes, allowed are ${maxLineBytes}`);
}

function checkedText(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`Cannot publish: the text is not JSON${describeFault(text)}`, { cause: error });
  }
  if (!isObject(value)) throw notAnObject();
  // Within strings JSON has no bare line ends; between tokens they are white space.
  return text.replaceAll(/[\r\n]/g, " ").trim();
}

function writtenText(activity: object): string {
  if (!isObject(activity)) throw notAnObject();
  const text = JSON.stringify(activity) as string | undefined;
  // An object may say how it is written (toJSON), and be no object then.
  if (!text?.startsWith("{")) throw notAnObject();
  return text;
}

/** The place where the text stops being JSON, as the end of a sentence. */
function describeFault(text: string): string {
  const fault = text.replaceAll(/[^[{]/g, "").length > MAX_BRACKETS ? undefined : findJsonFault(text);
  if (fault === undefined) return "";
  const { line, column, expected, found } = fault;
  const where = line === 1 ? `column ${column}` : `line ${line}, column ${column}`;
  // There it is a file that ends.
  const [wanted, there] = [expected, found].map((what) => what.replace("the end of the file", "the end of the text"));
  return `: expected ${wanted}, found ${there} at ${where}`;
}

function notAnObject(): TypeError {
  return new TypeError("Cannot publish: the activity is not a JSON object");
}
