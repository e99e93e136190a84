/**
 * The door's own Lamport clock. Every request and reply, sent or received, and every attempt is one event. The server's
 * clock counts other events too and is never behind it, so the door's clock goes on from there after a restart. Pure.
 */

import { receive, tick } from "../../../trace/lamport_clock.ts";

/** Something happened at a Lamport time. */
export type Note = (what: string, lamport: number) => void;

/** One door's clock. */
export class DoorClock {
  #now: number;
  readonly #note: Note;
  readonly #reached: (lamport: number) => void;

  /** Begins at `lamport`. `note` is told each event, and `reached` each time that it comes to. */
  constructor(lamport: number, note: Note, reached: (lamport: number) => void) {
    this.#now = lamport;
    this.#note = note;
    this.#reached = reached;
  }

  get now(): number {
    return this.#now;
  }

  /** Something happens here, or is sent. */
  tick(what: string): number {
    return this.#at(tick(this.#now), what);
  }

  /** Something came that was sent at `lamport`, or follows from it. */
  receive(lamport: number, what: string): number {
    return this.#at(receive(this.#now, lamport), what);
  }

  /** Something happens at a time that was found already: later than now. */
  advance(lamport: number, what: string): number {
    return this.#at(lamport, what);
  }

  #at(lamport: number, what: string): number {
    this.#now = lamport;
    this.#reached(lamport);
    this.#note(what, lamport);
    return lamport;
  }
}
