/**
 * Deadlines of many sleepers, in slots of a quarter of a second. Adding, moving and removing cost the same for any
 * number. Pure: the caller of `takeDue` gives the time. Sleepers carry their own place, so nothing is searched and
 * little is allocated.
 */

/** A sleeper with a deadline. Only the wheel writes both fields. */
export interface Sleeper {
  /** When it is due. */
  dueAt: number;
  /** The slot it sleeps in, or `TAKEN`, or `GONE`. */
  slot: number;
}

/** The `slot` of a sleeper that was due, was taken out, and was not put in again. */
export const TAKEN = -1;
/** The `slot` of a sleeper without a deadline: before it is put in, and after it is removed. */
export const GONE = -2;

/** As wide as the longest pulse: each is visited about once before all in it are due. */
const SLOT_MS = 250;

/** Sleepers by the time they are due. */
export class Wheel<S extends Sleeper> {
  readonly #slots = new Map<number, Set<S>>();
  /** All slots before this one are empty. */
  #first = 0;

  /** Gives `sleeper` a deadline instead of its former one. A deadline in the past is due at the next `takeDue`. */
  put(sleeper: S, dueAt: number): void {
    const index = Math.max(Math.floor(dueAt / SLOT_MS), this.#first);
    sleeper.dueAt = dueAt;
    if (sleeper.slot === index) return;
    this.#leaveSlot(sleeper);
    sleeper.slot = index;
    const slot = this.#slots.get(index);
    if (slot) slot.add(sleeper);
    else this.#slots.set(index, new Set([sleeper]));
  }

  /** Takes the deadline away. */
  remove(sleeper: S): void {
    this.#leaveSlot(sleeper);
    sleeper.slot = GONE;
  }

  /**
   * Takes out all sleepers that are due at `at`, which never goes back. They are `TAKEN` until they are put in again or
   * removed.
   */
  takeDue(at: number): S[] {
    const due: S[] = [];
    const last = Math.floor(at / SLOT_MS);
    for (let index = this.#first; index <= last; index++) {
      for (const sleeper of this.#slots.get(index) ?? []) {
        if (sleeper.dueAt > at) continue;
        this.#leaveSlot(sleeper);
        sleeper.slot = TAKEN;
        due.push(sleeper);
      }
    }
    this.#first = last;
    return due;
  }

  /** Removes everybody. */
  clear(): void {
    for (const slot of this.#slots.values()) {
      for (const sleeper of slot) sleeper.slot = GONE;
    }
    this.#slots.clear();
  }

  #leaveSlot(sleeper: S): void {
    const slot = this.#slots.get(sleeper.slot);
    if (slot?.delete(sleeper) && slot.size === 0) this.#slots.delete(sleeper.slot);
  }
}
