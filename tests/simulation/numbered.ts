/**
 * What the clients of the simulator send each other, so that everybody can tell which it is: numbered, in one sequence
 * for each life of a client. Pure.
 */

import type { Activity } from "../../client/options.ts";

/** Who sent something, and its number. `sender` names one life of a client. */
export interface Numbered {
  readonly sender: string;
  readonly n: number;
}

/** A direct message. */
export function messageText({ sender, n }: Numbered, pad: string): string {
  return `${sender}#${n} ${pad}`;
}

/** What `messageText` has made; `undefined` when that was somebody else. */
export function ofMessageText(text: string): Numbered | undefined {
  const [, sender, n] = /^(\S+)#(\d+) /.exec(text) ?? [];
  return sender === undefined ? undefined : { sender, n: Number(n) };
}

/** Of an entry's line, what can be told apart by it: an activity, or a direct message. */
export function ofLine(line: string): Numbered | undefined {
  const { command, activity, text } = JSON.parse(line);
  if (command === "DIRECT_MESSAGE") return ofMessageText(text);
  return activity?.s === undefined ? undefined : { sender: activity.s, n: activity.n };
}

/** What a client with the library has received. */
export function factsOf(
  { activity: { s, n }, id, channel }: Pick<Activity, "activity" | "id" | "channel">,
): Numbered & { readonly id: string; readonly channel?: string } {
  return { sender: String(s), n: Number(n), id, ...channel === undefined ? {} : { channel } };
}

/** One text for each. */
export function keyOf({ sender, n }: Numbered): string {
  return `${sender}#${n}`;
}
