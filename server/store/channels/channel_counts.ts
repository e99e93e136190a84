/**
 * How many bytes are kept of each channel, of all channels of a rule, and how many of the bytes that a log counts are
 * forgotten. The number of channels that are counted by name is bounded, as strangers name them. Pure.
 */

import { type Filter, NO_CHANNEL } from "../../../log/channel_lines.ts";
import type { ChannelFact } from "./channel_column.ts";

/** Bytes of activities that are kept, as of the last call of `Store.forget`. */
export interface KeptByChannel {
  /** By channel, as far as channels are counted by name. It changes with the store: not to be kept. */
  readonly channels: ReadonlyMap<string, number>;
  /** Of all other channels. */
  readonly othersBytes: number;
  /** Of what has no channel. */
  readonly plainBytes: number;
  /** Whether all of the log is counted. For some seconds after a start with a large log it is not. */
  readonly isComplete: boolean;
}

/** Channels that are counted by name. What others have is one number. */
export const MAX_COUNTED_CHANNELS = 1_000;
/** Channels of which the rule is remembered; then it is looked for anew. */
const MAX_KNOWN_RULES = 10_000;

/** Those of one log. */
export class ChannelCounts {
  readonly #rules: readonly Filter[];
  readonly #most: number;
  readonly #ruleOf = new Map<string, number>();
  readonly #ofRules: number[];
  readonly #kept = new Map<string, number>();
  #others = 0;
  #forgotten = 0;

  /** Of the channels of each rule: the first that wants a channel is its rule. */
  constructor(rules: readonly Filter[], most: number = MAX_COUNTED_CHANNELS) {
    this.#rules = rules;
    this.#most = most;
    this.#ofRules = rules.map(() => 0);
  }

  /** Bytes that are counted in segments, and that are forgotten. */
  get forgottenBytes(): number {
    return this.#forgotten;
  }

  /** Bytes that are kept of the channels of a rule, by its index. */
  ofRule(index: number): number {
    return this.#ofRules[index]!;
  }

  /** The rule of a channel; -1 where only the general rule is. What has no channel has no other. */
  ruleOf(channel: string): number {
    if (channel === NO_CHANNEL) return -1;
    const known = this.#ruleOf.get(channel);
    if (known !== undefined) return known;
    if (this.#ruleOf.size >= MAX_KNOWN_RULES) this.#ruleOf.clear();
    const rule = this.#rules.findIndex((filter) => filter.wants(channel));
    this.#ruleOf.set(channel, rule);
    return rule;
  }

  /** A segment with channels is there. */
  add(facts: readonly ChannelFact[]): void {
    for (const { name, bytes, isForgotten } of facts) {
      if (isForgotten) this.#forgotten += bytes;
      else this.#count(name, bytes);
    }
  }

  /** It is gone. */
  remove(facts: readonly ChannelFact[]): void {
    for (const { name, bytes, isForgotten } of facts) {
      if (isForgotten) this.#forgotten -= bytes;
      else this.#count(name, -bytes);
    }
  }

  /** As `Store.keptByChannel`. */
  get kept(): Pick<KeptByChannel, "channels" | "othersBytes"> {
    return { channels: this.#kept, othersBytes: this.#others };
  }

  #count(name: string, bytes: number): void {
    if (name === NO_CHANNEL) return;
    const rule = this.ruleOf(name);
    if (rule >= 0) this.#ofRules[rule]! += bytes;
    const before = this.#kept.get(name);
    if (before === undefined && (bytes < 0 || this.#kept.size >= this.#most)) {
      this.#others += bytes;
      return;
    }
    // What came while there were too many channels is among the others.
    const after = (before ?? 0) + bytes;
    if (after > 0) this.#kept.set(name, after);
    else this.#kept.delete(name);
    if (after < 0) this.#others += after;
  }
}
