/** What the checker lets pass, and that it lets nothing else pass: after old copies, and where nobody can know. */

import { assertEquals } from "@std/assert";
import { Evidence } from "./evidence.ts";
import {
  annAndBob,
  BEGINNING,
  broken,
  brokenIn,
  endedWith,
  is,
  received,
  scheduleWith,
  stored,
  type Told,
} from "./made_up_history.ts";

Deno.test("the checker passes over an account whose number was given out twice after a power cut that nobody noticed", () => {
  const account = { username: "ann", verifier: "scrypt$16384$00$61" };
  const lost: Told[] = [
    ...BEGINNING,
    [20, "s1", { what: "stored", entries: [{ id: "s1:1", isFor: "servers", account }] }],
    [21, "s2", { what: "stored", entries: [{ id: "s1:1", isFor: "servers", account }] }],
    [40, "s1", { what: "died", how: "power cut" }],
    [40, "s1", { what: "lost entries", ids: ["s1:1"] }],
    [41, "s2", { what: "link down", peer: "s1", link: 1 }],
    [50, "s1", { what: "started", serverId: "s1" }],
    [60, "s1", { what: "stored", entries: [{ id: "s1:1", isFor: "servers" }] }],
    endedWith("s1", { "s1:1": 1 }),
    endedWith("s2", { "s1:1": 1 }, { accounts: { ann: "scrypt$16384$00$61" } }),
  ];
  assertEquals(broken(lost, { cuts: "silent" }), []);
  assertEquals(broken(lost), ["equal accounts"]);
});

Deno.test("the checker passes over a wrong order where a server never got what came in between, as it was forgotten", () => {
  const told = (n: number): Told[] => [
    ...BEGINNING,
    stored(19, "s1", "s1:1", 1),
    ...(n === 3 ? [stored(20, "s1", "s1:2", 2)] : []),
    stored(20_000, "s2", "s2:1", n),
    received(20_001, "c2", n, "s2:1"),
    stored(20_002, "s2", "s1:1", 1),
    received(20_003, "c2", 1, "s1:1"),
    stored(20_004, "s1", "s2:1", n),
  ];
  const isKept = (n: number, activityRetentionBytes: number) =>
    !broken(told(n), { activityRetentionBytes }).includes("a sender's order is kept");
  assertEquals([isKept(3, 4_000), isKept(2, 4_000), isKept(3, 1_000_000_000)], [true, false, false]);
});

Deno.test("the checker passes over what comes again to a client that was told that its numbers were given out twice", () => {
  const told = (gap: { first: number; last: number }): Told[] => [
    ...BEGINNING,
    stored(20, "s1", "s1:1", 1),
    stored(21, "s2", "s1:1", 1),
    stored(20, "s1", "s1:2", 2),
    stored(21, "s2", "s1:2", 2),
    received(22, "c2", 1, "s1:1"),
    received(22, "c2", 2, "s1:2"),
    [40, "s1", { what: "died", how: "power cut" }],
    [40, "s1", { what: "lost entries", ids: ["s1:1", "s1:2"] }],
    [41, "s2", { what: "link down", peer: "s1", link: 1 }],
    [50, "s1", { what: "started", serverId: "s1" }],
    stored(60, "s1", "s1:1", 3),
    [70, "s1", { what: "renamed", serverId: "s1-1", ids: ["s1:1"] }],
    stored(71, "s1", "s1-1:1", 3),
    stored(72, "s2", "s1-1:1", 3),
    stored(71, "s1", "s1:1", 1),
    stored(71, "s1", "s1:2", 2),
    [80, "c2", { what: "gap", session: "c2.1", gaps: [{ origin: "s1", ...gap }] }],
    received(81, "c2", 1, "s1:1"),
    received(81, "c2", 2, "s1:2"),
    endedWith("s1", { "s1:1": 1, "s1:2": 2, "s1-1:1": 3 }),
    endedWith("s2", { "s1:1": 1, "s1:2": 2, "s1-1:1": 3 }),
  ];
  assertEquals(broken(told({ first: 1, last: 1 }), { cuts: "silent" }), []);
  assertEquals(broken(told({ first: 3, last: 4 }), { cuts: "silent" }), ["nothing comes twice"]);
});

