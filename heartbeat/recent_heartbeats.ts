/**
 * The newest heartbeats of one connection. They show afterwards why the connection was closed. Every supervised
 * connection has them, so they are numbers in one list, which the first heartbeat creates.
 */

import type { HeartbeatMoment } from "../view/network_view.ts";

/** Moments that are kept: two rounds of heartbeats, as long as these are usually. */
const KEPT = 8;
/** Numbers that a moment takes: when, which event, which attempt, how long the way there and back took. */
const WIDTH = 4;
const EVENTS = ["sent", "answered", "unanswered"] as const;
/** Stands for a round trip that is not known. */
const NONE = -1;

/** One connection's. */
export class RecentHeartbeats {
  #numbers: number[] | undefined;

  add(at: number, event: HeartbeatMoment["event"], attempt: number, roundTripMs: number = NONE): void {
    const numbers = this.#numbers ??= [];
    if (numbers.length >= KEPT * WIDTH) numbers.splice(0, WIDTH);
    numbers.push(at, EVENTS.indexOf(event), attempt, roundTripMs);
  }

  /** All kept heartbeats, oldest first. `of` heartbeats may go unanswered. */
  list(of: number): HeartbeatMoment[] {
    const numbers = this.#numbers ?? [];
    return Array.from({ length: numbers.length / WIDTH }, (_, index) => {
      const [at, event, attempt, roundTripMs] = numbers.slice(index * WIDTH) as [number, number, number, number];
      return { at, event: EVENTS[event]!, attempt, of, roundTripMs: roundTripMs === NONE ? null : roundTripMs };
    });
  }
}
