/**
 * Is the other side alive? The heartbeat of one connection as a step function: state and event in, state and effects
 * out. Pure: it reads no clock. Moments are milliseconds of any clock that does not go back. `supervisor.ts` hands in
 * awake time (`awake_clock.ts`), so that a server that stood still accuses no connection for it.
 *
 *     watching ── silent for idleTimeoutMs ──▶ probing ── count heartbeats and one more interval: no answer ──▶ gaveUp
 *         ▲                                       │
 *         └───────────────── any byte ────────────┘
 */

import type { HeartbeatConfig } from "../config/config.ts";
import { counted } from "../protocol/counted.ts";

/** The settings that decide. A whole `HeartbeatConfig` is one. */
export type LivenessConfig = Pick<HeartbeatConfig, "idleTimeoutMs" | "intervalMs" | "count">;

/** The state of a connection's heartbeat. `sequence` is the newest heartbeat of the connection, 0 before the first. */
export type Liveness =
  | {
    readonly kind: "watching";
    readonly heardAt: number;
    readonly sequence: number;
    /** When that heartbeat was sent, for as long as its answer may still tell a round trip. */
    readonly sentAt: number | undefined;
  }
  | {
    readonly kind: "probing";
    readonly heardAt: number;
    readonly sequence: number;
    /** When the newest heartbeat was sent. */
    readonly sentAt: number;
    /** Heartbeats of this round, 1 to `count`. */
    readonly sent: number;
  }
  | {
    readonly kind: "gaveUp";
    readonly heardAt: number;
    readonly sequence: number;
    /** Heartbeats that nothing came back for. */
    readonly sent: number;
  };

/** What happens to a connection. */
export type LivenessEvent =
  /**
   * Bytes came. Of several events in a row only the last one counts. So a driver may note the time, and step once
   * before `woke`.
   */
  | { readonly kind: "heard"; readonly at: number }
  /** The answer to heartbeat `sequence` came. It counts as `heard`, too, in either order. */
  | { readonly kind: "answered"; readonly at: number; readonly sequence: number }
  /** The wake-up that was asked for, or any other: too early does nothing, too late makes one step, never several. */
  | { readonly kind: "woke"; readonly at: number };

/** What the driver has to do. */
export type LivenessEffect =
  /** Send heartbeat number `attempt` of `of`. Sequences count 1, 2, 3 … over the connection's life. */
  | { readonly kind: "sendHeartbeat"; readonly sequence: number; readonly attempt: number; readonly of: number }
  /** A round of heartbeats is over because something came; or, with a time, the newest heartbeat was answered. */
  | { readonly kind: "alive"; readonly roundTripMs: number | undefined }
  /** Close the connection for this reason. Nothing follows. */
  | { readonly kind: "giveUp"; readonly reason: "HEARTBEAT_TIMEOUT" }
  /** Hand in `woke` at this moment. Takes the place of the one asked for before. */
  | { readonly kind: "wakeAt"; readonly at: number };

/** The next state, and the effects. */
export interface Step {
  /** The state from now on. */
  readonly state: Liveness;
  /** To be done in this order. */
  readonly effects: readonly LivenessEffect[];
}

/** Shared by every step that asks for nothing. */
export const NO_EFFECTS: readonly LivenessEffect[] = Object.freeze([]);

/** A connection that begins at `at`: it counts as heard then. */
export function startLiveness(at: number, config: LivenessConfig): Step {
  return {
    state: { kind: "watching", heardAt: at, sequence: 0, sentAt: undefined },
    effects: [{ kind: "wakeAt", at: at + config.idleTimeoutMs }],
  };
}

