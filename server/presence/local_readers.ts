/**
 * Which users read a channel at this server, for the channels that somebody asks about. Of other channels nothing is
 * kept. A user may read one in several sessions. Pure.
 */

import type { PatternSet } from "../../protocol/channels/pattern_set.ts";
import { ANONYMOUS } from "../../protocol/names.ts";

/** A session, and what it reads: what its user may read of what its client wants. */
export interface LocalReader {
  readonly username: string;
  /** `undefined` where it gets nothing of the log. */
  readonly reads: PatternSet | undefined;
}

/** A user has begun to read a channel here, or reads it here no more. */
export interface LocalChange {
  readonly channel: string;
  readonly username: string;
  readonly event: "joined" | "left" | "lost";
}

const NOTHING: readonly LocalChange[] = Object.freeze([]);

/** The readers of one server. */
export class LocalReaders {
  /** How many sessions of each user read it, by channel. */
  readonly #channels = new Map<string, Map<string, number>>();

  /** Notes from now on who reads `channel`, unless it does so already. `sessions` are all that there are. */
  begin(channel: string, sessions: Iterable<LocalReader>): void {
    if (this.#channels.has(channel)) return;
    const counts = new Map<string, number>();
    this.#channels.set(channel, counts);
    for (const { username, reads } of sessions) {
      if (username !== ANONYMOUS && reads?.wants(channel)) counts.set(username, (counts.get(username) ?? 0) + 1);
    }
  }

  /** Nobody asks about `channel` any more. */
  end(channel: string): void {
    this.#channels.delete(channel);
  }

  /** Who reads it, of one that is noted. */
  usersOf(channel: string): readonly string[] {
    return [...this.#channels.get(channel)?.keys() ?? []];
  }

  /** A session begins. */
  came({ username, reads }: LocalReader): readonly LocalChange[] {
    return this.changed(username, undefined, reads);
  }

  /** A session ends. */
  went({ username, reads }: LocalReader, how: "left" | "lost"): readonly LocalChange[] {
    return this.changed(username, reads, undefined, how);
  }

  /** A session reads something else: `before` and `after`. What it reads no more it has `left`, or `lost`. */
  changed(
    username: string,
    before: PatternSet | undefined,
    after: PatternSet | undefined,
    how: "left" | "lost" = "left",
  ): readonly LocalChange[] {
    if (this.#channels.size === 0 || username === ANONYMOUS) return NOTHING;
    const changes: LocalChange[] = [];
    for (const channel of this.#noted(before)) {
      if (!(after?.wants(channel) ?? false) && this.#count(channel, username, -1) === 0) {
        changes.push({ channel, username, event: how });
      }
    }
    for (const channel of this.#noted(after)) {
      if (!(before?.wants(channel) ?? false) && this.#count(channel, username, 1) === 1) {
        changes.push({ channel, username, event: "joined" });
      }
    }
    return changes;
  }

  /** How many sessions of the user read it then. */
  #count(channel: string, username: string, by: number): number {
    const counts = this.#channels.get(channel)!;
    const count = (counts.get(username) ?? 0) + by;
    if (count <= 0) counts.delete(username);
    else counts.set(username, count);
    return count;
  }

  /** The noted channels that are wanted. A set of a few names is looked up, whatever number of channels is noted. */
  *#noted(wants: PatternSet | undefined): Iterable<string> {
    if (wants === undefined) return;
    const { patterns } = wants;
    const areNames = patterns.length < this.#channels.size && patterns.every((pattern) => !pattern.endsWith("*"));
    for (const channel of areNames ? patterns : [...this.#channels.keys()]) {
      if (this.#channels.has(channel) && wants.wants(channel)) yield channel;
    }
  }
}