/** `s1` is an old copy: it gives out s1:1 anew, and goes on under a new name. */
function oldCopy(first: Told[], second: Told): Told[] {
  return [
    ...BEGINNING,
    ...first,
    [40, "s1", { what: "died", how: "crash" }],
    [40, "s1", { what: "lost entries", ids: ["s1:1", "s1:2"] }],
    [41, "s2", { what: "link down", peer: "s1", link: 1 }],
    [50, "s1", { what: "started", serverId: "s1" }],
    second,
    [70, "s1", { what: "renamed", serverId: "s1-1", ids: ["s1:1"] }],
  ];
}

Deno.test("the checker passes over what comes again or late of numbers that were given out twice, and of nothing else", () => {
  const both = [stored(20, "s1", "s1:1", 1), stored(21, "s2", "s1:1", 1)];
  const begun = (more: Told[]): Told[] => [
    ...oldCopy(both, stored(60, "s1", "s1:1", 2)),
    stored(71, "s1", "s1-1:1", 2),
    stored(72, "s2", "s1-1:1", 2),
    stored(73, "s1", "s1:1", 1),
    ...more,
    endedWith("s1", { "s1:1": 1, "s1-1:1": 2 }),
    endedWith("s2", { "s1:1": 1, "s1-1:1": 2 }),
  ];
  assertEquals(broken(begun([received(61, "c2", 2, "s1:1"), received(74, "c2", 1, "s1:1")])), []);
  assertEquals(broken(begun([received(61, "c2", 2, "s1:1"), received(74, "c2", 2, "s1-1:1")])), []);
  const other = (more: Told[]): Told[] => [
    ...begun([stored(75, "s2", "s2:1", 3), stored(76, "s1", "s2:1", 3)]).slice(0, -2),
    stored(77, "s2", "s2:2", 4),
    stored(78, "s1", "s2:2", 4),
    ...more,
    endedWith("s1", { "s1:1": 1, "s1-1:1": 2, "s2:1": 3, "s2:2": 4 }),
    endedWith("s2", { "s1:1": 1, "s1-1:1": 2, "s2:1": 3, "s2:2": 4 }),
  ];
  assertEquals(broken(other([received(80, "c2", 3, "s2:1"), received(81, "c2", 3, "s2:1")])), ["nothing comes twice"]);
  assertEquals(broken(other([received(80, "c2", 4, "s2:2"), received(81, "c2", 3, "s2:1")])), [
    "a sender's order is kept",
  ]);
});

Deno.test("the checker lets an activity be there twice whose number was given out twice, if its sender gives no message ids", () => {
  const told = (key: "library" | "plain"): string[] => {
    const history: Told[] = [
      ...oldCopy([stored(20, "s1", "s1:1", 1), stored(21, "s2", "s1:1", 1)], stored(60, "s1", "s1:2", 2)),
      [70, "s1", { what: "renamed", serverId: "s1-1", ids: ["s1:2"] }],
      stored(71, "s1", "s1-1:1", 2),
      stored(72, "s2", "s1-1:1", 2),
      stored(73, "s2", "s1:2", 2),
      endedWith("s2", { "s1:1": 1, "s1-1:1": 2, "s1:2": 2 }),
    ];
    return brokenIn(scheduleWith({ clients: annAndBob(key, key) }), history);
  };
  assertEquals([told("plain"), told("library")], [[], ["an activity is there once"]]);
});

Deno.test("the checker lets something come late that its sender went on without, and also after what it published at a third server", () => {
  const told = (waited: number): Told[] => [
    ...BEGINNING.filter(([, who]) => who !== "c2"),
    [10, "c2", { what: "connected", session: "c2.1", server: "s3" }],
    [10, "c2", { what: "entered", session: "c2.1", chain: "c2.1", username: "anonymous", vector: {} }],
    stored(20, "s1", "s1:1", 1),
    [40, "s2", { what: "link up", peer: "c1", link: 5 }],
    [300, "s2", { what: "link down", peer: "s1", link: 1 }],
    [40 + waited, "c1", { what: "connected", session: "c1.1", server: "s2" }],
    stored(50 + waited, "s2", "s2:1", 2),
    stored(600, "s3", "s2:1", 2),
    [640, "s3", { what: "link up", peer: "c1", link: 6 }],
    [650, "c1", { what: "connected", session: "c1.1", server: "s3" }],
    stored(660, "s3", "s3:1", 3),
    received(661, "c2", 3, "s3:1"),
    stored(1_000, "s3", "s1:1", 1),
    received(1_001, "c2", 1, "s1:1"),
  ];
  assertEquals(broken(told(500)).includes("a sender's order is kept"), false);
  assertEquals(broken(told(400)).includes("a sender's order is kept"), true);
});

