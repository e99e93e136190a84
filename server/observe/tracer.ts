/**
 * The record of this server. Consecutive activities of a client that keeps no trace, and gave no message ids, are one
 * event: there is nothing to pair each with. A line for each would be a noticeable part of an activity's cost.
 */

import type { Clock } from "../../platform/clock.ts";
import type { Segment } from "../../log/segment.ts";
import { type EntryId, formatEntryId } from "../../protocol/entry_id.ts";
import type { Journal } from "../journal/journal.ts";
import { type EntryRange, formatRange, type Trace, type TraceEvent } from "../../trace/trace_event.ts";

/** Activities that were taken in one after the other. */
interface Run {
  readonly peer: string;
  readonly origin: string;
  readonly first: number;
  last: number;
  /** Lamport times of the last one's receipt and of its entry. */
  received: number;
  published: number;
}

/** Which entries are traced, where not all are. */
export interface TracedEntries {
  /** Whether one of these is. */
  wants(range: EntryRange): boolean;
  /** These were delivered, whether traced or not. */
  delivered(range: EntryRange): void;
}

/** Writes one server's trace. */
export class Tracer {
  readonly #clock: Clock;
  readonly #node: () => string;
  readonly #tick: () => number;
  readonly #now: () => number;
  readonly #write: (event: TraceEvent) => void;
  readonly #entries: TracedEntries;
  #run: Run | undefined;

  constructor(
    clock: Clock,
    journal: Journal,
    write: (event: TraceEvent) => void,
    entries: TracedEntries = { wants: () => true, delivered: () => {} },
  ) {
    this.#clock = clock;
    this.#node = () => journal.serverId;
    this.#tick = () => journal.tick();
    this.#now = () => journal.lamport;
    this.#write = write;
    this.#entries = entries;
  }

  /** Something happened, at this Lamport time. */
  readonly trace: Trace = (happening, lamport) => {
    if (this.#run !== undefined) this.#writeRun(this.#run);
    this.#write({ at: this.#clock.wallMs(), lamport, node: this.#node(), ...happening });
  };

  /**
   * A publication of `peer` came at the Lamport time `received`, and became the entry `id` at `published`. `undefined`:
   * it was that entry already. A new entry is broadcast in the same turn.
   */
  published(
    peer: string,
    id: EntryId,
    messageId: string | undefined,
    received: number,
    published: number | undefined,
  ): void {
    const { origin, sequence } = id;
    if (published !== undefined && !this.#entries.wants({ origin, first: sequence, last: sequence })) return;
    if (messageId === undefined && published !== undefined) return this.#add(peer, id, received, published);
    const known = messageId === undefined ? {} : { what: messageId };
    this.trace({ event: "receive", peer, ...(messageId === undefined ? {} : { id: messageId }) }, received);
    const event = published === undefined ? "repeated" : "publish";
    this.trace({ event, peer, id: formatEntryId(id), ...known }, published ?? this.#tick());
  }

  /** `peer` has the direct message, or its link has: that became the entry `receipt`, right now. */
  delivered(peer: string, message: EntryId, receipt: EntryId): void {
    const about = { id: formatEntryId(receipt), what: formatEntryId(message) };
    this.trace({ event: "delivered", peer, ...about }, this.#now());
  }

  /** These go to all their clients: one event for each segment and not for each client, as all get one buffer. */
  broadcast(segments: readonly Segment[]): void {
    for (const segment of segments) {
      const { audience } = segment;
      if (audience.kind === "servers") continue;
      const isWanted = this.#entries.wants(segment);
      this.#entries.delivered(segment);
      if (!isWanted) continue;
      const what = audience.kind === "user" ? { what: `for ${audience.username}` } : {};
      this.trace({ event: "broadcast", id: formatRange(segment), ...what }, this.#tick());
    }
  }

  #add(peer: string, { origin, sequence }: EntryId, received: number, published: number): void {
    const run = this.#run;
    if (run !== undefined && run.peer === peer && run.last + 1 === sequence && run.origin === origin) {
      run.last = sequence;
      run.received = received;
      run.published = published;
      return;
    }
    if (run !== undefined) this.#writeRun(run);
    this.#run = { peer, origin, first: sequence, last: sequence, received, published };
  }

  #writeRun(run: Run): void {
    this.#run = undefined;
    const { peer, first, last, received, published } = run;
    const many = last > first ? { what: `${last - first + 1} activities` } : {};
    this.trace({ event: "receive", peer, ...many }, received);
    this.trace({ event: "publish", peer, id: formatRange(run) }, published);
  }
}
