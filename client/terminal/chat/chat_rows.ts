/**
 * The look of the chat: rows for texts, for users who come and go, and for the answers of the client's words.
 */

import { counted } from "../../../protocol/counted.ts";
import { timeAsOf, timeOfDay } from "../../../platform/local_time.ts";
import type { Style } from "../../../platform/terminal.ts";
import type { UserScope } from "../../../protocol/presence/presence_message.ts";
import type { Activity, Message, Presence } from "../../options.ts";
import { activityWords, channelText } from "../describe.ts";
import { nameColour } from "./name_colour.ts";
import { textStart, textWidth } from "../screen/text_width.ts";
import { HELP } from "./typed_line.ts";
import { channelName, visible, visibleName } from "../screen/visible.ts";

/** How far a message got that was sent from here. */
export type Mark = "stored" | "delivered";

/** A message to one user, or a text in a channel. */
export interface SentMessage {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

const MARKS: Readonly<Record<Mark, string>> = { stored: "✓ stored", delivered: "✓✓ delivered" };
/** Enough of a typed text to recognise it. */
const REMINDER_COLUMNS = 30;
/** Narrower, and two columns of help would be two narrow ones. */
const WIDE_COLUMNS = 72;

/** A text or an activity: to everyone, or in a channel, which stands out unless it is `current`. */
export function activityRow(
  { activity, json, user, sentAt, channel }: Activity,
  nowMs: number,
  style: Style,
  current?: string,
): string {
  const where = channel === undefined ? "" : `${whereText(channel, current, style)}  `;
  return row(timeAsOf(sentAt, nowMs), where + nameText(user, style), visible(activityWords(activity, json)), style);
}

/** A direct message to the person. */
export function messageRow({ from, text, sentAt }: Message, nowMs: number, style: Style): string {
  return row(timeAsOf(sentAt, nowMs), `${nameText(from, style)} → you`, visible(text), style);
}

/** What the person wrote to somebody. */
export function sentRow({ from, to, text, sentAt }: SentMessage, mark: Mark, style: Style): string {
  const who = `${nameText(from, style)} → ${nameText(to, style)}`;
  return `${row(timeOfDay(sentAt), who, visible(text), style)}  ${style.dim(MARKS[mark])}`;
}

/** What the person said in a channel that is not read. */
export function saidRow({ from, to, text, sentAt }: SentMessage, style: Style): string {
  const who = `${nameText(from, style)} → ${channelText(to, style)}`;
  return `${row(timeOfDay(sentAt), who, visible(text), style)}  ${style.dim(MARKS.stored)}`;
}

/** Messages to `to` were delivered whose rows are far up: the text of the one, or the number of them. */
export function deliveredRow(
  to: string,
  { count, text }: { readonly count: number; readonly text: string },
  nowMs: number,
  style: Style,
): string {
  const what = count > 1 ? counted(count, "message") : shortened(visible(text));
  return style.dim(`${timeOfDay(nowMs)}  ${MARKS.delivered} to ${visibleName(to)}: ${what}`);
}

/** That a line was not sent: as much of it as is needed to know it again, and why. Arrow up recalls the whole. */
export function refusedRows(line: string, why: string, style: Style): string {
  return [`not sent: ${shortened(visible(line))}`, visible(why)].map(style.yellow).join("\n");
}

/** The row before messages that waited for the person: their number, or a number that they exceed. */
export function awayRow(count: number, style: Style, isMore = false): string {
  return style.bold(
    `${isMore ? "More than " : ""}${counted(count, "message")} while you were away`,
  );
}

/** That somebody came or went. */
export function presenceRow({ event, username }: Presence, nowMs: number, style: Style): string {
  const name = nameText(username, style);
  const { dim } = style;
  const words = event === "joined"
    ? `${dim("A new client")} ${name} ${dim("has joined")}`
    : `${name} ${dim(event === "left" ? "left" : "lost its connection")}`;
  return `${dim(timeOfDay(nowMs))}  ${words}`;
}

/** Who there is. */
export function usersRow(scope: UserScope, users: readonly string[], style: Style): string {
  const count = users.length;
  const title = scope === "online" ? `${count} online` : `${counted(count, "registered user")}`;
  const names = users.map((user) => nameText(user, style)).join(", ");
  return `${style.dim(count === 0 ? title : `${title}:`)} ${names}`.trimEnd();
}

/** The words and forms that a person can type, in as many columns as fit. */
export function helpRows(columns: number, style: Style): string {
  const width = Math.max(...HELP.map(([typed]) => textWidth(typed)));
  return HELP.map(([typed, does]) => {
    if (columns < WIDE_COLUMNS) return `${style.bold(typed)}\n  ${does}`;
    return `${style.bold(typed)}${" ".repeat(width - textWidth(typed))}  ${does}`;
  }).join("\n");
}

function whereText(channel: string, current: string | undefined, style: Style): string {
  return channel === current ? style.dim(channelName(channel)) : channelText(channel, style);
}

/** A name in its colour. */
export function nameText(name: string, style: Style): string {
  return style.bold(style.coloured(visibleName(name), nameColour(name)));
}

function row(time: string, who: string, words: string, { dim }: Style): string {
  return `${dim(time)}  ${who}  ${words}`;
}

function shortened(text: string): string {
  return textWidth(text) <= REMINDER_COLUMNS ? text : `${textStart(text, REMINDER_COLUMNS - 1)}…`;
}
