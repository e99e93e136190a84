/**
 * Takes entries back whose numbers another server gave out twice, if they are the ones that count no more (`forks.ts`).
 * The same messages have numbers under the new name of that server. If those came later, this server took them for
 * repeats, and nobody was shown them. So they enter the log anew.
 */

import { everySegmentAfter, linesOf, type Segment } from "../../../log/segment.ts";
import { takeLines } from "../entry_intake.ts";
import { type EntryFacts, parseEntry } from "../../../protocol/entry_codec.ts";
import { type EntryId, formatEntryId } from "../../../protocol/entry_id.ts";
import type { EntriesMessage } from "../../../protocol/peer/peer_message.ts";
import { runsOf } from "../entries/peer_reader.ts";
import type { Journal } from "../../journal/journal.ts";
import { messageKey } from "../../journal/moved_deliveries.ts";
import { misread, receiptsFrom } from "../../journal/origins/misread_receipts.ts";
import type { Renumbering } from "../../../log/renumbering.ts";

/**
 * Drops what is here of another `origin` beyond `after`, or a little before that, as it tells `gone`. Only then the
 * repeats enter the log anew: whoever is ended for what is gone is not sent the repeats on top, which it may have.
 */
export function cutBack(
  journal: Journal,
  origin: string,
  after: number,
  gone: (renumbering: Renumbering) => void,
): void {
  const { origins, serverId } = journal;
  journal.flush();
  const end = origins.endBefore(origin, after);
  const from = journal.missing({ ...journal.vector, [origin]: end }).after;
  const repeats = repeatsIn(everySegmentAfter(journal, from), origin);
  const last = origins.retractions.of(origin)?.last ?? Infinity;
  const { others, waiting } = misread(everySegmentAfter(journal, receiptsFrom(from)), origin, end, last);
  const delivered = [...deliveredIn(everySegmentAfter(journal, from), origin, end, journal)];
  // Their receipts may have come before all that is cut off. They come again as they are.
  const beyond = delivered.filter(({ sequence }) => sequence > last);
  const taken = delivered.filter(({ sequence }) => !waiting.has(sequence)).map(({ facts }) => facts);
  const untold = [...receiptsIn(everySegmentAfter(journal, from), origin, end)];
  origins.cutBack(origin, after, [...others, ...beyond], taken, untold.map(({ of }) => of));
  gone({ origin, after: end });
  const senders = new Map(untold.map(({ of, sender }) => [formatEntryId(of), sender]));
  for (const [other, first] of repeats) if (other !== serverId) replay(journal, other, first - 1, senders);
}

/** A receipt, and who is told of it. */
interface Receipt {
  readonly of: EntryId;
  readonly sender: string;
}

/** Messages of `origin` after `after` that do not wait any more. */
function* deliveredIn(
  segments: Iterable<Segment>,
  origin: string,
  after: number,
  journal: Journal,
): Iterable<EntryId & { readonly facts: EntryFacts }> {
  for (const segment of segments) {
    const { audience, first } = segment;
    if (segment.origin !== origin || segment.last <= after || audience.kind !== "user") continue;
    for (const [index, line] of linesOf(segment.bytes).entries()) {
      const sequence = first + index;
      const facts = parseEntry(line);
      if (sequence <= after || facts?.to === undefined) continue;
      const range = { origin, first: sequence, last: sequence };
      if (journal.directMessages.rangeOf(audience.username, range, 0).length > 0) continue;
      yield { origin, sequence, facts };
    }
  }
}

/**
 * Of which messages there are receipts of `origin` after `after` that their senders are told. A sender may have passed
 * over them, as it has what belongs under their numbers. So it is told when they come again under another name.
 */
function* receiptsIn(segments: Iterable<Segment>, origin: string, after: number): Iterable<Receipt> {
  for (const { audience, first, last, bytes, ...segment } of segments) {
    if (segment.origin !== origin || last <= after || audience.kind !== "user") continue;
    for (const [index, line] of linesOf(bytes).entries()) {
      const of = first + index > after ? parseEntry(line)?.of : undefined;
      if (of !== undefined) yield { of, sender: audience.username };
    }
  }
}

/**
 * Entries of other origins that were taken for repeats of those of `origin`: the first of each. A receipt is one where
 * the sender of its message has been told by the receipt of `origin`.
 */
function repeatsIn(segments: Iterable<Segment>, origin: string): ReadonlyMap<string, number> {
  const cut = new Set<string>();
  const repeats = new Map<string, number>();
  for (const segment of segments) {
    if (segment.origin !== origin && segment.audience.kind !== "servers") continue;
    for (const [index, line] of linesOf(segment.bytes).entries()) {
      const facts = parseEntry(line);
      const key = keyOf(facts) ?? (facts?.of && `of ${formatEntryId(facts.of)}`);
      if (key === undefined) continue;
      const isToldAlone = facts?.of === undefined || segment.audience.kind === "user";
      if (segment.origin === origin && isToldAlone) cut.add(key);
      else if (cut.has(key) && !repeats.has(segment.origin)) repeats.set(segment.origin, segment.first + index);
    }
  }
  return repeats;
}

/**
 * What is here of `origin` beyond `after` enters the log once more, as if it came now. Messages that did not wait do
 * not wait again. Receipts are for the `senders` of messages, by the ids of these, that had been told by others.
 */
function replay(journal: Journal, origin: string, after: number, senders: ReadonlyMap<string, string>): void {
  const { origins } = journal;
  const end = origins.endBefore(origin, after);
  const from = journal.missing({ ...journal.vector, [origin]: end }).after;
  const kept = [...everySegmentAfter(journal, from)].filter((segment) =>
    segment.origin === origin && segment.first > end
  );
  const delivered = new Set([...deliveredIn(kept, origin, end, journal)].map(({ sequence }) => sequence));
  journal.directMessages.comeAgain([...receiptsIn(kept, origin, end)].map(({ of }) => of));
  origins.takeBack(origin, end);
  const runs = kept.flatMap((segment) => runsOf({ ...segment, segment, after: segment.first - 1 }));
  for (const { bytes, ...run } of runs) {
    const header: EntriesMessage = { command: "ENTRIES", origin, ...run };
    const intake = takeLines(journal.serverId, header, linesOf(bytes));
    if (!intake.ok) continue;
    for (const { sequence, value } of intake.entries) {
      const sender = value.facts.of && senders.get(formatEntryId(value.facts.of));
      const told = sender === undefined ? value.audience : { kind: "user" as const, username: sender };
      journal.replicate({ origin, sequence, ...value, audience: told });
      if (delivered.has(sequence)) journal.directMessages.noteDelivered({ origin, sequence });
    }
  }
  journal.flush();
}

function keyOf(facts: EntryFacts | undefined): string | undefined {
  return messageKey(facts ?? {});
}
