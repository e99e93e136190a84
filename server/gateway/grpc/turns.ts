/**
 * Whose turn it is, where participants are called one after the other. Everybody who waits gets one BroadCast, in the
 * order of the Joins. Then the next round begins with the first one. Pure.
 */

/** The turns of one door. */
export class Turns<P> {
  /** In the order of their Joins. */
  readonly #order: P[] = [];
  readonly #waiting = new Set<P>();
  /** The place in `#order` where the round goes on. */
  #at = 0;
  #called: P | undefined;

  /** A participant has come. It is the last one of each round. */
  joined(participant: P): void {
    this.#order.push(participant);
  }

  /** Something is to be brought to the participant. */
  waits(participant: P): void {
    this.#waiting.add(participant);
  }

  /** The participant has answered. */
  answered(participant: P): void {
    if (this.#called === participant) this.#called = undefined;
  }

  /** The participant is gone, and nobody waits for it. */
  gone(participant: P): void {
    this.answered(participant);
    this.#waiting.delete(participant);
    const index = this.#order.indexOf(participant);
    if (index === -1) return;
    this.#order.splice(index, 1);
    if (index < this.#at) this.#at--;
  }

  /** Who is to be called now: nobody while a call is under way, or when nobody waits. */
  next(): P | undefined {
    if (this.#called !== undefined) return undefined;
    const count = this.#order.length;
    for (let step = 0; step < count; step++) {
      const index = (this.#at + step) % count;
      const participant = this.#order[index]!;
      if (!this.#waiting.delete(participant)) continue;
      this.#at = (index + 1) % count;
      return this.#called = participant;
    }
    this.#at = 0;
    return undefined;
  }
}
