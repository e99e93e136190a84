/**
 * A server goes on under a new name. An old copy of its data was put back, and others have the numbers that it gave out
 * since. Its own entries from there on are written anew under the new origin. Only their ids change; text, sender,
 * times and message ids stay. `server/mesh/replication.ts` decides when, and the journal has the turn in which it
 * happens.
 */

import { channelsByLine, type LineChannel, NO_CHANNEL } from "../../../log/channel_lines.ts";
import {
  type Audience,
  type EntryAudience,
  EVERYONE,
  everySegmentAfter,
  linesOf,
  type Segment,
} from "../../../log/segment.ts";
import type { SegmentBuilder } from "../../../log/segment_builder.ts";
import type { Vector } from "../../../log/vector.ts";
import { type EntryFacts, parseEntry } from "../../../protocol/entry_codec.ts";
import { type EntryId, formatEntryId } from "../../../protocol/entry_id.ts";
import type { Renaming, Store } from "../../store/store.ts";
import { type Misread, misread, receiptsFrom } from "./misread_receipts.ts";
import type { TurnBatch } from "../turn_batch.ts";

const NEWLINE = 0x0a;

/** What the journal does it with. */
export interface RenamedLog {
  readonly store: Store;
  /** What is stored. */
  readonly vector: Vector;
  readonly builder: SegmentBuilder;
  readonly turn: TurnBatch;
}

/** An entry under its new number. */
interface Renumbered {
  /** Its number under the former origin. */
  readonly former: number;
  readonly sequence: number;
  readonly audience: EntryAudience;
  /** With its end. */
  readonly line: string;
  /** `undefined` where it cannot be read: kept as it is. */
  readonly facts: EntryFacts | undefined;
}

/** What came of it. */
export interface Renamed {
  /** What the former numbers have become. */
  readonly numbers: ReadonlyMap<number, number>;
  /** Messages of others under the former numbers, which were delivered. */
  readonly delivered: readonly EntryId[];
}

/** Makes the turn that does it. Throws what the store throws. */
export function rename(renaming: Renaming, log: RenamedLog): Renamed {
  const { former, after, serverId } = renaming;
  const { store, vector, builder, turn } = log;
  const from = store.missing({ ...vector, [former]: after }).after;
  const receipts = misread(everySegmentAfter(store, receiptsFrom(from)), former, after, Infinity);
  const renumbered = renumber(everySegmentAfter(store, from), former, after, serverId);
  builder.takeBack(former, after);
  turn.renamed = renaming;
  for (const entry of renumbered) {
    builder.add(serverId, entry.sequence, entry.audience, entry.line);
    keepBeside(
      { origin: former, sequence: entry.former },
      { origin: serverId, sequence: entry.sequence },
      entry,
      log,
      receipts,
    );
  }
  const numbers = new Map(renumbered.map((entry) => [entry.former, entry.sequence]));
  return { numbers, delivered: receipts.others };
}

/** What the store keeps of an entry beside the log is of its new identity. */
function keepBeside(
  former: EntryId,
  own: EntryId,
  { facts, line }: Renumbered,
  { store, turn }: RenamedLog,
  { waiting }: Misread,
): void {
  if (facts === undefined) return;
  const { username, messageId, account, to } = facts;
  if (username !== undefined && messageId !== undefined) {
    const used = store.usedMessageId(username, messageId);
    if (used !== undefined && used.origin === former.origin && used.sequence === former.sequence) {
      turn.addMessageId({ ...used, ...own });
    }
  }
  if (account !== undefined) {
    const known = store.account(account.username);
    if (known?.origin === former.origin && known.lamport === account.claim) {
      turn.accounts.set(account.username, { ...known, origin: own.origin });
    }
  }
  if (to === undefined) return;
  const range = { origin: former.origin, first: former.sequence, last: former.sequence };
  if (waiting.has(former.sequence) || store.inboxRange(to, range, 0).length > 0) turn.addMessage({ ...own, to, line });
}

/**
 * The entries of `former` beyond `after` in `segments`, in order, as the first ones of `serverId`. `segments`
 * are of any origins, in the order of the log. What one of them says of another (a receipt of its message) says
 * so of the new number.
 */
function renumber(segments: Iterable<Segment>, former: string, after: number, serverId: string): Renumbered[] {
  const renumbered: Renumbered[] = [];
  const numbers = new Map<string, number>();
  for (const { origin, first, last, audience, bytes } of segments) {
    if (origin !== former || last <= after) continue;
    const lines = linesOf(bytes);
    const channelAt = channelsByLine(audience);
    for (let [number, start] = [first, 0]; number <= last; number++, start = bytes.indexOf(NEWLINE, start) + 1) {
      if (number <= after) continue;
      const formerId = formatEntryId({ origin: former, sequence: number });
      const sequence = renumbered.length + 1;
      numbers.set(formerId, sequence);
      let line = `${lines[number - first]!}\n`;
      const facts = parseEntry(line);
      line = withMember(line, "id", formerId, formatEntryId({ origin: serverId, sequence }));
      const of = facts?.of && formatEntryId(facts.of);
      const ofSequence = of === undefined ? undefined : numbers.get(of);
      if (of !== undefined && ofSequence !== undefined) {
        line = withMember(line, "of", of, formatEntryId({ origin: serverId, sequence: ofSequence }));
      }
      renumbered.push({ former: number, sequence, audience: entryAudience(audience, channelAt(start)), line, facts });
    }
  }
  return renumbered;
}

/** Whom an entry is for that stands in a segment for `audience`, among the lines of a channel or of none. */
function entryAudience(audience: Audience, { name, isForgotten }: LineChannel): EntryAudience {
  if (audience.kind !== "channels") return audience;
  if (name === NO_CHANNEL) return EVERYONE;
  return { kind: "channel", name, ...(isForgotten ? { isForgotten } : {}) };
}

/**
 * `line` with another value of `name`. What users have written stands before it in the line, or with its quotes
 * escaped; so the last one that reads like this is the server's own.
 */
function withMember(line: string, name: string, from: string, to: string): string {
  const text = `"${name}":"${from}"`;
  const at = line.lastIndexOf(text);
  return at < 0 ? line : `${line.slice(0, at)}"${name}":"${to}"${line.slice(at + text.length)}`;
}
