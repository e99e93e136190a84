/** Checks that servers agree in the end: equal logs, equal accounts, one account for a name. Pure. */

import { nodeCrypto } from "../../platform/crypto.ts";
import { keysOf } from "../../protocol/login/scram.ts";
import { readVerifier } from "../../server/accounts/verifier.ts";
import { keyOf, ofLine } from "./numbered.ts";
import { parseEntryId } from "../../protocol/entry_id.ts";
import type { Evidence, Told, Violation } from "./evidence.ts";
import { isAccountDivided } from "./old_copies.ts";

/** Servers that answer slowly may be taken for gone; so long before something they need to have been apart. */
const APART_BEFORE_MS = 8_000;

/** Nobody broke down. */
export function checkRunning(evidence: Evidence): Violation[] {
  const promise = "nothing breaks down";
  const violations: Violation[] = [];
  for (const { who, info, at } of evidence.told("threw")) violations.push({ promise, what: `${who}: ${info}`, at });
  for (const { who, reason, info, at } of evidence.told("ended")) {
    if (reason !== "stopped" && !isOfDisk(evidence, who, at) && !isBackTooSoon(evidence, who, info, at)) {
      violations.push({ promise, what: `${who} ended (${reason}): ${info}`, at });
    }
  }
  for (const { who, info, at } of evidence.told("left")) {
    if (/CLIENT_FAILED|cannot be read|may not send/.test(info)) {
      violations.push({ promise, what: `${who}: ${info}`, at });
    }
  }
  return violations;
}

/** Whether a server may have ended because its disk did not give back what was on it. */
function isOfDisk(evidence: Evidence, server: string, endedAt: number): boolean {
  return evidence.told("step").some(({ step, at }) =>
    (step.kind === "reads fail" || step.kind === "bit flips") && step.server === server && at <= endedAt
  );
}

/**
 * Whether a server was taken for a copy, as an old copy of its data was put back before another one had missed its
 * former run: that one seemed to live.
 */
function isBackTooSoon(evidence: Evidence, server: string, info: string, endedAt: number): boolean {
  const copied = evidence.told("step").findLast(({ step, at }) =>
    step.kind === "put back" && step.server === server && at <= endedAt
  );
  const started = evidence.told("started").findLast(({ who, at }) => who === server && at <= endedAt);
  if (!info.startsWith("CloneError") || copied === undefined || started === undefined) return false;
  return evidence.schedule.servers.some((other) =>
    evidence.links(other, server).some(({ from, until }) => from < copied.at && until > started.at)
  );
}

/** Who can talk to each other ends with equal logs and equal accounts. */
export function checkAgreement(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const ends = evidence.told("ended with");
  const first = ends[0];
  if (first === undefined) return [];
  for (const end of ends.slice(1)) {
    violations.push(
      ...checkVectors(evidence, first, end),
      ...checkLines(evidence, first, end),
      ...checkAccounts(evidence, first, end),
    );
  }
  for (const end of ends) violations.push(...checkHolds(evidence, end));
  return violations;
}

function* checkVectors(evidence: Evidence, a: Told<"ended with">, b: Told<"ended with">): Generator<Violation> {
  const [one, other] = [JSON.stringify(a.vector), JSON.stringify(b.vector)];
  const origins = new Set([...Object.keys(a.vector), ...Object.keys(b.vector)]);
  const isSame = [...origins].every((origin) => {
    const [inA, inB] = [a.vector[origin], b.vector[origin]];
    // Every server forgets by itself.
    if (inA === undefined) return evidence.hasForgotten(a.who, origin, inB!);
    return inB === undefined ? evidence.hasForgotten(b.who, origin, inA) : inA === inB;
  });
  if (isSame) return;
  yield { promise: "equal logs", what: `${a.who} ended with ${one}, ${b.who} with ${other}`, at: b.at };
}

function* checkLines(evidence: Evidence, a: Told<"ended with">, b: Told<"ended with">): Generator<Violation> {
  for (const [id, { line }] of a.log) {
    const other = b.log.get(id);
    // What one of them has forgotten says nothing.
    if (other === undefined || other.line === line || evidence.givenTwice.has(id)) continue;
    const what = `${id} is ${line} at ${a.who} and ${other.line} at ${b.who}`;
    yield { promise: "equal logs", what, at: b.at };
  }
}

function* checkAccounts(
  evidence: Evidence,
  a: Told<"ended with">,
  b: Told<"ended with">,
): Generator<Violation> {
  for (const username of new Set([...Object.keys(a.accounts), ...Object.keys(b.accounts)])) {
    if (a.accounts[username] === b.accounts[username]) continue;
    if (evidence.accountsGivenTwice.has(username) || isAccountDivided(evidence, username)) continue;
    const what = `${username} is ${a.accounts[username]} at ${a.who} and ${b.accounts[username]} at ${b.who}`;
    yield { promise: "equal accounts", what, at: b.at };
  }
}

/**
 * An old copy gave it a number beyond all that others had: it stays under that too, and without a message id nothing
 * tells that the two are one.
 */
function mayBeThereTwice(evidence: Evidence, sender: string, key: string): boolean {
  const client = evidence.schedule.clients.find(({ name }) => name === sender.split(".")[0]);
  return client?.kind === "plain" && evidence.wasNumberedTwice(key);
}

