/**
 * Awake time: the clock that judges liveness. It advances with real time while this process can run, and stands still
 * while it cannot. So a stall (SIGSTOP, a machine asleep) delays every deadline at once. Pure: the caller reads its
 * clocks and hands the times in. The owner looks once per pulse, and in between as often as it likes.
 *
 * * Two looks further apart than a step are **late**. Processor time tells whether this process was busy or stood
 *   still. Busy time counts as passed: the other side could speak, and its bytes are read before anybody is judged
 *   (`pulse.ts`). Otherwise a busy process would keep dead connections.
 * * A machine with too much to do gives a busy process a part of a core. An eighth of a core counts as all of it; of a
 *   smaller share, eight times that.
 * * The time in which the process did not run is a **stall**. A stall does not count; a short one counts up to one
 *   step.
 * * After a stall, awake time is **held** for a few pulses more. A deadline may have had 1 ms left when the stall
 *   began. During the hold, answers can arrive and be read (if the machine slept, its network did, too). A stall
 *   shorter than the hold needs no hold.
 * * A **stall shorter than a step** counts as passed time. It did pass for the other side. Only a freeze of the whole
 *   machine hides this time from the other side as well: a pulse and a half at most, 0.4 s.
 * * **Repeated stalls** are credited each. A stall during a hold does not prolong the hold. The pulse that ends a hold
 *   counts as one pulse. So time passes even if this process runs very badly: it finds a dead peer late, but it does
 *   find it.
 * * A **machine asleep** stops the monotonic clock of some systems (Linux), but no calendar. So wall time that runs
 *   ahead of monotonic time by more than a step is a stall as well. If somebody sets the calendar forward, time is held
 *   for a few pulses. Setting it back has no effect.
 * * A **coarse clock** with ticks shorter than half a pulse changes nothing, as no span is measured twice. With ticks
 *   longer than a step, every tick looks like a stall; time then passes more slowly, but it passes.
 */

import { stepFor } from "./pace.ts";

/**
 * Pulses for which awake time is held after a stall. With 3, at least two whole pulses pass between the end of the
 * stall and the next deadline.
 */
export const HELD_PULSES = 3;

/** Processor time is multiplied by this. A process that used an eighth of a core counts as running all the time. */
const RUNNING_SHARE = 8;

/** The clocks of a process. */
export interface Moment {
  /** Monotonic, in milliseconds. */
  readonly nowMs: number;
  /** The calendar's. */
  readonly wallMs: number;
  /** Processor time that the process has used. */
  readonly ranMs: number;
}

/** The time between two looks, in milliseconds. */
interface Span {
  readonly elapsedMs: number;
  readonly ranMs: number;
  /** By how much the calendar ran ahead. */
  readonly asleepMs: number;
}

/** What a span comes to. */
interface Judged {
  /** Of it counts. */
  readonly countedMs: number;
  /** Time in which this process could not run; 0 if a late timer could look the same. */
  readonly stalledMs: number;
  /** Whether answers need a moment after it. */
  readonly isHeldAfter: boolean;
}

/** A monotonic clock that leaves out stalls. All in milliseconds; its zero is arbitrary. */
export class AwakeClock {
  #at = 0;
  #pulseMs: number;
  #stepMs: number;
  #readAtMs: number;
  #ranAtMs: number;
  #wallAheadMs: number;
  /** Pulses for which time is still held; 0 while it runs. */
  #held = 0;
  #isLate = false;
  #stalls = 0;
  #stalledMs = 0;

  /**
   * The latest awake time before the next look, unless that look is late. Data that is heard now may be noted with this
   * one number. It makes no connection look more silent than it is by more than a long turn. A connection may get its
   * first heartbeat a little sooner; after that, its times are exact to the millisecond.
   */
  latest: number;

