/** How many direct messages wait, for each user and for all. Both stores keep count with this. Pure. */

/** The counts of one store. */
export class InboxCounts {
  readonly #byUser = new Map<string, number>();
  #size = 0;

  /** Begins with what waits already. */
  constructor(waiting: Iterable<readonly [username: string, count: number]> = []) {
    for (const [username, count] of waiting) this.add(username, count);
  }

  /** For all users. */
  get size(): number {
    return this.#size;
  }

  /** For each user for whom any wait. */
  get byUser(): ReadonlyMap<string, number> {
    return this.#byUser;
  }

  /** `change` more wait for a user; fewer, if it is negative. */
  add(username: string, change: number): void {
    this.#size += change;
    const count = (this.#byUser.get(username) ?? 0) + change;
    if (count === 0) this.#byUser.delete(username);
    else this.#byUser.set(username, count);
  }
}
