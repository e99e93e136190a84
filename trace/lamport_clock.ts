/**
 * Lamport's logical clock as two functions over a number. Every local event, send and receive adds one. A received time
 * is always in the past. L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978. Pure.
 */

/** The time of the next local event or send. */
export function tick(own: number): number {
  return own + 1;
}

/** The time of a receive. `received` is the time in the message; a message without one counts as a local event. */
export function receive(own: number, received: number | undefined): number {
  return Math.max(own, received ?? 0) + 1;
}
