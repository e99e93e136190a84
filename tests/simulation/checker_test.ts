/** Each check fails on a history that was made up to break its promise, and is content with one that does not. */

import { assertEquals } from "@std/assert";
import {
  acknowledged,
  BEGINNING,
  broken,
  endedWith,
  ENDS,
  is,
  received,
  stored,
  STORED_EVERYWHERE,
  type Told,
} from "./made_up_history.ts";

Deno.test("a history in which all went well breaks no promise", () => {
  const told: Told[] = [
    ...BEGINNING,
    ...STORED_EVERYWHERE,
    acknowledged(30, 1, "s1:1"),
    received(30, "c1", 1, "s1:1"),
    received(30, "c2", 1, "s1:1"),
    ...ENDS,
    is("c1"),
    is("c2"),
  ];
  assertEquals(broken(told), []);
});

Deno.test("the checker sees that something was acknowledged before it was stored", () => {
  const told = [...BEGINNING, acknowledged(20, 1, "s1:1"), ...STORED_EVERYWHERE, ...ENDS];
  assertEquals(broken(told), ["nothing acknowledged is lost"]);
});

Deno.test("the checker sees that something acknowledged as replicated was on one server only", () => {
  const told = [
    ...BEGINNING,
    stored(20_000, "s1", "s1:1", 1),
    acknowledged(20_010, 1, "s1:1"),
    stored(20_020, "s2", "s1:1", 1),
    ...ENDS,
  ];
  assertEquals(broken(told, { durability: "replicated" }), ["acknowledged when replicated"]);
  assertEquals(broken(told), []);
});

Deno.test("the checker sees that a server does not have what it stored, unless it lost it with its power", () => {
  const told = [...BEGINNING, stored(20, "s1", "s1:1", 1), acknowledged(30, 1, "s1:1")];
  const ends = [endedWith("s1", {}), endedWith("s2", {})];
  assertEquals(broken([...told, ...ends]), ["nothing stored is lost", "equal logs"]);
  const cut: Told[] = [
    [40, "s1", { what: "died", how: "power cut" }],
    [40, "s1", { what: "lost entries", ids: ["s1:1"] }],
    [41, "s2", { what: "link down", peer: "s1", link: 1 }],
  ];
  assertEquals(broken([...told, ...cut, ...ends]), []);
});

Deno.test("the checker sees that a server ended with less than another one", () => {
  const told = [...BEGINNING, stored(20, "s1", "s1:1", 1), endedWith("s1", { "s1:1": 1 }), endedWith("s2", {})];
  assertEquals(broken(told), ["equal logs"]);
});

Deno.test("the checker sees two servers with different lines under one id", () => {
  const told = [...BEGINNING, ...STORED_EVERYWHERE, endedWith("s1", { "s1:1": 1 }), endedWith("s2", { "s1:1": 2 })];
  assertEquals(broken(told), ["equal logs"]);
});

Deno.test("the checker sees an activity that is in the log twice", () => {
  const twice = { "s1:1": 1, "s2:1": 1 };
  const told = [...BEGINNING, ...STORED_EVERYWHERE, endedWith("s1", twice), endedWith("s2", twice)];
  assertEquals(broken(told), ["an activity is there once"]);
});

Deno.test("the checker sees that accounts differ", () => {
  const told = [
    ...BEGINNING,
    endedWith("s1", {}, { accounts: { ann: "scrypt$16384$00$61" } }),
    endedWith("s2", {}, { accounts: { ann: "scrypt$16384$00$62" } }),
  ];
  assertEquals(broken(told), ["equal accounts"]);
});

Deno.test("the checker sees that something was received twice, under one id or two", () => {
  const twice = [...BEGINNING, ...STORED_EVERYWHERE, received(30, "c2", 1, "s1:1"), received(31, "c2", 1, "s2:1")];
  assertEquals(broken([...twice, ...ENDS]), ["nothing comes twice"]);
  const again: Told = [31, "c2", { what: "came twice", session: "c2.1", id: "s1:1" }];
  assertEquals(broken([...BEGINNING, ...STORED_EVERYWHERE, again, ...ENDS]), ["nothing comes twice"]);
});