Deno.test("the checker lets a second copy come late of what its receiver was told that it lacks", () => {
  const told = (last: number): Told[] => [
    ...BEGINNING,
    stored(1_020, "s1", "s1:1", 1),
    stored(1_021, "s1", "s1:2", 2),
    stored(1_022, "s2", "s1:2", 2),
    stored(1_040, "s2", "s2:1", 1),
    [1_050, "c2", { what: "gap", session: "c2.1", gaps: [{ origin: "s1", first: 1, last }] }],
    received(1_051, "c2", 2, "s1:2"),
    received(1_052, "c2", 1, "s2:1"),
  ];
  assertEquals(broken(told(1)).includes("a sender's order is kept"), false);
  assertEquals(broken(told(0)).includes("a sender's order is kept"), true);
});

Deno.test("the checker lets a second copy come late to a plain client whose server never got the first one", () => {
  const told = (first: Told[]): Told[] => [
    ...BEGINNING,
    ...first,
    stored(1_021, "s1", "s1:2", 2),
    stored(1_022, "s2", "s1:2", 2),
    stored(1_040, "s2", "s2:1", 1),
    received(1_051, "c2", 2, "s1:2"),
    received(1_052, "c2", 1, "s2:1"),
  ];
  const forgotten = [stored(1_020, "s1", "s1:1", 1)];
  const isBroken = (first: Told[], kind: "plain" | "library", activityRetentionBytes: number) =>
    broken(told(first), { activityRetentionBytes }, kind).includes("a sender's order is kept");
  assertEquals(isBroken(forgotten, "plain", 1_000), false);
  assertEquals(isBroken(forgotten, "plain", 1_000_000_000), true);
  assertEquals(isBroken(forgotten, "library", 1_000), true);
  assertEquals(isBroken([...forgotten, stored(1_021, "s2", "s1:1", 1)], "plain", 1_000), true);
});

Deno.test("the checker lets come late what its receiver's server had in its place, and dropped with numbers that were given out twice", () => {
  const told = (firstAt: number, dropped: string): Told[] => [
    ...BEGINNING,
    ...firstAt < 1_020 ? [stored(firstAt, "s2", "s1:2", 1)] : [],
    stored(1_020, "s2", "s3:1", 2),
    ...firstAt > 1_020 ? [stored(firstAt, "s2", "s1:2", 1)] : [],
    [1_030, "s2", { what: "renamed", serverId: "s2", ids: [dropped] }],
    received(1_031, "c2", 2, "s3:1"),
    stored(1_032, "s2", "s1:2", 1),
    received(1_033, "c2", 1, "s1:2"),
  ];
  assertEquals(broken(told(1_010, "s1:2")).includes("a sender's order is kept"), false);
  assertEquals(broken(told(1_025, "s1:2")).includes("a sender's order is kept"), true);
  assertEquals(broken(told(1_010, "s1:1")).includes("a sender's order is kept"), true);
});

Deno.test("the checker lets an activity come again whose message id its server had forgotten, and no sooner", () => {
  const retention = { membersMs: 20_000, entriesMs: 60_000 };
  const told = (storedAt: number): Told[] => [
    ...BEGINNING,
    stored(20, "s1", "s1:1", 1),
    stored(21, "s2", "s1:1", 1),
    received(22, "c2", 1, "s1:1"),
    stored(storedAt, "s2", "s3:1", 1),
    received(storedAt + 1, "c2", 1, "s3:1"),
  ];
  const isLet = (storedAt: number, settings = {}) => !broken(told(storedAt), settings).includes("nothing comes twice");
  assertEquals([isLet(60_021, { retention }), isLet(60_020, { retention }), isLet(60_021)], [true, false, false]);
});

Deno.test("the checker passes over what a client lacks of an origin that was forgotten whole before it came", () => {
  const told = (forgottenAt: number): Told[] => [
    ...BEGINNING,
    stored(20, "s1", "s1:1", 1),
    stored(21, "s2", "s1:1", 1),
    [30, "s1", { what: "died", how: "destroy" }],
    [forgottenAt, "s2", { what: "forgot origins", origins: { s1: 1 } }],
    [50_000, "c3", { what: "connected", session: "c3.1", server: "s2" }],
    [50_000, "c3", { what: "entered", session: "c3.1", chain: "c3.1", username: "anonymous", vector: {} }],
    is("c3"),
  ];
  const isWhole = (forgottenAt: number) =>
    !broken(told(forgottenAt), { retention: { membersMs: 1_000, entriesMs: 1_000 } }).includes(
      "everybody gets everything",
    );
  assertEquals([isWhole(40_000), isWhole(60_000)], [true, false]);
});

