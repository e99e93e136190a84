/** One seed from beginning to end, and what to show of one that fails. */

import { check } from "./checker.ts";
import type { Violation } from "./evidence.ts";
import { type Event, hashOf, timeline } from "./history.ts";
import { type Schedule, type Settings, stepText } from "./schedule.ts";
import { scheduleOf, type Sizes } from "./schedule_of.ts";
import { shrink } from "./shrink.ts";
import { play } from "./world.ts";

/** What came of a schedule. */
export interface Outcome {
  readonly schedule: Schedule;
  readonly events: readonly Event[];
  /** The same for the same history. */
  readonly hash: string;
  readonly violations: readonly Violation[];
}

/** Plays a schedule and checks what happened. */
export async function runSchedule(schedule: Schedule): Promise<Outcome> {
  const events = await play(schedule);
  return { schedule, events, hash: hashOf(events), violations: check(schedule, events) };
}

/** Plays the schedule of a seed, with some settings as they are given, and checks what happened. */
export async function runSeed(seed: number, sizes: Sizes, settings: Partial<Settings> = {}): Promise<Outcome> {
  const schedule = scheduleOf(seed, sizes);
  return await runSchedule({ ...schedule, settings: { ...schedule.settings, ...settings } });
}

/** The shortest schedule that was found in which the first promise that `outcome` broke is broken too. */
export async function shortest(outcome: Outcome): Promise<Outcome> {
  const promise = outcome.violations[0]!.promise;
  let best = outcome;
  await shrink(outcome.schedule, async (schedule) => {
    const candidate = await runSchedule(schedule);
    const fails = candidate.violations.some((violation) => violation.promise === promise);
    if (fails) best = candidate;
    return fails;
  });
  return best;
}

/** A failed outcome for people: what broke, the schedule, and the timeline. */
export function report({ schedule, events, hash, violations }: Outcome): string {
  const { seed, servers, clients, settings, steps } = schedule;
  return [
    `seed ${seed}: ${violations.length} violations (history ${hash})`,
    ...violations.slice(0, 12).map(({ promise, what, at }) => `  ${String(at).padStart(7)} ms  ${promise}: ${what}`),
    "",
    `servers: ${servers.join(" ")}   settings: ${JSON.stringify(settings)}`,
    ...clients.map(({ name, kind, username, secret }) => `client ${name}: ${kind}, ${username}, ${secret}`),
    "",
    "schedule:",
    ...steps.map((step) => `  ${String(step.at).padStart(7)} ms  ${stepText(step)}`),
    "",
    "timeline:",
    ...timeline(events).map((line) => `  ${line}`),
  ].join("\n");
}