Deno.test("the checker sees a wrong order, unless the server that has the earlier one was gone for the hold-back time", () => {
  const late = [
    stored(19, "s1", "s1:1", 1),
    stored(20_000, "s2", "s2:1", 2),
    received(20_001, "c2", 2, "s2:1"),
    stored(20_002, "s2", "s1:1", 1),
    received(20_003, "c2", 1, "s1:1"),
    stored(20_004, "s1", "s2:1", 2),
    endedWith("s1", { "s1:1": 1, "s2:1": 2 }),
    endedWith("s2", { "s1:1": 1, "s2:1": 2 }),
  ];
  assertEquals(broken([...BEGINNING, ...late]), ["a sender's order is kept"]);
  const gone = (at: number): Told[] => [
    [at, "s2", { what: "link down", peer: "s1", link: 1 }],
    [at, "s1", { what: "link down", peer: "s2", link: 1 }],
  ];
  assertEquals(broken([...BEGINNING, ...gone(19_499), ...late]), []);
  assertEquals(broken([...BEGINNING, ...gone(19_600), ...late]), ["a sender's order is kept"]);
});

Deno.test("the checker sees that a server let something in before the hold-back time was over, counted from when it could come", () => {
  const told = (storedAt: number): Told[] => [
    ...BEGINNING,
    [2, "s2", { what: "link up", peer: "s3", link: 2 }],
    [2, "s3", { what: "link up", peer: "s2", link: 2 }],
    stored(18_000, "s1", "s1:1", 1),
    stored(18_005, "s3", "s1:1", 1),
    [18_500, "s2", { what: "link down", peer: "s1", link: 1 }],
    stored(storedAt, "s3", "s3:1", 2),
    stored(20_000, "s2", "s3:1", 2),
    received(20_001, "c2", 2, "s3:1"),
    stored(20_002, "s2", "s1:1", 1),
    received(20_003, "c2", 1, "s1:1"),
    stored(20_004, "s1", "s3:1", 2),
    endedWith("s1", { "s1:1": 1, "s3:1": 2 }),
    endedWith("s2", { "s1:1": 1, "s3:1": 2 }),
  ];
  assertEquals(broken(told(19_400)), []);
  assertEquals(broken(told(19_900)), ["a sender's order is kept"]);
});

Deno.test("the checker sees that somebody who stayed has not received something, unless it was told so", () => {
  const told = [...BEGINNING, ...STORED_EVERYWHERE, received(30, "c1", 1, "s1:1"), ...ENDS, is("c1"), is("c2")];
  assertEquals(broken(told), ["everybody gets everything"]);
  const gap = (first: number): Told => {
    return [50, "c2", { what: "gap", session: "c2.1", gaps: [{ origin: "s1", first, last: null }] }];
  };
  assertEquals(broken([...told, gap(1)]), []);
  assertEquals(broken([...told, gap(2)]), ["gaps are told"]);
});

Deno.test("the checker sees two who were told that a name is theirs, unless their servers were apart", () => {
  const accounts = { accounts: { ann: "scrypt$16384$00$61" } };
  const told: Told[] = [
    ...BEGINNING,
    [20_000, "c1", { what: "registered", username: "ann", secret: "a", server: "s1" }],
    [20_001, "c2", { what: "registered", username: "ann", secret: "b", server: "s2" }],
    endedWith("s1", {}, accounts),
    endedWith("s2", {}, accounts),
  ];
  assertEquals(broken(told), ["one account for a name"]);
  const apart: Told[] = [[19_000, "", { what: "cut off", from: "s1", to: "s2" }]];
  assertEquals(broken([...told.slice(0, 8), ...apart, ...told.slice(8)]), []);
});

Deno.test("the checker sees that a name is not anybody's in the end, or somebody else's", () => {
  const registered: Told = [20_000, "c1", { what: "registered", username: "ann", secret: "a", server: "s1" }];
  assertEquals(broken([...BEGINNING, registered, endedWith("s1", {}), endedWith("s2", {})]), [
    "a registration is kept",
  ]);
  const others = { accounts: { ann: "scrypt$16384$00$62" } };
  assertEquals(broken([...BEGINNING, registered, endedWith("s1", {}, others), endedWith("s2", {}, others)]), [
    "a registration is kept",
  ]);
});

