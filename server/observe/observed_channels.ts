/**
 * The channels for whoever looks at the network: how many read each at all servers, how much passes in it, and how many
 * bytes of it are kept here. Strangers name channels, so what is counted and what is shown is bounded. Costs nothing
 * while nobody looks. The caller says when.
 */

import type { Segment } from "../../log/segment.ts";
import { NO_CHANNEL } from "../../protocol/channels/channel_name.ts";
import { type ChannelView, MAX_CHANNELS, type NetworkView } from "../../view/network_view.ts";
import { ChannelRates } from "./channel_rates.ts";

/** What is known of channels at this server. */
export interface ObservedChannelsParts {
  /** Who reads them here. */
  readonly readers: {
    of(channel: string): number;
    readonly names: Iterable<string>;
    readonly nameCount: number;
  };
  /** Absent where they are not counted. */
  kept?(): KeptBytes;
}

/** Bytes of activities that the log keeps. */
export interface KeptBytes {
  /** By channel. */
  readonly channels: ReadonlyMap<string, number>;
  /** Of all channels that are not among these. */
  readonly othersBytes: number;
  /** Of what has no channel. */
  readonly plainBytes: number;
}

/** How many read each channel, at one server. */
export type ReadersByChannel = Readonly<Record<string, number>>;

/** Channels that are read by name, and are counted in one look. */
const MAX_COUNTED = 1_000;
const NONE: ReadonlyMap<string, number> = new Map();
const NONE_KEPT: KeptBytes = { channels: NONE, othersBytes: 0, plainBytes: 0 };

/** Of one server. */
export class ObservedChannels {
  readonly #parts: ObservedChannelsParts;
  /** While somebody looks. */
  #passing: ChannelRates | undefined;
  /** As of the last look. */
  #rates = NONE;
  #kept = NONE_KEPT;

  constructor(parts: ObservedChannelsParts) {
    this.#parts = parts;
  }

  /** Somebody looks from now on. */
  begin(nowMs: number): void {
    this.#passing = new ChannelRates(nowMs);
  }

  /** Nobody looks any more. */
  end(): void {
    this.#passing = undefined;
    this.#rates = NONE;
    this.#kept = NONE_KEPT;
  }

  /** These came into the log. */
  passed(segments: readonly Segment[]): void {
    this.#passing?.passed(segments);
  }

  /** Looks. Gives how many read each channel here: of `MAX_CHANNELS`, those with the most. */
  look(nowMs: number): ReadersByChannel {
    const { readers, kept } = this.#parts;
    this.#rates = this.#passing?.look(nowMs) ?? NONE;
    this.#kept = kept?.() ?? NONE_KEPT;
    const names = new Set([NO_CHANNEL, ...this.#passingOrKept()]);
    let left = MAX_COUNTED;
    for (const name of readers.names) {
      if (left-- === 0) break;
      names.add(name);
    }
    const counts = Array.from(names, (name) => [name, readers.of(name)] as const).filter(([, count]) => count > 0);
    counts.sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
    return Object.fromEntries(counts.slice(0, MAX_CHANNELS));
  }

  /** The channels as of the last look, with who reads them at each server: those first in which most passes. */
  view(readers: readonly ReadersByChannel[]): Pick<NetworkView, "channels" | "channelsLeftOut"> {
    const counts = new Map<string, number>([[NO_CHANNEL, 0]]);
    for (const here of readers) {
      for (const [name, count] of Object.entries(here)) counts.set(name, (counts.get(name) ?? 0) + count);
    }
    for (const name of this.#passingOrKept()) if (!counts.has(name)) counts.set(name, 0);
    const known = Array.from(counts, ([name, count]) => [name, this.#channel(name, count)] as const);
    known.sort(([a, one], [b, other]) =>
      other.rate - one.rate || other.readers - one.readers || (other.bytes ?? 0) - (one.bytes ?? 0) || (a < b ? -1 : 1)
    );
    // Of those that nobody else knows here, more than are counted are only known in number.
    const all = Math.max(known.length, this.#parts.readers.nameCount);
    const channels = Object.fromEntries(known.slice(0, MAX_CHANNELS));
    return { channels, channelsLeftOut: Math.max(0, all - MAX_CHANNELS) };
  }

  #channel(name: string, readers: number): ChannelView {
    const bytes = this.#bytesOf(name);
    return { readers, rate: this.#rates.get(name) ?? 0, ...(bytes === undefined ? {} : { bytes }) };
  }

  #bytesOf(name: string): number | undefined {
    if (this.#parts.kept === undefined) return undefined;
    const { channels, othersBytes, plainBytes } = this.#kept;
    // One that is not counted by name is among the others.
    return name === NO_CHANNEL ? plainBytes : channels.get(name) ?? (othersBytes === 0 ? 0 : undefined);
  }

  #passingOrKept(): readonly string[] {
    return [...this.#rates.keys(), ...this.#kept.channels.keys()];
  }
}
