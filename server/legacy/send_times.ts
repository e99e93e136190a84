/**
 * The times at which activities are said to have been sent, for a server of the older dialect. Such a server takes two
 * activities of one time for one, so each has a time of its own. The times follow from the log alone: a later reader of
 * the log finds the same times. Pure.
 */

import { linesOf, type Position, type Segment } from "../../log/segment.ts";

/** A segment, and what of its activities tells when they are said to have been sent. */
export interface SentSegment {
  readonly position: Position;
  /** In the order of the log. */
  readonly sent: readonly SentActivity[];
}

/** An activity of the log. */
export interface SentActivity {
  /** When its server accepted it, in milliseconds since 1970. */
  readonly sentAt: number;
  /** Whether a server of the older dialect brought it. */
  readonly isFromOlder: boolean;
}

/** What `messageId`s of activities begin with that servers of the older dialect bring. */
export const OLDER = "older/";

const SENT_AT = '"sentAt":';
const MESSAGE_ID = `"messageId":"${OLDER}`;
/** More than a time has digits. */
const MAX_DIGITS = 20;

/** The time of an activity that was accepted at `sentAt`, when the one before it in the log has the time `last`. */
export function nextSendTime(sentAt: number, last: number): number {
  return Math.max(sentAt, last + 1);
}

/** When the activities of a segment were sent. */
export function sentIn(segment: Segment): SentSegment {
  const sent = activitiesIn(segment).map((line) => {
    // Behind the activity, which may have such members too; what follows it has none.
    const at = line.lastIndexOf(SENT_AT) + SENT_AT.length;
    const sentAt = Number.parseInt(line.slice(at, at + MAX_DIGITS), 10);
    return { sentAt, isFromOlder: line.includes(MESSAGE_ID, at) };
  });
  return { position: segment.position, sent };
}

/** Its activities, as lines; none of a segment that is not for everyone. */
export function activitiesIn({ audience, bytes }: Segment): string[] {
  return audience.kind === "everyone" ? linesOf(bytes).filter(isActivity) : [];
}

/** Whether a line of the log is an activity. */
export function isActivity(line: string): boolean {
  return line.startsWith('{"command":"ACTIVITY_BROADCAST"');
}
