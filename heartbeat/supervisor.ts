/**
 * Watches all connections of a process. Each has a `Watch`: its owner notes bytes that come, and is told when to send a heartbeat, that the other side is
 * alive after all, or that it is to be closed. What to do when is decided in `liveness.ts`; time is awake time (`awake_clock.ts`); the waking
 * is done by `pulse.ts`. Sockets, lines and log messages belong to the owner.
 */

import type { Clock } from "../platform/clock.ts";
import type { FaultGuard } from "../platform/faults.ts";
import {
  type Liveness,
  type LivenessConfig,
  type LivenessEvent,
  longestPatienceMs,
  startLiveness,
  stepLiveness,
} from "./liveness.ts";
import { pulseFor, pulseForDelay, spreadFor } from "./pace.ts";
import { Pulse, type PulseSleeper } from "./pulse.ts";
import { GONE } from "./wheel.ts";

/** A connection as its supervisor needs it. None of these may throw. Each may end its own watch, or any other. */
export interface Supervised {
  /**
   * Send a heartbeat. `sequence` counts 1, 2, 3 … over the connection's life and comes back in the answer; this one is number `attempt` of the `of`
   * that may go unanswered.
   */
  sendHeartbeat(sequence: number, attempt: number, of: number): void;
  /**
   * Something came after heartbeats were sent: the connection is watched again. Told with a time, at once, when it is the answer to the newest
   * heartbeat; else without one, up to a pulse later. A late answer, after other bytes, is told as well.
   */
  alive(roundTripMs: number | undefined): void;
  /** Nothing came for too long: close with HEARTBEAT_TIMEOUT. The watch has ended. */
  gaveUp(): void;
  /** One of the others has thrown: the connection is to be cut. The watch has ended. */
  faulted?(): void;
  /** Whether there is another sign of life than bytes that came: asked when nothing came, before anything is done about that. Nobody has one where it is absent. */
  otherSign?(): OtherSign;
}

/**
 * Signs of life that are no bytes. `"alive"`: this side does not read it just now, so its silence says nothing, and it lives as far as can be told. `"takes"`: it is read and silent, but has taken, since it was asked
 * last, of what waits for it; so a heartbeat may stand behind much that it has to read first. It gets more time, but has to answer: it is given up within twice the bound.
 */
export type OtherSign = "alive" | "takes" | "none";

/** The supervision of one connection. */
export interface Watch {
  /** Bytes came. Cheap, to be called for every chunk, before or after its lines are handled. After the end it does nothing, like the others. */
  heard(): void;
  /** HEARTBEAT_ACK came for `sequence`. */
  answered(sequence: number): void;
  /** The connection is gone, or is supervised no longer. */
  end(): void;
  /** How it stands, for people. */
  snapshot(): HeartbeatSnapshot;
}

/** A deadline that was asked for. */
export interface SupervisorDeadline {
  /** It is needed no longer. Harmless after it passed. */
  cancel(): void;
}

/** What a dashboard shows of one connection's heartbeat. */
export interface HeartbeatSnapshot {
  /** What it does at the moment. */
  readonly state: Liveness["kind"];
  /** Awake time since something came, to within a pulse. */
  readonly silentMs: number;
  /** While probing, and when it was given up: how many heartbeats went unanswered; else 0. */
  readonly attempt: number;
  /** Heartbeats that may go unanswered. */
  readonly of: number;
  /** Heartbeats sent over the connection's life. */
  readonly heartbeats: number;
  /** How long the newest answer took; `undefined` before the first. */
  readonly roundTripMs: number | undefined;
}

/** How the supervision itself is doing. */
export interface SupervisorSnapshot {
  /** Connections and deadlines. */
  readonly size: number;
  /** How often this process stood still. */
  readonly stalls: number;
  /** For how long together. All of it was credited to the other sides. */
  readonly stalledMs: number;
}

/** What connections with the same settings share. */
interface Plan {
  readonly config: LivenessConfig;
  readonly pulseMs: number;
  readonly spreadMs: number;
}

