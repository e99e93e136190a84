/**
 * The Lamport clock of one server through all its lives: it never falls behind a time that anybody was told, and is
 * written far less often than it ticks. Decides when it has to be written; doing so is the journal's. Pure.
 */

import { receive } from "../../trace/lamport_clock.ts";

/**
 * How far the clock may go on with nothing written. Most of its times are only said (to clients, in announcements, in
 * claims to names), and a write for each would be many: so a server that starts takes its clock to be this much further
 * than the store knows, and one that runs stays within it.
 */
const UNWRITTEN_TICKS = 256;

/** One server's. */
export class DurableClock {
  #now: number;
  /** What the store has of it. */
  #written: number;

  /** Goes on from what the store has: 0 when that is new. */
  constructor(written: number) {
    // A new one is written with its first tick.
    this.#now = written === 0 ? 0 : written + UNWRITTEN_TICKS;
    this.#written = written;
  }

  get now(): number {
    return this.#now;
  }

  /** A message came that was sent at this time, or (without one) something happened here. Gives the time after it. */
  receive(lamport: number | undefined): number {
    return this.#now = receive(this.#now, lamport);
  }

  /** Is not behind `lamport` any more. Nothing has happened here. */
  reach(lamport: number): void {
    this.#now = Math.max(this.#now, lamport);
  }

  /** Whether it has to be written before anybody is told the time: it could fall behind that after a restart. */
  get isToBeWritten(): boolean {
    return this.#written === 0 || this.#now > this.#written + UNWRITTEN_TICKS;
  }

  /** The store has the time that it is now. */
  written(): void {
    this.#written = this.#now;
  }
}
