/**
 * The one timer of supervision. Once per pulse it looks at awake time and takes all due sleepers out of the wheel. Then
 * it lets the event loop read everything that has arrived. Only after that does it call the sleepers, a slice at a
 * time. It runs while there are sleepers. The sleeper decides what its deadline means: see `supervisor.ts`.
 */

import type { Clock, Timer } from "../platform/clock.ts";
import { type FaultGuard, UNGUARDED } from "../platform/faults.ts";
import { AwakeClock, type Moment } from "./awake_clock.ts";
import { GONE, type Sleeper, TAKEN, Wheel } from "./wheel.ts";

/** A sleeper is woken at a moment of awake time. It may put itself in again then. */
export interface PulseSleeper extends Sleeper {
  /** The time between two pulses that this one needs. Does not change. */
  readonly pulseMs: number;
  /** Whether a wake-up may close a connection. If so, everything that has arrived has to be read first. */
  readonly accuses: boolean;
  /** Its deadline was at `judgedAt` or before. Must not throw. */
  due(judgedAt: number): void;
  /** `due` has thrown. The sleeper is not called again, and its owner cuts the connection. */
  faulted?(): void;
}

/** Sleepers of one pulse that wait until enough was read. */
interface Round {
  readonly sleepers: PulseSleeper[];
  readonly judgedAt: number;
  turnsLeft: number;
  /** Real time: no sleeper is called before this, and after `patienceEndsMs` the number of turns does not matter. */
  readonly notBeforeMs: number;
  readonly patienceEndsMs: number;
  /** Index of the next to be called. */
  next: number;
}

/**
 * Turns of the event loop before a sleeper is called; and the number of sockets for which one more turn is made before
 * a connection is accused. A turn reads from at most 1024 sockets in Deno 2.9 and 128 in 2.5, and not every turn polls
 * them. A turn with nothing to read takes about a millisecond.
 *
 * Measured: a chain of `setImmediate` never reads the sockets in between, so timers make the turns.
 */
const READ_TURNS = 2;
const SOCKETS_PER_TURN = 64;

/**
 * After this many pulses, enough turns were made, even if turns take long. It is four intervals of heartbeats: by then
 * even the answers to the first ones of a round were read. Without this bound, a client that makes every turn long
 * would keep dead connections.
 */
const PATIENT_PULSES = 40;

/** Sleepers called in one turn. Ten thousand at once (a flood that never logs in) must not keep the others waiting. */
const SLICE = 200;

/** The pulse, its wheel and its awake time. */
export class Pulse {
  readonly awake: AwakeClock;
  readonly #clock: Clock;
  readonly #wheel = new Wheel<PulseSleeper>();
  /** How many sleepers need which pulse. */
  readonly #paces = new Map<number, number>();
  #size = 0;
  #pulseMs = Infinity;
  #pulseTimer: Timer | undefined;
  #rounds: Round[] = [];
  #turnTimer: Timer | undefined;
  readonly #faults: FaultGuard;

  constructor(clock: Clock, faults: FaultGuard = UNGUARDED) {
    this.#clock = clock;
    this.#faults = faults;
    this.awake = new AwakeClock(momentOf(clock), 0);
  }

  /** Sleepers there are. */
  get size(): number {
    return this.#size;
  }

  /** Awake time now. */
  now(): number {
    return this.#size === 0 ? this.awake.at : this.awake.read(momentOf(this.#clock));
  }

