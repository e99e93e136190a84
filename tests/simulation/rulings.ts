/**
 * What operators lay down about users: when, in a schedule that has rulings, and what has to come of it. Those who are
 * judged are users of their own (`judged_user.ts`). Pure.
 */

import type { Chance } from "./chance.ts";
import type { Evidence, Stored, Violation } from "./evidence.ts";
import type { StoredRecord } from "./history.ts";
import { hasOldCopy } from "./old_copies.ts";
import type { Schedule, Step, Verdict } from "./schedule.ts";

/** Of so many schedules in a hundred one has rulings. */
const RULED_PERCENT = 30;
const JUDGED_USERS = 2;
const [FEWEST_RULINGS, MOST_RULINGS] = [5, 14];
/** In so many cases of a hundred another server is told the contrary at the same moment. */
const CONTRARY_PERCENT = 50;
/** Servers know each other by then, if nothing is in the way. */
const KNOWN_AFTER_MS = 1_500;
const WEIGHTS = {
  "ban": 30,
  "lift": 22,
  "disable": 15,
  "enable": 12,
  "reset": 12,
  "delete": 4,
} as const satisfies Record<Verdict, number>;
const CONTRARIES: Partial<Record<Verdict, Verdict>> = {
  ban: "lift",
  lift: "ban",
  disable: "enable",
  enable: "disable",
};
/** Which records are rulings about users, as docs/protocol.md says. */
const KINDS: ReadonlySet<string> = new Set(["ban", "disabled", "deleted", "secret"]);
const PREFIX = "judged-";

/** Whether a user is there to be judged. */
export function isJudged(username: string): boolean {
  return username.startsWith(PREFIX);
}

/** The schedule, perhaps with rulings. From a stream of its own, so that all else stays as it is. */
export function withRulings(chance: Chance, schedule: Schedule): Schedule {
  if (!chance.percent(RULED_PERCENT)) return schedule;
  const judged = Array.from({ length: JUDGED_USERS }, (_, index) => `${PREFIX}${index + 1}`);
  const { servers, steps } = schedule;
  const lastAt = Math.max(KNOWN_AFTER_MS + 1, steps.at(-1)!.at);
  const rulings: Step[] = [];
  for (let left = chance.whole(FEWEST_RULINGS, MOST_RULINGS); left > 0; left--) {
    const at = chance.whole(KNOWN_AFTER_MS, lastAt);
    const verdict = chance.weighted(WEIGHTS);
    const username = chance.pick(judged);
    const [server, other] = chance.shuffled(servers);
    rulings.push({ at, kind: "rule", server: server!, verdict, username });
    const contrary = CONTRARIES[verdict];
    if (contrary === undefined || other === undefined || !chance.percent(CONTRARY_PERCENT)) continue;
    rulings.push({ at, kind: "rule", server: other, verdict: contrary, username });
  }
  return { ...schedule, judged, steps: [...steps, ...rulings].toSorted((a, b) => a.at - b.at) };
}

/** All that is promised of rulings. */
export function checkRulings(evidence: Evidence): Violation[] {
  const { judged = [] } = evidence.schedule;
  if (judged.length === 0) return [];
  return [
    ...checkEqual(evidence),
    ...checkLater(evidence),
    ...checkShownOut(evidence),
    ...checkTaken(evidence),
    ...checkOlder(evidence),
  ];
}

/** When the network is whole again every server judges the same. */
function* checkEqual(evidence: Evidence): Generator<Violation> {
  const [first, ...others] = evidence.told("judges");
  for (const { who, rulings, at } of others) {
    const keys = [...new Set([...Object.keys(first!.rulings), ...Object.keys(rulings)])];
    const differing = keys.filter((key) => first!.rulings[key] !== rulings[key] && !isUncertain(evidence, key));
    if (differing.length === 0) continue;
    const said = differing.map((key) => `${key}: ${first!.rulings[key]} at ${first!.who}, ${rulings[key]} at ${who}`);
    yield { promise: "every server judges the same", what: said.join("; "), at };
  }
}

