/**
 * A client's Lamport clock, and the record of its events with their times, if a trace is written. An event that is not
 * recorded takes no time of its own, unless a message carries that time.
 */

import { receive, tick } from "../trace/lamport_clock.ts";
import type { Happening, TraceEvent } from "../trace/trace_event.ts";

/** Where events are recorded. */
export interface ClientRecord {
  /** The client's name in the record. The part after `#` tells it from other clients of the same user. */
  readonly node: string;
  wallMs(): number;
  write(event: TraceEvent): void;
}

/** The clock of one client. */
export class ClientClock {
  readonly #record: ClientRecord | undefined;
  #time: number;
  #logins = 0;

  /** `time` is the last time of the clock's earlier life; 0 for none. */
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

  /** The time of a publication. A recorded publication is sent at that time, or at a later one that it then gets. */
  publish(): number {
    return this.isRecorded ? this.#time + 1 : this.#time = tick(this.#time);
  }

  /** The time of a message that is sent now. */
  send(happening: Happening): number {
    this.#time = tick(this.#time);
    this.#write(happening);
    return this.#time;
  }

  /** A message came with the time `lamport`. Without `happening` it is not recorded. */
  receive(lamport: number | undefined, happening?: Happening): void {
    this.#time = receive(this.#time, lamport);
    if (happening !== undefined) this.#write(happening);
  }

  /** A login is sent to `peer` now. Gives what it says of the record. */
  login(
    peer: string,
  ): { readonly trace?: { readonly node: string; readonly attempt: number; readonly lamport: number } } {
    const attempt = ++this.#logins;
    if (this.#record === undefined) return {};
    const node = this.#record.node.slice(this.#record.node.lastIndexOf("#") + 1);
    return { trace: { node, attempt, lamport: this.send({ event: "send", peer, id: `login:${attempt}` }) } };
  }

  /** `peer` has answered the newest login, at its time `lamport`. */
  loggedIn(peer: string, lamport: number | undefined): void {
    this.receive(lamport, { event: "receive", peer, id: `login:${this.#logins}` });
  }

  /** The next messages were sent at `lamport` or later. */
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