  /** Adds a new sleeper that wakes after `delayMs`. */
  join(sleeper: PulseSleeper, delayMs: number): void {
    if (this.#size === 0) this.awake.restart(momentOf(this.#clock));
    const now = this.awake.read(momentOf(this.#clock));
    this.#size += 1;
    this.#paces.set(sleeper.pulseMs, (this.#paces.get(sleeper.pulseMs) ?? 0) + 1);
    if (sleeper.pulseMs < this.#pulseMs) this.#setPace(sleeper.pulseMs);
    this.#wheel.put(sleeper, now + delayMs);
  }

  /** Wakes `sleeper` at `dueAt` instead of its former moment. A sleeper that has left is ignored. */
  wakeAt(sleeper: PulseSleeper, dueAt: number): void {
    if (sleeper.slot !== GONE) this.#wheel.put(sleeper, dueAt);
  }

  /** Forgets `sleeper`: it is not called again. Harmless when it has left. */
  leave(sleeper: PulseSleeper): void {
    if (sleeper.slot === GONE) return;
    this.#wheel.remove(sleeper);
    this.#size -= 1;
    const others = this.#paces.get(sleeper.pulseMs)! - 1;
    if (others > 0) this.#paces.set(sleeper.pulseMs, others);
    else this.#paces.delete(sleeper.pulseMs);
    if (this.#size === 0) this.#rest();
  }

  /** Forgets everybody. */
  clear(): void {
    for (const round of this.#rounds) {
      for (const sleeper of round.sleepers) sleeper.slot = GONE;
    }
    this.#wheel.clear();
    this.#paces.clear();
    this.#size = 0;
    this.#rest();
  }

  #rest(): void {
    this.#pulseTimer?.cancel();
    this.#turnTimer?.cancel();
    this.#pulseTimer = this.#turnTimer = undefined;
    this.#rounds = [];
    this.#pulseMs = Infinity;
  }

  /** Pulses every `pulseMs` from now on. */
  #setPace(pulseMs: number): void {
    this.#pulseMs = pulseMs;
    this.awake.pace(pulseMs);
    this.#pulseTimer?.cancel();
    this.#pulseTimer = this.#clock.after(pulseMs, () => this.#pulse());
  }

  #pulse(): void {
    const at = this.awake.pulse(momentOf(this.#clock));
    // The sleeper that needed the short pulse may have left since the last one.
    this.#setPace(Math.min(...this.#paces.keys()));
    // A look between the end of a sleep and this pulse may have taken time past a deadline before the sleep was known.
    const due = this.awake.isHeld ? [] : this.#wheel.takeDue(at);
    if (due.length === 0) return;
    // Bytes that were written just before a long turn may have left this process after it. Their answers need a moment.
    const waitMs = this.awake.isLate ? this.#pulseMs : 0;
    this.#hold(due.filter((sleeper) => !sleeper.accuses), at, READ_TURNS, 0);
    this.#hold(due.filter(({ accuses }) => accuses), at, READ_TURNS + Math.ceil(this.#size / SOCKETS_PER_TURN), waitMs);
  }

  #hold(sleepers: PulseSleeper[], judgedAt: number, turnsLeft: number, waitMs: number): void {
    if (sleepers.length === 0) return;
    const nowMs = this.#clock.nowMs();
    const patienceEndsMs = nowMs + PATIENT_PULSES * this.#pulseMs;
    this.#rounds.push({ sleepers, judgedAt, turnsLeft, notBeforeMs: nowMs + waitMs, patienceEndsMs, next: 0 });
    this.#turnTimer?.cancel();
    this.#turnTimer = this.#clock.after(0, () => this.#turn());
  }

  #turn(): void {
    this.#turnTimer = undefined;
    let slice = SLICE;
    const nowMs = this.#clock.nowMs();
    for (const round of this.#rounds) {
      if (round.turnsLeft > 0) round.turnsLeft -= 1;
      if (nowMs < round.notBeforeMs || (round.turnsLeft > 0 && nowMs < round.patienceEndsMs)) continue;
      for (; round.next < round.sleepers.length && slice > 0; round.next++) {
        const sleeper = round.sleepers[round.next]!;
        // Data came for the sleeper in between, so that it has another deadline or none.
        if (sleeper.slot !== TAKEN) continue;
        slice -= 1;
        try {
          sleeper.due(round.judgedAt);
        } catch (error) {
          this.#faults.caught("heartbeat", error);
          this.leave(sleeper);
          sleeper.faulted?.();
        }
      }
    }
    this.#rounds = this.#rounds.filter((round) => round.next < round.sleepers.length);
    if (this.#rounds.length === 0) return;
    // Turns are made one after the other; where only time is left to pass, that is waited for.
    const waitMs = Math.min(
      ...this.#rounds.map(({ turnsLeft, notBeforeMs }) => turnsLeft > 0 ? 0 : Math.max(0, notBeforeMs - nowMs)),
    );
    this.#turnTimer ??= this.#clock.after(waitMs, () => this.#turn());
  }
}

function momentOf(clock: Clock): Moment {
  return { nowMs: clock.nowMs(), wallMs: clock.wallMs(), ranMs: clock.ranMs() };
}
