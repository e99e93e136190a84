/**
 * A server that is gone for good, and forgotten as a whole by all others: when, in a schedule that has one, and what
 * may not come of it. Pure.
 */

import { parseEntryId } from "../../protocol/entry_id.ts";
import type { Chance } from "./chance.ts";
import type { Evidence, Told, Violation } from "./evidence.ts";
import type { Schedule, Step } from "./schedule.ts";

/** Of so many schedules of a hundred, of those in which no other server goes and no old copy comes, one has this. */
const GONE_PERCENT = 8;
/** In so many of these a server is away that has the origin, and comes back when the others have forgotten it. */
const LATE_PERCENT = 60;
/** How servers are configured then. What happens before takes less time than anything needs to become old. */
export const RETENTION = { membersMs: 20_000, entriesMs: 60_000 };
/** After so long in a network without faults everybody has what all others have. */
const EQUAL_MS = 6_000;
/** After so long the origin is forgotten: its entries are old, and it is looked for such origins every `membersMs`. */
const FORGOTTEN_MS = RETENTION.entriesMs + 2 * RETENTION.membersMs;
/** Somebody registers with the server that goes, and tells that before it is gone. */
const REGISTERED_MS = 1_000;

/** The schedule, and maybe this after it. From a stream of its own, so that it changes nothing else. */
export function withGoneServer(chance: Chance, schedule: Schedule): Schedule {
  const { servers, clients, steps } = schedule;
  const isOther = steps.some(({ kind }) => kind === "destroy" || kind === "put back");
  if (servers.length < 3 || isOther || !chance.percent(GONE_PERCENT)) return schedule;
  const [gone, late] = chance.shuffled(servers) as [string, string];
  const client = chance.pick(clients).name;
  // The name of a server that nobody has heard of; it joins when the origin is forgotten.
  const newcomer = `s${servers.length + 1}`;
  const at = steps.at(-1)!.at + 1;
  const goesAt = at + EQUAL_MS + REGISTERED_MS;
  const backAt = goesAt + FORGOTTEN_MS;
  const isLate = chance.percent(LATE_PERCENT);
  const scene: Step[] = [
    { at, kind: "heal" },
    ...servers.map((server): Step => ({ at, kind: "start", server })),
    { at: at + 1, kind: "enter", client, server: gone, resume: true },
    { at: at + EQUAL_MS, kind: "claim", client, server: gone, username: `left by ${gone}`, secret: "claim left" },
    { at: at + EQUAL_MS + 1, kind: "publish", client, count: 3 },
    ...(isLate ? [{ at: goesAt - 1, kind: "crash", server: late, when: "now" } as const] : []),
    { at: goesAt, kind: "destroy", server: gone },
    { at: backAt, kind: "start", server: late },
    { at: backAt, kind: "start", server: newcomer },
    { at: backAt + 1, kind: "publish", client, count: 3 },
    { at: backAt + EQUAL_MS, kind: "heal" },
  ];
  return {
    ...schedule,
    servers: [...servers, newcomer],
    settings: { ...schedule.settings, retention: RETENTION },
    steps: [...steps, ...scene],
  };
}

/**
 * Only the origin of a server that is gone for good is forgotten as a whole, and nothing of it comes again. What
 * becomes of accounts is checked with all others.
 */
export function checkForgotten(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const event of evidence.told("forgot origins")) {
    for (const [origin, last] of Object.entries(event.origins)) {
      violations.push(...forgottenTooEarly(evidence, event, origin), ...comesAgain(evidence, event, origin, last));
    }
  }
  return violations;
}

function* forgottenTooEarly(
  evidence: Evidence,
  { who, at }: Told<"forgot origins">,
  origin: string,
): Generator<Violation> {
  const machine = evidence.machineOf(origin);
  const isGone = !evidence.schedule.servers.includes(machine) || evidence.nameAt(machine, at) !== origin ||
    evidence.down(machine).some(({ from, until }) => from <= at - RETENTION.membersMs && until >= at);
  if (!isGone) yield { promise: "only who is gone is forgotten", what: `${who} forgot ${origin}, which is there`, at };
}

function* comesAgain(
  evidence: Evidence,
  { who, at }: Told<"forgot origins">,
  origin: string,
  last: number,
): Generator<Violation> {
  for (const stored of evidence.stored.get(who)?.values() ?? []) {
    const id = parseEntryId(stored.id)!;
    if (id.origin !== origin || id.sequence > last || stored.at <= at) continue;
    const what = `${who} stored ${stored.id}, which it had forgotten at ${at} ms`;
    yield { promise: "what is forgotten does not come again", what, at: stored.at };
  }
}
