/**
 * The users of the network for whoever looks: where each is online, how many messages wait, and when each was seen
 * last. Finds what has changed from look to look. The caller says when. Pure.
 */

import type { JsonObject } from "../../view/merge_patch.ts";
import type { NetworkView } from "../../view/network_view.ts";

/** What is known of users. */
export interface ObservedUsersParts {
  /** Who is online, and at which servers. */
  online(): Iterable<readonly [username: string, serverIds: readonly string[]]>;
  usernames(): readonly string[];
  hasAccount(username: string): boolean;
  /** How many direct messages wait, of users for whom any wait. */
  waiting(): Iterable<readonly [username: string, count: number]>;
  /** When users who are offline were online last, in milliseconds since 1970. */
  lastSeen(): Iterable<readonly [username: string, at: number]>;
}

/** The part of the view that is about users. */
export type UsersView = Pick<NetworkView, "users" | "waiting" | "lastSeen">;

type Numbers = ReadonlyMap<string, number>;

/** What was known at the last look. */
export class ObservedUsers {
  readonly #parts: ObservedUsersParts;
  #online: ReadonlyMap<string, readonly string[]> = new Map();
  #waiting: Numbers = new Map();
  #lastSeen: Numbers = new Map();
  /** Names whose account came or went since the last look. */
  readonly #changedNames = new Set<string>();

  constructor(parts: ObservedUsersParts) {
    this.#parts = parts;
  }

  /** These have accounts now, or none any more. */
  accountsChanged(usernames: readonly string[]): void {
    for (const username of usernames) this.#changedNames.add(username);
  }

  /** Looks, and gives what has changed: a merge patch. */
  look(): JsonObject {
    const { waiting, lastSeen } = this.#parts;
    const before = { waiting: this.#waiting, lastSeen: this.#lastSeen };
    this.#waiting = new Map(waiting());
    this.#lastSeen = new Map(lastSeen());
    return {
      ...named("users", this.#moved()),
      ...named("waiting", changedNumbers(before.waiting, this.#waiting)),
      ...named("lastSeen", changedNumbers(before.lastSeen, this.#lastSeen)),
    };
  }

  /** Everything, as of the last look. */
  view(): UsersView {
    const registered = this.#parts.usernames().map((username) => [username, []] as const);
    return {
      users: Object.fromEntries([...registered, ...this.#online]),
      waiting: Object.fromEntries(this.#waiting),
      lastSeen: Object.fromEntries(this.#lastSeen),
    };
  }

  /** Nobody looks any more. */
  forget(): void {
    this.#online = this.#waiting = this.#lastSeen = new Map();
    this.#changedNames.clear();
  }

  /** Where users are now who were elsewhere; `null` for who is neither online nor registered any more. */
  #moved(): [string, readonly string[] | null][] {
    const before = this.#online;
    this.#online = new Map(this.#parts.online());
    const changed = new Map<string, readonly string[] | null>();
    for (const [username, servers] of this.#online) {
      if (!isSame(before.get(username), servers)) changed.set(username, servers);
    }
    for (const username of [...before.keys(), ...this.#changedNames]) {
      if (!this.#online.has(username)) changed.set(username, this.#parts.hasAccount(username) ? [] : null);
    }
    this.#changedNames.clear();
    return [...changed];
  }
}

function changedNumbers(before: Numbers, now: Numbers): [string, number | null][] {
  const changed: [string, number | null][] = [];
  for (const [username, value] of now) if (before.get(username) !== value) changed.push([username, value]);
  for (const username of before.keys()) if (!now.has(username)) changed.push([username, null]);
  return changed;
}

/** A member of that name, if there is anything in it. */
function named(name: string, entries: readonly (readonly [string, unknown])[]): JsonObject {
  return entries.length === 0 ? {} : { [name]: Object.fromEntries(entries) };
}

function isSame(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return one?.length === other.length && one.every((server, index) => server === other[index]);
}
