/**
 * The trace events of the last minute, for people who look at the network: from this server, and from servers that tell
 * theirs. The number per second has a bound, so that looking costs a busy server nothing noticeable. Of many entries a
 * few are recorded on their whole way (`way_sampling.ts`), and all are counted. Of other events the first are recorded.
 */

import { type EntryRange, parseRange, type TraceEvent } from "../../trace/trace_event.ts";
import { WaySampling } from "./way_sampling.ts";

/** Events of this server in one second: of entries on their way, heartbeats, and others. */
const PER_SECOND = { way: 150, heartbeat: 15, other: 35 };
/** A minute's worth of three busy servers. */
const KEPT = 18_000;
/** Looks come a little early or late. */
const SECOND_MS = 900;
/** How long events are kept. */
const KEPT_MS = 60_000;

type Kind = keyof typeof PER_SECOND;

/** Events of the last minute. */
export class LiveTrace {
  readonly #events: TraceEvent[] = [];
  #untold: TraceEvent[] = [];
  #left: Record<Kind, number> = { way: 0, heartbeat: 0, other: 0 };
  readonly #sampling = new WaySampling();
  /** A receipt from a client. Whether its entry is recorded is known with the next event. */
  #held: TraceEvent | undefined;
  /** How many entries were delivered here, and recorded, by the end of their second. */
  #delivered: { readonly at: number; readonly all: number; readonly recorded: number }[] = [];
  #isOpen = false;
  #secondAt = 0;
  /**
   * Since when all servers are asked for their events, in milliseconds since 1970; `undefined` while nobody looks from
   * here.
   */
  recordedSinceMs: number | undefined;

  /** Whether events are recorded. */
  get hasRoom(): boolean {
    return this.#isOpen;
  }

  /** Whether the way of one of these entries is recorded. */
  wants(range: EntryRange): boolean {
    return this.#isOpen && this.#left.way > 0 && this.#sampling.wants(range);
  }

  /** These entries were delivered here. Each server delivers all of the network. */
  delivered(range: EntryRange): void {
    if (this.#isOpen) this.#sampling.delivered(range);
  }

  /** Something happened at this server. */
  add(event: TraceEvent): void {
    if (!this.#isOpen) return;
    const held = this.#held;
    this.#held = undefined;
    const range = event.id === undefined ? undefined : parseRange(event.id);
    if (event.event === "receive" && range === undefined && isFromClient(event)) {
      this.#held = event;
      return;
    }
    if (range === undefined) return this.#keep(event, isHeartbeat(event) ? "heartbeat" : "other");
    if (!this.wants(range)) return;
    if (held !== undefined && held.node === event.node && held.peer === event.peer) this.#keep(held, "way");
    this.#keep(event, "way");
  }

  /** Something happened at another server. */
  addTold(events: readonly TraceEvent[]): void {
    this.#events.push(...events);
  }

  /** Records from now on. Gives the events of this server since the last time. To be called about once a second. */
  renew(nowWallMs: number): readonly TraceEvent[] {
    // Who begins to look makes it look once more. A clock that was set back begins a second, too.
    if (!this.#isOpen || Math.abs(nowWallMs - this.#secondAt) >= SECOND_MS) this.#beginSecond(nowWallMs);
    const tooMany = this.#events.length - KEPT;
    const old = this.#events.findIndex(({ at }) => at >= nowWallMs - KEPT_MS);
    this.#events.splice(0, Math.max(tooMany, old === -1 ? this.#events.length : old));
    const untold = this.#untold;
    this.#untold = [];
    return untold;
  }

  /** Nobody looks any more. */
  close(): void {
    this.recordedSinceMs = undefined;
    this.#isOpen = false;
    this.#held = undefined;
    this.#delivered = [];
    this.#events.length = 0;
    this.#untold = [];
  }

  /** Events of all servers since then, in milliseconds since 1970. */
  since(wallMs: number): readonly TraceEvent[] {
    return this.#events.filter(({ at }) => at >= wallMs);
  }

  /** How many entries were delivered here since then, and how many of them were recorded on their way. */
  deliveredSince(wallMs: number): { readonly all: number; readonly recorded: number } {
    return this.#delivered.filter(({ at }) => at >= wallMs).reduce(
      (sum, { all, recorded }) => ({ all: sum.all + all, recorded: sum.recorded + recorded }),
      this.#sampling.counts,
    );
  }

  #beginSecond(nowWallMs: number): void {
    this.#isOpen = true;
    this.#secondAt = nowWallMs;
    this.#left = { ...PER_SECOND };
    this.#delivered.push({ at: nowWallMs, ...this.#sampling.counts });
    this.#delivered = this.#delivered.filter(({ at }) => at >= nowWallMs - KEPT_MS);
    this.#sampling.renew();
  }

  #keep(event: TraceEvent, kind: Kind): void {
    if (this.#left[kind] === 0) return;
    this.#left[kind]--;
    this.#events.push(event);
    this.#untold.push(event);
  }
}

/** Not from a server, whose messages are entries. */
function isFromClient({ id }: TraceEvent): boolean {
  return id === undefined || !/^(?:login|heartbeat):/.test(id);
}

function isHeartbeat({ event, id }: TraceEvent): boolean {
  return event === "heartbeat" || event === "answered" || (id?.startsWith("heartbeat:") ?? false);
}
