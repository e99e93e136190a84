/**
 * Acknowledgements of one client for ranges: one for what one turn took of it, and not one for each activity. So an
 * acknowledgement costs a turn one line, however many activities it is for. Pure.
 */

import type { EntryId } from "../../../protocol/entry_id.ts";

/** Activities that were taken one after the other. */
export interface AckRange {
  /** The number of the last of them, among those of the connection. */
  upTo: number;
  /** Of the last of them. Each one before has the sequence before. */
  readonly origin: string;
  sequence: number;
}

/** One client's. */
export class AckRanges {
  #count = 0;
  #open: AckRange | undefined;

  /** Counts an activity, whatever becomes of it. Gives its number. */
  count(): number {
    return ++this.#count;
  }

  /** The activity that was counted last is the entry `id`. Gives the range before it, if `id` does not follow that. */
  take({ origin, sequence }: EntryId): AckRange | undefined {
    const open = this.#open;
    if (open !== undefined && open.origin === origin && open.sequence + 1 === sequence) {
      open.upTo = this.#count;
      open.sequence = sequence;
      return undefined;
    }
    this.#open = { upTo: this.#count, origin, sequence };
    return open;
  }

  /** Ends the open range, if there is one, and gives it. */
  close(): AckRange | undefined {
    const open = this.#open;
    this.#open = undefined;
    return open;
  }
}