  /** Starts at 0, looked at once per `pulseMs`. */
  constructor({ nowMs, wallMs, ranMs }: Moment, pulseMs: number) {
    this.#readAtMs = nowMs;
    this.#ranAtMs = ranMs;
    this.#wallAheadMs = wallMs - nowMs;
    this.#pulseMs = pulseMs;
    this.#stepMs = stepFor(pulseMs);
    this.latest = this.#stepMs;
  }

  /** Awake time when it was last looked at. */
  get at(): number {
    return this.#at;
  }

  /** Stalls seen so far. */
  get stalls(): number {
    return this.#stalls;
  }

  /** How long they took together. */
  get stalledMs(): number {
    return this.#stalledMs;
  }

  /** Whether time is held after a stall. Nobody is judged during a hold. */
  get isHeld(): boolean {
    return this.#held > 0;
  }

  /** Whether the newest look was a late one: this process was busy, or stood still. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** Looks at awake time, between pulses. */
  read({ nowMs, ranMs }: Omit<Moment, "wallMs">): number {
    return this.#look(nowMs, ranMs, 0);
  }

  /** Looks at awake time when a pulse comes, `pulseMs` or more after the one before. */
  pulse({ nowMs, wallMs, ranMs }: Moment): number {
    const wasHeld = this.isHeld;
    const asleepMs = Math.max(0, wallMs - nowMs - this.#wallAheadMs);
    this.#wallAheadMs = wallMs - nowMs;
    this.#look(nowMs, ranMs, asleepMs);
    if (wasHeld) {
      this.#held -= 1;
      if (this.#held === 0) this.#advance(this.#pulseMs);
    }
    return this.#at;
  }

  /** From now on pulses come every `pulseMs`. Look first: the old pace judges the span up to now. */
  pace(pulseMs: number): void {
    this.#pulseMs = pulseMs;
    this.#stepMs = stepFor(pulseMs);
    this.latest = this.#at + this.#stepMs;
  }

  /** Goes on after a time without users. The time since the last look is neither counted nor a stall. */
  restart({ nowMs, wallMs, ranMs }: Moment): void {
    this.#readAtMs = nowMs;
    this.#ranAtMs = ranMs;
    this.#wallAheadMs = wallMs - nowMs;
    this.#held = 0;
  }

  #look(nowMs: number, ranMs: number, asleepMs: number): number {
    const span = { elapsedMs: nowMs - this.#readAtMs, ranMs: ranMs - this.#ranAtMs, asleepMs };
    this.#readAtMs = nowMs;
    this.#ranAtMs = ranMs;
    this.#isLate = span.elapsedMs > this.#stepMs;
    const { countedMs, stalledMs, isHeldAfter } = judge(span, this.#stepMs, HELD_PULSES * this.#pulseMs);
    if (stalledMs > 0) {
      this.#stalls += 1;
      this.#stalledMs += stalledMs;
    }
    if (this.isHeld) return this.#at;
    this.#advance(countedMs);
    if (isHeldAfter) this.#held = HELD_PULSES;
    return this.#at;
  }

  #advance(ms: number): void {
    this.#at += ms;
    this.latest = this.#at + this.#stepMs;
  }
}

/** What a span is worth if a timer may be a step late and time is held for `holdMs` after a stall. */
function judge({ elapsedMs, ranMs, asleepMs }: Span, stepMs: number, holdMs: number): Judged {
  if (asleepMs > stepMs) return { countedMs: 0, stalledMs: elapsedMs + asleepMs, isHeldAfter: true };
  if (elapsedMs <= stepMs) return { countedMs: elapsedMs, stalledMs: 0, isHeldAfter: false };
  const runningMs = Math.min(elapsedMs, RUNNING_SHARE * ranMs);
  const stalledMs = elapsedMs - runningMs;
  if (stalledMs > holdMs) return { countedMs: runningMs, stalledMs, isHeldAfter: true };
  return { countedMs: Math.max(runningMs, stepMs), stalledMs, isHeldAfter: false };
}
