/** Activities and events in words, one line each. The time zone is that of this machine. */

import type { FormatField, LineFormat } from "../../config/line_format.ts";
import { dayOf, dayText, timeOfDay } from "../../platform/local_time.ts";
import type { Style } from "../../platform/terminal.ts";
import type { Activity, Message } from "../options.ts";
import { nameColour } from "./chat/name_colour.ts";
import { channelName, visible, visibleName } from "./screen/visible.ts";

/**
 * An activity for people: the time, the channel where it has one, the user, and its text. Its JSON, if it has more than
 * a text.
 */
export function describeActivity({ activity, json, user, sentAt, channel }: Activity, style: Style): string {
  const who = `${channel === undefined ? "" : `${channelText(channel, style)}  `}${style.bold(visibleName(user))}`;
  return `${style.dim(timeOfDay(sentAt))}  ${who}  ${visible(activityWords(activity, json))}`;
}

/** The name of a channel in its colour. */
export function channelText(channel: string, style: Style): string {
  return style.coloured(channelName(channel), nameColour(channel));
}

/** The text of an activity, if that is all it has; else its JSON as it was written. */
export function activityWords(activity: Readonly<Record<string, unknown>>, json: string): string {
  const { text, ...rest } = activity;
  return typeof text === "string" && Object.keys(rest).length === 0 ? text : json;
}

/** An activity for programs: one line of JSON. */
export function activityLine({ id, user, sentAt, lamport, channel, json }: Activity, isPast = false): string {
  const past = isPast ? { past: true } : {};
  // JSON leaves out what is not there.
  return `${JSON.stringify({ id, user, sentAt, lamport, channel, ...past }).slice(0, -1)},"activity":${json}}`;
}

/** The row before what was said before: to everyone, or in a channel. */
export function beforeRow(style: Style, channel?: string): string {
  return style.dim(`── said before${channel === undefined ? "" : ` in ${channelName(channel)}`} ──`);
}

/** The row between what was said before and what comes now. */
export function nowRow(style: Style): string {
  return style.dim("── now ──");
}

/** A direct message for people: the time, the sender and the text. */
export function describeMessage({ from, text, sentAt }: Message, style: Style): string {
  return `${style.dim(timeOfDay(sentAt))}  ${style.bold(visibleName(from))}  ${style.dim("to you:")} ${visible(text)}`;
}

/** A direct message for programs: as an activity, but with `direct_message` in its place. */
export function messageLine({ id, from, to, text, sentAt, lamport, offline }: Message): string {
  return JSON.stringify({ id, user: from, sentAt, lamport, direct_message: { to, text, offline } });
}

/** What `listen` shows: an activity, or a direct message. */
export type Listened = { readonly activity: Activity; readonly isPast?: boolean } | { readonly message: Message };

/** `item` as a line in the form of `format`. */
export function listenedLine(item: Listened, format: LineFormat, style: Style): string {
  if (format === "json") {
    return "activity" in item ? activityLine(item.activity, item.isPast) : messageLine(item.message);
  }
  if (format === "text") {
    return "activity" in item ? describeActivity(item.activity, style) : describeMessage(item.message, style);
  }
  return format.map((part) => part.kind === "text" ? part.text : fieldText(item, part.field, part.path)).join("");
}

/** The day of each row that is shown, to say where it changes. */
export class DayMarks {
  #day: string;

  /** Rows of the day of `nowMs` need no mark at first. */
  constructor(nowMs: number) {
    this.#day = dayOf(nowMs);
  }

  /** The row to show before one of `wallMs`: its day, when the row before was of another one. */
  before(wallMs: number, style: Style): string | undefined {
    const day = dayOf(wallMs);
    if (day === this.#day) return undefined;
    this.#day = day;
    return style.dim(`── ${dayText(wallMs)} ──`);
  }
}

/** A value of `item`. What others wrote is made harmless; JSON stays as it came, for programs. */
function fieldText(item: Listened, field: FormatField, path: readonly string[]): string {
  const { id, lamport, sentAt } = "activity" in item ? item.activity : item.message;
  switch (field) {
    case "time":
      return timeOfDay(sentAt);
    case "date":
      return dayOf(sentAt);
    case "id":
      return id;
    case "lamport":
      return String(lamport);
    case "sentAt":
      return String(sentAt);
    case "user":
      return visibleName("activity" in item ? item.activity.user : item.message.from);
    case "to":
      return "activity" in item ? "" : visibleName(item.message.to);
    case "channel":
      return "activity" in item ? visibleName(item.activity.channel ?? "") : "";
    case "text":
      return visible(
        "activity" in item ? activityWords(item.activity.activity, item.activity.json) : item.message.text,
      );
    case "activity":
      if ("message" in item) return path.length > 0 ? "" : JSON.stringify({ text: item.message.text });
      return path.length > 0 ? valueText(item.activity.activity, path) : item.activity.json;
  }
}

/** The value at `path`; nothing where there is none. */
function valueText(activity: unknown, path: readonly string[]): string {
  let value = activity;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return "";
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return typeof value === "string" ? visible(value) : JSON.stringify(value) ?? "";
}
