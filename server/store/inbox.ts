/**
 * The decisions of both stores about direct messages: which entries of a batch are messages, and whether a delivery is
 * known before its message. The store has the rows. Pure.
 */

import type { Position } from "../../log/segment.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import type { Batch } from "./store.ts";

const NEWLINE = 0x0a;

/** A direct message, and when its segment was taken in. */
export interface TakenMessage extends EntryId {
  /** The user it is for. */
  readonly to: string;
  /** Of its segment. */
  readonly position: Position;
  /** The line of the entry, its end included: a part of the segment's bytes. */
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
}

/** The changes of a turn to the waiting messages. */
export interface InboxChange {
  /** These wait, if they were not delivered before they came: in the order of the log. */
  readonly taken: readonly TakenMessage[];
  /** These wait no longer. */
  readonly delivered: readonly { readonly origin: string; readonly sequence: number; readonly isEarly: boolean }[];
  /** When early deliveries of the turn were taken in, in milliseconds since 1970. */
  readonly takenAt: number;
}

/** Of a turn that has nothing to do with direct messages, as most have not. */
const NO_CHANGE: InboxChange = Object.freeze({ taken: [], delivered: [], takenAt: 0 });

/**
 * The changes of `batch`. `sequenceAt` tells how far the log had an origin before it. `takenAt` is the time of its
 * newest segment: a batch without segments has no time of its own.
 * @throws {RangeError} when a direct message is in no segment of the batch for its user: a mistake of the caller.
 */
export function inboxChange(
  { segments, directMessages = [], delivered = [] }: Batch,
  sequenceAt: (origin: string) => number,
  takenAt: number,
): InboxChange {
  if (directMessages.length === 0 && delivered.length === 0) return NO_CHANGE;
  const messages = new Map(directMessages.map((message) => [entryKey(message.origin, message.sequence), message]));
  const taken: TakenMessage[] = [];
  const ends = new Map<string, number>();
  for (const { position, origin, first, last, audience, takenAt, bytes } of segments) {
    ends.set(origin, last);
    if (audience.kind !== "user" || messages.size === 0) continue;
    let start = 0;
    for (let sequence = first; sequence <= last; sequence++) {
      const end = bytes.indexOf(NEWLINE, start) + 1;
      const to = messages.get(entryKey(origin, sequence))?.to;
      if (to === audience.username) {
        taken.push({ origin, sequence, to, position, bytes: bytes.subarray(start, end), takenAt });
      }
      start = end;
    }
  }
  if (taken.length !== directMessages.length) {
    throw new RangeError(
      `Of ${directMessages.length} direct messages ${taken.length} stand in segments of the batch for their users`,
    );
  }
  return {
    taken,
    // The log has an origin in order: an entry before its end has come, or never will.
    delivered: delivered.map(({ origin, sequence }) => (
      { origin, sequence, isEarly: sequence > (ends.get(origin) ?? sequenceAt(origin)) }
    )),
    takenAt: segments.at(-1)?.takenAt ?? takenAt,
  };
}

/** One text for each entry of any log. */
export function entryKey(origin: string, sequence: number): string {
  return `${sequence} ${origin}`;
}
