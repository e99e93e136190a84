// @ts-check
/** Whether a server that is gone was drained. Pure. */

/** @typedef {import("../../view/network_view.ts").NetworkView} NetworkView */

/**
 * When the server was started that is to be gone soon, as it was drained: seen, or known from before; `undefined` where
 * it was not. Nothing takes a drain back but a new start: what a server says may have been on its way when it was told
 * to drain, and while it stops it does not say that it drains.
 *
 * @param {Pick<NetworkView, "from" | "servers">} view
 * @param {number | null | undefined} drainedStart what was known before
 * @returns {number | null | undefined}
 */
export function startOfDrained({ from, servers }, drainedStart) {
  const own = servers[from];
  if (own === undefined) return drainedStart;
  return own.draining != null || own.startedAt === drainedStart ? own.startedAt : undefined;
}
