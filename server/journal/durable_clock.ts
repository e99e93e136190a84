/**
 * The Lamport clock of one server, through all its runs. It never falls behind a time that anybody was told. It is
 * written far less often than it ticks. This file decides when to write it, and the journal writes. Pure.
 */

import { receive } from "../../trace/lamport_clock.ts";

/**
 * How far the clock may go on without a write. Most of its times are only said: to clients, in announcements, in claims
 * to names. So a server that starts takes its clock to be this much ahead of the store. A server that runs stays within
 * that distance.
 */
const UNWRITTEN_TICKS = 256;

/** The clock of one server. */
export class DurableClock {
  #now: number;
  /** The time that the store has. */
  #written: number;

  /** Goes on from the store's time: 0 for a new store. */
  constructor(written: number) {
    // A new clock is written with its first tick.
    this.#now = written === 0 ? 0 : written + UNWRITTEN_TICKS;
    this.#written = written;
  }

  get now(): number {
    return this.#now;
  }

  /** A message of this time came, or something happened here if there is no time. Gives the time after it. */
  receive(lamport: number | undefined): number {
    return this.#now = receive(this.#now, lamport);
  }

  /** Moves the clock to `lamport`, if it is behind. Nothing has happened here. */
  reach(lamport: number): void {
    this.#now = Math.max(this.#now, lamport);
  }

  /** Whether it has to be written before anybody is told the time. After a restart it could fall behind that time. */
  get isToBeWritten(): boolean {
    return this.#written === 0 || this.#now > this.#written + UNWRITTEN_TICKS;
  }

  /** The store has the present time. */
  written(): void {
    this.#written = this.#now;
  }
}
