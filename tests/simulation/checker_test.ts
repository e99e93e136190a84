/** Each check fails on a history that was made up to break its promise, and is content with one that does not. */

import { assertEquals } from "@std/assert";
import { check } from "./checker.ts";
import type { Event, Happening } from "./history.ts";
import type { Schedule, Settings } from "./schedule.ts";

const SETTINGS: Settings = {
  durability: "local",
  synchronous: "normal",
  cuts: "noticed",
  holdBackMs: 500,
  maxPendingBytes: 4_000,
  tailBytes: 33_554_432,
  activityRetentionBytes: 1_073_741_824,
};

function scheduleWith(settings: Partial<Settings> = {}, second: "plain" | "library" = "library"): Schedule {
  return {
    seed: 1,
    servers: ["s1", "s2"],
    clients: [
      { name: "c1", kind: "library", username: "ann", secret: "a" },
      { name: "c2", kind: second, username: "bob", secret: "b" },
    ],
    settings: { ...SETTINGS, ...settings },
    steps: [],
  };
}

type Told = [at: number, who: string, happening: Happening];

/** The promises that `told` breaks, each once; `second` is what `c2` is. */
function broken(
  told: readonly Told[],
  settings: Partial<Settings> = {},
  second: "plain" | "library" = "library",
): string[] {
  const events = told.map(([at, who, happening]): Event => ({ at, who, ...happening }));
  return [...new Set(check(scheduleWith(settings, second), events).map(({ promise }) => promise))];
}

/** Two servers that are linked, and a client at each. */
const BEGINNING: readonly Told[] = [
  [0, "s1", { what: "started", serverId: "s1" }],
  [0, "s2", { what: "started", serverId: "s2" }],
  [1, "s1", { what: "link up", peer: "s2", link: 1 }],
  [1, "s2", { what: "link up", peer: "s1", link: 1 }],
  [10, "c1", { what: "connected", session: "c1.1", server: "s1" }],
  [10, "c1", { what: "entered", session: "c1.1", chain: "c1.1", username: "anonymous", vector: {} }],
  [10, "c2", { what: "connected", session: "c2.1", server: "s2" }],
  [10, "c2", { what: "entered", session: "c2.1", chain: "c2.1", username: "anonymous", vector: {} }],
];

function stored(at: number, server: string, id: string, n: number, isFor: "everyone" | "servers" = "everyone"): Told {
  return [at, server, { what: "stored", entries: [{ id, isFor, sender: "c1.1", n }] }];
}

function acknowledged(at: number, n: number, id: string): Told {
  return [at, "c1", { what: "acknowledged", sender: "c1.1", n, id }];
}

function received(at: number, client: string, n: number, id: string): Told {
  return [at, client, { what: "received", session: `${client}.1`, chain: `${client}.1`, sender: "c1.1", n, id }];
}

function is(client: string, { connected = true, username = "anonymous", secret = "" } = {}): Told {
  const session = `${client}.1`;
  return [90_000, client, { what: "is", session, chain: session, username, secret, connected }];
}

function endedWith(server: string, numbers: Readonly<Record<string, number>>, more: Partial<End> = {}): Told {
  const log = new Map(
    Object.entries(numbers).map(([id, n]) => {
      return [id, { line: JSON.stringify({ id, activity: { s: "c1.1", n } }), isFor: "everyone" }];
    }),
  );
  const vector: Record<string, number> = {};
  for (const [origin, sequence] of Object.keys(numbers).map((id) => id.split(":") as [string, string])) {
    vector[origin] = Math.max(vector[origin] ?? 0, Number(sequence));
  }
  return [90_000, server, { what: "ended with", vector, log, accounts: {}, inboxes: {}, ...more }];
}
type End = Extract<Happening, { what: "ended with" }>;

const STORED_EVERYWHERE: readonly Told[] = [
  stored(20, "s1", "s1:1", 1),
  stored(25, "s2", "s1:1", 1),
];
const ENDS: readonly Told[] = [endedWith("s1", { "s1:1": 1 }), endedWith("s2", { "s1:1": 1 })];

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
    endedWith("s1", {}, { accounts: { ann: "scrypt$1$00$61" } }),
    endedWith("s2", {}, { accounts: { ann: "scrypt$1$00$62" } }),
  ];
  assertEquals(broken(told), ["equal accounts"]);
});

Deno.test("the checker passes over an account whose number was given out twice after a power cut that nobody noticed", () => {
  const account = { username: "ann", verifier: "scrypt$1$00$61" };
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
    endedWith("s2", { "s1:1": 1 }, { accounts: { ann: "scrypt$1$00$61" } }),
  ];
  assertEquals(broken(lost, { cuts: "silent" }), []);
  assertEquals(broken(lost), ["equal accounts"]);
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
  const accounts = { accounts: { ann: "scrypt$1$00$61" } };
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
  const others = { accounts: { ann: "scrypt$1$00$62" } };
  assertEquals(broken([...BEGINNING, registered, endedWith("s1", {}, others), endedWith("s2", {}, others)]), [
    "a registration is kept",
  ]);
});

Deno.test("the checker sees somebody who is logged in with a name that is another's, and one who is not logged in", () => {
  const accounts = { accounts: { ann: "scrypt$1$00$61" } };
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
    const schedule = scheduleWith();
    const events = [
      ...oldCopy([stored(20, "s1", "s1:1", 1), stored(21, "s2", "s1:1", 1)], stored(60, "s1", "s1:2", 2)),
      [70, "s1", { what: "renamed", serverId: "s1-1", ids: ["s1:2"] }] as Told,
      stored(71, "s1", "s1-1:1", 2),
      stored(72, "s2", "s1-1:1", 2),
      stored(73, "s2", "s1:2", 2),
      endedWith("s2", { "s1:1": 1, "s1-1:1": 2, "s1:2": 2 }),
    ].map(([at, who, happening]): Event => ({ at, who, ...happening }));
    const clients = schedule.clients.map((client) => ({ ...client, kind: key }));
    return [...new Set(check({ ...schedule, clients }, events).map(({ promise }) => promise))];
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
