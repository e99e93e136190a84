/**
 * Checks of single fields, for both directions of the codec. Each check throws `FieldProblem`. Its sentence names the
 * field and the allowed values, and never repeats a value: the value may be a secret.
 *
 * The checks take the value, not the object, because reading a property by its literal name is fast.
 * `docs/architecture.md` says why there is no schema library. Pure.
 */

import { type Feature, FEATURES, type WireAccountsSummary, type WireVector } from "./message.ts";

/** A field is missing or wrong. Only the codec catches this error. */
export class FieldProblem extends Error {
  override name = "FieldProblem";
}

/** The fields of one line. */
export type Fields = Readonly<Record<string, unknown>>;

/** Longest `messageId`, in UTF-16 units. */
export const MAX_MESSAGE_ID_LENGTH = 128;

/** A required string. */
export function stringField(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw new FieldProblem(value === undefined ? `"${name}" is missing` : `"${name}" must be a string`);
}

/** A string, or `undefined` if the field is absent or null. */
export function optionalStringField(value: unknown, name: string): string | undefined {
  return value === undefined || value === null ? undefined : stringField(value, name);
}

/** A required whole number within bounds. */
export function integerField(value: unknown, name: string, minimum: number, maximum: number): number {
  if (value === undefined) throw new FieldProblem(`"${name}" is missing`);
  if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new FieldProblem(`"${name}" must be a whole number from ${minimum} to ${maximum}`);
}

/** A whole number within bounds, or `undefined` if the field is absent or null. */
export function optionalIntegerField(
  value: unknown,
  name: string,
  minimum: number,
  maximum: number,
): number | undefined {
  return value === undefined || value === null ? undefined : integerField(value, name, minimum, maximum);
}

/** A time of a server's own clock. Even a very high time is accepted here: other code decides how much of it counts. */
export function clockField(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) {
    return Math.min(value, Number.MAX_SAFE_INTEGER);
  }
  throw new FieldProblem('"lamport" must be a whole number, 0 or above');
}

/** The same, or `undefined` if the field is absent or null. */
export function optionalClockField(value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : clockField(value);
}

/** A JSON object, or `undefined` if the field is absent or null. */
export function optionalObjectField(value: unknown, name: string): Fields | undefined {
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) return value;
  throw new FieldProblem(`"${name}" must be an object`);
}

/** The known ones of `features`. Others are left out, as a newer client may know more. */
export function featuresField(value: unknown): readonly Feature[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((feature) => typeof feature !== "string")) {
    throw new FieldProblem('"features" must be a list of strings');
  }
  return FEATURES.filter((feature) => value.includes(feature));
}

/** A required list of strings. */
export function stringsField(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((text) => typeof text === "string")) return value;
  throw new FieldProblem(`"${name}" must be a list of strings`);
}

/** `{origin: sequence}`. */
export function vectorField(value: unknown, name: string): WireVector {
  if (!isObject(value)) throw new FieldProblem(`"${name}" must be an object of origins and sequences`);
  // Only the length of the line bounds their number: the vector may name every server that ever existed.
  for (const origin of Object.keys(value)) {
    if (!Number.isSafeInteger(value[origin]) || (value[origin] as number) < 0) {
      throw new FieldProblem(`"${name}" must have a sequence, 0 or above, for every origin`);
    }
  }
  return value as WireVector;
}

/** A server's summary of accounts whose origins it has forgotten; `undefined` if the field is absent. */
export function accountsSummaryField(value: unknown): WireAccountsSummary | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new FieldProblem('"accounts" must be an object');
  const count = integerField(value.count, "accounts.count", 0, Number.MAX_SAFE_INTEGER);
  const digest = stringField(value.digest, "accounts.digest");
  if (!/^[0-9a-f]{1,64}$/.test(digest)) throw new FieldProblem('"accounts.digest" must be hexadecimal digits');
  return { count, digest };
}

/** Whether `value` is a JSON object. */
export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether `value` is a whole number from 0 to `most`. */
export function isWhole(value: unknown, most: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}
