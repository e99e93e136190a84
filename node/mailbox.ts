/**
 * Direct messages of one logged-in client: those that waited for its user, what it gets of those that come, and when they count as delivered. A client with `chat` says so itself; for others they
 * are when their link has taken them.
 */

import type { Segment } from "../log/segment.ts";
import { sequenceOf, type Vector } from "../log/vector.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Link } from "../platform/transport.ts";
import { formatEntryId } from "../protocol/entry_id.ts";
import { encodeLine } from "../protocol/server_codec.ts";
import type { StoredMessage } from "../store/store.ts";
import type { Journal } from "./journal.ts";

/** What a mailbox works with. */
export interface MailboxParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly link: Link;
  readonly username: string;
  /** Whether the client understands DIRECT_MESSAGE and RECEIPT, and says what it has taken. */
  readonly knowsChat: boolean;
}

/** The lines that can be for one user. */
interface UserLine {
  readonly command: string;
  readonly id: string;
  readonly from: string;
  readonly text: string;
  readonly messageId?: string;
  readonly [field: string]: unknown;
}

/** While a link does not take what was written to it. */
const LOOK_AGAIN_MS = 100;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One client's. */
export class Mailbox {
  readonly #parts: MailboxParts;
  /** Written to a client that cannot say what it has taken, and maybe not with it yet: by id. */
  readonly #underWay = new Set<string>();
  #isWatching = false;
  #isClosed = false;
  #timer: Timer | undefined;
  /** What stands in the log up to here came, or comes, out of the inbox. */
  #inboxUpTo = 0;

  constructor(parts: MailboxParts) {
    this.#parts = parts;
  }

  /** Sends what waits for the user. For a client that cannot say what it has: everything before this moment comes from here, and not from the log. */
  open(): void {
    const { journal, link, username } = this.#parts;
    this.#inboxUpTo = journal.head;
    const text = journal.inboxOf(username).map(({ line }) => this.#lineFor(line, true)).join("");
    if (text !== "") link.write(encoder.encode(text));
  }

  /** What the client gets of a segment that is for its user. */
  take(segment: Segment, bytes: Uint8Array): Uint8Array {
    if (segment.position <= this.#inboxUpTo) return bytes.subarray(0, 0);
    const lines = decoder.decode(bytes).split("\n").slice(0, -1);
    return encoder.encode(lines.map((line) => this.#lineFor(line, false)).join(""));
  }

  /** The client has taken all of this, be it over this connection or an earlier one. */
  acknowledged(vector: Vector): void {
    this.#deliver(({ origin, sequence }) => sequence <= sequenceOf(vector, origin));
  }

  /** The connection ends. What is not known to be delivered goes on waiting. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** All that was written to its link has left. */
  drained(): void {
    if (this.#underWay.size === 0) return;
    this.#deliver((message) => this.#underWay.has(formatEntryId(message)));
    this.#underWay.clear();
  }

  #lineFor(line: string, waited: boolean): string {
    const message: UserLine = JSON.parse(line);
    const { knowsChat } = this.#parts;
    if (message.command !== "DIRECT_MESSAGE") return knowsChat ? `${line}\n` : "";
    if (!knowsChat) {
      this.#underWay.add(message.id);
      this.#watchLink();
      return plainLine(message);
    }
    return waited ? encodeLine({ ...message, offline: true }) : `${line}\n`;
  }

  /** At the end of the turn the bytes are with the link: if it takes data, the operating system has them. */
  #watchLink(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#parts.clock.endOfTurn(() => this.#lookAtLink());
  }

  #lookAtLink(): void {
    this.#isWatching = false;
    if (this.#underWay.size === 0 || this.#isClosed) return;
    if (this.#parts.link.pendingBytes === 0) this.drained();
    else {
      this.#isWatching = true;
      this.#timer = this.#parts.clock.after(LOOK_AGAIN_MS, () => this.#lookAtLink());
    }
  }

  /** Unless another session of the user, here or elsewhere, was quicker: then it does not wait any more. */
  #deliver(isTaken: (message: StoredMessage) => boolean): void {
    const { journal, username } = this.#parts;
    for (const message of journal.inboxOf(username)) {
      if (!isTaken(message)) continue;
      const { from, messageId }: UserLine = JSON.parse(message.line);
      journal.delivered({ ...message, from, messageId });
    }
  }
}

/** A direct message for who knows none: an activity of its sender. */
function plainLine({ text, from, id, lamport, sentAt, messageId }: UserLine): string {
  const activity = { direct_message: text, authenticated_user: from };
  return encodeLine({ command: "ACTIVITY_BROADCAST", activity, id, lamport, sentAt, messageId });
}