Deno.test("the checker sees somebody who is logged in with a name that is another's, and one who is not logged in", () => {
  const accounts = { accounts: { ann: "scrypt$16384$00$61" } };
  const told = [...BEGINNING, endedWith("s1", {}, accounts), endedWith("s2", {}, accounts)];
  assertEquals(broken([...told, is("c2", { username: "ann", secret: "a" })]), []);
  assertEquals(broken([...told, is("c2", { username: "ann", secret: "b" })]), ["who loses a name is logged out"]);
  assertEquals(broken([...told, is("c2", { connected: false })]), ["clients come back"]);
});

Deno.test("the checker sees a client that was closed although it answered, also when the server stood still", () => {
  const closed: Told = [20_000, "s1", {
    what: "closed a connection",
    peer: "ann (c1:40001)",
    reason: "HEARTBEAT_TIMEOUT",
  }];
  const stall = (machine: string): Told[] => [
    [12_000, machine, { what: "stalled" }],
    [19_000, machine, { what: "went on" }],
  ];
  assertEquals(broken([...BEGINNING, closed]), ["who answers is not closed"]);
  assertEquals(broken([...BEGINNING, ...stall("s1"), closed]), ["who answers is not closed"]);
  assertEquals(broken([...BEGINNING, ...stall("c1"), closed]), []);
  const gaveUp: Told = [20_000, "c1", {
    what: "disconnected",
    session: "c1.1",
    reason: "HEARTBEAT_TIMEOUT",
    byServer: false,
  }];
  assertEquals(broken([...BEGINNING, gaveUp]), ["who answers is not closed"]);
  assertEquals(broken([...BEGINNING, ...stall("c1"), gaveUp]), ["who answers is not closed"]);
  assertEquals(broken([...BEGINNING, ...stall("s1"), gaveUp]), []);
});

Deno.test("the checker sees a dead client, and a dead server, that was kept for too long", () => {
  const dead = (closedAt: number): Told[] => [
    [5, "s1", { what: "link up", peer: "c1", link: 2 }],
    ...BEGINNING,
    [10_000, "c1", { what: "died", how: "power cut" }],
    [closedAt, "s1", { what: "link down", peer: "c1", link: 2 }],
    [80_000, "", { what: "mended" }],
  ];
  assertEquals(broken(dead(16_000)), []);
  assertEquals(broken(dead(30_000)), ["who is dead is closed in time"]);
  const reading = (readAt: number, closedAt: number): boolean =>
    broken([...dead(closedAt).slice(0, -3), received(readAt, "c1", 1, "s1:1"), ...dead(closedAt).slice(-3)])
      .includes("who is dead is closed in time");
  // Who is silent for so long was asked, and has answered since. Before that nobody tells what it said.
  assertEquals(reading(9_950, 22_900), false);
  assertEquals(reading(9_950, 23_000), true);
  assertEquals(reading(7_100, 20_000), false);
  assertEquals(reading(7_100, 20_200), true);
  assertEquals(reading(6_900, 19_000), true);
  const deadServer = (closedAt: number): Told[] => [
    ...BEGINNING,
    [10_000, "s2", { what: "died", how: "power cut" }],
    [closedAt, "s1", { what: "link down", peer: "s2", link: 1 }],
    [80_000, "", { what: "mended" }],
  ];
  assertEquals(broken(deadServer(14_900)), []);
  assertEquals(broken(deadServer(15_100)), ["who is dead is closed in time"]);
});

Deno.test("the checker sees what was thrown, and a server that ended by itself", () => {
  assertEquals(broken([[1, "s1", { what: "threw", info: "x" }]]), ["nothing breaks down"]);
  assertEquals(broken([[1, "s1", { what: "ended", reason: "failed", info: "x" }]]), ["nothing breaks down"]);
  assertEquals(broken([[1, "s1", { what: "ended", reason: "stopped", info: "" }]]), []);
});
