/**
 * Awake time: the clock on which liveness is judged. It advances with real time while this process can run, and stands still while it cannot, so that a stall (SIGSTOP, a machine asleep) is
 * credited to every deadline at once, and no deadline knows of it. Pure: it has no clock, the caller hands in what its clocks say. Who owns it looks once per pulse, and in between as often as
 * it likes.
 *
 * - Two looks further apart than a step are **late**. Whether this process was busy or stood still meanwhile says its processor time: busy is time that passes, as the other side could speak all
 *   the while, and what it said is read before anybody is judged (`pulse.ts`). Else whoever keeps this process busy would keep the dead.
 * - A machine with too much to do gives a busy process a part of a core. An eighth of one counts as all of it; of less, eight times that.
 * - The time in which it did not run is a **stall**, and nothing of it counts, but for a step where it was short.
 * - After a stall awake time is **held** for a few pulses more. A deadline may have had 1 ms left when the stall began; now the answers to it
 *   get time to arrive (the network slept too, if the machine did) and to be read. One that was shorter than that is not worth it.
 * - A **stall shorter than a step** counts as time passed, and it did pass for the other side. Only a freeze of the whole machine would take
 *   it from the other side as well: a pulse and a half at most, 0.4 s.
 * - **Stalls that repeat** are credited each. One that is seen while time is held does not hold it longer, and the pulse that ends a hold
 *   counts as one pulse (the ones before it took longer and counted nothing), so time passes however badly this process
 *   is doing: a dead peer is found late then, but found.
 * - A **machine asleep** stops the monotonic clock of some systems (Linux) but no calendar. So wall time that runs ahead of monotonic
 *   time by more than a step is a stall as well. Somebody who sets the clock forward makes us hold for a few pulses, no more; backward does nothing.
 * - A **coarse clock** that ticks in less than half a pulse changes nothing, as no span is measured twice. If its ticks were
 *   longer than a step every tick would look like a stall; time would pass more slowly, but pass.
 */

import { stepFor } from "./pace.ts";

/** Pulses for which awake time is held after a stall. With 3, two whole ones pass at least between the end of the stall and the next deadline. */
export const HELD_PULSES = 3;

/** Processor time is multiplied by this: who gets an eighth of a core, or more, and has used it has been running all the time. */
const RUNNING_SHARE = 8;

/** What the clocks of a process say. */
export interface Moment {
  /** Monotonic, in milliseconds. */
  readonly nowMs: number;
  /** The calendar's. */
  readonly wallMs: number;
  /** Processor time that the process has used. */
  readonly ranMs: number;
}

/** What passed between two looks, in milliseconds. */
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
  /** Time in which this process could not run; 0 where that cannot be told from a late timer. */
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
   * The latest that awake time can be before the next look at it, unless that is late. What is heard now may be noted with this moment: it is one number for all, and makes nobody look more
   * silent than they are by more than a long turn. So somebody may be asked sooner, which costs a heartbeat; once asked, it is noted to the millisecond.
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

  /** Whether time is held after a stall. Nobody is judged then. */
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

  /** From now on pulses come every `pulseMs`. Look first: the span so far is judged by what held so far. */
  pace(pulseMs: number): void {
    this.#pulseMs = pulseMs;
    this.#stepMs = stepFor(pulseMs);
    this.latest = this.#at + this.#stepMs;
  }

  /** Goes on from where it is after nobody needed it: the time since the last look is neither counted nor a stall. */
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

/** What a span comes to, where a timer may be a step late and time is held for `holdMs` after a stall. */
function judge({ elapsedMs, ranMs, asleepMs }: Span, stepMs: number, holdMs: number): Judged {
  if (asleepMs > stepMs) return { countedMs: 0, stalledMs: elapsedMs + asleepMs, isHeldAfter: true };
  if (elapsedMs <= stepMs) return { countedMs: elapsedMs, stalledMs: 0, isHeldAfter: false };
  const runningMs = Math.min(elapsedMs, RUNNING_SHARE * ranMs);
  const stalledMs = elapsedMs - runningMs;
  if (stalledMs > holdMs) return { countedMs: runningMs, stalledMs, isHeldAfter: true };
  return { countedMs: Math.max(runningMs, stepMs), stalledMs, isHeldAfter: false };
}