/** A server that has not lost it has what it stored, and shows each activity once. */
function* checkHolds(evidence: Evidence, { who, log, vector, at }: Told<"ended with">): Generator<Violation> {
  for (const stored of evidence.stored.get(who)?.values() ?? []) {
    const { origin, sequence } = parseEntryId(stored.id)!;
    // Nothing is old enough to be forgotten, whatever calendars say.
    const isForgotten = !Object.hasOwn(vector, origin) && evidence.hasForgotten(who, origin, sequence);
    const isGone = (vector[origin] ?? 0) < sequence && !isForgotten || (!evidence.hasForgetting && !log.has(stored.id));
    if (!stored.isLost && isGone) {
      yield { promise: "nothing stored is lost", what: `${who} stored ${stored.id} and does not have it`, at };
    }
  }
  const shown = new Map<string, string>();
  for (const [id, { line, isFor }] of log) {
    const numbered = isFor === "servers" ? undefined : ofLine(line);
    if (numbered === undefined) continue;
    const key = keyOf(numbered);
    if (shown.has(key) && !mayBeThereTwice(evidence, numbered.sender, key)) {
      const what = `${who} shows ${key} as ${shown.get(key)} and as ${id}`;
      yield { promise: "an activity is there once", what, at };
    }
    shown.set(key, id);
  }
  if (evidence.hasForgetting) return;
  for (const [key, copies] of evidence.copies) {
    if (copies.some(({ id }) => evidence.givenTwice.has(id))) continue;
    if (!shown.has(key) && evidence.survives(key)) {
      const what = `${key} is not in the log of ${who}: ${
        copies.map(({ server, id }) => `${server} ${id}`).join(", ")
      }`;
      yield { promise: "equal logs", what, at };
    }
  }
}

/**
 * A name belongs to one account; whoever was told that it is theirs has it, unless the two were
 * apart or a disk was lost.
 */
export function checkNames(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const names = Map.groupBy(evidence.told("registered"), ({ username }) => username);
  const ends = evidence.told("ended with");
  const accounts = ends[0]?.accounts ?? {};
  for (const [username, successes] of names) {
    for (const [index, success] of successes.entries()) {
      for (const earlier of successes.slice(0, index)) {
        if (mayBothSucceed(evidence, username, earlier, success)) continue;
        const what =
          `${username} was registered by ${earlier.who} at ${earlier.server} and by ${success.who} at ${success.server}`;
        violations.push({ promise: "one account for a name", what, at: success.at });
      }
    }
    const at = successes[0]!.at;
    const verifier = accounts[username];
    if (verifier === undefined) {
      if (!evidence.lostAccounts.has(username) && !isAccountDivided(evidence, username)) {
        violations.push({ promise: "a registration is kept", what: `${username} has no account in the end`, at });
      }
    } else if (
      successes.length === 1 && !isSecretOf(verifier, successes[0]!.secret) &&
      !mayLose(evidence, username, successes[0]!)
    ) {
      const what = `${username} belongs to somebody else than ${successes[0]!.who}, who was told that it succeeded`;
      violations.push({ promise: "a registration is kept", what, at });
    }
  }
  for (const { who, username, secret, connected, at } of evidence.told("is")) {
    const verifier = accounts[username];
    if (!connected || username === "anonymous" || verifier === undefined || isSecretOf(verifier, secret)) continue;
    const what = `${who} is logged in as ${username}, which belongs to somebody else`;
    violations.push({ promise: "who loses a name is logged out", what, at });
  }
  for (const { who, connected, username, at } of evidence.told("is")) {
    // Its account has another entry under its number at some servers, and nobody can tell any more.
    const isDivided = evidence.hasForgetting && evidence.accountsGivenTwice.has(username) &&
      new Set(ends.map((end) => end.accounts[username])).size > 1;
    if (!connected && !isDivided) {
      violations.push({ promise: "clients come back", what: `${who} (${username}) is not logged in`, at });
    }
  }
  return violations;
}

function mayBothSucceed(
  evidence: Evidence,
  username: string,
  earlier: Told<"registered">,
  later: Told<"registered">,
): boolean {
  if (evidence.lostAccounts.has(username)) return true;
  return earlier.server !== later.server &&
    evidence.wereApart(earlier.server, later.server, earlier.at - APART_BEFORE_MS, later.at + 1);
}

/**
 * Whether whoever was told that the name is theirs may lose it: somebody else registered it at a server that
 * was apart from theirs.
 */
function mayLose(evidence: Evidence, username: string, { server, at }: Told<"registered">): boolean {
  if (evidence.lostAccounts.has(username)) return true;
  for (const [other, entries] of evidence.stored) {
    if (other === server) continue;
    for (const { id, account, at: storedAt } of entries.values()) {
      if (account?.username !== username || evidence.machineOf(id.split(":")[0]!) !== other) continue;
      const [from, until] = [Math.min(at, storedAt), Math.max(at, storedAt)];
      if (evidence.wereApart(server, other, from - APART_BEFORE_MS, until + 1)) return true;
    }
  }
  return false;
}

/** The simulator's scrypt derives the secret itself. */
function isSecretOf(verifier: string, secret: string): boolean {
  const { storedKey } = keysOf(new TextEncoder().encode(secret), nodeCrypto);
  const read = readVerifier(verifier, nodeCrypto);
  return read !== undefined && nodeCrypto.isEqual(read.storedKey, storedKey);
}
