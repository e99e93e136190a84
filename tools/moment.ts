/**
 * Moments as people type them for `deno task diagram`: a Lamport time, a time of day as this machine's clock on the
 * wall has it, or a date and time. What can be meant in two ways is not guessed.
 */

import { timeOfDay } from "../platform/local_time.ts";
import type { WallTime } from "../diagram/wall_time.ts";

/** What was meant; or, in a sentence, why that cannot be said. */
export type Moment =
  | { readonly kind: "lamport"; readonly lamport: number }
  /** From the first to the last millisecond of what was named: a second, a minute. */
  | { readonly kind: "wall"; readonly firstMs: number; readonly lastMs: number }
  | { readonly kind: "problem"; readonly sentence: string };

/** In this machine's time zone. */
export const LOCAL_TIME: WallTime = { zone: "local time", of: (at) => timeOfDay(at, true) };

const DAY_MS = 86_400_000;
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3}))?)?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](.+?)(Z|[+-]\d{2}:?\d{2})?)?$/i;
const FORMS = "a Lamport time (145), a time of day (14:02:10), or a date and time (2026-11-20T14:02:10)";

/** What `text` means for a trace with events at these times, in milliseconds since 1970. */
export function readMoment(text: string, times: readonly number[]): Moment {
  if (/^\d+$/.test(text)) return { kind: "lamport", lamport: Number(text) };
  const date = DATE.exec(text);
  if (date !== null) return readDate(text, date);
  const time = readTime(text);
  if (time === undefined) return problem(`"${text}" is no moment: it has to be ${FORMS}`);
  const days = daysOf(times);
  if (days.length === 0) return problem(`Nothing happened, so it is not known on which day ${text} would be`);
  const on = (day: Date) => {
    const { hours, minutes, seconds, milliseconds, spanMs } = time;
    const firstMs = new Date(day.getFullYear(), day.getMonth(), day.getDate(), hours, minutes, seconds, milliseconds)
      .getTime();
    return { kind: "wall" as const, firstMs, lastMs: firstMs + spanMs - 1 };
  };
  if (days.length === 1) return on(days[0]!);
  // On the first and the last day not all times of day are within the trace.
  const [first, last] = bounds(times);
  const inside = days.map(on).filter(({ firstMs, lastMs }) => lastMs >= first && firstMs <= last);
  if (inside.length === 1) return inside[0]!;
  const names = days.map(dateText);
  return problem(
    `${text} could be on ${names.slice(0, -1).join(", ")} or ${names.at(-1)}: say which, as in ${names[0]}T${text}`,
  );
}

function readDate(text: string, [, year, month, day, time = "", zone]: RegExpExecArray): Moment {
  const parts = time === "" ? { hours: 0, minutes: 0, seconds: 0, milliseconds: 0, spanMs: DAY_MS } : readTime(time);
  if (parts === undefined) return problem(`"${text}" is no moment: it has to be ${FORMS}`);
  const { hours, minutes, seconds, milliseconds, spanMs } = parts;
  const numbers = [Number(year), Number(month) - 1, Number(day), hours, minutes, seconds, milliseconds] as const;
  const [utc, local] = [new Date(Date.UTC(...numbers)), new Date(...numbers)];
  if (utc.getUTCDate() !== Number(day) || utc.getUTCMonth() !== Number(month) - 1) {
    return problem(`"${text}" is no moment: that month has no such day`);
  }
  const firstMs = zone === undefined ? local.getTime() : utc.getTime() - offsetMs(zone);
  return { kind: "wall", firstMs, lastMs: firstMs + spanMs - 1 };
}

/** A time of day, and how long what it names lasts. */
function readTime(text: string) {
  const [, hours, minutes, seconds, fraction] = TIME.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds ?? 0) > 59) return undefined;
  return {
    hours: Number(hours),
    minutes: Number(minutes),
    seconds: Number(seconds ?? 0),
    milliseconds: Number((fraction ?? "").padEnd(3, "0")),
    spanMs: seconds === undefined ? 60_000 : fraction === undefined ? 1_000 : 10 ** (3 - fraction.length),
  };
}

function offsetMs(zone: string): number {
  if (/^z$/i.test(zone)) return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** The days, as they are here, on which anything may have happened. */
function daysOf(times: readonly number[]): Date[] {
  if (times.length === 0) return [];
  const [first, last] = bounds(times);
  const days: Date[] = [];
  const begin = new Date(first);
  for (let step = 0;; step++) {
    const day = new Date(begin.getFullYear(), begin.getMonth(), begin.getDate() + step);
    if (day.getTime() > last) return days;
    days.push(day);
  }
}

function bounds(times: readonly number[]): [number, number] {
  return times.reduce(([a, b], at) => [Math.min(a, at), Math.max(b, at)], [Infinity, -Infinity]);
}

function dateText(day: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

function problem(sentence: string): Moment {
  return { kind: "problem", sentence };
}
