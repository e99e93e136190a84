/** Histories that are made up for the tests of the checker, and which promises they break. */

import { check } from "./checker.ts";
import type { Event, Happening } from "./history.ts";
import type { ClientPlan, Schedule, Settings } from "./schedule.ts";

const SETTINGS: Settings = {
  durability: "local",
  synchronous: "normal",
  cuts: "noticed",
  holdBackMs: 500,
  maxPendingBytes: 4_000,
  tailBytes: 33_554_432,
  activityRetentionBytes: 1_073_741_824,
};

/** Ann is `c1` and bob is `c2`; they come in these ways. */
export function annAndBob(ann: ClientPlan["kind"], bob: ClientPlan["kind"]): ClientPlan[] {
  return [
    { name: "c1", kind: ann, username: "ann", secret: "a" },
    { name: "c2", kind: bob, username: "bob", secret: "b" },
  ];
}

/** A schedule with nothing to do, of two servers if `more` does not say otherwise. */
export function scheduleWith(
  { settings = {}, ...more }:
    & { readonly settings?: Partial<Settings> }
    & Partial<Pick<Schedule, "servers" | "clients">>,
): Schedule {
  const clients = annAndBob("library", "library");
  return { seed: 1, servers: ["s1", "s2"], clients, steps: [], ...more, settings: { ...SETTINGS, ...settings } };
}

/** One line of a history. */
export type Told = readonly [at: number, who: string, happening: Happening];

/** The promises that `told` breaks in a run of `schedule`, each once. */
export function brokenIn(schedule: Schedule, told: readonly Told[]): string[] {
  const events = told.map(([at, who, happening]): Event => ({ at, who, ...happening }));
  return [...new Set(check(schedule, events).map(({ promise }) => promise))];
}

/** The promises that `told` breaks, each once; `second` is what `c2` is. */
export function broken(
  told: readonly Told[],
  settings: Partial<Settings> = {},
  second: "plain" | "library" = "library",
): string[] {
  return brokenIn(scheduleWith({ settings, clients: annAndBob("library", second) }), told);
}

/** Two servers that are linked, and a client at each. */
export const BEGINNING: readonly Told[] = [
  [0, "s1", { what: "started", serverId: "s1" }],
  [0, "s2", { what: "started", serverId: "s2" }],
  [1, "s1", { what: "link up", peer: "s2", link: 1 }],
  [1, "s2", { what: "link up", peer: "s1", link: 1 }],
  [10, "c1", { what: "connected", session: "c1.1", server: "s1" }],
  [10, "c1", { what: "entered", session: "c1.1", chain: "c1.1", username: "anonymous", vector: {} }],
  [10, "c2", { what: "connected", session: "c2.1", server: "s2" }],
  [10, "c2", { what: "entered", session: "c2.1", chain: "c2.1", username: "anonymous", vector: {} }],
];

export function stored(
  at: number,
  server: string,
  id: string,
  n: number,
  isFor: "everyone" | "servers" = "everyone",
): Told {
  return [at, server, { what: "stored", entries: [{ id, isFor, sender: "c1.1", n }] }];
}

export function acknowledged(at: number, n: number, id: string): Told {
  return [at, "c1", { what: "acknowledged", sender: "c1.1", n, id }];
}

export function received(at: number, client: string, n: number, id: string): Told {
  return [at, client, { what: "received", session: `${client}.1`, chain: `${client}.1`, sender: "c1.1", n, id }];
}

export function is(client: string, { connected = true, username = "anonymous", secret = "" } = {}): Told {
  const session = `${client}.1`;
  return [90_000, client, { what: "is", session, chain: session, username, secret, connected }];
}

export function endedWith(server: string, numbers: Readonly<Record<string, number>>, more: Partial<End> = {}): Told {
  const log = new Map(
    Object.entries(numbers).map(([id, n]) => {
      return [id, { line: JSON.stringify({ id, activity: { s: "c1.1", n } }), isFor: "everyone" }];
    }),
  );
  const vector: Record<string, number> = {};
  for (const [origin, sequence] of Object.keys(numbers).map((id) => id.split(":") as [string, string])) {
    vector[origin] = Math.max(vector[origin] ?? 0, Number(sequence));
  }
  return [90_000, server, { what: "ended with", vector, log, accounts: {}, inboxes: {}, ...more }];
}
export type End = Extract<Happening, { what: "ended with" }>;

export const STORED_EVERYWHERE: readonly Told[] = [
  stored(20, "s1", "s1:1", 1),
  stored(25, "s2", "s1:1", 1),
];
export const ENDS: readonly Told[] = [endedWith("s1", { "s1:1": 1 }), endedWith("s2", { "s1:1": 1 })];
