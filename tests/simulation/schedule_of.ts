/** Makes up a schedule from a seed, before anything happens. */

import { Chance } from "./chance.ts";
import { withChannels } from "./channel_steps.ts";
import { withGoneServer } from "./gone_server.ts";
import { GONE_VECTOR, HOLE_LIE, LIE_NAMES } from "./liar.ts";
import { withOldCopies } from "./old_copies.ts";
import { withRulings } from "./rulings.ts";
import { withScenes } from "./scenes.ts";
import type { Action, ClientPlan, Schedule, Settings, Step } from "./schedule.ts";

/** How large a simulation is. */
export interface Sizes {
  readonly servers: number;
  readonly clients: number;
  readonly steps: number;
}

/**
 * Between two steps there are up to so many milliseconds; most are close to each other, as that is
 * when things go wrong.
 */
const LONGEST_PAUSE_MS = 900;

/** Names that are claimed over and over again. */
const CLAIMED_NAMES = 4;

const DAY_MS = 86_400_000;
/** By how much calendars are wrong, and for how long. */
const WRONG_BY_MS = [40 * DAY_MS, -40 * DAY_MS, 10 * DAY_MS, -3_650 * DAY_MS, -55 * 365 * DAY_MS];
const WRONG_FOR_MS = [1_000, 3_000, 10_000];

/** How often what is done, compared to the rest. */
const WEIGHTS = {
  "start": 9,
  "crash": 7,
  "power cut": 2,
  "stop": 2,
  "destroy": 0.3,
  "stall": 5,
  "doze": 2,
  "partition": 4,
  "black hole": 3,
  "slow": 3,
  "reset": 6,
  "heal": 8,
  "enter": 12,
  "leave": 4,
  "kill": 4,
  "publish": 45,
  "send": 25,
  "read slowly": 5,
  "crash host": 4,
  "isolate host": 2,
  "claim": 8,
  "busy loop": 4,
  "reads fail": 2,
  "bit flips": 3,
  "set calendar": 3,
} as const satisfies Record<
  Exclude<Action["kind"], "lie" | "put back" | "busy host" | "subscribe" | "unsubscribe" | "rule">,
  number
>;

/** Of so many schedules in a hundred somebody lies in one, up to so often. */
const LYING_PERCENT = 30;
const MOST_LIES = 4;
/**
 * Of so many somebody says in one that the beginning of an origin is forgotten, which some of the clients have: once or
 * twice, while they are still there.
 */
const HOLE_PERCENT = 20;
const MOST_HOLES = 2;
const HOLES_WITHIN_MS = 10_000;
const HAVING_PERCENT = 60;

/** In so many of 100 networks clients ask what was said before. */
const PAST_PERCENT = 30;

