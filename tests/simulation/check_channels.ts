/**
 * Who should have got what where activities are for channels: each client has what is of the channels that it reads,
 * from the moment it was told so, and nothing of others. Pure.
 */

import { sequenceOf } from "../../log/vector.ts";
import { parseEntryId } from "../../protocol/entry_id.ts";
import { isRead, NONE } from "./channels.ts";
import type { Evidence, Stored, Told, Violation } from "./evidence.ts";
import { keyOf } from "./numbered.ts";

const NOTHING_OF_OTHERS = "nothing comes of other channels";
const CHANNEL_STAYS = "an activity stays in its channel";

/** What a client reads from some place in the log on. */
type Reads = Told<"reads">;

/** Nobody gets what is of a channel that it does not read, and an activity is of the channel that its sender said. */
export function checkChannels(evidence: Evidence): Violation[] {
  return [...checkOthers(evidence), ...checkNames(evidence)];
}

function* checkOthers(evidence: Evidence): Generator<Violation> {
  const clients = new Map(evidence.schedule.clients.map((client) => [client.name, client]));
  const reads = new Map<string, readonly string[]>();
  const readings = new Map<string, Reads[]>();
  for (const event of evidence.events) {
    if (event.what === "reads") {
      reads.set(event.session, event.channels);
      readings.set(event.chain, [...readings.get(event.chain) ?? [], event]);
    }
    if (event.what === "began to iterate") reads.set(`${event.session} ${event.iterator}`, event.channels);
    if (event.what !== "received") continue;
    const { who, session, iterator, channel, at } = event;
    const plan = clients.get(who);
    const patterns = plan?.kind === "plain"
      ? [NONE]
      : reads.get(iterator === undefined ? session : `${session} ${iterator}`) ?? plan?.channels ?? [NONE];
    const own = readings.get(event.chain);
    const isEarly = own !== undefined && !evidence.hasForgetting && !evidence.isNumberedTwice(event.id) &&
      !isOwed(evidence, own, event);
    if (isRead(patterns, channel)) {
      const what = `${session} received ${keyOf(event)} (${event.id}), which was there before it read ${channel}`;
      if (isEarly) yield { promise: NOTHING_OF_OTHERS, what, at };
      continue;
    }
    const what = `${session} received ${keyOf(event)} of ${JSON.stringify(channel ?? NONE)}, and reads ${
      JSON.stringify(patterns)
    }`;
    yield { promise: NOTHING_OF_OTHERS, what, at };
  }
}

/** Those who read go by what the segment says, and people by what the line says. */
function* checkNames(evidence: Evidence): Generator<Violation> {
  const said = new Map(evidence.told("published").map((event) => [keyOf(event), event.channel]));
  const isOther = (key: string, channel: string | undefined) => said.has(key) && said.get(key) !== channel;
  for (const { who, sender, n, channel, at } of evidence.told("received")) {
    const key = keyOf({ sender, n });
    if (isOther(key, channel)) yield { promise: CHANNEL_STAYS, what: `${who} received ${key} of ${channel}`, at };
  }
  for (const [key, copies] of evidence.copies) {
    for (const { server, id, isFor, channel, at } of copies) {
      // Another copy of a message that the server has is for nobody.
      if (isFor !== "everyone" || !isOther(key, channel)) continue;
      yield { promise: CHANNEL_STAYS, what: `${server} stored ${key} as ${id} of ${channel}`, at };
    }
  }
}

/** What a client says of itself that it reads, in the order of time; one that says nothing reads the same for ever. */
export function readingsOf(evidence: Evidence, chain: string): readonly Reads[] {
  return evidence.told("reads").filter((event) => event.chain === chain);
}

/**
 * Whether an entry was to come to a client, by what it read from the last place on that is before the entry. An entry
 * without such a place was there before the client.
 */
export function isOwed(
  evidence: Evidence,
  readings: readonly Reads[],
  { id, channel }: Pick<Stored, "id" | "channel">,
): boolean {
  const { origin, sequence } = parseEntryId(id)!;
  const before = readings.filter(({ vector }) => sequenceOf(vector, origin) < sequence);
  // Of what is forgotten nobody knows how far the client got: the place is a lower one then.
  const counted = evidence.hasForgetting ? before : before.slice(-1);
  return counted.length > 0 && counted.every(({ channels }) => isRead(channels, channel));
}

/** Whether a client that is there should have got a message, of which these are the copies. */
export function isForClient(evidence: Evidence, { who, chain }: Told<"is">, copies: readonly Stored[]): boolean {
  const plan = evidence.schedule.clients.find(({ name }) => name === who);
  if (plan?.kind === "channels") {
    const readings = readingsOf(evidence, chain);
    return copies.every((copy) => copy.isFor !== "everyone" || isOwed(evidence, readings, copy));
  }
  const patterns = plan?.kind === "plain" ? [NONE] : plan?.channels ?? [NONE];
  return isRead(patterns, channelOf(copies));
}

/** The channel of a message, of which these are the copies. */
export function channelOf(copies: readonly Stored[]): string | undefined {
  return copies.find(({ isFor }) => isFor === "everyone")?.channel;
}

/**
 * Whether a client did not read the channel of `late`, or not from that place on, when it received `before`: what it
 * reads later may be older.
 */
export function wasNotRead(evidence: Evidence, late: Told<"received">, before: Told<"received">): boolean {
  if (evidence.schedule.clients.find(({ name }) => name === late.who)?.kind !== "channels") return false;
  const readings: Reads[] = [];
  for (const event of evidence.events) {
    if (event === before) break;
    if (event.what === "reads" && event.chain === late.chain) readings.push(event);
  }
  return !isOwed(evidence, readings, late);
}

/**
 * What an iterator of channels has not given of what was published when its server knew of it: `isExcused` says which
 * messages need not come.
 */
export function* missedByIterators(
  evidence: Evidence,
  { session, at }: Told<"is">,
  isExcused: (key: string, copies: readonly Stored[]) => boolean,
): Generator<Violation> {
  const left = new Set(
    evidence.told("iterates no more").filter((event) => event.session === session).map(({ iterator }) => iterator),
  );
  for (const begun of evidence.told("iterates")) {
    const { iterator } = begun;
    if (begun.session !== session || left.has(iterator)) continue;
    const { channels } = evidence.told("began to iterate").find((event) =>
      event.session === session && event.iterator === iterator
    )!;
    const begunAt = evidence.events.indexOf(begun);
    const given = new Set(
      evidence.told("received").filter((event) => event.session === session && event.iterator === iterator).map(keyOf),
    );
    for (const [key, copies] of evidence.copies) {
      if (given.has(key) || !isRead(channels, channelOf(copies))) continue;
      if (copies.some(({ index }) => index < begunAt) || isExcused(key, copies)) continue;
      yield {
        promise: "iterators give all of their channels",
        what: `${session} ${iterator} has not given ${key}`,
        at,
      };
    }
  }
}

/** Who received something: a client over all lives in which it went on, or one of its iterators of channels. */
export function readerOf({ chain, iterator }: Pick<Told<"received">, "chain" | "iterator">): string {
  return iterator === undefined ? chain : `${chain} ${iterator}`;
}
