/**
 * What a client has published on one connection, in the order in which it was sent. A server that acknowledges a range
 * counts in this order. Pure.
 */

import type { Unacknowledged } from "./outbox.ts";

/** So many answered ones may stand before the first that waits. */
const MAX_ANSWERED = 1_024;

/** The activities of one connection. */
export class SentOrder {
  #sent: Unacknowledged[] = [];
  /** The index of the first one that may wait. */
  #first = 0;
  /** The number of those that are not in the list any more. */
  #dropped = 0;
  /** The number of the last one that was told to wait for another server. */
  #told = 0;

  /** This activity is sent now. */
  add(entry: Unacknowledged): void {
    this.#sent.push(entry);
  }

  /**
   * Takes out the activities with numbers up to `upTo`, and gives those of them that wait for an answer, in order.
   */
  takeUpTo(upTo: number, waits: (entry: Unacknowledged) => boolean): Unacknowledged[] {
    const end = Math.max(this.#first, Math.min(upTo - this.#dropped, this.#sent.length));
    const taken = this.#sent.slice(this.#first, end).filter(waits);
    this.#first = end;
    this.#tidy();
    return taken;
  }

  /** The activities with numbers up to `upTo` that wait, without those that were given before. */
  waitingUpTo(upTo: number, waits: (entry: Unacknowledged) => boolean): Unacknowledged[] {
    const from = Math.max(this.#first, this.#told - this.#dropped);
    this.#told = Math.max(this.#told, upTo);
    return this.#sent.slice(from, Math.max(from, upTo - this.#dropped)).filter(waits);
  }

  /** One of them was answered singly. */
  answered(waits: (entry: Unacknowledged) => boolean): void {
    while (this.#first < this.#sent.length && !waits(this.#sent[this.#first]!)) this.#first++;
    this.#tidy();
  }

  /** The connection is over. The next one counts from 1. */
  clear(): void {
    this.#sent = [];
    this.#first = this.#dropped = this.#told = 0;
  }

  /** Cuts off what was answered, seldom enough that it costs nothing. */
  #tidy(): void {
    if (this.#first < MAX_ANSWERED || this.#first * 2 < this.#sent.length) return;
    this.#sent = this.#sent.slice(this.#first);
    this.#dropped += this.#first;
    this.#first = 0;
  }
}
