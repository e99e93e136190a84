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

/**
 * Of those with nothing else put back, in so many of a hundred an old copy goes on alone, and is started once more,
 * before it meets the others: then its numbers alone tell nothing.
 */
const ALONE_PERCENT = 10;
/** After so long everybody has what all others have. */
const EQUAL_MS = 4_000;
/** A server that reaches nobody lets clients in after so long. */
const JOINS_ALONE_MS = 8_000;
/** An old copy has at least, and at most, this part of what there was: it has to have lost something. */
const [LEAST_KEPT, MOST_KEPT] = [0.3, 0.9];
/** So many activities are more than it has lost. */
const MANY = 40;

/** The steps, and maybe a scene after them. From a stream of its own, so that it changes nothing else. */
export function withScenes(
  chance: Chance,
  steps: readonly Step[],
  servers: readonly string[],
  clients: readonly ClientPlan[],
): Step[] {
  const isAlone = servers.length > 1 && !steps.some(({ kind }) => kind === "put back") && chance.percent(ALONE_PERCENT);
  if (isAlone) return [...steps, ...copyGoesOnAlone(chance, (steps.at(-1)?.at ?? 0) + 1, servers, clients)];
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

/** An old copy numbers more than it has lost, is started once more, numbers something, and then meets the others. */
function copyGoesOnAlone(
  chance: Chance,
  at: number,
  servers: readonly string[],
  clients: readonly ClientPlan[],
): Step[] {
  const server = chance.pick(servers);
  const client = chance.pick(clients).name;
  const others = [...servers, ...clients.map(({ name }) => name)].filter((name) => name !== server && name !== client);
  const copyAt = at + EQUAL_MS;
  const againAt = copyAt + JOINS_ALONE_MS + 200;
  const kept = LEAST_KEPT + (MOST_KEPT - LEAST_KEPT) * chance.next();
  return [
    { at, kind: "heal" },
    ...servers.map((name): Step => ({ at, kind: "start", server: name })),
    { at: copyAt, kind: "kill", client, how: "crash" },
    { at: copyAt, kind: "partition", sides: [[server, client], others] },
    { at: copyAt, kind: "put back", server, chance: kept },
    { at: copyAt + 1, kind: "start", server },
    { at: copyAt + 2, kind: "enter", client, server, resume: false },
    { at: copyAt + JOINS_ALONE_MS, kind: "publish", client, count: MANY },
    { at: againAt, kind: "crash", server, when: "now" },
    { at: againAt + 1, kind: "start", server },
    { at: againAt + JOINS_ALONE_MS, kind: "publish", client, count: chance.whole(1, 3) },
    { at: againAt + JOINS_ALONE_MS + chance.whole(1, 2_000), kind: "heal" },
  ];
}
