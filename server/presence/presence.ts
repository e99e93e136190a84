/**
 * Who is online in the network: the users of this server and of each that is linked, and what is told when somebody
 * comes or goes. Who is nowhere any more because a connection or a server was lost has a moment to come back before
 * that is told. For each user what is told alternates: joined, gone, joined. Pure: the time comes in.
 */

/** Something to tell. */
export interface PresenceEvent {
  readonly event: "joined" | "left" | "lost";
  readonly username: string;
}

interface User {
  /** Servers that it is logged in at. */
  readonly servers: Set<string>;
  /** When it is told that it is gone, in milliseconds of a monotonic clock; `Infinity` while it is somewhere. */
  lostAt: number;
}

const NOTHING: readonly PresenceEvent[] = Object.freeze([]);

/** The users that are somewhere, or were a moment ago. */
export class Presence {
  readonly #graceMs: number;
  readonly #users = new Map<string, User>();
  /** Is another number whenever `listed` is another list. */
  changes = 0;

  /** Whoever was lost has `graceMs` to come back. */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Whether the user is logged in somewhere at this moment. */
  isOnline(username: string): boolean {
    return (this.#users.get(username)?.servers.size ?? 0) > 0;
  }

  /** Where the user is logged in at this moment; if nowhere, whether it has a moment to come back. */
  whereabouts(username: string): { readonly servers: readonly string[]; readonly isAway: boolean } {
    const user = this.#users.get(username);
    return { servers: [...user?.servers ?? []], isAway: user?.servers.size === 0 };
  }

  /**
   * Everybody of whom `joined` was told and not yet that he is gone, in the order of `Array.sort`: so also who has a
   * moment to come back. Who asks and is told what happens from then on knows who is there: nothing follows when
   * somebody comes back.
   */
  get listed(): string[] {
    return [...this.#users.keys()].sort();
  }

  /** Everybody who is logged in somewhere at this moment, with the servers. */
  *servers(): Iterable<readonly [username: string, servers: readonly string[]]> {
    for (const [username, { servers }] of this.#users) {
      if (servers.size > 0) yield [username, servers.size === 1 ? [...servers] : [...servers].sort()];
    }
  }

  /** A user has its first session at `server`. */
  came(server: string, username: string): readonly PresenceEvent[] {
    const user = this.#users.get(username);
    if (user === undefined) {
      this.changes++;
      this.#users.set(username, { servers: new Set([server]), lostAt: Infinity });
      return [{ event: "joined", username }];
    }
    user.servers.add(server);
    user.lostAt = Infinity;
    return NOTHING;
  }

  /** A user has no session at `server` any more. */
  went(server: string, username: string, how: "left" | "lost", nowMs: number): readonly PresenceEvent[] {
    const user = this.#users.get(username);
    if (user === undefined || !user.servers.delete(server) || user.servers.size > 0) return NOTHING;
    if (how === "lost") {
      user.lostAt = nowMs + this.#graceMs;
      return NOTHING;
    }
    this.changes++;
    this.#users.delete(username);
    return [{ event: "left", username }];
  }

  /** These, and nobody else, are at `server`. */
  settle(server: string, usernames: ReadonlySet<string>, nowMs: number): readonly PresenceEvent[] {
    const events: PresenceEvent[] = [];
    for (const [username, { servers }] of this.#users) {
      if (servers.has(server) && !usernames.has(username)) events.push(...this.went(server, username, "lost", nowMs));
    }
    for (const username of usernames) events.push(...this.came(server, username));
    return events;
  }

  /** `server` cannot be reached any more. */
  serverGone(server: string, nowMs: number): readonly PresenceEvent[] {
    return this.settle(server, new Set(), nowMs);
  }

  /** When `due` has something to tell next. */
  get dueAt(): number | undefined {
    let due = Infinity;
    for (const { lostAt } of this.#users.values()) due = Math.min(due, lostAt);
    return due === Infinity ? undefined : due;
  }

  /** Those who were lost and have not come back. */
  due(nowMs: number): PresenceEvent[] {
    const events: PresenceEvent[] = [];
    for (const [username, { lostAt }] of this.#users) {
      if (lostAt > nowMs) continue;
      this.changes++;
      this.#users.delete(username);
      events.push({ event: "lost", username });
    }
    return events;
  }
}
