/**
 * Looks after the store every second. Checks its files, and lets it forget entries that are too old or too many. It
 * forgets in small portions, so that nobody feels it.
 */

import type { Config } from "../../config/config.ts";
import type { Filter } from "../../log/channel_lines.ts";
import type { Position } from "../../log/segment.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { normalName } from "../../protocol/channels/channel_name.ts";
import { PatternSet } from "../../protocol/channels/pattern_set.ts";
import type { Forgotten, Store } from "../store/store.ts";

/** What it works with. */
export interface ForgettingParts {
  readonly clock: Clock;
  readonly store: Store;
  /** The time by which the log forgets. */
  now(): number;
  /** How much is kept, and for how long. */
  readonly limits: Config["store"];
  /** Activities up to this position are gone, and of each of these channels up to a position of its own. */
  forgot(upTo: Position, channels?: ReadonlyMap<string, Position>): void;
  /** Places that were noted before this time are as old as activities may become. */
  expire(notedBefore: number): void;
  /** The store cannot forget, or its files have changed under it. The server cannot go on. */
  failed(error: unknown): void;
}

/** The time between two looks for entries to forget, and between two portions of them. */
const INTERVAL_MS = 1_000;
const MORE_INTERVAL_MS = 20;

/** The forgetting of one server. */
export class Forgetting {
  readonly #parts: ForgettingParts;
  /** The limits of single channels. What they do not limit, the general ones do. */
  readonly #channels: readonly { readonly filter: Filter; readonly retentionMs: number; readonly maxBytes: number }[];
  #timer: Timer | undefined;
  #checkedAtMs = -Infinity;

  constructor(parts: ForgettingParts) {
    this.#parts = parts;
    this.#channels = parts.limits.channels.map(({ pattern, activityRetentionMs = Infinity, bytes = Infinity }) => (
      { filter: new PatternSet([normalName(pattern)]), retentionMs: activityRetentionMs, maxBytes: bytes }
    ));
  }

  begin(): void {
    this.#later(INTERVAL_MS);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #later(delayMs: number): void {
    const { clock, failed } = this.#parts;
    this.#timer = clock.after(delayMs, () => {
      let forgotten: Forgotten;
      try {
        this.#check();
        forgotten = this.#forget();
      } catch (error) {
        return failed(error);
      }
      try {
        const { entries, upTo, channels } = forgotten;
        if (entries > 0 || channels !== undefined) this.#parts.forgot(upTo, channels);
      } finally {
        this.#later(forgotten.more ? MORE_INTERVAL_MS : INTERVAL_MS);
      }
    });
  }

  #check(): void {
    const { clock, store } = this.#parts;
    const nowMs = clock.nowMs();
    if (nowMs - this.#checkedAtMs < INTERVAL_MS) return;
    this.#checkedAtMs = nowMs;
    store.checkFiles();
  }

  #forget(): Forgotten {
    const { store, limits } = this.#parts;
    const { activityRetentionMs, activityRetentionBytes, directMessageRetentionMs, messageIdRetentionMs } = limits;
    const now = this.#parts.now();
    this.#parts.expire(now - activityRetentionMs);
    return store.forget({
      takenBefore: now - activityRetentionMs,
      maxBytes: activityRetentionBytes,
      directMessagesBefore: now - directMessageRetentionMs,
      usedBefore: now - messageIdRetentionMs,
      channels: this.#channels.map(({ filter, retentionMs, maxBytes }) => (
        { filter, takenBefore: now - retentionMs, maxBytes }
      )),
    });
  }
}
