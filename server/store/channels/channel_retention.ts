/**
 * What is forgotten of single channels before the general rule forgets it. Each rule goes through the log in its order,
 * segment by segment: one that stays keeps all after it, as with the general rule. A store hands in the rows that have
 * channels, and carries out what is decided here. Pure.
 */

import type { Filter } from "../../../log/channel_lines.ts";
import type { Position } from "../../../log/segment.ts";
import type { ChannelLimits } from "../store.ts";
import { ChannelCounts, type KeptByChannel } from "./channel_counts.ts";
import type { ChannelFact } from "./channel_column.ts";

/** A segment that has channels. */
export interface ChannelRow {
  readonly position: Position;
  readonly origin: string;
  readonly takenAt: number;
  readonly facts: readonly ChannelFact[];
}

/** The next rows after a position in order, at most so many. */
export type RowsAfter = (position: Position, limit: number) => readonly ChannelRow[];

/** What goes of one segment. */
export interface ForgottenLines {
  readonly row: ChannelRow;
  readonly facts: readonly ChannelFact[];
}

/** What one call forgets. */
export interface ChannelPlan {
  readonly segments: readonly ForgottenLines[];
  /** For each channel the newest position of what goes. */
  readonly upTo: ReadonlyMap<string, Position>;
  /** Whether the limits are not met yet, and the next call goes on. */
  readonly more: boolean;
  /** Whether something stays only until the used message ids in it are in files. */
  readonly waitsForIds: boolean;
}

/** The ids of entries up to this position, or used before this time, need no line of the log any more. */
export interface IdsNeed {
  readonly upTo: Position;
  readonly usedBefore: number;
}

/** Rows that one call counts, and looks at for each rule. */
const COUNTED_ROWS = 500;
const LOOKED_ROWS = 500;

const NOTHING: ChannelPlan = Object.freeze({ segments: [], upTo: new Map(), more: false, waitsForIds: false });
const NO_RULES: readonly ChannelLimits[] = [];

/** Of one log. */
export class ChannelRetention {
  #filters: readonly Filter[] = [];
  #counts = new ChannelCounts([]);
  /** All rows up to here are counted, and whether these are all. */
  #countedUpTo: Position = 0;
  #isComplete = false;
  #isStale = false;
  /** Up to here nothing is left of the channels of each rule. */
  #doneUpTo: Position[] = [];

  /** Counts the rows that have come since the last call, some of them at a time. */
  count(rules: readonly ChannelLimits[] = NO_RULES, after: RowsAfter): void {
    const isSame = rules.length === this.#filters.length &&
      rules.every(({ filter }, index) => filter === this.#filters[index]);
    if (!isSame || this.#isStale) {
      this.#isStale = false;
      this.#filters = rules.map(({ filter }) => filter);
      this.#counts = new ChannelCounts(this.#filters);
      this.#doneUpTo = rules.map(() => 0);
      this.#countedUpTo = 0;
    }
    const rows = after(this.#countedUpTo, COUNTED_ROWS);
    for (const { facts } of rows) this.#counts.add(facts);
    this.#countedUpTo = rows.at(-1)?.position ?? this.#countedUpTo;
    this.#isComplete = rows.length < COUNTED_ROWS;
  }

  /** Rows have gone that nobody can name: all are counted anew. */
  restart(): void {
    this.#isStale = true;
    this.#isComplete = false;
  }

  /** Whether all rows are counted. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Bytes that are counted in segments, and that are forgotten. */
  get forgottenBytes(): number {
    return this.#counts.forgottenBytes;
  }

  /** As `Store.keptByChannel`, where all activities together count so many bytes. */
  kept(activityBytes: number): KeptByChannel {
    const { channels, othersBytes } = this.#counts.kept;
    const ofChannels = [...channels.values()].reduce((sum, bytes) => sum + bytes, othersBytes);
    const plainBytes = Math.max(0, activityBytes - this.forgottenBytes - ofChannels);
    return { channels, othersBytes, plainBytes, isComplete: this.#isComplete };
  }

  /** A row goes as a whole. */
  gone({ position, facts }: Pick<ChannelRow, "position" | "facts">): void {
    if (position <= this.#countedUpTo) this.#counts.remove(facts);
  }

  /** What the rules forget now, at most of so many segments. */
  plan(rules: readonly ChannelLimits[] = NO_RULES, after: RowsAfter, ids: IdsNeed, budget: number): ChannelPlan {
    if (rules.length === 0) return NOTHING;
    // Before that nobody knows how many bytes a rule has.
    if (!this.#isComplete) return { ...NOTHING, more: true };
    const found = new Map<Position, { row: ChannelRow; facts: ChannelFact[] }>();
    const upTo = new Map<string, Position>();
    let [more, waitsForIds] = [false, false];
    rules.forEach((limits, rule) => {
      let kept = this.#counts.ofRule(rule);
      const rows = after(this.#doneUpTo[rule]!, LOOKED_ROWS);
      const end = rows.findIndex((row) => {
        const facts = row.facts.filter(({ name, isForgotten }) => !isForgotten && this.#counts.ruleOf(name) === rule);
        if (facts.length === 0) return false;
        if (row.takenAt >= limits.takenBefore && kept <= limits.maxBytes) return true;
        const isNeeded = row.position > ids.upTo && row.takenAt >= ids.usedBefore;
        if (isNeeded) waitsForIds = true;
        else if (found.size >= budget && !found.has(row.position)) more = true;
        if (isNeeded || more) return true;
        const lines = found.get(row.position);
        if (lines === undefined) found.set(row.position, { row, facts });
        else lines.facts.push(...facts);
        for (const { name, bytes } of facts) {
          kept -= bytes;
          upTo.set(name, Math.max(row.position, upTo.get(name) ?? 0));
        }
        return false;
      });
      const done = end < 0 ? rows.at(-1) : rows[end - 1];
      this.#doneUpTo[rule] = done?.position ?? this.#doneUpTo[rule]!;
      if (end < 0 && rows.length === LOOKED_ROWS) more = true;
    });
    return { segments: [...found.values()], upTo, more, waitsForIds };
  }

  /** What was planned of a segment is forgotten. `after` is what it has then. */
  forgot({ row }: ForgottenLines, after: readonly ChannelFact[]): void {
    this.#counts.remove(row.facts);
    this.#counts.add(after);
  }
}
