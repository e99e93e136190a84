/**
 * The used message ids in segments of the log: what the index is made of when a file of it is missing. Pure.
 */

import { linesOf, type Position, type Segment } from "../../../log/segment.ts";
import { parseEntry } from "../../../protocol/entry_codec.ts";
import { DamagedError, type UsedMessageId } from "../store.ts";
import type { IndexedLog } from "./index_parts.ts";
import type { Positions } from "./run_plan.ts";

/** The ids that the entries of a segment used, in their order. */
export function* idsOf({ origin, first, takenAt, bytes }: Segment): Iterable<UsedMessageId> {
  let sequence = first - 1;
  for (const line of linesOf(bytes)) {
    sequence++;
    // Most lines of most logs have none. A name with an escaped letter means the same.
    if (!line.includes('"messageId"') && !line.includes("\\")) continue;
    const facts = parseEntry(line);
    // A receipt names the message of another entry, and no sender.
    if (facts?.username === undefined || facts.messageId === undefined) continue;
    yield { username: facts.username, messageId: facts.messageId, origin, sequence, usedAt: takenAt };
  }
}

/**
 * As `segmentsAfter`, without segments that are damaged. Their ids are lost. Whoever needs one of them is told, and
 * ends the server.
 */
export function readWhole(
  log: Pick<IndexedLog, "segmentsAfter">,
  position: Position,
  maxBytes: number,
): readonly Segment[] {
  // First many segments together. If one of them is damaged, one by one.
  for (let bytes = maxBytes;;) {
    try {
      return log.segmentsAfter(position, bytes);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      if (bytes > 0) bytes = 0;
      else if (error.position === undefined || error.position <= position) return [];
      else position = error.position;
    }
  }
}

/** The position after which the entries in `gap` begin that were taken in at `usedBefore` or later. */
export function firstAfter(
  log: Pick<IndexedLog, "segmentsAfter">,
  { from, to }: Positions,
  usedBefore: number,
): Position {
  let [low, high] = [from, to];
  // The times of the log only grow. Where it has just a few segments, they are read anyway.
  while (usedBefore > 0 && high - low > 64) {
    const middle = Math.floor((low + high) / 2);
    const [segment] = log.segmentsAfter(middle, 0);
    if (segment !== undefined && segment.position <= high && segment.takenAt < usedBefore) low = segment.position;
    else high = middle;
  }
  return low;
}