/** Of two about one thing the later one holds; at one Lamport time what is laid down, and not what lifts it. */
function* checkLater(evidence: Evidence): Generator<Violation> {
  const newest = new Map<string, StoredRecord>();
  for (const { record, isLost } of storedRulings(evidence)) {
    const key = keyOf(record);
    const known = newest.get(key);
    if (!isLost && (known === undefined || comesBefore(known, record))) newest.set(key, record);
  }
  for (const [key, { value, lamport, origin }] of newest) {
    if (isUncertain(evidence, key)) continue;
    for (const { who, rulings, at } of evidence.told("judges")) {
      const holds = rulings[key] ?? "null";
      if (holds === value) continue;
      const what = `${key} is ${holds} at ${who}, and was ${value} at ${lamport} by ${origin}`;
      yield { promise: "the later ruling holds", what, at };
    }
  }
}

/** Whether `a` holds no more when there is `b`. */
function comesBefore(a: StoredRecord, b: StoredRecord): boolean {
  if (a.lamport !== b.lamport) return a.lamport < b.lamport;
  const [isLifted, lifts] = [a.value === "null", b.value === "null"];
  return isLifted === lifts ? a.origin < b.origin : isLifted;
}

/** Who is banned, disabled or deleted is logged in nowhere, and who is not is let in. */
function* checkShownOut(evidence: Evidence): Generator<Violation> {
  const promise = "who is barred is shown out";
  const judgements = evidence.told("judges");
  for (const { username, server, at } of evidence.told("judged user is")) {
    const barring = judgements.filter(({ barred }) => barred.includes(username)).map(({ who }) => who);
    if (server !== undefined && barring.includes(server)) {
      yield { promise, what: `${username} is logged in at ${server}, which bars it`, at };
    } else if (server === undefined && barring.length === 0 && !mayBeLockedOut(evidence, username)) {
      yield { promise, what: `${username} is not let in, and barred nowhere`, at };
    }
  }
}

/** Whether a user may have lost its account, or a server died before it told the operator the new secret. */
function mayBeLockedOut(evidence: Evidence, username: string): boolean {
  const key = `secret ${username}`;
  if (evidence.lostAccounts.has(username) || isUncertain(evidence, key)) return true;
  const made = storedRulings(evidence).filter(({ record }) => keyOf(record) === key).map(({ id }) => id);
  const told = evidence.told("ruled").filter((event) =>
    event.username === username && event.verdict === "reset" && event.isLaidDown
  );
  return new Set(made).size > told.length;
}

/** Nobody gets a name that somebody had, be its account deleted or not. */
function* checkTaken(evidence: Evidence): Generator<Violation> {
  for (const { who, username, at } of evidence.told("gave a name away")) {
    if (evidence.lostAccounts.has(username)) continue;
    yield { promise: "a deleted name stays taken", what: `${who} gave ${username} to somebody else`, at };
  }
}

/** A server that is linked with one that does not follow rulings lays nothing down. */
function* checkOlder(evidence: Evidence): Generator<Violation> {
  const liars = [...new Set(evidence.told("link up").map(({ peer }) => peer))].filter((peer) =>
    peer.startsWith("liar")
  );
  for (const { who, verdict, username, askedAt, isLaidDown, at } of evidence.told("ruled")) {
    if (!isLaidDown) continue;
    const older = liars.find((liar) =>
      evidence.greeted(who, liar).some(({ from, until }) => from < askedAt && until > askedAt)
    );
    if (older === undefined) continue;
    const what = `${who} took "${verdict} ${username}", and ${older} does not follow that`;
    yield { promise: "rulings wait for servers that do not follow them", what, at };
  }
}

/** Whether one of the entries about it has a number that was given out twice, or an old copy was put back. */
function isUncertain(evidence: Evidence, key: string): boolean {
  if (hasOldCopy(evidence.schedule)) return true;
  return storedRulings(evidence).some(({ id, record }) => keyOf(record) === key && evidence.isNumberedTwice(id));
}

function storedRulings(evidence: Evidence): (Stored & { readonly record: StoredRecord })[] {
  const all = [...evidence.stored.values()].flatMap((entries) => [...entries.values()]);
  return all.flatMap((stored) =>
    stored.record !== undefined && KINDS.has(stored.record.of) ? [{ ...stored, record: stored.record }] : []
  );
}

function keyOf({ of, key }: StoredRecord): string {
  return `${of} ${key}`;
}
