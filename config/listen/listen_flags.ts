/** The flags that say what `listen` shows and when it ends, and what they say. Others share some of them. Pure. */

import { channelProblem, normalName, patternProblem } from "../../protocol/channels/channel_name.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { type FlagValues, UsageError } from "../flags.ts";
import { LINE_FORMAT, type LineFormat } from "../line_format.ts";
import { flag, toggle } from "../shared_flags.ts";
import { SINCE, type Since } from "../since.ts";
import { COUNT, LAST, LISTENING_MS, quoted, type Reader, seconds, wholeNumber } from "../values.ts";

/** When `listen` ends by itself, and what it shows. Spans are milliseconds. */
export interface ListenArguments {
  /** End after so many activities and messages. */
  readonly count: number | undefined;
  /** End after this time. */
  readonly timeoutMs: number | undefined;
  /** End when everything that was missed has come. */
  readonly untilCaughtUp: boolean;
  /** Show only these users; all of them when empty. */
  readonly from: readonly string[];
  /** The form of a line. */
  readonly format: LineFormat | undefined;
  /** From where on the past is shown first; with `last`, no more than that of it. */
  readonly since: Since | undefined;
  /** Names and patterns of channels; what has no channel when it was not given. */
  readonly channels: readonly string[] | undefined;
}

/** With how much of the past talking begins without a flag. */
export const LAST_SAID = 20;

/** Names, one or several, each given with a flag of its own. */
const NAMES: Reader<string[]> = { allowed: "a user's name", read: (given) => given === "" ? undefined : [given] };

/** Names and patterns of channels, the same. */
const CHANNELS: Reader<string[]> = {
  allowed: "the name of a channel or a pattern: lab, lab/door, lab/*, lab/**, **",
  read(given) {
    const pattern = normalName(given);
    return patternProblem(pattern) === undefined ? [pattern] : undefined;
  },
};

/** The flags. */
export const LISTEN_FLAGS = {
  channel: flag("NAME", CHANNELS, {
    only: ["publish", "listen"],
    repeatable: true,
    takesEmpty: true,
    help: "only this channel; listen: several, and patterns (lab/**)",
  }),
  count: flag("N", wholeNumber("a number", COUNT), {
    only: ["listen"],
    help: "listen: end after N activities and messages",
  }),
  timeout: flag("SECONDS", seconds(LISTENING_MS), {
    only: ["listen", "users"],
    help: `end after this time; exit code ${EXIT_CODE.late} if something is missing`,
  }),
  "until-caught-up": toggle({
    only: ["listen"],
    help: "listen: end when everything that was missed has come",
  }),
  last: flag("N", wholeNumber("a number", LAST), {
    only: ["", "listen"],
    help: `begin with the last N things said; talking, with ${LAST_SAID}`,
  }),
  since: flag("SPAN|ID|all", SINCE, {
    only: ["listen"],
    help: "listen: begin with what was said since (10m, 2h, 3d, an id, all)",
  }),
  from: flag("NAME", NAMES, {
    only: ["listen"],
    repeatable: true,
    help: "listen: only what NAME says; may be given several times",
    completes: "users",
  }),
  format: flag("FORMAT", LINE_FORMAT, {
    only: ["listen"],
    help: "listen: text, json, or a template: {date} {time} {user} {to} {text} {id} {lamport} {sentAt} {channel} " +
      "{activity[.KEY]}",
    completes: ["text", "json"],
  }),
};

/** What they say to `listen`. */
export function listenOf(values: FlagValues<typeof LISTEN_FLAGS>): ListenArguments {
  return {
    count: values.count,
    timeoutMs: values.timeout,
    untilCaughtUp: values["until-caught-up"] ?? false,
    from: values.from ?? [],
    format: values.format,
    since: values.since,
    channels: values.channel,
  };
}

/**
 * What they say to `publish`: the channel; `undefined` for everyone.
 * @throws {UsageError} when there are several, or it is none.
 */
export function publishedTo({ channel = [] }: FlagValues<typeof LISTEN_FLAGS>): string | undefined {
  const [name, ...others] = channel;
  if (name === undefined) return undefined;
  const different = others.find((other) => other !== name);
  if (different !== undefined) {
    throw new UsageError(`publish takes one --channel, not ${quoted(name)} and ${quoted(different)}`);
  }
  const problem = channelProblem(name);
  if (problem === undefined) return name;
  throw new UsageError(`publish takes the name of one channel, not ${quoted(name)}: ${problem}`);
}