/** The schedule of a seed. */
export function scheduleOf(seed: number, sizes: Sizes): Schedule {
  const chance = new Chance(seed, "schedule");
  const servers = Array.from({ length: sizes.servers }, (_, index) => `s${index + 1}`);
  const clients = clientsOf(chance, sizes.clients);
  const settings: Settings = {
    durability: chance.percent(20) ? "replicated" : "local",
    synchronous: chance.percent(30) ? "full" : "normal",
    // From a stream of its own, so that it changes nothing else.
    cuts: new Chance(seed, "cuts").percent(40) ? "silent" : "noticed",
    holdBackMs: chance.pick([500, 2_000]),
    maxPendingBytes: chance.pick([1_000, 4_000, 262_144]),
    tailBytes: new Chance(seed, "memory").pick([1, 2_000, 33_554_432]),
    activityRetentionBytes: chance.percent(15) ? 4_000 : 1_073_741_824,
    ...(new Chance(seed, "past").percent(PAST_PERCENT) ? { asksPast: true } : {}),
  };
  const steps: Step[] = [];
  let at = 0;
  const late = servers.length > 1 && chance.percent(25) ? servers.at(-1) : undefined;
  for (const server of servers) if (server !== late) steps.push({ at, kind: "start", server });
  at += 500;
  for (const { name, username } of clients) {
    const isClash = clients.some((other) => other.name !== name && other.username === username);
    if (!isClash && chance.percent(40)) at += chance.whole(0, 300);
    steps.push({ at, kind: "enter", client: name, server: chance.pick(servers), resume: false });
  }
  at += 200;
  while (steps.length < sizes.steps) {
    at += Math.floor(LONGEST_PAUSE_MS * chance.next() ** 3);
    const action = actionOf(chance, servers, clients, steps.length);
    if (action === undefined) continue;
    steps.push({ at, ...action });
    if (action.kind === "claim" && chance.percent(60)) {
      // Somebody else wants it as well, at the same moment.
      const client = chance.pick(clients).name;
      steps.push({ at, ...action, client, server: chance.pick(servers), secret: `claim ${steps.length}` });
    } else if (
      (action.kind === "crash" && action.when === "now" || action.kind === "power cut") && chance.percent(20)
    ) {
      // The machine comes back without its clock.
      at += chance.whole(100, 1_500);
      const forMs = chance.pick(WRONG_FOR_MS);
      steps.push({ at, kind: "set calendar", server: action.server, aheadMs: chance.pick(WRONG_BY_MS), forMs });
      steps.push({ at, kind: "start", server: action.server });
    } else if (action.kind === "crash host" && chance.percent(60)) {
      // The sender goes on elsewhere.
      at += chance.whole(1, 1_500);
      steps.push({ at, kind: "publish", client: action.client, count: chance.whole(1, 3) });
    } else if ((action.kind === "leave" || action.kind === "kill") && chance.percent(40)) {
      // Somebody writes to who has just gone.
      const to = clients.find(({ name }) => name === action.client)!.username;
      const sender = senderTo(chance, clients, to);
      at += chance.whole(0, 1_000);
      if (sender !== undefined) steps.push({ at, kind: "send", client: sender, to, count: chance.whole(1, 3) });
    }
  }
  const lied = withLies(new Chance(seed, "lies"), steps, servers);
  const copied = withOldCopies(new Chance(seed, "old copies"), lied, servers);
  const all = withScenes(new Chance(seed, "scenes"), copied, servers, clients);
  const holed = withHoles(new Chance(seed, "holes"), { seed, servers, clients, settings, steps: all });
  const gone = withGoneServer(new Chance(seed, "gone server"), holed);
  return withRulings(new Chance(seed, "rulings"), withChannels(new Chance(seed, "channels"), gone));
}

/** As `withLies`: all else stays as it is. */
function withHoles(chance: Chance, schedule: Schedule): Schedule {
  if (!chance.percent(HOLE_PERCENT)) return schedule;
  const { servers, clients, steps } = schedule;
  const having = clients.map((client) =>
    client.kind !== "plain" && chance.percent(HAVING_PERCENT) ? { ...client, has: GONE_VECTOR } : client
  );
  const holes = Array.from({ length: chance.whole(1, MOST_HOLES) }, (_, number): Step => ({
    at: chance.whole(1_000, HOLES_WITHIN_MS),
    kind: "lie",
    server: chance.pick(servers),
    what: HOLE_LIE,
    number: MOST_LIES + number,
  }));
  return { ...schedule, clients: having, steps: [...steps, ...holes].toSorted((a, b) => a.at - b.at) };
}

/** From a stream of its own, and put between the others: so it changes none of them. */
function withLies(
  chance: Chance,
  steps: readonly Step[],
  servers: readonly string[],
): Step[] {
  if (!chance.percent(LYING_PERCENT)) return [...steps];
  const lies = Array.from({ length: chance.whole(1, MOST_LIES) }, (_, number): Step => ({
    at: chance.whole(1_000, Math.max(1_001, steps.at(-1)!.at)),
    kind: "lie",
    server: chance.pick(servers),
    what: chance.pick(LIE_NAMES),
    number,
  }));
  return [...steps, ...lies].toSorted((a, b) => a.at - b.at);
}

function clientsOf(chance: Chance, count: number): ClientPlan[] {
  const clients: ClientPlan[] = [];
  for (let number = 1; number <= count; number++) {
    const name = `c${number}`;
    const kind = chance.weighted({ library: 60, plain: 22, anonymous: 18 });
    const other = clients.findLast((one) => one.kind !== "anonymous");
    const shares = kind !== "anonymous" && other !== undefined && chance.percent(35);
    if (!shares) clients.push({ name, kind, username: `user-${number}`, secret: `secret ${number}` });
    else {
      const secret = chance.percent(70) ? `secret ${number}` : other.secret;
      clients.push({ name, kind, username: other.username, secret });
    }
  }
  return clients;
}

