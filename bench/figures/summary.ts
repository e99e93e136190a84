/** How thrum compares with its peers, best first: what the first screen of the README takes its lines from. Pure. */

import type { Family } from "../contenders.ts";
import type { Figures, Measured, PartResult } from "../part.ts";
import { middle, values } from "./columns.ts";
import { medianRatio } from "./statistics.ts";
import { short, type Table, times } from "./table.ts";

/** One comparison: thrum and a peer under one load. */
interface Comparison {
  readonly part: string;
  readonly label?: string;
  /** With the unit of `read`. */
  readonly what: string;
  readonly thrum: Family;
  readonly peer: Family;
  readonly read: (figures: Figures) => number | undefined;
  /** Whether less is better. */
  readonly isLess?: boolean;
}

const perS = ({ perS }: Figures) => perS;
const p99 = ({ p99Ms }: Figures) => p99Ms;
const kilobytes = ({ idleBytes }: Figures) => idleBytes === undefined ? undefined : idleBytes / 1e3;

const COMPARISONS: readonly Comparison[] = [
  ...["10", "100", "1,000"].flatMap((label) =>
    (["nats", "redis"] as const).map((peer): Comparison => {
      const what = `deliveries/s to ${label} subscribers`;
      return { part: "fanout", label, what, thrum: "stored", peer, read: perS };
    })
  ),
  ...(["nats", "redis"] as const).flatMap((peer): Comparison[] => [
    { part: "latency", what: "p99 at 1,000/s, ms", thrum: "stored", peer, read: p99, isLess: true },
    { part: "memory", what: "kB per idle connection", thrum: "stored", peer, read: kilobytes, isLess: true },
  ]),
  ...["1,000 × 10", "100 × 100", "10,000 × 1", "1,000, all read by 100"].map((label): Comparison => {
    const what = `deliveries/s, channels: ${label}`;
    return { part: "channels", label, what, thrum: "stored", peer: "nats", read: perS };
  }),
  ...["1", "16"].flatMap((label) =>
    ([["stored", "natsFileIds"], ["stored", "natsFile"], ["stored", "redisFile"], ["full", "natsSynced"], [
      "full",
      "redisSynced",
    ]] as const).map(([thrum, peer]): Comparison => {
      const what = `answered/s, publishers: ${label}`;
      return { part: "ack", label, what, thrum, peer, read: perS };
    })
  ),
];

/** All comparisons that `results`, by the names of their parts, have figures for. */
export function summary(results: ReadonlyMap<string, PartResult>): Table {
  const rows = COMPARISONS.flatMap((comparison) => {
    const measured = results.get(comparison.part)?.measured ?? [];
    const find = (family: Family) =>
      measured.find((row) => row.family === family && (comparison.label ?? row.label) === row.label);
    const [thrum, peer] = [find(comparison.thrum), find(comparison.peer)];
    if (thrum === undefined || peer === undefined) return [];
    const ratio = ratioOf(thrum, peer, comparison);
    if (!Number.isFinite(ratio)) return [];
    return [{ comparison, thrum, peer, ratio }];
  });
  rows.sort((a, b) => b.ratio - a.ratio);
  return {
    title: "How thrum compares: best first, so that more than 1 is better than the peer",
    names: 3,
    head: ["what", "thrum", "peer", "thrum's", "peer's", "times as good", "min–max"],
    rows: rows.map(({ comparison: { what, read, isLess }, thrum, peer, ratio }) => {
      const rounds = ratiosByRound(thrum, peer, read, isLess);
      return [
        ...[what, thrum.name, peer.name, short(middle(thrum, read)), short(middle(peer, read)), times(ratio)],
        `${times(Math.min(...rounds))}–${times(Math.max(...rounds))}`,
      ];
    }),
    notes: [],
  };
}

function ratioOf(thrum: Measured, peer: Measured, { read, isLess }: Comparison): number {
  const byRound = (row: Measured) => row.rounds.map((figures) => figures === null ? undefined : read(figures));
  return isLess === true ? medianRatio(byRound(peer), byRound(thrum)) : medianRatio(byRound(thrum), byRound(peer));
}

function ratiosByRound(thrum: Measured, peer: Measured, read: Comparison["read"], isLess = false): number[] {
  return thrum.rounds.flatMap((_, round) => {
    const of = (row: Measured) => values({ ...row, rounds: row.rounds.slice(round, round + 1) }, read)[0];
    const [ours, theirs] = [of(thrum), of(peer)];
    return ours === undefined || theirs === undefined ? [] : [isLess ? theirs / ours : ours / theirs];
  });
}
