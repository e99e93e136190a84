/** Checks of the fields that name channels, for both directions of the codec. As `protocol/fields.ts`. Pure. */

import {
  FieldProblem,
  type Fields,
  optionalIntegerField,
  optionalStringField,
  stringField,
  stringsField,
} from "../fields.ts";
import { channelProblem, normalName, patternProblem } from "./channel_name.ts";
import type { ChannelMessage } from "./channel_message.ts";

/** More than this is not asked for at once. A page has fewer. */
const MAX_HISTORY = 1_000_000;

/** The name of a channel, or `undefined` if the field is absent or null. */
export function optionalChannelField(value: unknown): string | undefined {
  const text = optionalStringField(value, "channel");
  return text === undefined ? undefined : checked(normalName(text), channelProblem);
}

/** The name of a channel. */
export function channelField(value: unknown, name: string): string {
  return checked(normalName(stringField(value, name)), channelProblem);
}

/** A pattern, or `undefined` if the field is absent or null. */
export function optionalPatternField(value: unknown): string | undefined {
  const text = optionalStringField(value, "channel");
  return text === undefined ? undefined : checked(normalName(text), patternProblem);
}

/** Patterns, each once. */
export function patternsField(value: unknown): readonly string[] {
  const patterns = stringsField(value, "channels").map((text) => checked(normalName(text), patternProblem));
  return [...new Set(patterns)];
}

/** `SUBSCRIBE` or `UNSUBSCRIBE`. */
export function readChannels(command: ChannelMessage["command"], fields: Fields): ChannelMessage {
  const channels = patternsField(fields.channels);
  if (command === "UNSUBSCRIBE") return { command, channels };
  return { command, channels, history: optionalIntegerField(fields.history, "history", 0, MAX_HISTORY) ?? 0 };
}

function checked(name: string, problemOf: (name: string) => string | undefined): string {
  const problem = problemOf(name);
  if (problem !== undefined) throw new FieldProblem(problem);
  return name;
}
