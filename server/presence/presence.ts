/**
 * The users who are online in the network: at this server and at each linked one. Decides what is told when a user
 * comes or goes. A user who lost a connection or a server has a moment to come back before the loss is told. For each
 * user the news alternates: joined, gone, joined. Pure: the time comes in.
 */

import { RecentMap } from "../../log/recent.ts";

/** Something to tell. */
export interface PresenceEvent {
  readonly event: "joined" | "left" | "lost";
  readonly username: string;
}

interface User {
  /** The servers where the user is logged in. */
  readonly servers: Set<string>;
  /** When the user's going is told, in milliseconds of a monotonic clock; `Infinity` while the user is somewhere. */
  lostAt: number;
}

/** Users who are offline and remembered. A view of the network has them all. */
const MAX_SEEN = 10_000;
const NOTHING: readonly PresenceEvent[] = Object.freeze([]);

/** The users who are somewhere, or were a moment ago. */
export class Presence {
  readonly #graceMs: number;
  readonly #users = new Map<string, User>();
  /** When users who are offline were online last, in milliseconds since 1970. */
  readonly #lastSeen = new RecentMap<string, number>(MAX_SEEN);
  /** A number that changes whenever `listed` changes. */
  changes = 0;

  /** A lost user has `graceMs` to come back. */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Whether the user is logged in somewhere at this moment. */
  isOnline(username: string): boolean {
    return (this.#users.get(username)?.servers.size ?? 0) > 0;
  }

  /** Where the user is logged in at this moment. If nowhere: whether the user may still come back in time. */
  whereabouts(username: string): { readonly servers: readonly string[]; readonly isAway: boolean } {
    const user = this.#users.get(username);
    return { servers: [...user?.servers ?? []], isAway: user?.servers.size === 0 };
  }

  /**
   * All users whose `joined` was told and whose going was not, in the order of `Array.sort`. This includes users who
   * may still come back. So a client that reads this list and the news from then on knows who is there: a user who
   * comes back in time causes no news.
   */
  get listed(): string[] {
    return [...this.#users.keys()].sort();
  }

  /** The users who are logged in somewhere at this moment, with their servers. */
  *servers(): Iterable<readonly [username: string, servers: readonly string[]]> {
    for (const [username, { servers }] of this.#users) {
      if (servers.size > 0) yield [username, servers.size === 1 ? [...servers] : [...servers].sort()];
    }
  }

  /**
   * When users who are offline were online last, in milliseconds since 1970: as far as it was noticed here, and the
   * newest of them if they are very many.
   */
  get lastSeen(): Iterable<readonly [username: string, at: number]> {
    return this.#lastSeen;
  }

  /** A user has its first session at `server`. */
  came(server: string, username: string): readonly PresenceEvent[] {
    const user = this.#users.get(username);
    this.#lastSeen.delete(username);
    if (user === undefined) {
      this.changes++;
      this.#users.set(username, { servers: new Set([server]), lostAt: Infinity });
      return [{ event: "joined", username }];
    }
    user.servers.add(server);
    user.lostAt = Infinity;
    return NOTHING;
  }

  /** A user has no session at `server` any more. `at` is the same moment by the calendar. */
  went(server: string, username: string, how: "left" | "lost", nowMs: number, at = nowMs): readonly PresenceEvent[] {
    const user = this.#users.get(username);
    if (user === undefined || !user.servers.delete(server) || user.servers.size > 0) return NOTHING;
    this.#lastSeen.renew(username, at);
    if (how === "lost") {
      user.lostAt = nowMs + this.#graceMs;
      return NOTHING;
    }
    this.changes++;
    this.#users.delete(username);
    return [{ event: "left", username }];
  }

  /** These users are at `server`, and no others. */
  settle(server: string, usernames: ReadonlySet<string>, nowMs: number, at = nowMs): readonly PresenceEvent[] {
    const events: PresenceEvent[] = [];
    for (const [username, { servers }] of this.#users) {
      if (servers.has(server) && !usernames.has(username)) {
        events.push(...this.went(server, username, "lost", nowMs, at));
      }
    }
    for (const username of usernames) events.push(...this.came(server, username));
    return events;
  }

  /** `server` cannot be reached any more. */
  serverGone(server: string, nowMs: number, at = nowMs): readonly PresenceEvent[] {
    return this.settle(server, new Set(), nowMs, at);
  }

  /** When `due` has something to tell next. */
  get dueAt(): number | undefined {
    let due = Infinity;
    for (const { lostAt } of this.#users.values()) due = Math.min(due, lostAt);
    return due === Infinity ? undefined : due;
  }

  /** The users who were lost and have not come back. */
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