/** Steps of this part of a whole never come close to each other (the golden ratio), so neighbours are spread well, whoever is left of them. */
const SPREAD_STEP = 0.6180339887498949;

/** The heartbeat tasks of a process, and its deadlines. Costs one timer while there are any. */
export class Supervisor implements Disposable {
  readonly #pulse: Pulse;
  readonly #plans = new WeakMap<LivenessConfig, Plan>();
  #watches = 0;

  /** Uses no timer before there is something to supervise. */
  constructor(clock: Clock, faults?: FaultGuard) {
    this.#pulse = new Pulse(clock, faults);
  }

  /**
   * Supervises `connection` from now on; that it was opened counts as heard. Whoever reads settings passes them through `effectiveHeartbeat` first,
   * and does not change them afterwards.
   * @throws {RangeError} when `config` cannot be kept: a span that is not above 0, a count that is not 1, 2, 3 …
   */
  watch(connection: Supervised, config: LivenessConfig): Watch {
    const plan = this.#plan(config);
    this.#watches += 1;
    const lateMs = Math.floor(((this.#watches * SPREAD_STEP) % 1) * plan.spreadMs);
    return new ConnectionWatch(this.#pulse, connection, plan, lateMs);
  }

  /**
   * Calls `passed` once, after `delayMs` of awake time: for everything that waits for the other side (a login, the end of what is being sent). What had
   * arrived by then has been read before. Up to a pulse late.
   */
  deadline(delayMs: number, passed: () => void): SupervisorDeadline {
    return new Deadline(this.#pulse, delayMs, passed);
  }

  /** How it is doing. */
  snapshot(): SupervisorSnapshot {
    const { awake, size } = this.#pulse;
    return { size, stalls: awake.stalls, stalledMs: awake.stalledMs };
  }

  /** Ends all watches and deadlines: none of their owners is called again. */
  stop(): void {
    this.#pulse.clear();
  }

  /** The same as `stop`. */
  [Symbol.dispose](): void {
    this.stop();
  }

  #plan(config: LivenessConfig): Plan {
    let plan = this.#plans.get(config);
    if (!plan) {
      check(config);
      plan = { config, pulseMs: pulseFor(config), spreadMs: spreadFor(config) };
      this.#plans.set(config, plan);
    }
    return plan;
  }
}

/** One object per connection, kept small: no closures, no timers, and what is alike for many is in the plan. */
class ConnectionWatch implements Watch, PulseSleeper {
  dueAt = 0;
  slot = GONE;
  readonly #pulse: Pulse;
  readonly #connection: Supervised;
  readonly #plan: Plan;
  /** How much later than possible its rounds of heartbeats begin. */
  readonly #lateMs: number;
  #state: Liveness;
  /** When something came last, where that is newer than what the state knows. */
  #heardAt: number;
  #roundTripMs: number | undefined = undefined;
  /** Whether it has taken something of what waits for it since something came from it last, or just before. */
  #hasTaken = false;
  /** Bytes ended a round, and its owner was not told yet: the answer may be among them, and tells it better. */
  #aliveIsUntold = false;

  constructor(pulse: Pulse, connection: Supervised, plan: Plan, lateMs: number) {
    this.#pulse = pulse;
    this.#connection = connection;
    this.#plan = plan;
    this.#lateMs = lateMs;
    pulse.join(this, plan.config.idleTimeoutMs + lateMs);
    this.#heardAt = pulse.awake.at;
    this.#state = startLiveness(this.#heardAt, plan.config).state;
  }

  get pulseMs(): number {
    return this.#plan.pulseMs;
  }

  get accuses(): boolean {
    return this.#state.kind === "probing" && this.#state.sent >= this.#plan.config.count;
  }

  heard(): void {
    if (this.#state.kind === "probing") this.#step({ kind: "heard", at: this.#pulse.now() });
    else this.#heardAt = this.#pulse.awake.latest;
  }

  answered(sequence: number): void {
    this.#step({ kind: "answered", at: this.#pulse.now(), sequence });
  }

  end(): void {
    this.#pulse.leave(this);
  }

  faulted(): void {
    this.#connection.faulted?.();
  }

  snapshot(): HeartbeatSnapshot {
    const state = this.#state;
    return {
      state: state.kind,
      silentMs: Math.max(0, this.#pulse.now() - Math.max(state.heardAt, this.#heardAt)),
      attempt: state.kind === "watching" ? 0 : state.sent,
      of: this.#plan.config.count,
      heartbeats: state.sequence,
      roundTripMs: this.#roundTripMs,
    };
  }

  due(judgedAt: number): void {
    if (this.#aliveIsUntold) this.#tellAlive(undefined);
    if (this.#state.kind === "watching") {
      if (this.#heardAt > this.#state.heardAt) this.#step({ kind: "heard", at: this.#heardAt });
      const dueAt = this.#state.heardAt + this.#plan.config.idleTimeoutMs + this.#lateMs;
      // Nothing is done about a moment after `judgedAt`: what had arrived by then may not have been read yet.
      if (dueAt > judgedAt) return this.#pulse.wakeAt(this, dueAt);
    }
    // The time that counts from here on is when the heartbeat is sent, not when its pulse came.
    const at = this.#pulse.now();
    const sign = this.#connection.otherSign?.() ?? "none";
    // Also a while ago: who reads much from many sides may come back to each of them only after an interval.
    if (sign === "takes") this.#hasTaken = true;
    if (sign === "alive") this.#step({ kind: "heard", at });
    else if (this.#hasTaken && this.accuses && at < this.#state.heardAt + longestPatienceMs(this.#plan.config)) {
      return this.#pulse.wakeAt(this, at + this.#plan.config.intervalMs / 2);
    }
    // Of one that shows life this only says when to look again.
    this.#step({ kind: "woke", at });
  }

  #step(event: LivenessEvent): void {
    if (this.slot === GONE) return;
    if (event.kind !== "woke") this.#hasTaken = false;
    const { state, effects } = stepLiveness(this.#state, event, this.#plan.config);
    this.#state = state;
    for (const effect of effects) {
      switch (effect.kind) {
        case "sendHeartbeat":
          this.#connection.sendHeartbeat(effect.sequence, effect.attempt, effect.of);
          break;
        case "alive":
          if (effect.roundTripMs === undefined) this.#aliveIsUntold = true;
          else this.#tellAlive(effect.roundTripMs);
          break;
        case "giveUp":
          this.end();
          this.#connection.gaveUp();
          break;
        case "wakeAt":
          this.#pulse.wakeAt(this, this.#aliveIsUntold ? this.#pulse.awake.at : effect.at);
      }
    }
  }

  #tellAlive(roundTripMs: number | undefined): void {
    this.#aliveIsUntold = false;
    this.#roundTripMs = roundTripMs ?? this.#roundTripMs;
    this.#connection.alive(roundTripMs);
  }
}

class Deadline implements SupervisorDeadline, PulseSleeper {
  dueAt = 0;
  slot = GONE;
  readonly pulseMs: number;
  readonly accuses = true;
  readonly #pulse: Pulse;
  readonly #passed: () => void;

  constructor(pulse: Pulse, delayMs: number, passed: () => void) {
    this.#pulse = pulse;
    this.#passed = passed;
    this.pulseMs = pulseForDelay(delayMs);
    pulse.join(this, delayMs);
  }

  cancel(): void {
    this.#pulse.leave(this);
  }

  due(): void {
    this.cancel();
    this.#passed();
  }
}

function check(config: LivenessConfig): void {
  for (const key of ["idleTimeoutMs", "intervalMs"] as const) {
    if (!(config[key] > 0 && config[key] < Infinity)) {
      throw new RangeError(`Cannot supervise a connection: ${key} is ${config[key]}, it has to be above 0`);
    }
  }
  if (!(Number.isInteger(config.count) && config.count > 0)) {
    throw new RangeError(`Cannot supervise a connection: count is ${config.count}, it has to be 1, 2, 3 …`);
  }
}
