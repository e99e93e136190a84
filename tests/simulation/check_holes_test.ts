/** The check for holes fails on histories that were made up to break what is promised, and on no other. */

import { assertEquals } from "@std/assert";
import type { Vector } from "../../log/vector.ts";
import { annAndBob, brokenIn, scheduleWith, type Told } from "./made_up_history.ts";

const STAYS = "who has it all is not sent away";
const GAPS = "gaps are told";

/** Whether `told` breaks `promise`. */
function breaks(promise: string, told: readonly Told[], activityRetentionBytes = 1_073_741_824): boolean {
  const schedule = scheduleWith({ settings: { activityRetentionBytes }, clients: annAndBob("library", "plain") });
  return brokenIn(schedule, told).includes(promise);
}

function comes(at: number, who: string, vector: Vector, server = "s1"): Told[] {
  const session = `${who}.1`;
  return [
    [at, who, { what: "connected", session, server }],
    [at, who, { what: "entered", session, chain: session, username: "ann", vector }],
  ];
}

function stored(at: number, server: string, ...sequences: number[]): Told {
  const entries = sequences.map((n) => ({ id: `x:${n}`, isFor: "everyone" as const, sender: "c9.1", n }));
  return [at, server, { what: "stored", entries }];
}

function sentAway(at: number, vector: Vector, reason = "FELL_BEHIND"): Told {
  return [at, "c1", { what: "disconnected", session: "c1.1", reason, byServer: true, vector }];
}

function received(at: number, who: string, n: number): Told {
  return [at, who, { what: "received", session: `${who}.1`, chain: `${who}.1`, sender: "c9.1", n, id: `x:${n}` }];
}

Deno.test("the checker sees a client that was sent away although it has what is missing", () => {
  const hole = (vector: Vector, server = "s1"): Told[] => [
    stored(1, "s1", 1),
    ...comes(2, "c1", vector),
    stored(5, server, 5),
    sentAway(6, vector),
  ];
  assertEquals(breaks(STAYS, hole({ x: 4 })), true);
  assertEquals(breaks(STAYS, hole({ x: 9 })), true);
  assertEquals(breaks(STAYS, hole({ x: 3 })), false);
  assertEquals(breaks(STAYS, hole({})), false);
  // At another server, of another origin, or where nothing is missing.
  assertEquals(breaks(STAYS, hole({ x: 3 }, "s2")), true);
  assertEquals(breaks(STAYS, [...comes(2, "c1", {}), stored(5, "s1", 1, 2), sentAway(6, {})]), true);
  // What is forgotten cannot be told from it, and with a new name everybody comes anew.
  assertEquals(breaks(STAYS, hole({ x: 4 }), 4_000), false);
  const renamed: Told = [4, "s1", { what: "renamed", serverId: "s1-1", ids: [] }];
  assertEquals(breaks(STAYS, [renamed, ...hole({ x: 4 })]), false);
  assertEquals(breaks(STAYS, [...comes(2, "c1", { x: 4 }), sentAway(6, { x: 4 }, "SERVER_STOPPING")]), false);
});

Deno.test("the checker sees a client that gets what comes behind a hole and is not told of that", () => {
  const passes = (vector: Vector, ...between: Told[]): Told[] => [
    ...comes(2, "c1", vector),
    stored(5, "s1", 5, 6),
    ...between,
    received(7, "c1", 5),
    received(8, "c1", 6),
  ];
  const gap = (last: number | null): Told => {
    return [6, "c1", { what: "gap", session: "c1.1", gaps: [{ origin: "x", first: 2, last }] }];
  };
  assertEquals(breaks(GAPS, passes({ x: 3 })), true);
  assertEquals(breaks(GAPS, passes({ x: 4 })), false);
  assertEquals(breaks(GAPS, passes({ x: 1 }, gap(3))), true);
  assertEquals(breaks(GAPS, passes({ x: 1 }, gap(4))), false);
  assertEquals(breaks(GAPS, passes({ x: 1 }, gap(null))), false);
  // A later life of the same chain, which is told before it has entered.
  const again = { what: "entered", session: "c1.2", chain: "c1.1", username: "ann", vector: {} } as const;
  const later = [
    [7, "c1", { what: "connected", session: "c1.2", server: "s1" }],
    [7, "c1", { what: "gap", session: "c1.2", gaps: [{ origin: "x", first: 1, last: 4 }] }],
    [7, "c1", again],
    [8, "c1", { what: "received", session: "c1.2", chain: "c1.1", sender: "c9.1", n: 5, id: "x:5" }],
  ] as const;
  assertEquals(breaks(GAPS, [...comes(2, "c1", {}), stored(5, "s1", 5), ...later]), false);
  // It has said at the end of a connection that it has that.
  assertEquals(breaks(GAPS, passes({ x: 1 }, sentAway(6, { x: 4 }, "SERVER_STOPPING"))), false);
  // What a server lost in a power cut and got back is no hole, and what it never got back is one.
  const lost: Told = [3, "s1", { what: "lost entries", ids: ["x:3", "x:4"] }];
  const before = [...comes(1, "c1", {}), stored(2, "s1", 1, 2, 3, 4), lost];
  assertEquals(breaks(GAPS, [...before, stored(4, "s1", 3, 4, 5), received(5, "c1", 5)]), false);
  assertEquals(breaks(GAPS, [...before, stored(4, "s1", 5), received(5, "c1", 5)]), true);
  // It is not known what a plain client was sent before.
  assertEquals(breaks(GAPS, [...comes(2, "c2", {}), stored(5, "s1", 5), received(6, "c2", 5)]), false);
});

Deno.test("a gap is told only where the server lacks something of it", () => {
  const needless = "a gap is told where something is missing";
  const gap = (first: number, last: number): Told => {
    return [6, "c1", { what: "gap", session: "c1.1", gaps: [{ origin: "x", first, last }] }];
  };
  const history = [...comes(4, "c1", {}), stored(5, "s1", 2, 3)];
  assertEquals(breaks(needless, [...history, gap(2, 3)]), true);
  assertEquals(breaks(needless, [...history, gap(1, 3)]), false);
  assertEquals(breaks(needless, [gap(2, 3), ...history]), false);
  const lost: Told = [6, "s1", { what: "lost entries", ids: ["x:3"] }];
  assertEquals(breaks(needless, [...history, lost, gap(2, 3)]), false);
  // The number is given out again, and the client had what had it before.
  const early: Told = [2, "s1", { what: "lost entries", ids: ["x:2", "x:3"] }];
  assertEquals(breaks(needless, [early, ...history, gap(2, 3)]), false);
});
