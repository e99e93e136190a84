/** What chance hardly ever puts together, as further steps at the end of a schedule. Pure. */

import type { Chance } from "./chance.ts";
import type { ClientPlan, Step } from "./schedule.ts";

/** In so many schedules of a hundred somebody dies whose server is busy. */
const BUSY_PERCENT = 12;
/** After so long in a network without faults everybody is in again. */
const CALM_MS = 6_000;
/** Longer than a dead client may be kept by a server that is busy. */
const BUSY_MS = 16_000;
/** Within so long of the beginning the client dies. */
const DIES_WITHIN_MS = 1_500;

/** The steps, and maybe a scene after them. From a stream of its own, so that it changes nothing else. */
export function withScenes(
  chance: Chance,
  steps: readonly Step[],
  servers: readonly string[],
  clients: readonly ClientPlan[],
): Step[] {
  // Plain ones are not supervised.
  const supervised = clients.filter(({ kind }) => kind !== "plain");
  if (supervised.length === 0 || !chance.percent(BUSY_PERCENT)) return [...steps];
  const client = chance.pick(supervised).name;
  return [...steps, ...diesUnseen(chance, (steps.at(-1)?.at ?? 0) + 1, servers, client)];
}

/** A client loses power while its server is so busy that nothing else happens in that for more than a moment. */
function diesUnseen(chance: Chance, at: number, servers: readonly string[], client: string): Step[] {
  const busyAt = at + CALM_MS;
  const ms = chance.whole(300, 900);
  return [
    { at, kind: "heal" },
    ...servers.map((server): Step => ({ at, kind: "start", server })),
    { at: at + 1, kind: "enter", client, server: chance.pick(servers), resume: true },
    { at: busyAt, kind: "busy host", client, times: Math.ceil(BUSY_MS / ms), ms, freeMs: chance.whole(1, 40) },
    { at: busyAt + chance.whole(0, DIES_WITHIN_MS), kind: "kill", client, how: "power cut" },
    // That it was busy so long before all is mended.
    { at: busyAt + BUSY_MS, kind: "heal" },
  ];
}
