// @ts-check
/**
 * Is the server alive? The heartbeat of the page's side, as the client library does it (docs/protocol.md, section 3):
 * when the server was silent for long, it is asked up to `count` times, and then given up. Pure: it reads no clock.
 */

/** @typedef {{ idleTimeoutMs: number, intervalMs: number, count: number }} HeartbeatSettings */

/**
 * `sent` counts the heartbeats since anything was heard, `sequence` those of the connection's life.
 * `isExcused`: the server was given more time, as the page stood still.
 * @typedef {{ heardAt: number, sentAt: number, sent: number, sequence: number, isExcused: boolean }} Liveness
 */

/**
 * What is to be done now.
 * @typedef {"nothing" | "ask" | "giveUp"} LivenessDecision
 */

/**
 * A browser that wakes a hidden page later than this has stood still, and may not take that for the server's silence.
 */
export const LATE_MS = 1_000;

/**
 * @param {number} at
 * @returns {Liveness}
 */
export function startLiveness(at) {
  return { heardAt: at, sentAt: at, sent: 0, sequence: 0, isExcused: false };
}

/**
 * Something came.
 * @param {Liveness} liveness
 * @param {number} at
 * @returns {Liveness}
 */
export function heard(liveness, at) {
  return { ...liveness, heardAt: at, sent: 0, isExcused: false };
}

/**
 * When something is due. The server asks first, so that an idle connection carries one exchange and not two:
 * hence one interval more.
 * @param {Liveness} liveness
 * @param {HeartbeatSettings} settings
 * @returns {number}
 */
export function dueAt({ heardAt, sentAt, sent }, { idleTimeoutMs, intervalMs }) {
  return sent === 0 ? heardAt + idleTimeoutMs + intervalMs : sentAt + intervalMs;
}

/**
 * What is due at `at`, where the page was woken `lateMs` later than it wanted. Whoever does "ask" sends
 * heartbeat number `sequence`.
 * @param {Liveness} liveness
 * @param {number} at
 * @param {number} lateMs
 * @param {HeartbeatSettings} settings
 * @returns {{ liveness: Liveness, decision: LivenessDecision }}
 */
export function stepLiveness(liveness, at, lateMs, settings) {
  if (at < dueAt(liveness, settings)) return { liveness, decision: "nothing" };
  const { sent, sequence, isExcused } = liveness;
  if (sent < settings.count) {
    return { liveness: { ...liveness, sentAt: at, sent: sent + 1, sequence: sequence + 1 }, decision: "ask" };
  }
  // Answers may lie in the socket, behind this wake-up. Once only: browsers wake hidden pages late each time.
  if (lateMs < LATE_MS || isExcused) return { liveness, decision: "giveUp" };
  return { liveness: { ...liveness, sentAt: at, isExcused: true }, decision: "nothing" };
}
