/**
 * Direct messages of one logged-in client: messages that waited for its user, messages that come, and when they count
 * as delivered. A client with `chat` says itself what it has taken. For others, a message is delivered when the link
 * has taken it.
 */

import { linesOf, type Segment } from "../../../log/segment.ts";
import { sequenceOf, type Vector } from "../../../log/vector.ts";
import type { Clock, Timer } from "../../../platform/clock.ts";
import type { Outlet } from "../../../platform/transport.ts";
import { readEntry } from "../../../protocol/entry_codec.ts";
import type { EntryId } from "../../../protocol/entry_id.ts";
import { encodeLine } from "../../../protocol/server_codec.ts";
import { CLIENT_SHARE, Pump, type ReadOutcome } from "../../hub/pump.ts";
import type { EntryRange, WaitingMessage } from "../../store/store.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Waiter, WorkShares } from "../limits/work_shares.ts";
import type { Renumbering } from "../../../log/renumbering.ts";

/** What a mailbox works with. */
export interface MailboxParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly outlet: Outlet;
  readonly username: string;
  /** Whether the client understands DIRECT_MESSAGE and RECEIPT, and says what it has taken. */
  readonly knowsChat: boolean;
  /** All messages that waited are written, and the outlet takes more. */
  opened(): void;
  /** It takes long to note that very many messages were taken, so the notes have shares of the turn. */
  readonly shares: WorkShares;
  /** For the trace: that `message` was delivered has become the entry `receipt`. */
  delivered?(message: EntryId, receipt: EntryId): void;
}

/** A line that can be for one user. */
interface UserLine {
  readonly command: string;
  readonly id: string;
  readonly from: string;
  readonly text: string;
  readonly messageId?: string;
  readonly [field: string]: unknown;
}

/** Read at once of messages that wait. Much less than may be on its way to a client, so a slow client costs no more. */
const PORTION_BYTES = 65_536;
/** Between two looks, while a link does not take its bytes. */
const LOOK_AGAIN_MS = 100;
/** Messages, and origins, in one share. */
const TAKEN_PER_SHARE = 100;
/** Read of them at once. */
const TAKEN_BYTES = 16_384;
const encoder = new TextEncoder();

/** One client's. */
export class Mailbox implements Waiter {
  readonly #parts: MailboxParts;
  /** Written to a client that cannot say what it has taken. Maybe the client does not have them yet. */
  #underWay: EntryId[] = [];
  #isWatching = false;
  #isClosed = false;
  #timer: Timer | undefined;
  /** Messages that the client has taken, by its own word, and that are not noted yet: a range for each origin. */
  readonly #said = new Map<string, { next: number; last: number }>();
  /** What the client has taken elsewhere of entries that have not come here yet, and when it said so. */
  #takenBefore: { readonly vector: Vector; readonly lamport: number } = { vector: {}, lamport: 0 };
  /** Messages up to this position of the log come out of the inbox. */
  #inboxUpTo = 0;
  /** The end of the log when the client began. */
  #openedAt = Infinity;
  /** The same as a vector, while some of these messages are not written yet. */
  #opening: Vector | undefined;
  /** The place of the last message of the inbox that was written. */
  #place = 0;
  readonly #pump: Pump;

  constructor(parts: MailboxParts) {
    this.#parts = parts;
    this.#pump = new Pump({ clock: parts.clock, share: CLIENT_SHARE, readOnce: () => this.#writePortion() });
  }

  /**
   * Sends the messages that wait for the user, as fast as the link takes them. Until then, nothing of the log may be
   * written. A client that cannot say what it has gets all messages before this moment, and none of these from the log.
   * A client that `has` something gets the messages that it should have, and has not said to have taken. Otherwise,
   * when it takes a later message, it would say so of these too.
   */
  open(has?: Vector): void {
    const { journal } = this.#parts;
    this.#openedAt = journal.head;
    if (has === undefined) this.#inboxUpTo = journal.head;
    this.#opening = { ...has ?? journal.vector };
    this.#pump.run();
  }

