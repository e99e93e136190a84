/** Activities and events in words, one line each. The time zone is that of this machine. */

import { timeOfDay } from "../../platform/local_time.ts";
import type { Style } from "../../platform/terminal.ts";
import type { Activity, Message } from "../options.ts";
import { visible } from "./screen/visible.ts";

/** An activity for people: the time, the user, and its text. Its JSON, if it has more than a text. */
export function describeActivity({ activity, json, user, sentAt }: Activity, style: Style): string {
  return `${style.dim(timeOfDay(sentAt))}  ${style.bold(visible(user))}  ${visible(activityWords(activity, json))}`;
}

/** The text of an activity, if that is all it has; else its JSON as it was written. */
export function activityWords(activity: Readonly<Record<string, unknown>>, json: string): string {
  const { text, ...rest } = activity;
  return typeof text === "string" && Object.keys(rest).length === 0 ? text : json;
}

/** An activity for programs: one line of JSON. */
export function activityLine({ id, user, sentAt, lamport, json }: Activity): string {
  return `${JSON.stringify({ id, user, sentAt, lamport }).slice(0, -1)},"activity":${json}}`;
}

/** A direct message for people: the time, the sender and the text. */
export function describeMessage({ from, text, sentAt }: Message, style: Style): string {
  return `${style.dim(timeOfDay(sentAt))}  ${style.bold(visible(from))}  ${style.dim("to you:")} ${visible(text)}`;
}

/** A direct message for programs: as an activity, but with `direct_message` in its place. */
export function messageLine({ id, from, to, text, sentAt, lamport, offline }: Message): string {
  return JSON.stringify({ id, user: from, sentAt, lamport, direct_message: { to, text, offline } });
}
