/**
 * Makes a schedule that fails shorter: leaves out steps, in large portions and then in small ones, then whole
 * machines, as long as it still fails in the same way. (A. Zeller, R. Hildebrandt, "Simplifying and Isolating
 * Failure-Inducing Input", 2002.)
 */

import type { Schedule, Step } from "./schedule.ts";

/** Whether a schedule still fails as the first one did. */
export type StillFails = (schedule: Schedule) => Promise<boolean>;

/** A shorter schedule for which `stillFails` holds; `schedule` itself where there is none. Tries at most `maxTries`. */
export async function shrink(schedule: Schedule, stillFails: StillFails, maxTries = 600): Promise<Schedule> {
  let left = maxTries;
  const fails = async (candidate: Schedule) => left-- > 0 && await stillFails(candidate);
  let best = schedule;
  for (;;) {
    const before = best;
    best = await withoutMachines(best, fails);
    best = await withFewerSteps(best, fails);
    if (best === before || left <= 0) return best;
  }
}

async function withFewerSteps(schedule: Schedule, fails: StillFails): Promise<Schedule> {
  let best = schedule;
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.steps.length;) {
      const candidate = { ...best, steps: [...best.steps.slice(0, from), ...best.steps.slice(from + size)] };
      if (await fails(candidate)) best = candidate;
      else from += size;
    }
  }
  return best;
}

async function withoutMachines(schedule: Schedule, fails: StillFails): Promise<Schedule> {
  let best = schedule;
  for (const machine of [...best.clients.map(({ name }) => name).toReversed(), ...best.servers.toReversed()]) {
    const candidate = without(best, machine);
    if (candidate.servers.length > 0 && await fails(candidate)) best = candidate;
  }
  return best;
}

/** `schedule` in which `machine` does not exist. */
function without(schedule: Schedule, machine: string): Schedule {
  const steps: Step[] = [];
  for (const step of schedule.steps) {
    if (step.kind === "partition") {
      const [one, other] = step.sides.map((side) => side.filter((name) => name !== machine));
      steps.push({ ...step, sides: [one!, other!] });
    } else if (step.kind === "enter" && step.server === machine) {
      const server = schedule.servers.find((name) => name !== machine);
      if (server !== undefined) steps.push({ ...step, server });
    } else if (!Object.values(step).includes(machine)) steps.push(step);
  }
  return {
    ...schedule,
    servers: schedule.servers.filter((name) => name !== machine),
    clients: schedule.clients.filter(({ name }) => name !== machine),
    steps,
  };
}
