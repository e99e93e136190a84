/**
 * What clients are told of the past: each page is a part of the log of the server that told it, without anything left
 * out, added or moved. Pure.
 */

import { channelOf } from "./check_channels.ts";
import { isRead, NONE } from "./channels.ts";
import { covers } from "./check_delivery.ts";
import type { Evidence, Told, Violation } from "./evidence.ts";
import { hasOldCopy } from "./old_copies.ts";

/** An activity in the log of a server. */
interface Logged {
  readonly id: string;
  readonly key: string;
  readonly isActivity: boolean;
  readonly channel: string | undefined;
  /** Its place in the history. */
  readonly index: number;
}

/** A question, and its place in the history. */
interface Asked {
  readonly server: string;
  readonly index: number;
}

const FORGED = "the past is what was said";
const HOLES = "the past is whole";
const OTHERS = "the past is of the channels that were asked for";

/** What was told and is not so. */
export function checkPast(evidence: Evidence): Violation[] {
  const answers = evidence.told("was told the past");
  if (answers.length === 0) return [];
  const logs = readLogs(evidence);
  const questions = readQuestions(evidence);
  return answers.flatMap((answer) => {
    const asked = questions.get(`${answer.session} ${answer.number}`);
    return asked === undefined ? [] : [...checkAnswer(evidence, answer, asked, logs.get(asked.server) ?? [])];
  });
}

function* checkAnswer(
  evidence: Evidence,
  answer: Told<"was told the past">,
  { server, index: askedIndex }: Asked,
  log: readonly Logged[],
): Generator<Violation> {
  const { who, at, activities, limit, more, before, since, upTo, channels = [NONE], without = [] } = answer;
  const isAsked = (channel: string | undefined) => isRead(channels, channel) && !isRead(without, channel);
  const violation = (promise: string, what: string): Violation => ({ promise, what: `${who} ${what}`, at });
  for (const { sender, n, id } of activities) {
    // Wherever it went on meanwhile: nobody has told it anything else.
    if (!evidence.keysOfEntry(id).has(`${sender}#${n}`)) {
      yield violation(FORGED, `was told ${sender}#${n} as ${id}, which no server has ever stored so`);
    }
  }
  for (const { sender, n } of activities) {
    const copies = evidence.copies.get(`${sender}#${n}`) ?? [];
    if (copies.length > 0 && !isAsked(channelOf(copies))) {
      const what = `was told ${sender}#${n} of ${channelOf(copies)}, and asked for ${JSON.stringify(channels)}`;
      yield violation(OTHERS, what);
    }
  }
  const ids = new Set(activities.map(({ id }) => id));
  if (ids.size < activities.length) yield violation(FORGED, "was told an activity of the past twice");
  if (!isSteady(evidence, answer, server, askedIndex)) return;
  const placeOf = (id: string | undefined, other: number) => {
    return id === undefined ? other : log.findIndex((logged) => logged.id === id);
  };
  // What came behind the place of the answer is not told. The answer counts by activities.
  const behind = upTo === undefined ? -1 : log.findIndex(({ id, isActivity }) => isActivity && !covers(upTo, id));
  const [from, to] = [placeOf(since, -1), placeOf(before, behind < 0 ? log.length : behind)];
  // It was told by somebody else of an entry that comes here later.
  if (since !== undefined && from < 0 || before !== undefined && to < 0) return;
  const told = log.flatMap((logged, place) => ids.has(logged.id) ? [place] : []);
  const where = `of ${server} (before ${before ?? "now"}, since ${since ?? "the beginning"})`;
  const order = activities.map(({ id }) => placeOf(id, -1));
  if (order.some((place, index) => place < 0 || place <= from || place >= to || order[index - 1]! >= place)) {
    return yield violation(FORGED, `was told a past ${where} that is not in the order of its log`);
  }
  // What came after the question may be in the answer, or not.
  const lastTold = told.at(-1) ?? -1;
  const wanted = log.flatMap(({ isActivity, channel, index }, place) => {
    const isWanted = isActivity && isAsked(channel) && place > from && place < to;
    return isWanted && (index < askedIndex || place <= lastTold) ? [place] : [];
  });
  const isAll = activities.length < limit && !more;
  const rest = isAll ? wanted : wanted.slice(wanted.length - activities.length);
  const lacks = rest.filter((place) => !told.includes(place)).map((place) => log[place]!.id);
  // What comes with SUBSCRIBED is one page, which may be empty before there is no more.
  const isEmpty = activities.length === 0 && wanted.length > 0 && !(more && upTo !== undefined);
  if (lacks.length > 0 || isEmpty) {
    yield violation(
      HOLES,
      `was not told of ${lacks.length > 0 ? lacks : wanted.map((place) => log[place]!.id)} ${where}`,
    );
  }
}

/**
 * Whether the whole answer is of the server that was asked, and that server had lost nothing, forgotten nothing
 * and numbered nothing anew.
 */
function isSteady(
  evidence: Evidence,
  { session, at }: Told<"was told the past">,
  server: string,
  askedIndex: number,
): boolean {
  const { schedule, events } = evidence;
  if (evidence.hasForgetting || hasOldCopy(schedule) || evidence.destroyed.has(server)) return false;
  const isOther = (event: (typeof events)[number]) =>
    event.who === server && (event.what === "lost entries" || event.what === "renamed") ||
    (event.what === "disconnected" && event.session === session && event.at <= at &&
      events.indexOf(event) > askedIndex);
  return !events.some(isOther);
}

function readLogs({ events }: Evidence): ReadonlyMap<string, readonly Logged[]> {
  const logs = new Map<string, Logged[]>();
  events.forEach((event, index) => {
    if (event.what !== "stored") return;
    const log = logs.get(event.who) ?? [];
    logs.set(event.who, log);
    for (const { id, isFor, channel, sender, n } of event.entries) {
      log.push({ id, key: `${sender}#${n}`, isActivity: isFor === "everyone", channel, index });
    }
  });
  return logs;
}

function readQuestions({ events }: Evidence): ReadonlyMap<string, Asked> {
  const questions = new Map<string, Asked>();
  events.forEach((event, index) => {
    if (event.what !== "asks for the past") return;
    questions.set(`${event.session} ${event.number}`, { server: event.server, index });
  });
  return questions;
}
