/**
 * The trace events of the last minute, for people who look at the network: from this server, and from servers that tell
 * theirs. The number per second has a bound, so that looking costs a busy server nothing noticeable. Events beyond it
 * are counted.
 */

import type { TraceEvent } from "../../trace/trace_event.ts";

/** Events of this server in one second. */
const PER_SECOND = 100;
/** A minute's worth of three busy servers. */
const KEPT = 18_000;
/** How long events are kept. */
const KEPT_MS = 60_000;

/** Events of the last minute. */
export class LiveTrace {
  readonly #events: TraceEvent[] = [];
  #untold: TraceEvent[] = [];
  #left = 0;
  /**
   * Since when all servers are asked for their events, in milliseconds since 1970; `undefined` while nobody looks from
   * here.
   */
  recordedSinceMs: number | undefined;

  /** Whether one more event would be kept. */
  get hasRoom(): boolean {
    return this.#left > 0;
  }

  /** Something happened at this server. */
  add(event: TraceEvent): void {
    if (this.#left === 0) return;
    this.#left--;
    this.#events.push(event);
    this.#untold.push(event);
  }

  /** Something happened at another server. */
  addTold(events: readonly TraceEvent[]): void {
    this.#events.push(...events);
  }

  /** A second has passed. Gives the events of this server since the last time. */
  renew(nowWallMs: number): readonly TraceEvent[] {
    this.#left = PER_SECOND;
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
    this.#left = 0;
    this.#events.length = 0;
    this.#untold = [];
  }

  /** Events of all servers since then, in milliseconds since 1970. */
  since(wallMs: number): readonly TraceEvent[] {
    return this.#events.filter(({ at }) => at >= wallMs);
  }
}
