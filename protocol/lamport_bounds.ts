/** How high Lamport times may be, and how fast a server may move the clocks of others. docs/protocol.md, section 7, has the same numbers. */

/**
 * What somebody says of its own clock counts up to this: a client with each message, a server in its greeting. One wrong clock must not use up everybody's. What is above is not refused, as
 * a server's own clock may be above it once another one was close to it.
 */
export const MAX_LAMPORT = 2 ** 50;

/** No clock that keeps to the rules comes here: from `MAX_LAMPORT` on that takes more than thirty years. So no entry has a time above this, and a clock that is above it was broken once. */
export const MAX_ENTRY_LAMPORT = 2 * MAX_LAMPORT;

/**
 * How far a server may move the clock of another one in each second that their link lasts, after the greeting. Some five times what a server has events at most; a clock that it takes
 * 2^53 to stop lasts for centuries.
 */
export const MAX_CLOCK_ADVANCE_PER_SECOND = 1_000_000;
