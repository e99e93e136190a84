/**
 * How high Lamport times may be, and how fast a server may move the clocks of others. docs/protocol.md, section 7, has
 * the same numbers. Pure.
 */

/**
 * The highest time that a program may claim for its own clock: a client in a message, a server in its greeting. So one
 * wrong clock cannot use up the range for all. Higher times are not refused, because a server's own clock may be above
 * this bound after another clock came close to it.
 */
export const MAX_LAMPORT = 2 ** 50;

/**
 * No correct clock comes here: from `MAX_LAMPORT` on that takes more than thirty years. So no entry has a higher time,
 * and a clock above this bound was broken once.
 */
export const MAX_ENTRY_LAMPORT = 2 * MAX_LAMPORT;

/**
 * How far a server may move the clock of another server, after the greeting, in each second of their link. A server
 * makes at most a fifth of this number of events. Even at this rate a clock reaches 2^53 only after centuries.
 */
export const MAX_CLOCK_ADVANCE_PER_SECOND = 1_000_000;