Deno.test("the checker passes over what comes late to a client that was sent back before numbers given out twice", () => {
  const told = (goesBackAt: number): Told[] => {
    const gap: Told = [goesBackAt, "c2", {
      what: "gap",
      session: "c2.1",
      gaps: [{ origin: "s1", first: 1, last: 2 }],
    }];
    const rest: Told[] = [
      [50, "s1", { what: "started", serverId: "s1" }],
      [60, "s1", { what: "stored", entries: [{ id: "s1:2", isFor: "servers" }] }],
      received(70, "c2", 2, "s1:3"),
      received(90, "c2", 1, "s1:1"),
    ];
    return [
      ...BEGINNING,
      ...[1, 2, 3].flatMap((n) => [stored(20, "s1", `s1:${n}`, n === 2 ? 9 : Math.min(n, 2))]),
      [40, "s1", { what: "died", how: "crash" }],
      [40, "s1", { what: "lost entries", ids: ["s1:2"] }],
      ...[...rest, gap].toSorted(([one], [other]) => one - other),
    ];
  };
  const isKept = (goesBackAt: number) =>
    !broken(told(goesBackAt), { cuts: "silent" }).includes("a sender's order is kept");
  assertEquals([isKept(80), isKept(65)], [true, false]);
});

Deno.test("the checker passes over what comes again to a plain client whose server dropped it with numbers before it", () => {
  const told = (isDropped: boolean): Told[] => [
    ...BEGINNING,
    stored(20, "s1", "s1:2", 1),
    stored(21, "s2", "s1:2", 1),
    received(22, "c2", 1, "s1:2"),
    ...(isDropped ? [[30, "s2", { what: "renamed", serverId: "s2", ids: ["s1:1", "s1:2"] }] as const] : []),
    stored(31, "s2", "s1:2", 1),
    received(32, "c2", 1, "s1:2"),
  ];
  const isOnce = (isDropped: boolean, kind: "plain" | "library") =>
    !broken(told(isDropped), {}, kind).includes("nothing comes twice");
  assertEquals([isOnce(true, "plain"), isOnce(false, "plain"), isOnce(true, "library")], [true, false, false]);
});

Deno.test("the checker passes over a wrong order where its server had lost the earlier one, and nobody was linked that had it", () => {
  const told = (isLinked: boolean): Told[] => [
    ...BEGINNING,
    stored(20, "s1", "s1:1", 1),
    stored(21, "s2", "s1:1", 1),
    [40, "s1", { what: "died", how: "crash" }],
    [40, "s1", { what: "lost entries", ids: ["s1:1"] }],
    ...(["s1", "s2"].map((who): Told => [41, who, { what: "link down", peer: who === "s1" ? "s2" : "s1", link: 1 }])),
    [50, "s1", { what: "started", serverId: "s1" }],
    ...(isLinked ? [[51, "s1", { what: "link up", peer: "s2", link: 2 }] as const] : []),
    [60, "c1", { what: "connected", session: "c1.1", server: "s1" }],
    stored(2_000, "s1", "s1:2", 2),
    [2_001, "c3", { what: "connected", session: "c3.1", server: "s1" }],
    [2_001, "c3", { what: "entered", session: "c3.1", chain: "c3.1", username: "anonymous", vector: {} }],
    received(2_002, "c3", 2, "s1:2"),
    stored(9_000, "s1", "s1:1", 1),
    received(9_001, "c3", 1, "s1:1"),
  ];
  const isKept = (isLinked: boolean) => !broken(told(isLinked)).includes("a sender's order is kept");
  assertEquals([isKept(false), isKept(true)], [true, false]);
});

Deno.test("the checker passes over a server that is taken for a copy as its old data is back before its loss was seen", () => {
  const told = (missedAt: number): Told[] => [
    ...BEGINNING,
    [20, "s1", { what: "died", how: "power cut" }],
    [21, "world", { what: "step", step: { kind: "put back", server: "s1", chance: 0.5 } }],
    [missedAt, "s2", { what: "link down", peer: "s1", link: 1 }],
    [30, "s1", { what: "started", serverId: "s1" }],
    [40, "s1", { what: "ended", reason: "failed", info: "CloneError: a copy" }],
  ];
  const isExcused = (missedAt: number) => !broken(told(missedAt)).includes("nothing breaks down");
  assertEquals([isExcused(50), isExcused(25)], [true, false]);
});

