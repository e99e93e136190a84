/**
 * The lines of an audit log, and the chain through them: each line ends with the hash of the one before. So nobody can
 * change, take out or add a line without changing all that follow. `chain_check.ts` follows the chain. Pure.
 */

import { isObject } from "../../protocol/fields.ts";
import type { AuditEvent } from "./audit_event.ts";

/** The end of a chain: the number of its newest line, from 1 on, and that line's hash. */
export interface ChainEnd {
  readonly number: number;
  /** SHA-256 of the line without its end, as 64 hexadecimal digits. */
  readonly hash: string;
}

/** Makes the hash of a line. */
export type HashLine = (line: string) => string;

/** Before the first line. */
export const CHAIN_BEGINNING: ChainEnd = Object.freeze({ number: 0, hash: "0".repeat(64) });
/** Texts are cut: others choose them, and one event must not fill a file. */
const MAX_TEXT_LENGTH = 256;
const HASH = /^[0-9a-f]{64}$/;

/** The line of an event that comes after `before`, without its end. `at` is the time in the form of ISO 8601. */
export function auditLine({ what, by, from, of, more }: AuditEvent, at: string, before: ChainEnd): string {
  const said = more && Object.fromEntries(Object.entries(more).map(([key, value]) => [key, cut(value)]));
  const told = { by: cut(by), from: cut(from), of: cut(of), more: said };
  return JSON.stringify({ number: before.number + 1, at, what, ...told, before: before.hash });
}

/** The place in the chain that `line` states; `undefined` if it is no line of an audit log. */
export function placeOf(line: string): { readonly number: number; readonly before: string } | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(fields)) return undefined;
  const { number, before } = fields;
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 1) return undefined;
  return typeof before === "string" && HASH.test(before) ? { number, before } : undefined;
}

/** Whether `value` is the hash of a line. */
export function isHash(value: unknown): value is string {
  return typeof value === "string" && HASH.test(value);
}

function cut<T>(value: T): T | string {
  return typeof value === "string" && value.length > MAX_TEXT_LENGTH
    ? `${value.slice(0, MAX_TEXT_LENGTH).toWellFormed()}…`
    : value;
}
