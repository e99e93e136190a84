/**
 * Awake time: the clock on which liveness is judged. It advances with real time while this process keeps up, and stands still while it does not,
 * so that a stall (a long turn of the event loop, SIGSTOP, a machine asleep) is credited to every deadline at once, and no deadline knows of it.
 * Pure: it has no clock, the caller hands in what its clocks say. Who owns it looks once per pulse, and in between as often as it likes.
 *
 * - Two looks further apart than a step are a **stall**. Nothing of it counts: how much of it this process was awake cannot be known.
 * - After a stall awake time is **held** for a few pulses more. A deadline may have had 1 ms left when the stall began; now the answers to it
 *   get time to arrive (the network slept too, if the machine did) and to be read. A backlog takes the event loop several turns; that
 *   nobody is accused before these turns were made is the duty of `pulse.ts`. Together: an answer that had arrived is always read first.
 * - A **stall shorter than a step** counts as time passed, and it did pass for the other side. Only a freeze of the whole machine would take
 *   it from the other side as well: a pulse and a half at most, 0.4 s.
 * - **Stalls that repeat** are credited each. One that is seen while time is held does not hold it longer, and the pulse that ends a hold
 *   counts as one pulse (the ones before it took longer and counted nothing), so time passes however badly this process
 *   is doing: a dead peer is found late then, but found, and nobody can keep deadlines from coming by keeping the server busy.
 * - A **machine asleep** stops the monotonic clock of some systems (Linux) but no calendar. So wall time that runs ahead of monotonic
 *   time by more than a step is a stall as well. Somebody who sets the clock forward makes us hold for a few pulses, no more; backward does nothing.
 * - A **coarse clock** that ticks in less than half a pulse changes nothing, as no span is measured twice. If its ticks were
 *   longer than a step every tick would look like a stall; time would pass more slowly, by the pulses that end a hold, but pass.
 */

import { stepFor } from "./pace.ts";

/** Pulses for which awake time is held after a stall. With 3, two whole ones pass at least between the end of the stall and the next deadline. */
export const HELD_PULSES = 3;

/** A monotonic clock that leaves out stalls. All in milliseconds; its zero is arbitrary. */
export class AwakeClock {
  #at = 0;
  #pulseMs: number;
  #stepMs: number;
  #readAtMs: number;
  #wallAheadMs: number;
  /** Pulses for which time is still held; 0 while it runs. */
  #held = 0;
  #stalls = 0;
  #stalledMs = 0;

  /**
   * The latest that awake time can be before the next look at it. What is heard now may be noted with this moment: it is one number for all, and
   * it never makes anybody look more silent than they are.
   */
  latest: number;

  /** Starts at 0, looked at once per `pulseMs`. */
  constructor(nowMs: number, wallMs: number, pulseMs: number) {
    this.#readAtMs = nowMs;
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

  /** Looks at awake time, between pulses. `nowMs` is monotonic. */
  read(nowMs: number): number {
    return this.#look(nowMs, 0);
  }

  /** Looks at awake time when a pulse comes, `pulseMs` or more after the one before. `wallMs` is the calendar's time. */
  pulse(nowMs: number, wallMs: number): number {
    const wasHeld = this.isHeld;
    const asleepMs = Math.max(0, wallMs - nowMs - this.#wallAheadMs);
    this.#wallAheadMs = wallMs - nowMs;
    this.#look(nowMs, asleepMs);
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
  restart(nowMs: number, wallMs: number): void {
    this.#readAtMs = nowMs;
    this.#wallAheadMs = wallMs - nowMs;
    this.#held = 0;
  }

  #look(nowMs: number, asleepMs: number): number {
    const elapsedMs = nowMs - this.#readAtMs;
    this.#readAtMs = nowMs;
    if (elapsedMs > this.#stepMs || asleepMs > this.#stepMs) {
      this.#stalls += 1;
      this.#stalledMs += elapsedMs + asleepMs;
      if (!this.isHeld) this.#held = HELD_PULSES;
    } else if (!this.isHeld) {
      this.#advance(elapsedMs);
    }
    return this.#at;
  }

  #advance(ms: number): void {
    this.#at += ms;
    this.latest = this.#at + this.#stepMs;
  }
}