/** The one rule of this room. After `giveUp` it does nothing. */
export function stepLiveness(state: Liveness, event: LivenessEvent, config: LivenessConfig): Step {
  if (state.kind === "gaveUp") return { state, effects: NO_EFFECTS };
  switch (event.kind) {
    case "heard":
      return state.kind === "watching" ? stillWatching(state, event.at) : disarmed(state, event.at, undefined, config);
    case "answered": {
      // Only the newest heartbeat has a time. An answer to an older one, or to none of ours, is a sign of life and no
      // more.
      const roundTripMs = event.sequence === state.sequence && state.sentAt !== undefined
        ? event.at - state.sentAt
        : undefined;
      if (state.kind === "probing") return disarmed(state, event.at, roundTripMs, config);
      const still = stillWatching(state, event.at);
      if (roundTripMs === undefined) return still;
      return { state: { ...still.state, sentAt: undefined } as Liveness, effects: [{ kind: "alive", roundTripMs }] };
    }
    case "woke":
      return state.kind === "watching" ? wokeWatching(state, event.at, config) : wokeProbing(state, event.at, config);
  }
}

/** The longest silence of a connection before it is given up. `Supervisor` keeps this bound, in awake time. */
export function longestSilenceMs(config: LivenessConfig): number {
  return config.idleTimeoutMs + (config.count + 1) * config.intervalMs;
}

/**
 * The longest silence of a peer that takes the data sent to it. Two intervals are left for everything that makes us
 * late.
 */
export function longestPatienceMs(config: LivenessConfig): number {
  return 2 * longestSilenceMs(config) - 2 * config.intervalMs;
}

/**
 * The settings in use. An idle timeout below `intervalMs × count` is raised to that, so that probing never takes longer
 * than waiting did. Then `warning` says so, in words. The rest of `config` is unchanged.
 */
export function effectiveHeartbeat<C extends LivenessConfig>(config: C): { config: C; warning?: string } {
  const least = config.intervalMs * config.count;
  if (config.idleTimeoutMs >= least) return { config };
  const warning =
    `An idle timeout of ${seconds(config.idleTimeoutMs)} is shorter than ${counted(config.count, "heartbeat")} ` +
    `${seconds(config.intervalMs)} apart: ${seconds(least)} is used instead`;
  return { config: { ...config, idleTimeoutMs: least }, warning };
}

type Watching = Extract<Liveness, { kind: "watching" }>;
type Probing = Extract<Liveness, { kind: "probing" }>;

/** Asks for no new wake-up. The pending one comes too early now, and then asks for the right one. */
function stillWatching(state: Watching, at: number): Step {
  return { state: { ...state, heardAt: at }, effects: NO_EFFECTS };
}

function disarmed(state: Probing, at: number, roundTripMs: number | undefined, config: LivenessConfig): Step {
  const sentAt = roundTripMs === undefined ? state.sentAt : undefined;
  return {
    state: { kind: "watching", heardAt: at, sequence: state.sequence, sentAt },
    effects: [{ kind: "alive", roundTripMs }, { kind: "wakeAt", at: at + config.idleTimeoutMs }],
  };
}

function wokeWatching(state: Watching, at: number, config: LivenessConfig): Step {
  const idleAt = state.heardAt + config.idleTimeoutMs;
  if (at < idleAt) return { state, effects: [{ kind: "wakeAt", at: idleAt }] };
  return heartbeat(state, at, 1, config);
}

/**
 * The next moment counts from when the heartbeat was really sent. So each heartbeat, and the last one too, has a whole
 * interval for its answer. `pace.ts` keeps the sum of all lateness below the one spare interval of `longestSilenceMs`.
 */
function wokeProbing(state: Probing, at: number, config: LivenessConfig): Step {
  const { heardAt, sequence, sent } = state;
  const nextAt = state.sentAt + config.intervalMs;
  if (at < nextAt) return { state, effects: [{ kind: "wakeAt", at: nextAt }] };
  if (sent < config.count) return heartbeat(state, at, sent + 1, config);
  return {
    state: { kind: "gaveUp", heardAt, sequence, sent },
    effects: [{ kind: "giveUp", reason: "HEARTBEAT_TIMEOUT" }],
  };
}

function heartbeat(state: Watching | Probing, at: number, attempt: number, config: LivenessConfig): Step {
  const sequence = state.sequence + 1;
  return {
    state: { kind: "probing", heardAt: state.heardAt, sequence, sentAt: at, sent: attempt },
    effects: [
      { kind: "sendHeartbeat", sequence, attempt, of: config.count },
      { kind: "wakeAt", at: at + config.intervalMs },
    ],
  };
}

/** `"30 s"`, `"0.25 s"`. */
function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
