/** The list `store.channels` of the config: channels that are forgotten sooner than others. Pure. */

import * as v from "valibot";
import { normalName, patternProblem } from "../../protocol/channels/channel_name.ts";

/** How long the activities of some channels are kept, and how much of them. It says one of the two at least. */
export interface ChannelRetention {
  /** A channel, or a pattern of channels (docs/protocol.md, section 2.16). What has no channel is none of them. */
  pattern: string;
  /** Older activities are forgotten. */
  activityRetentionMs?: number;
  /** The oldest activities are forgotten beyond this size of all of them together. */
  bytes?: number;
}

/** Each is asked for each channel, once. */
const MAX_RULES = 100;
const TEN_YEARS_MS = 315_360_000_000;
const KEYS = 'an object of "pattern", and "activityRetentionMs", "bytes" or both';

const number = (what: string, least: number, most: number) =>
  v.custom<number>(
    (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most,
    `${what} from ${least} to ${most}`,
  );

/** What is allowed, as in `config/schema.ts`. */
export const CHANNEL_RETENTION_SCHEMA = v.pipe(
  v.array(
    v.pipe(
      v.strictObject({
        pattern: v.custom<string>(
          (value) => typeof value === "string" && value !== "" && patternProblem(normalName(value)) === undefined,
          "a channel, or a pattern such as lab/* or lab/**",
        ),
        activityRetentionMs: v.exactOptional(number("milliseconds", 1, TEN_YEARS_MS)),
        bytes: v.exactOptional(number("bytes", 0, Number.MAX_SAFE_INTEGER)),
      }, KEYS),
      v.check(({ activityRetentionMs, bytes }) => activityRetentionMs !== undefined || bytes !== undefined, KEYS),
    ),
    "a list of rules",
  ),
  v.maxLength(MAX_RULES, `a list of at most ${MAX_RULES} rules`),
);

/** Why an entry says nothing, in words: what is kept of all activities is the most that is kept of any. */
export function channelRetentionProblem(
  { channels, activityRetentionMs, activityRetentionBytes }: {
    readonly channels: readonly ChannelRetention[];
    readonly activityRetentionMs: number;
    readonly activityRetentionBytes: number;
  },
): string | undefined {
  for (const [index, rule] of channels.entries()) {
    const longer = (rule.activityRetentionMs ?? 0) > activityRetentionMs;
    if (!longer && (rule.bytes ?? 0) <= activityRetentionBytes) continue;
    const [key, all] = longer
      ? ["activityRetentionMs", "store.activityRetentionMs"]
      : ["bytes", "store.activityRetentionBytes"];
    return `"store.channels.${index}.${key}" is more than "${all}", and nothing is kept beyond that: set "${all}" to the ` +
      "most that any channel needs, and entries of this list for the others";
  }
  return undefined;
}
