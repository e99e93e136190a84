/**
 * What waits for one guest: lines of the log, and notices. A notice stands in no log, but has its place among the
 * lines, so all guests get both in one order. Guests share the lines, in the buffers of all readers, and the notices.
 * So each guest costs only the places in its queue. The queue is also the outlet of the guest's reader.
 */

import { sequenceOf, type Vector } from "../../log/vector.ts";
import type { Outlet } from "../../platform/transport.ts";
import { parseEntryId } from "../../protocol/entry_id.ts";
import type { ActivityBroadcastMessage } from "../../protocol/message.ts";
import { parseServerLine } from "../../protocol/server_codec.ts";

/** News for guests that is in no log. */
export interface Notice<N> {
  readonly notice: N;
  /** The notice comes after all entries of the log that this covers, and before the rest. */
  readonly after: Vector;
}

/** The next thing for a guest. */
export type GuestItem<N> =
  | { readonly kind: "activity"; readonly broadcast: ActivityBroadcastMessage }
  | { readonly kind: "notice"; readonly notice: N };

/** Lines beyond this wait in the log: the reader falls behind, and goes on when these are taken. */
const MAX_WAITING_BYTES = 65_536;
/** A guest that lets more notices wait has fallen behind for good, as the log does not have them. */
const MAX_WAITING_NOTICES = 1_000;
const NEWLINE = 0x0a;
const decoder = new TextDecoder();

/** One guest's. */
export class GuestQueue<N> implements Outlet {
  readonly #arrived: () => void;
  #buffers: Uint8Array[] = [];
  /** Where the next line begins in the first of them. */
  #at = 0;
  #bytes = 0;
  #notices: Notice<N>[] = [];
  #isGone = false;
  /** The next activity, read and not taken. */
  #next: ActivityBroadcastMessage | undefined;

  /** `arrived` is called when there is more. It must not take anything before the call returns. */
  constructor(arrived: () => void) {
    this.#arrived = arrived;
  }

  /** Whether the reader may go on: nothing of the log waits. */
  get isEmpty(): boolean {
    return this.#next === undefined && this.#buffers.length === 0;
  }

  /** Whether more notices wait than may. */
  get isOverfull(): boolean {
    return this.#notices.length > MAX_WAITING_NOTICES;
  }

  add(notice: Notice<N>): void {
    this.#notices.push(notice);
    this.#arrived();
  }

  /**
   * The next thing; `undefined` when there is nothing, or when the next thing still has to be read. `isAtEnd`: nothing
   * more of the log comes before the things that wait here.
   */
  take(isAtEnd: boolean): GuestItem<N> | undefined {
    this.#next ??= this.#readLine();
    const [first] = this.#notices;
    if (this.#next === undefined) {
      if (first === undefined || !isAtEnd) return undefined;
    } else if (first === undefined || isCovered(this.#next.id, first.after)) {
      const broadcast = this.#next;
      this.#next = undefined;
      return { kind: "activity", broadcast };
    }
    this.#notices.shift();
    return { kind: "notice", notice: first.notice };
  }

  // ---- as the reader's outlet ------------------------------------------------------------------------------------

  get pendingBytes(): number {
    return this.#bytes;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isGone) return true;
    this.#buffers.push(bytes);
    this.#bytes += bytes.length;
    this.#arrived();
    return this.#bytes < MAX_WAITING_BYTES;
  }

  /** Nothing more is taken, and nothing more waits. */
  end(): void {
    this.#isGone = true;
    this.#buffers = [];
    this.#notices = [];
    this.#next = undefined;
    this.#bytes = 0;
  }

  /** The next activity among the lines. */
  #readLine(): ActivityBroadcastMessage | undefined {
    for (;;) {
      const buffer = this.#buffers[0];
      if (buffer === undefined) return undefined;
      const end = buffer.indexOf(NEWLINE, this.#at);
      const line = decoder.decode(buffer.subarray(this.#at, end));
      this.#bytes -= end + 1 - this.#at;
      this.#at = end + 1;
      if (this.#at === buffer.length) {
        this.#buffers.shift();
        this.#at = 0;
      }
      const message = parseServerLine(line);
      // Other entries for everybody are for clients that know them.
      if (message?.command === "ACTIVITY_BROADCAST") return message;
    }
  }
}

function isCovered(id: string, vector: Vector): boolean {
  const entry = parseEntryId(id);
  return entry === undefined || entry.sequence <= sequenceOf(vector, entry.origin);
}