  /** Whether some messages that waited are not written yet. */
  get isOpening(): boolean {
    return this.#opening !== undefined;
  }

  /** What the client gets of a segment that is for its user. */
  take(segment: Segment, bytes: Uint8Array): Uint8Array {
    const { origin, first, last, position } = segment;
    const { vector, lamport } = this.#takenBefore;
    const taken = sequenceOf(vector, origin);
    if (first <= taken) this.#deliver({ origin, first, last: Math.min(last, taken) }, lamport);
    if (position <= this.#inboxUpTo) return bytes.subarray(0, 0);
    const lines = linesOf(bytes);
    const before = last - lines.length + 1;
    const passed = position <= this.#openedAt ? "" : this.#untaken({ origin, first, last: before - 1 });
    return encoder.encode(
      passed + lines.map((line, n) => this.#lineFor(line, { origin, sequence: before + n }, false)).join(""),
    );
  }

  /** The client has taken all of this, be it over this connection or an earlier one. It says so at its `lamport`. */
  acknowledged(vector: Vector, lamport = Infinity): void {
    const { journal } = this.#parts;
    const known = Object.entries(vector);
    const isAlreadyAtIt = this.#said.size > 0;
    for (const [origin, last] of known) {
      const said = this.#said.get(origin);
      if (said === undefined) this.#said.set(origin, { next: 1, last });
      else said.last = Math.max(said.last, last);
    }
    if (!isAlreadyAtIt) this.goOn();
    // It may have these from a server that is gone. They come later.
    const early = known.filter(([origin, last]) => last > sequenceOf(journal.vector, origin));
    this.#takenBefore = { vector: Object.fromEntries(early), lamport };
  }

  /** Notes more messages that the client has taken, by its own word, also when it is gone meanwhile. */
  goOn(): void {
    const { journal, username, shares } = this.#parts;
    let left = TAKEN_PER_SHARE;
    for (const [origin, said] of this.#said) {
      for (; left > 0 && said.next <= said.last; left--) {
        const portion = journal.directMessages.rangeOf(
          username,
          { origin, first: said.next, last: said.last },
          TAKEN_BYTES,
        );
        this.#note(portion);
        left -= portion.length;
        said.next = portion.length === 0 ? said.last + 1 : portion.at(-1)!.sequence + 1;
      }
      if (left <= 0) break;
    }
    for (const [origin, { next, last }] of this.#said) {
      if (next <= last) return shares.later(this);
      this.#said.delete(origin);
    }
  }

  /** Messages that it has written stand under other numbers. A message that is gone waits again when it comes. */
  renumbered({ origin, after, now }: Renumbering): void {
    const said = this.#said.get(origin);
    if (said !== undefined) said.last = Math.min(said.last, after);
    this.#underWay = this.#underWay.flatMap((message) => {
      if (message.origin !== origin || message.sequence <= after) return [message];
      const sequence = now?.numbers.get(message.sequence);
      return sequence === undefined ? [] : [{ origin: now!.origin, sequence }];
    });
  }

