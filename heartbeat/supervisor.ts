/**
 * Watches all connections of a process. Each has a `Watch`. The owner notes the bytes that come. The watch tells the
 * owner when to send a heartbeat, when the other side is alive after all, and when to close. `liveness.ts` decides, on
 * awake time (`awake_clock.ts`); `pulse.ts` wakes. Sockets, lines and log messages belong to the owner.
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

/** A connection as its supervisor needs it. No method may throw. Each may end its own watch, or another one. */
export interface Supervised {
  /**
   * Sends a heartbeat. `sequence` counts 1, 2, 3 … over the connection's life and comes back in the answer. This
   * heartbeat is number `attempt` of the `of` that may go unanswered.
   */
  sendHeartbeat(sequence: number, attempt: number, of: number): void;
  /**
   * Data came after heartbeats were sent: the connection is watched again. The answer to the newest heartbeat is told
   * at once, with a time; other data without one, up to a pulse later. A late answer, after other bytes, is told as
   * well.
   */
  alive(roundTripMs: number | undefined): void;
  /** Nothing came for too long: close with HEARTBEAT_TIMEOUT. The watch has ended. */
  gaveUp(): void;
  /** Another method has thrown: cut the connection. The watch has ended. */
  faulted?(): void;
  /**
   * Whether there is another sign of life than bytes. The supervisor asks this if no bytes came, before it acts.
   * Without this method there is no other sign.
   */
  otherSign?(): OtherSign;
}

/**
 * Signs of life without bytes. `"alive"`: this side does not read the connection now, so its silence says nothing.
 * `"takes"`: this side reads it and hears nothing, but the other side takes the data that waits for it. A heartbeat may
 * stand behind much data there. So the other side gets more time, but has to answer within twice the bound.
 */
export type OtherSign = "alive" | "takes" | "none";

/** The supervision of one connection. */
export interface Watch {
  /**
   * Bytes came. Cheap, for every chunk, before or after its lines are handled. After the end it does nothing, like the
   * other methods.
   */
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

/** How long the other side has been silent while it is not supervised yet. */
export interface Silence extends SupervisorDeadline {
  /** Awake time, to within a pulse. */
  readonly ms: number;
  /** Bytes came. */
  heard(): void;
}

/** The data of a dashboard about one connection's heartbeat. */
export interface HeartbeatSnapshot {
  /** The present state. */
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

/** The part that connections with the same settings share. */
interface Plan {
  readonly config: LivenessConfig;
  readonly pulseMs: number;
  readonly spreadMs: number;
}

/**
 * The golden ratio. Multiples of it, modulo 1, never come close to each other. So neighbours stay well spread,
 * whichever of them leave.
 */
const SPREAD_STEP = 0.6180339887498949;

/** Nothing happens then. */
const SILENCE_LOOK_MS = 60_000;

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
   * Supervises `connection` from now on. It has been silent for `silentMs` of awake time; the time beyond
   * `idleTimeoutMs` is forgiven, so that it can answer. Pass settings through `effectiveHeartbeat` first, and do not
   * change them afterwards.
   * @throws {RangeError} when `config` cannot be kept: a span that is not above 0, a count that is not 1, 2, 3 …
   */
  watch(connection: Supervised, config: LivenessConfig, silentMs = 0): Watch {
    const plan = this.#plan(config);
    this.#watches += 1;
    const lateMs = Math.floor(((this.#watches * SPREAD_STEP) % 1) * plan.spreadMs);
    return new ConnectionWatch(this.#pulse, connection, plan, { lateMs, silentMs });
  }

  /** Counts from now on how long the other side is silent, for a `watch` that is to follow. */
  silence(): Silence {
    return new SilentSpan(this.#pulse);
  }

  /**
   * Calls `passed` once, after `delayMs` of awake time. For every wait for the other side: a login, or the end of sent
   * data. All data that arrived by then is read first. Up to a pulse late.
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

/** One object per connection, kept small: no closures and no timers. The plan has everything that many share. */
class ConnectionWatch implements Watch, PulseSleeper {
  dueAt = 0;
  slot = GONE;
  readonly #pulse: Pulse;
  readonly #connection: Supervised;
  readonly #plan: Plan;
  /** How much later than possible its rounds of heartbeats begin. */
  readonly #lateMs: number;
  #state: Liveness;
  /** The time of the newest data, if it is newer than the state knows. */
  #heardAt: number;
  #roundTripMs: number | undefined = undefined;
  /** Whether the other side has taken some of its waiting data since its last bytes, or just before them. */
  #hasTaken = false;
  /** Bytes ended a round, and its owner was not told yet: the answer may be among them, and tells it better. */
  #aliveIsUntold = false;

  constructor(
    pulse: Pulse,
    connection: Supervised,
    plan: Plan,
    { lateMs, silentMs }: { readonly lateMs: number; readonly silentMs: number },
  ) {
    const { idleTimeoutMs } = plan.config;
    const heardBeforeMs = Math.min(silentMs, idleTimeoutMs);
    this.#pulse = pulse;
    this.#connection = connection;
    this.#plan = plan;
    this.#lateMs = lateMs;
    pulse.join(this, idleTimeoutMs - heardBeforeMs + lateMs);
    this.#heardAt = pulse.awake.at - heardBeforeMs;
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
      // Does not act on a moment after `judgedAt`: data that arrived by then may not have been read yet.
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
    // If the connection shows life, this step only says when to look again.
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

/** Keeps the pulse going, as awake time counts only with somebody in it. */
class SilentSpan implements Silence, PulseSleeper {
  dueAt = 0;
  slot = GONE;
  readonly pulseMs = pulseForDelay(SILENCE_LOOK_MS);
  readonly accuses = false;
  readonly #pulse: Pulse;
  #heardAt: number;

  constructor(pulse: Pulse) {
    this.#pulse = pulse;
    pulse.join(this, SILENCE_LOOK_MS);
    this.#heardAt = pulse.awake.at;
  }

  get ms(): number {
    return this.slot === GONE ? 0 : this.#pulse.now() - this.#heardAt;
  }

  heard(): void {
    this.#heardAt = this.#pulse.now();
  }

  cancel(): void {
    this.#pulse.leave(this);
  }

  due(): void {
    this.#pulse.wakeAt(this, this.#pulse.now() + SILENCE_LOOK_MS);
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
