/** Who publishes to which channels and reads which, in a schedule that has any. Pure. */

import type { Chance } from "./chance.ts";
import type { Action, ClientPlan, Schedule, Step } from "./schedule.ts";

/** Of so many schedules in a hundred one has channels. */
const CHANNELS_PERCENT = 60;
/** There, of so many clients of a hundred without a name one speaks lines, and says itself which channels it reads. */
const LINES_PERCENT = 50;
/** Of so many of those with features one names channels when it enters, and of so many of these none at all. */
const NAMING_PERCENT = 60;
const NOTHING_PERCENT = 15;
/** Of so many times that somebody publishes it is for channels. */
const PUBLISH_PERCENT = 75;
/** So often somebody reads something else. */
const [FEWEST_CHANGES, MOST_CHANGES] = [4, 16];
/** Of so many changes in a hundred something is read no more; and so often one does not read for a while. */
const UNSUBSCRIBE_PERCENT = 35;
const SLOW_PERCENT = 20;
/** As long as a client may not read without being taken for dead. */
const LONGEST_SLOW_MS = 2_500;
/** All who are there at the beginning have called by then. */
const ENTERED_MS = 700;

/** In so many of 100 somebody subscribes and unsubscribes before it has read what is on its way. */
const BEHIND_PERCENT = 40;
/** So much is more than any server writes to a client that does not read. */
const MUCH = 60;

/** Channels that lie within each other, and beside each other. */
const CHANNELS = ["a", "a/b", "a/c", "a/b/d", "e", "f/g"];
const PATTERNS = ["", ...CHANNELS, "*", "a/*", "a/**", "a/b/**", "f/**", "**"];

/** The schedule, perhaps with channels. From a stream of its own, so that all else stays as it is. */
export function withChannels(chance: Chance, schedule: Schedule): Schedule {
  if (!chance.percent(CHANNELS_PERCENT)) return schedule;
  const newest: ClientPlan = {
    name: `c${schedule.clients.length + 1}`,
    kind: "channels",
    username: "anonymous",
    secret: "",
  };
  const clients = [...schedule.clients.map((client) => withLines(chance, client)), newest].map((client) =>
    client.kind !== "plain" && chance.percent(NAMING_PERCENT) ? { ...client, channels: firstChannels(chance) } : client
  );
  const enters: Step = {
    at: chance.whole(0, ENTERED_MS),
    kind: "enter",
    client: newest.name,
    server: chance.pick(schedule.servers),
    resume: false,
  };
  const steps = schedule.steps.map((step): Step => {
    if (step.kind !== "publish" || kindOf(clients, step.client) === "plain" || !chance.percent(PUBLISH_PERCENT)) {
      return step;
    }
    return { ...step, channels: someOf(chance, ["", ...CHANNELS], chance.whole(1, 3)) };
  });
  const lastAt = Math.max(ENTERED_MS + 1, schedule.steps.at(-1)!.at);
  const readers = clients.filter(({ kind }) => kind !== "plain");
  const changes = Array.from(
    { length: chance.whole(FEWEST_CHANGES, MOST_CHANGES) },
    (): Step => ({ at: chance.whole(ENTERED_MS, lastAt), ...changeOf(chance, readers) }),
  );
  // What it publishes itself.
  const own = Array.from({ length: chance.whole(1, 4) }, (): Step => ({
    at: chance.whole(ENTERED_MS, lastAt),
    kind: "publish",
    client: newest.name,
    count: chance.whole(1, 6),
    channels: someOf(chance, ["", ...CHANNELS], chance.whole(1, 3)),
  }));
  const behind = chance.percent(BEHIND_PERCENT) ? changesBehind(chance, newest.name, readers, lastAt) : [];
  const all = [...steps, enters, ...changes, ...own, ...behind];
  return { ...schedule, clients, steps: all.toSorted((a, b) => a.at - b.at) };
}

/** A client reads nothing while much is published, and meanwhile changes what it reads. */
function changesBehind(chance: Chance, client: string, readers: readonly ClientPlan[], lastAt: number): Step[] {
  const at = chance.whole(ENTERED_MS, lastAt);
  const sender = chance.pick(readers).name;
  const channels = someOf(chance, CHANNELS, 2);
  const [read, other] = channels as [string, string];
  return [
    { at, kind: "subscribe", client, channels: [read], history: 0 },
    { at: at + 100, kind: "read slowly", client, ms: LONGEST_SLOW_MS },
    { at: at + 101, kind: "publish", client: sender, count: MUCH, channels },
    { at: at + 300, kind: "subscribe", client, channels: [other], history: chance.pick([0, 5]) },
    { at: at + 400, kind: "unsubscribe", client, channels: [read] },
    { at: at + 500, kind: "publish", client: sender, count: 5, channels },
  ];
}

function withLines(chance: Chance, client: ClientPlan): ClientPlan {
  return client.kind === "anonymous" && chance.percent(LINES_PERCENT) ? { ...client, kind: "channels" } : client;
}

function firstChannels(chance: Chance): readonly string[] {
  return chance.percent(NOTHING_PERCENT) ? [] : someOf(chance, PATTERNS, chance.whole(1, 3));
}

function changeOf(chance: Chance, readers: readonly ClientPlan[]): Action {
  // Those who speak lines can do more.
  const lines = readers.filter(({ kind }) => kind === "channels");
  const client = chance.pick(chance.percent(70) ? lines : readers).name;
  const channels = someOf(chance, PATTERNS, chance.whole(1, 2));
  if (chance.percent(SLOW_PERCENT)) {
    return { kind: "read slowly", client: chance.pick(lines).name, ms: chance.whole(100, LONGEST_SLOW_MS) };
  }
  if (chance.percent(UNSUBSCRIBE_PERCENT)) return { kind: "unsubscribe", client, channels };
  return { kind: "subscribe", client, channels, history: chance.pick([0, 0, 1, 3, 1_000]) };
}

/** `count` of them, each once. */
function someOf(chance: Chance, all: readonly string[], count: number): readonly string[] {
  return chance.shuffled(all).slice(0, count);
}

function kindOf(clients: readonly ClientPlan[], name: string): ClientPlan["kind"] | undefined {
  return clients.find((client) => client.name === name)?.kind;
}
