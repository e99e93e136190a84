/**
 * The form of a line that `listen --format` writes: `text`, `json`, or a template with names in braces, such as
 * `{time} {user}: {text}`. This file reads the form; `client/terminal/describe.ts` fills it. Pure.
 */

import type { Reader } from "./values.ts";

/** What a template can name. A path after `activity` names one value of the activity. */
export const FORMAT_FIELDS = [
  ...["time", "date", "user", "to", "channel", "text", "activity", "id", "lamport", "sentAt"] as const,
] as const;
/** One of them. */
export type FormatField = typeof FORMAT_FIELDS[number];

/** A part of a template: text as it stands, or a value. */
export type FormatPart =
  | { readonly kind: "text"; readonly text: string }
  /** `path` leads into the activity: `{activity.engine.rpm}`. */
  | { readonly kind: "field"; readonly field: FormatField; readonly path: readonly string[] };

/** The form of a line: one of two known ones, or a template. */
export type LineFormat = "text" | "json" | readonly FormatPart[];

/** Reads the form of a line. */
export const LINE_FORMAT: Reader<LineFormat> = {
  allowed: `text, json, or a template of ${FORMAT_FIELDS.map((field) => `{${field}}`).join(" ")} {activity.KEY}`,
  read: parseLineFormat,
};

/**
 * The form that `given` describes. `{{` and `}}` are braces, `\t` and `\n` a tab and a new line. `undefined` when a
 * name is not known, a brace is not closed, or nothing of the activity would be shown.
 */
export function parseLineFormat(given: string): LineFormat | undefined {
  if (given === "text" || given === "json") return given;
  const parts: FormatPart[] = [];
  let text = "";
  for (const [token] of given.matchAll(/\{\{|\}\}|\\[tn\\]|\{[^{}]*\}|[\s\S]/gu)) {
    if (token === "{" || token === "}") return undefined;
    if (!token.startsWith("{") || token === "{{") {
      text += LITERALS.get(token) ?? token;
      continue;
    }
    const [name = "", ...path] = token.slice(1, -1).split(".");
    const field = FORMAT_FIELDS.find((known) => known === name);
    const hasRightPath = path.length === 0 || field === "activity" && !path.includes("");
    if (field === undefined || !hasRightPath) return undefined;
    if (text !== "") parts.push({ kind: "text", text });
    text = "";
    parts.push({ kind: "field", field, path });
  }
  if (text !== "") parts.push({ kind: "text", text });
  return parts.some(({ kind }) => kind === "field") ? parts : undefined;
}

const LITERALS = new Map([["{{", "{"], ["}}", "}"], ["\\t", "\t"], ["\\n", "\n"], ["\\\\", "\\"]]);
