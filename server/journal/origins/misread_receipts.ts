/**
 * Receipts that came while another entry had the number of their message, as the number was given out twice. Such a
 * receipt is of the message that belongs there and has still to come. Pure.
 */

import { hasActivities, linesOf, type Position, type Segment } from "../../../log/segment.ts";
import { type EntryFacts, parseEntry } from "../../../protocol/entry_codec.ts";
import type { EntryId } from "../../../protocol/entry_id.ts";

/** Which receipts say what of the entries of one origin that are cut off. */
export interface Misread {
  /** Messages that are not here, and were delivered. */
  readonly others: readonly EntryId[];
  /**
   * Of the messages that are here: their numbers, where a receipt was meant for the other one, and none for this one.
   */
  readonly waiting: ReadonlySet<number>;
}

interface Receipt {
  readonly message: EntryId;
  readonly to: string | undefined;
  readonly messageId: string | undefined;
}

/** So many segments back a receipt is looked for that came before all of the messages that are cut off. */
const EARLY_SEGMENTS = 1_000;
/** All receipts begin so. */
const RECEIPT = '{"command":"RECEIPT"';

/**
 * Where to read from, when entries behind `position` are cut off. A receipt may have come before its message, and was
 * spent on what came first under that number.
 */
export function receiptsFrom(position: Position): Position {
  return Math.max(0, position - EARLY_SEGMENTS);
}

/**
 * What the receipts in `segments` say of entries of `origin` after `after`, all of which that are here stand
 * in `segments` too. Up to `last` numbers were given out twice: what is here beyond that belongs there, and
 * comes again as it is.
 */
export function misread(segments: Iterable<Segment>, origin: string, after: number, last: number): Misread {
  const here = new Map<number, EntryFacts | undefined>();
  const receipts: Receipt[] = [];
  for (const segment of segments) {
    if (hasActivities(segment.audience) && segment.origin !== origin) continue;
    for (const [index, line] of linesOf(segment.bytes).entries()) {
      const sequence = segment.first + index;
      if (segment.origin === origin && sequence > after) here.set(sequence, parseEntry(line));
      const receipt = line.startsWith(RECEIPT) ? receiptIn(line) : undefined;
      if (receipt?.message.origin === origin && receipt.message.sequence > after) receipts.push(receipt);
    }
  }
  // Of what is not here at all the store knows already that it came early.
  const met = receipts.filter(({ message }) => here.has(message.sequence));
  const isOfHere = (receipt: Receipt) =>
    receipt.message.sequence <= last && isOf(here.get(receipt.message.sequence), receipt);
  const own = new Set(met.filter(isOfHere).map(({ message }) => message.sequence));
  const others = new Map(met.filter((one) => !isOfHere(one)).map(({ message }) => [message.sequence, message]));
  return { others: [...others.values()], waiting: new Set([...others.keys()].filter((number) => !own.has(number))) };
}

/**
 * Whether it says that this message was delivered. Without message ids two of them to one user cannot be told apart:
 * better one waits for too long.
 */
function isOf(facts: EntryFacts | undefined, { to, messageId }: Receipt): boolean {
  return facts?.to !== undefined && facts.to === to && facts.messageId === messageId;
}

function receiptIn(line: string): Receipt | undefined {
  const facts = parseEntry(line);
  if (facts?.of === undefined) return undefined;
  const { to } = JSON.parse(line) as { to?: unknown };
  return { message: facts.of, to: typeof to === "string" ? to : undefined, messageId: facts.messageId };
}
