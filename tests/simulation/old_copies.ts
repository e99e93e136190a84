/**
 * Old copies of servers' data that are put back: when, in a schedule that has one, and what may not come of it. Pure.
 */

import { parseEntryId } from "../../protocol/entry_id.ts";
import type { Chance } from "./chance.ts";
import type { Evidence, Violation } from "./evidence.ts";
import type { Schedule, Step } from "./schedule.ts";

/** Of so many schedules in a hundred one has an old copy. */
const COPIED_PERCENT = 20;
/** How much of the log an old copy has at least: one that has nothing is a new disk. */
const LEAST_KEPT = 0.3;

/**
 * `steps` with an old copy in some schedules: from a stream of its own, and put between the others, so it
 * changes none of them.
 */
export function withOldCopies(chance: Chance, steps: readonly Step[], servers: readonly string[]): Step[] {
  if (servers.length < 2 || !chance.percent(COPIED_PERCENT)) return [...steps];
  const server = chance.pick(servers);
  const at = chance.whole(2_000, Math.max(2_001, steps.at(-1)!.at));
  const copy: Step = { at, kind: "put back", server, chance: LEAST_KEPT + (1 - LEAST_KEPT) * chance.next() };
  const start: Step = { at: at + chance.whole(10, 1_500), kind: "start", server };
  return [...steps, copy, start].toSorted((a, b) => a.at - b.at);
}

/** Whether somebody puts an old copy back. */
export function hasOldCopy({ steps }: Schedule): boolean {
  return steps.some(({ kind }) => kind === "put back");
}

/**
 * Whether the server that gave out `id` is gone, or has another name since a power cut, and had not found out before
 * that it gave it out twice: nobody compares what others have of that name.
 */
export function hasNobodyToTell(evidence: Evidence, id: string): boolean {
  if (!evidence.givenTwice.has(id)) return false;
  const machine = evidence.machineOf(id);
  const isGone = evidence.destroyed.has(machine) ||
    evidence.nameAt(machine, evidence.endedAt) !== parseEntryId(id)!.origin;
  return isGone && !evidence.told("renamed").some(({ who, ids }) => who === machine && ids.includes(id));
}

/**
 * Whether one of these servers has forgotten the first number of the origin that was given out twice: servers compare
 * that one.
 */
function isForgottenWhatTells(evidence: Evidence, id: string, logs: readonly ReadonlyMap<string, unknown>[]): boolean {
  if (!evidence.hasForgetting || !evidence.givenTwice.has(id)) return false;
  const { origin } = parseEntryId(id)!;
  const numbers = [...evidence.givenTwice].map((twice) => parseEntryId(twice)!)
    .filter((entry) => entry.origin === origin).map(({ sequence }) => sequence);
  const first = `${origin}:${Math.min(...numbers)}`;
  return logs.some((log) => !log.has(first));
}

/**
 * Whether the account of a name stands under a number that was given out twice, and what tells that is forgotten: some
 * servers have another entry there, and not the account.
 */
export function isAccountDivided(evidence: Evidence, username: string): boolean {
  const logs = evidence.told("ended with").map(({ log }) => log);
  return [...evidence.stored.values()].some((entries) =>
    [...entries.values()].some(({ id, account }) =>
      account?.username === username && isForgottenWhatTells(evidence, id, logs)
    )
  );
}

/**
 * No number has two entries in the end, though it was given out twice: whoever had the one that counts no more has the
 * other one. Silent power cuts may take away what would have told.
 */
export function checkCopies(evidence: Evidence): Violation[] {
  if (!hasOldCopy(evidence.schedule) || evidence.schedule.settings.cuts === "silent") return [];
  const known = new Map<string, { readonly who: string; readonly line: string }>();
  const logs = new Map(evidence.told("ended with").map(({ who, log }) => [who, log]));
  const violations: Violation[] = [];
  for (const { who, log, at } of evidence.told("ended with")) {
    for (const [id, { line }] of log) {
      const first = known.get(id);
      if (first === undefined) known.set(id, { who, line });
      else if (first.line === line || hasNobodyToTell(evidence, id)) continue;
      else if (!isForgottenWhatTells(evidence, id, [logs.get(first.who)!, log])) {
        const what = `${id} is ${first.line} at ${first.who} and ${line} at ${who}`;
        violations.push({ promise: "no number has two entries", what, at });
      }
    }
  }
  return violations;
}
