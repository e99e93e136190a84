/**
 * The segments with channels of the memory store, and what is forgotten of single channels of them. A part of
 * `server/store/memory_store.ts`. `channel_retention.ts` decides. Pure.
 */

import { withoutLines } from "../../../log/forgotten_lines.ts";
import type { Position, Segment } from "../../../log/segment.ts";
import { Queue } from "../queue.ts";
import type { ForgetLimits } from "../store.ts";
import { type ChannelFact, factsOf } from "./channel_column.ts";
import type { KeptByChannel } from "./channel_counts.ts";
import { ChannelRetention, type ChannelRow, type RowsAfter } from "./channel_retention.ts";

/** A segment of activities, and how far it and all before it of its origin count. */
export interface KeptActivities {
  /** Replaced when lines of it are forgotten. */
  segment: Segment;
  /** Bytes of it as it came. */
  readonly size: number;
  readonly activities: number;
  readonly activityBytes: number;
  /** What it has of channels, when somebody has asked. */
  facts?: readonly ChannelFact[];
  /** Whether the log has it no more. */
  isGone?: true;
}

/** What one call forgets. */
export interface ForgottenChannels {
  readonly upTo: ReadonlyMap<string, Position>;
  readonly more: boolean;
}

/** Segments in which one call forgets lines. */
const BUDGET = 50;
/** The used ids of a store in memory need no line of the log. */
const NO_IDS_NEEDED = { upTo: Infinity, usedBefore: 0 };

/** Those of one store. */
export class MemoryChannels {
  /** In the order of the log; some of them may be gone. */
  readonly #segments = new Queue<KeptActivities>();
  readonly #retention = new ChannelRetention();
  readonly #rowsAfter: RowsAfter = (position, limit) => {
    const rows: ChannelRow[] = [];
    let index = this.#segments.search(({ segment }) => segment.position > position);
    for (; index < this.#segments.size && rows.length < limit; index++) {
      const kept = this.#segments.at(index)!;
      if (!kept.isGone) rows.push({ ...kept.segment, facts: kept.facts ??= factsOf(kept.segment) });
    }
    return rows;
  };

  /** The log has this one, behind all others. */
  push(kept: KeptActivities): void {
    if (kept.segment.audience.kind === "channels") this.#segments.push(kept);
  }

  /** Those of a queue from one index to before another go. */
  gone(activities: Queue<KeptActivities>, from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const kept = activities.at(index)!;
      kept.isGone = true;
      if (kept.facts !== undefined) this.#retention.gone({ position: kept.segment.position, facts: kept.facts });
    }
    while (this.#segments.at(0)?.isGone) this.#segments.drop(1);
  }

  /** Counts what has come. Gives how many bytes the log may count, forgotten ones among them. */
  maxBytes({ channels, maxBytes }: ForgetLimits): number {
    this.#retention.count(channels, this.#rowsAfter);
    return this.#retention.isComplete ? maxBytes + this.#retention.forgottenBytes : Infinity;
  }

  /** Forgets lines by the limits of channels. `lost` is told of each segment what goes. */
  forget(
    { channels }: ForgetLimits,
    lost: (origin: string, facts: readonly ChannelFact[]) => void,
  ): ForgottenChannels {
    const { segments, upTo, more } = this.#retention.plan(channels, this.#rowsAfter, NO_IDS_NEEDED, BUDGET);
    for (const lines of segments) {
      const { row, facts } = lines;
      const kept = this.#segments.at(this.#segments.search(({ segment }) => segment.position >= row.position))!;
      const names = new Set(facts.map(({ name }) => name));
      kept.segment = withoutLines(kept.segment, (channel) => names.has(channel));
      kept.facts = row.facts.map((fact) => names.has(fact.name) ? { ...fact, isForgotten: true } : fact);
      this.#retention.forgot(lines, kept.facts);
      lost(row.origin, facts);
    }
    return { upTo, more: more || !this.#retention.isComplete };
  }

  /** As `ChannelRetention.kept`. */
  kept(activityBytes: number): KeptByChannel {
    return this.#retention.kept(activityBytes);
  }
}