  /** The connection ends. Messages whose delivery is not known go on waiting. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#pump.stop();
  }

  /** All bytes that were written to its link have left. */
  drained(): void {
    this.#deliverUnderWay();
    if (this.#opening !== undefined) this.#pump.run();
  }

  #writePortion(): ReadOutcome {
    const { journal, outlet, username } = this.#parts;
    const portion = journal.directMessages.of(username, { after: this.#place, maxBytes: PORTION_BYTES });
    if (portion.length === 0) {
      this.#opening = undefined;
      this.#parts.opened();
      return "end";
    }
    this.#place = portion.at(-1)!.place;
    // The others come from the log.
    const isOfInbox = ({ origin, sequence }: EntryId) => sequence <= sequenceOf(this.#opening!, origin);
    const text = portion.filter((message) => isOfInbox(message) && !journal.directMessages.isDelivered(message))
      .map((message) => this.#lineFor(message.line, message, true)).join("");
    return text === "" || outlet.write(encoder.encode(text)) ? "more" : "full";
  }

  #lineFor(line: string, { origin, sequence }: EntryId, waited: boolean): string {
    const message = readUserLine(line);
    const { knowsChat } = this.#parts;
    if (message?.command === "RECEIPT") return knowsChat ? `${line}\n` : "";
    // It has another kind, or is older than the rules. No client understands it.
    if (message === undefined) return "";
    if (!knowsChat) {
      this.#underWay.push({ origin, sequence });
      this.#watchLink();
      return plainLine(message);
    }
    return waited ? encodeLine({ ...message, offline: true }) : `${line}\n`;
  }

  /** At the end of the turn the link has the bytes. If the link takes data, the operating system has them. */
  #watchLink(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#parts.clock.endOfTurn(() => this.#lookAtLink());
  }

  #lookAtLink(): void {
    this.#isWatching = false;
    if (this.#underWay.length === 0 || this.#isClosed) return;
    if (this.#parts.outlet.pendingBytes === 0) this.#deliverUnderWay();
    else {
      this.#isWatching = true;
      this.#timer = this.#parts.clock.after(LOOK_AGAIN_MS, () => this.#lookAtLink());
    }
  }

  #deliverUnderWay(): void {
    const taken = this.#underWay;
    this.#underWay = [];
    for (const { origin, sequence } of taken) this.#deliver({ origin, first: sequence, last: sequence });
  }

  /**
   * The lines of messages that the client has, by its vector, and has not said to have taken. A server that lost its
   * newest entries may have given their numbers to these messages.
   */
  #untaken(range: EntryRange): string {
    const { directMessages } = this.#parts.journal;
    let text = "";
    for (let { first } = range; first <= range.last;) {
      const portion = directMessages.rangeOf(this.#parts.username, { ...range, first }, PORTION_BYTES);
      if (portion.length === 0) break;
      for (const message of portion) {
        if (!directMessages.isDelivered(message)) text += this.#lineFor(message.line, message, true);
      }
      first = portion.at(-1)!.sequence + 1;
    }
    return text;
  }

  /**
   * The client has taken these entries (before `lamport`). Another session of the user, here or elsewhere, may have
   * been quicker: then these entries do not wait any more.
   */
  #deliver(range: EntryRange, lamport = Infinity): void {
    const { journal, username } = this.#parts;
    for (let { first } = range; first <= range.last;) {
      const portion = journal.directMessages.rangeOf(username, { ...range, first }, PORTION_BYTES);
      if (portion.length === 0) return;
      this.#note(portion, lamport);
      first = portion.at(-1)!.sequence + 1;
    }
  }

  #note(portion: readonly WaitingMessage[], lamport = Infinity): void {
    const { journal, delivered } = this.#parts;
    for (const message of portion) {
      const line = readUserLine(message.line);
      // It was never shown, and nobody is told of it.
      if (line === undefined) continue;
      // The client has not seen it: what it took had the number before.
      if (Number(line.lamport) > lamport) continue;
      const { from, messageId } = line;
      const receipt = journal.directMessages.delivered({ ...message, from, messageId });
      if (receipt !== undefined) delivered?.(message, receipt);
    }
  }
}

/** What a line for a user says; `undefined` for a line that nobody can be shown. */
function readUserLine(line: string): UserLine | undefined {
  const fields = readEntry(line)?.fields;
  if (fields?.command === "RECEIPT") return fields as UserLine;
  if (fields?.command !== "DIRECT_MESSAGE") return undefined;
  const { from, text, id, sentAt, messageId } = fields;
  const isWhole = [from, text, id].every((value) => typeof value === "string") && Number.isSafeInteger(sentAt);
  return isWhole && (messageId === undefined || typeof messageId === "string") ? fields as UserLine : undefined;
}

/** A direct message for a client that knows none: an activity of its sender. */
function plainLine({ text, from, id, lamport, sentAt, messageId }: UserLine): string {
  const activity = { direct_message: text, authenticated_user: from };
  return encodeLine({ command: "ACTIVITY_BROADCAST", activity, id, lamport, sentAt, messageId });
}