function actionOf(
  chance: Chance,
  servers: readonly string[],
  clients: readonly ClientPlan[],
  number: number,
): Action | undefined {
  const kind = chance.weighted(WEIGHTS);
  const server = chance.pick(servers);
  const client = chance.pick(clients);
  const machines = [...servers, ...servers, ...clients.map(({ name }) => name)];
  const [a, b] = twoOf(chance, machines);
  switch (kind) {
    case "start":
    case "stop":
      return { kind, server };
    case "destroy":
      return servers.length > 1 ? { kind, server } : undefined;
    case "crash":
      return { kind, server, when: chance.pick(["now", "before commit", "after commit"]) };
    case "power cut":
      return { kind, server, chance: chance.next() };
    case "stall":
      return { kind, machine: a, ms: Math.floor(12_000 * chance.next() ** 2) };
    case "doze":
      return {
        kind,
        machine: a,
        times: chance.whole(1, 6),
        ms: chance.whole(200, 2_500),
        awakeMs: chance.whole(1, 120),
      };
    case "partition": {
      const all = chance.shuffled([...servers, ...clients.map(({ name }) => name)]);
      const cut = chance.whole(1, all.length - 1);
      return { kind, sides: [all.slice(0, cut), all.slice(cut)] };
    }
    case "black hole":
      return { kind, from: a, to: b };
    case "slow": {
      const [one, other] = servers.length > 1 && chance.percent(50) ? chance.shuffled(servers) : [a, b];
      return { kind, a: one!, b: other!, ms: chance.whole(50, 2_500) };
    }
    case "reset":
      return { kind, a, b };
    case "heal":
      return { kind };
    case "enter":
      return { kind, client: client.name, server, resume: chance.percent(70) };
    case "leave":
      return { kind, client: client.name };
    case "kill":
      return { kind, client: client.name, how: chance.percent(50) ? "crash" : "power cut" };
    case "publish":
      return { kind, client: client.name, count: chance.percent(15) ? chance.whole(5, 40) : chance.whole(1, 3) };
    case "send": {
      const named = clients.filter((one) => one.kind !== "anonymous");
      if (named.length === 0) return undefined;
      const to = chance.pick(named).username;
      const sender = senderTo(chance, clients, to);
      const count = chance.percent(10) ? chance.whole(5, 20) : chance.whole(1, 3);
      return sender === undefined ? undefined : { kind, client: sender, to, count };
    }
    case "crash host":
      return { kind, client: client.name, when: chance.pick(["now", "before commit", "after commit"]) };
    case "isolate host":
      return { kind, client: client.name };
    case "claim": {
      const username = `name-${chance.whole(1, CLAIMED_NAMES)}`;
      return { kind, client: client.name, server, username, secret: `claim ${number}` };
    }
    case "reads fail":
      return { kind, server, after: chance.whole(0, 12) };
    case "bit flips":
      return { kind, server, chance: chance.next() };
    case "set calendar":
      return { kind, server, aheadMs: chance.pick(WRONG_BY_MS), forMs: chance.pick(WRONG_FOR_MS) };
    case "read slowly":
      return client.kind === "plain"
        ? { kind, client: client.name, ms: chance.whole(200, 6_000) }
        : { kind: "stall", machine: client.name, ms: chance.whole(200, 3_000) };
    case "busy loop": {
      // One long turn, or many after each other.
      const isLong = chance.percent(30);
      const ms = isLong ? chance.whole(1_000, 4_500) : chance.whole(100, 900);
      const times = isLong ? 1 : Math.ceil(chance.whole(2_000, 25_000) / ms);
      return { kind, server, times, ms, freeMs: chance.whole(1, 40) };
    }
  }
}

/** A client that can write to the user `to`, and is another one. */
function senderTo(chance: Chance, clients: readonly ClientPlan[], to: string): string | undefined {
  const senders = clients.filter(({ kind, username }) => kind === "library" && username !== to);
  return senders.length === 0 ? undefined : chance.pick(senders).name;
}

/** Two different machines, of which the first is a server. */
function twoOf(chance: Chance, machines: readonly string[]): [string, string] {
  const a = machines[chance.whole(0, machines.length - 1)]!;
  const others = machines.filter((machine) => machine !== a && (a.startsWith("s") || machine.startsWith("s")));
  return [a, chance.pick(others)];
}
