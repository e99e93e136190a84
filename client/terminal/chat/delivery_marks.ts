/** The person's messages whose delivery is not shown yet. Pure. */

import { RecentMap } from "../../../log/recent.ts";

/** A text, and its receiver. */
export interface Undelivered {
  readonly to: string;
  readonly text: string;
}

/** Older ones are no longer known when they are delivered, and get no mark then. */
export const MAX_UNDELIVERED = 1_000;

/** Keeps messages from when they are stored until they are delivered. */
export class DeliveryMarks {
  readonly #undelivered = new RecentMap<string, Undelivered>(MAX_UNDELIVERED);
  /** Delivered, before it was known here that they are stored. */
  readonly #early = new Set<string>();
  #sending = 0;

  /** A message is being sent; `stored` or `failed` follows. */
  sending(): void {
    this.#sending++;
  }

  /** It was not taken. */
  failed(): void {
    this.#finished();
  }

  /** It is stored, as `id`. Whether it is delivered already. */
  stored(id: string, message: Undelivered): boolean {
    const isDelivered = this.#early.has(id);
    if (!isDelivered) this.#undelivered.set(id, message);
    this.#finished();
    return isDelivered;
  }

  /**
   * The message `id` was delivered; gives its text. `undefined` if it came from another terminal of the person or an
   * earlier client, or if `stored` may still ask about it.
   */
  delivered(id: string): Undelivered | undefined {
    const message = this.#undelivered.get(id);
    this.#undelivered.delete(id);
    if (message === undefined && this.#sending > 0) this.#early.add(id);
    return message;
  }

  #finished(): void {
    if (--this.#sending === 0) this.#early.clear();
  }
}
