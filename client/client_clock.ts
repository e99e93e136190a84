/**
 * A client's Lamport clock, and the record of what happened at which of its times, if anybody wants one. An event that is not recorded takes no time of its
 * own, except where a message carries it.
 */

import { receive, tick } from "../trace/lamport_clock.ts";
import type { Happening, TraceEvent } from "../trace/trace_event.ts";

/** Where events are recorded. */
export interface ClientRecord {
  /** The client's name in the record; what follows `#` tells it from other clients of the same user. */
  readonly node: string;
  wallMs(): number;
  write(event: TraceEvent): void;
}

/** The clock of one client. */
export class ClientClock {
  readonly #record: ClientRecord | undefined;
  #time: number;

  /** `time` is what the clock of an earlier life had come to; 0 for none. */
  constructor(time: number, record: ClientRecord | undefined) {
    this.#time = time;
    this.#record = record;
  }

  get time(): number {
    return this.#time;
  }

  get isRecorded(): boolean {
    return this.#record !== undefined;
  }

  /** The time of a publication. One that is recorded is sent at that time, or at a later one: then it gets that. */
  publish(): number {
    return this.isRecorded ? this.#time + 1 : this.#time = tick(this.#time);
  }

  /** The time of a message that is sent now. */
  send(happening: Happening): number {
    this.#time = tick(this.#time);
    this.#write(happening);
    return this.#time;
  }

  /** A message came that was sent at `lamport`. Without `happening` it is not recorded. */
  receive(lamport: number | undefined, happening?: Happening): void {
    this.#time = receive(this.#time, lamport);
    if (happening !== undefined) this.#write(happening);
  }

  /** What comes next was sent at `lamport`, or after it. */
  atLeast(lamport: number): void {
    this.#time = Math.max(this.#time, lamport);
  }

  /** Something happened here. */
  note(happening: Happening): void {
    if (this.#record === undefined) return;
    this.#time = tick(this.#time);
    this.#write(happening);
  }

  #write(happening: Happening): void {
    const record = this.#record;
    record?.write({ at: record.wallMs(), lamport: this.#time, node: record.node, ...happening });
  }
}