Deno.test("the checker passes over two entries of a number where what tells them apart is forgotten", () => {
  const schedule = scheduleWith({});
  const copy = { kind: "put back", server: "s1", chance: 0.5, at: 40 } as const;
  const told = (kept: Readonly<Record<string, number>>): Told[] => [
    ...BEGINNING,
    ...[1, 2].flatMap((n) => [stored(20, "s1", `s1:${n}`, n), stored(21, "s2", `s1:${n}`, n)]),
    [40, "s1", { what: "lost entries", ids: ["s1:1", "s1:2"] }],
    ...[1, 2].map((n) => stored(60, "s1", `s1:${n}`, 2 + n)),
    endedWith("s1", { "s1:1": 3, "s1:2": 4 }),
    endedWith("s2", kept),
  ];
  const breaks = (kept: Readonly<Record<string, number>>, activityRetentionBytes: number) => {
    const settings = { ...schedule.settings, activityRetentionBytes };
    return brokenIn({ ...schedule, settings, steps: [copy] }, told(kept)).includes("no number has two entries");
  };
  assertEquals(breaks({ "s1:2": 2 }, 4_000), false);
  assertEquals([breaks({ "s1:1": 1, "s1:2": 2 }, 4_000), breaks({ "s1:2": 2 }, 1_073_741_824)], [true, true]);
});

Deno.test("the checker passes over who cannot log in where servers have two accounts, and what tells that is forgotten", () => {
  const schedule = scheduleWith({});
  const account = { username: "ann", verifier: "scrypt$1$00$61" };
  const told: Told[] = [
    ...BEGINNING,
    [20, "s1", { what: "stored", entries: [{ id: "s1:1", isFor: "servers", account }] }],
    [40, "s1", { what: "lost entries", ids: ["s1:1"] }],
    stored(60, "s1", "s1:1", 1),
    is("c1", { connected: false, username: "ann" }),
    endedWith("s1", { "s1:1": 1 }),
    endedWith("s2", {}, { accounts: { ann: "scrypt$1$00$61" } }),
  ];
  const copy = { kind: "put back", server: "s1", chance: 0.5, at: 40 } as const;
  const isBroken = (activityRetentionBytes: number) => {
    const settings = { ...schedule.settings, activityRetentionBytes };
    return brokenIn({ ...schedule, settings, steps: [copy] }, told).includes("clients come back");
  };
  assertEquals([isBroken(4_000), isBroken(1_073_741_824)], [false, true]);
});

Deno.test("the checker passes over an account under the number of another entry, where what tells that is forgotten", () => {
  const schedule = scheduleWith({});
  const account = { username: "ann", verifier: "scrypt$16384$00$61" };
  const copy = { kind: "put back", server: "s2", chance: 0.5, at: 40 } as const;
  const told = (kept: Readonly<Record<string, number>>): Told[] => [
    ...BEGINNING,
    stored(20, "s2", "s2:1", 1),
    stored(21, "s1", "s2:1", 1),
    [40, "s2", { what: "lost entries", ids: ["s2:1"] }],
    [60, "s2", { what: "stored", entries: [{ id: "s2:1", isFor: "servers", account }] }],
    [61, "c1", { what: "registered", username: "ann", secret: "a", server: "s2" }],
    endedWith("s1", kept),
    endedWith("s2", {}, { vector: { "s2": 1 }, accounts: { ann: account.verifier } }),
  ];
  const breaks = (kept: Readonly<Record<string, number>>, activityRetentionBytes: number) => {
    const settings = { ...schedule.settings, activityRetentionBytes };
    const found = brokenIn({ ...schedule, settings, steps: [copy] }, told(kept));
    return ["a registration is kept", "equal accounts"].filter((promise) => found.includes(promise));
  };
  assertEquals(breaks({}, 4_000), []);
  assertEquals(breaks({}, 1_073_741_824), ["a registration is kept", "equal accounts"]);
});

Deno.test("what was sent while a link was slow is under way for as long after that", () => {
  const step = { kind: "slow", a: "s1", b: "c1", ms: 2_000 } as const;
  const told: Told[] = [
    [100, "", { what: "step", step }],
    [5_000, "", { what: "step", step: { kind: "heal" } }],
    [9_000, "", { what: "cut off", from: "s1", to: "c1" }],
    [9_500, "", { what: "mended" }],
  ];
  const events = told.map(([at, who, happening]) => ({ at, who, ...happening }));
  const spans = [{ from: 100, until: 7_000 }, { from: 9_000, until: 9_500 }];
  assertEquals(new Evidence(scheduleWith({}), events).cut("c1", "s1"), spans);
});
