/** How many channels and patterns a client may read, beside the others of its server. Pure. */

import type { LimitsConfig } from "../../../config/config.ts";

/** The limits of the config. */
export type ChannelLimits = Pick<LimitsConfig, "maxChannelsPerClient" | "maxPatterns">;

/** What a client wants to read. */
export interface WantedChannels {
  /** Channels and patterns, each once. */
  readonly count: number;
  /** How many of them it does not read yet. */
  readonly more: number;
}

/** Why a client may not read these while all clients of the server read `patternCount`; `undefined` where it may. */
export function channelRefusal(
  { count, more }: WantedChannels,
  patternCount: number,
  { maxChannelsPerClient, maxPatterns }: ChannelLimits,
): string | undefined {
  if (count > maxChannelsPerClient) return `a client may read ${maxChannelsPerClient} channels and patterns`;
  if (more <= maxPatterns - patternCount) return undefined;
  return `all clients of this server together may read ${maxPatterns} channels and patterns`;
}
