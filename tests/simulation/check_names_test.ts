/**
 * The checks for users with a name fail on histories that were made up to break what is promised to
 * them, and on no other.
 */

import { assertEquals } from "@std/assert";
import { annAndBob, brokenIn, scheduleWith, type Told } from "./made_up_history.ts";

const MISSED = "who has a name misses nothing";
const ONLINE = "who is online is known";

/** Whether `told` breaks `promise`. */
function breaks(promise: string, told: readonly Told[]): boolean {
  return brokenIn(scheduleWith({ clients: annAndBob("plain", "library") }), told).includes(promise);
}

function enters(at: number, session: string, server: string, life: string): Told[] {
  const facts = { session, chain: session, username: "ann", vector: {}, life };
  return [[at, "c1", { what: "entered", ...facts }], [at, "c1", { what: "connected", session, server }]];
}

/** The two are linked, from then on. */
function linked(at: number): Told[] {
  return [[at, "s1", { what: "link up", peer: "s2", link: 1 }], [at, "s2", { what: "link up", peer: "s1", link: 1 }]];
}

/** Ann is at s1, which dies; then at s2, where she is in the end. */
const LIFE: readonly Told[] = [
  [0, "s1", { what: "started", serverId: "s1" }],
  [0, "s2", { what: "started", serverId: "s2" }],
  ...linked(1),
  ...enters(10, "c1.1", "s1", "c1/1"),
  [5_000, "s1", { what: "died", how: "crash" }],
  [5_010, "c1", { what: "disconnected", session: "c1.1", reason: "", byServer: false }],
];
const BACK: readonly Told[] = enters(8_000, "c1.2", "s2", "c1/1");
const END: Told = [20_000, "c1", {
  what: "is",
  session: "c1.2",
  chain: "c1.2",
  username: "ann",
  secret: "a",
  connected: true,
}];
/** Bob's, when ann was nowhere. */
const MEANWHILE: readonly Told[] = [
  [6_000, "s2", { what: "stored", entries: [{ id: "s2:1", isFor: "everyone", sender: "c2.1", n: 1 }] }],
];

Deno.test("a plain client that did not get what came between two servers has missed it", () => {
  const received: Told = [8_001, "c1", {
    what: "received",
    session: "c1.2",
    chain: "c1.2",
    sender: "c2.1",
    n: 1,
    id: "s2:1",
  }];
  assertEquals(breaks(MISSED, [...LIFE, ...MEANWHILE, ...BACK, END]), true);
  assertEquals(breaks(MISSED, [...LIFE, ...MEANWHILE, ...BACK, received, END]), false);
});

Deno.test("a plain client that left and entered anew has missed nothing", () => {
  const anew = enters(8_000, "c1.2", "s2", "c1/2");
  assertEquals(breaks(MISSED, [...LIFE, ...MEANWHILE, ...anew, END]), false);
});

Deno.test("a plain client does not miss what its user had received in an earlier process", () => {
  const received = (at: number): Told => [at, "c1", {
    what: "received",
    session: "c1.1",
    chain: "c1.1",
    sender: "c2.1",
    n: 1,
    id: "s1:1",
  }];
  const entries = [{ id: "s1:1", isFor: "everyone", sender: "c2.1", n: 1 }] as const;
  const told = (...more: readonly Told[]): Told[] => [
    ...LIFE.slice(0, 5),
    [4_000, "s1", { what: "stored", entries }],
    ...more,
    ...LIFE.slice(5),
    ...enters(8_000, "c1.2", "s2", "c1/2"),
    // It is new at that server.
    [9_000, "s2", { what: "stored", entries }],
    END,
  ];
  assertEquals(breaks(MISSED, told()), true);
  assertEquals(breaks(MISSED, told(received(4_001))), false);
});

Deno.test("a plain client that is sent on with the answer to its first login begins where it is sent", () => {
  const sentOn = (closedAt: number, reason = "REDIRECTED"): Told[] => {
    const sending: Told[] = [
      [closedAt, "s1", { what: "closed a connection", peer: "ann (c1:40007)", reason }],
      [closedAt, "s1", { what: "link down", peer: "c1", link: 7 }],
    ];
    const login = enters(10, "c1.1", "s1", "c1/1");
    return [
      ...LIFE.slice(0, 4),
      [5, "s1", { what: "link up", peer: "c1", link: 7 }],
      ...closedAt < 10 ? [...sending, ...login] : [...login, ...sending],
      [closedAt + 4, "c1", { what: "disconnected", session: "c1.1", reason: "s2", byServer: false }],
      ...MEANWHILE,
      ...BACK,
      END,
    ];
  };
  // The answer to the login, and that it is sent on, may come in two turns.
  assertEquals(breaks(MISSED, sentOn(8)), false);
  assertEquals(breaks(MISSED, sentOn(5_000)), true);
  // The same where the server could not read what the client had missed, and ended with that.
  assertEquals(breaks(MISSED, sentOn(8, "SERVER_FAILED")), false);
  assertEquals(breaks(MISSED, sentOn(5_000, "SERVER_FAILED")), true);
  // What says where comes a moment after the answer, and its server had closed the connection before that.
  const closed = (at: number): Told => [
    at,
    "s1",
    { what: "closed a connection", peer: "ann (c1:40001)", reason: "REDIRECTED" },
  ];
  assertEquals(breaks(MISSED, [closed(9), ...sentOn(11)]), false);
  assertEquals(breaks(MISSED, [closed(4_999), ...sentOn(5_000)]), true);
});

Deno.test("a plain client that hears of its login when its server is dead has what came before on its way", () => {
  const told = (isCut: boolean): Told[] => [
    ...LIFE.slice(0, 4),
    [5, "s1", { what: "link up", peer: "c1", link: 7 }],
    ...(isCut ? [[50, "world", { what: "cut off", from: "s1", to: "c1" }] as const] : []),
    [2_000, "s2", { what: "stored", entries: [{ id: "s2:1", isFor: "everyone", sender: "c2.1", n: 1 }] }],
    [2_001, "s1", { what: "stored", entries: [{ id: "s2:1", isFor: "everyone", sender: "c2.1", n: 1 }] }],
    [5_000, "s1", { what: "died", how: "crash" }],
    [5_000, "s1", { what: "link down", peer: "c1", link: 7 }],
    ...enters(6_000, "c1.1", "s1", "c1/1"),
    [6_001, "c1", { what: "disconnected", session: "c1.1", reason: "", byServer: false }],
    ...BACK,
    END,
  ];
  // What was there when it came first it does not get: so it was somewhere before.
  const before = (all: readonly Told[]) => [
    ...LIFE.slice(0, 4),
    ...enters(1, "c1.0", "s2", "c1/1"),
    [3, "c1", { what: "disconnected", session: "c1.0", reason: "", byServer: false }] as const,
    ...all.slice(4),
  ];
  assertEquals([true, false].map((isCut) => breaks(MISSED, before(told(isCut)))), [false, true]);
});

Deno.test("a plain client misses what it had not read when its server died", () => {
  const pause = (ms: number): Told => [
    1_000,
    "world",
    { what: "step", step: { kind: "read slowly", client: "c1", ms } },
  ];
  const told = (ms: number): Told[] => {
    const stored = (at: number, who: string): Told => [at, who, {
      what: "stored",
      entries: [{ id: "s2:1", isFor: "everyone", sender: "c2.1", n: 1 }],
    }];
    return [...LIFE.slice(0, 6), pause(ms), stored(2_000, "s2"), stored(2_001, "s1"), ...LIFE.slice(6), ...BACK, END];
  };
  assertEquals(breaks(MISSED, told(5_000)), false);
  assertEquals(breaks(MISSED, told(3_000)), true);
  // The same where the server has lost it since with its data, and got it back.
  const lost: Told = [5_020, "s1", { what: "lost entries", ids: ["s2:1"] }];
  const again: Told = [8_500, "s1", {
    what: "stored",
    entries: [{ id: "s2:1", isFor: "everyone", sender: "c2.1", n: 1 }],
  }];
  const withOldCopy = (ms: number) => [...told(ms).slice(0, -1), lost, again, END].toSorted(([a], [b]) => a - b);
  assertEquals(breaks(MISSED, withOldCopy(5_000)), false);
  assertEquals(breaks(MISSED, withOldCopy(3_000)), true);
});

Deno.test("a plain client whose server died with the answer to its login on its way may miss what it was to be told of", () => {
  const told = (diedAt: number): Told[] => [
    ...LIFE.slice(0, 4),
    ...enters(5_002, "c1.1", "s1", "c1/1"),
    [diedAt, "s1", { what: "died", how: "crash" }],
    [diedAt + 4, "c1", { what: "disconnected", session: "c1.1", reason: "", byServer: false }],
    ...MEANWHILE,
    ...BACK,
    END,
  ];
  assertEquals(breaks(MISSED, told(5_000)), false);
  assertEquals(breaks(MISSED, told(7_000)), true);
});

Deno.test("a plain client has missed nothing from before its name was found to be of another account", () => {
  const lost = (reason: string): Told[] => [
    ...LIFE.slice(0, 6),
    [7_000, "s1", { what: "closed a connection", peer: "ann (c1:40001)", reason }],
    [7_003, "c1", { what: "disconnected", session: "c1.1", reason: "", byServer: false }],
    ...MEANWHILE,
    ...BACK,
    END,
  ];
  assertEquals(breaks(MISSED, lost("NAME_LOST")), false);
  assertEquals(breaks(MISSED, lost("FELL_BEHIND")), true);
});

Deno.test("what a plain client's server gets when it is back was not sent before it died", () => {
  const stored = (at: number): Told => [at, "s1", {
    what: "stored",
    entries: [{ id: "s2:1", isFor: "everyone", sender: "c2.1", n: 1 }],
  }];
  const back: Told = [6_500, "s1", { what: "started", serverId: "s1" }];
  assertEquals(breaks(MISSED, [...LIFE, ...MEANWHILE, back, stored(6_600), ...BACK, END]), true);
  assertEquals(
    breaks(MISSED, [...LIFE.slice(0, 6), stored(4_800), ...LIFE.slice(6), ...MEANWHILE, ...BACK, END]),
    false,
  );
});

Deno.test("a server that had no time to hear of a plain client does not know what that missed", () => {
  const without = [...LIFE.slice(0, 2), ...LIFE.slice(4, 6)];
  const told = (since: number): Told[] => [...without, ...linked(since), ...LIFE.slice(6), ...MEANWHILE, ...BACK, END];
  assertEquals(breaks(MISSED, told(4_500)), false);
  assertEquals(breaks(MISSED, told(3_500)), true);
  // It has forgotten.
  const anew: Told[] = [
    [5_500, "s2", { what: "died", how: "crash" }],
    [5_600, "s2", { what: "started", serverId: "s2" }],
  ];
  assertEquals(breaks(MISSED, [...LIFE, ...anew, ...MEANWHILE, ...BACK, END]), false);
});

Deno.test("a plain client may miss what its server took to be sent, or what came while it seemed to be there", () => {
  const link = (what: "link up" | "link down", at: number, who: string, number: number): Told => {
    return [at, who, { what, peer: "c1", link: number }];
  };
  const told = (noticedAt: number): Told[] =>
    [
      ...LIFE.slice(0, 4),
      link("link up", 5, "s1", 7),
      ...LIFE.slice(4, 6),
      LIFE.at(-1)!,
      ...MEANWHILE,
      link("link up", 7_900, "s2", 8),
      link("link down", noticedAt, "s1", 7),
      ...BACK,
      END,
    ].toSorted(([a], [b]) => a - b);
  assertEquals(breaks(MISSED, told(5_011)), true);
  assertEquals(breaks(MISSED, told(7_950)), false);
});

Deno.test("a plain client may miss what a server sent that let it in without its hearing of that", () => {
  const told = (cutAt: number): Told[] => [
    ...LIFE,
    ...MEANWHILE,
    [6_500, "s2", { what: "link up", peer: "c1", link: 7 }],
    [cutAt, "", { what: "cut off", from: "c1", to: "s2" }],
    [7_000, "s2", { what: "link down", peer: "c1", link: 7 }],
    [7_100, "", { what: "step", step: { kind: "heal" } }],
    [7_900, "s2", { what: "link up", peer: "c1", link: 8 }],
    ...BACK,
    END,
  ];
  assertEquals(breaks(MISSED, told(6_501)), false);
  assertEquals(breaks(MISSED, told(7_050)), true);
});

Deno.test("a plain client misses nothing of an account whose name was claimed a second time", () => {
  const claim = (at: number, id: string): Told => [at, "s2", {
    what: "stored",
    entries: [{ id, isFor: "servers", account: { username: "ann", verifier: id } }],
  }];
  assertEquals(breaks(MISSED, [claim(0, "s1:1"), ...LIFE, ...MEANWHILE, ...BACK, END]), true);
  assertEquals(breaks(MISSED, [claim(0, "s1:1"), ...LIFE, ...MEANWHILE, claim(6_100, "s2:2"), ...BACK, END]), false);
});

Deno.test("a client whose list and what it was told after it are not who is there does not know who is online", () => {
  const facts = { chain: "c2.1", secret: "b", connected: true };
  const bob: Told = [20_000, "c2", { what: "is", session: "c2.1", username: "bob", ...facts }];
  const list = (users: readonly string[]): Told => [
    9_000,
    "c2",
    { what: "was told who is online", session: "c2.1", users },
  ];
  const of = (event: string): Told => [9_500, "c2", { what: "was told of", session: "c2.1", event, username: "ann" }];
  const end: readonly Told[] = [...LIFE, ...BACK];
  assertEquals(breaks(ONLINE, [...end, list(["bob"]), END, bob]), true);
  assertEquals(breaks(ONLINE, [...end, list(["bob"]), of("joined"), END, bob]), false);
  assertEquals(breaks(ONLINE, [...end, list(["ann", "bob"]), END, bob]), false);
  assertEquals(breaks(ONLINE, [...end, list(["ann", "bob"]), of("lost"), END, bob]), true);
});

Deno.test("who was sent on after all was quiet, and is not let in yet, may be known as online or not", () => {
  const facts = { chain: "c2.1", secret: "b", connected: true };
  const told = (event: string): Told[] => [
    ...LIFE,
    ...BACK,
    [9_000, "c2", { what: "was told who is online", session: "c2.1", users: ["bob"] }],
    [9_500, "c2", { what: "was told of", session: "c2.1", event, username: "ann" }],
    END,
    [20_000, "c2", { what: "is", session: "c2.1", username: "bob", ...facts }],
    [20_100, "c1", { what: "disconnected", session: "c1.2", reason: "redirected to s1", byServer: true }],
  ];
  const letIn: Told = [20_200, "c1", { what: "connected", session: "c1.2", server: "s1" }];
  assertEquals([breaks(ONLINE, told("joined")), breaks(ONLINE, told("lost"))], [false, false]);
  assertEquals([breaks(ONLINE, [...told("joined"), letIn]), breaks(ONLINE, [...told("lost"), letIn])], [false, true]);
});

Deno.test("the checker lets a login miss something that has waited as long as it may for a server which was not known to be dead", () => {
  const told = (dialledAt: number): Told[] => [
    ...LIFE,
    [dialledAt, "s2", { what: "link up", peer: "c1", link: 2 }],
    [6_000, "s2", { what: "stored", entries: [{ id: "s2:1", isFor: "everyone", sender: "c2.1", n: 1 }] }],
    ...enters(11_200, "c1.2", "s2", "c1/1"),
    END,
  ];
  assertEquals(breaks(MISSED, told(5_100)), false);
  assertEquals(breaks(MISSED, told(5_500)), true);
  assertEquals(
    breaks(MISSED, [
      ...told(5_100).slice(0, -3),
      [9_000, "s2", { what: "link down", peer: "s1", link: 1 }],
      ...told(5_100).slice(-3),
    ]),
    true,
  );
});

Deno.test("the checker knows what a server had when a client came, also where that was lost and came back", () => {
  const entries = [{ id: "s2:1", isFor: "everyone" as const, sender: "c2.1", n: 1 }];
  const told = (storedAt: number): Told[] => [
    [0, "s1", { what: "started", serverId: "s1" }],
    [0, "s2", { what: "started", serverId: "s2" }],
    ...linked(1),
    ...[1, 2].map((at): Told => [storedAt, `s${at}`, { what: "stored", entries }]),
    ...enters(100, "c1.1", "s1", "c1/1"),
    [5_000, "s1", { what: "died", how: "crash" }],
    [5_000, "s1", { what: "lost entries", ids: ["s2:1"] }],
    [5_010, "c1", { what: "disconnected", session: "c1.1", reason: "", byServer: false }],
    [6_000, "s1", { what: "started", serverId: "s1" }],
    [6_100, "s1", { what: "stored", entries }],
    ...BACK,
    END,
  ];
  assertEquals(breaks(MISSED, told(50)), false);
});

Deno.test("a plain client that registers anew, as its account was lost, has missed nothing", () => {
  const account = (id: string, at: number): Told => {
    return [at, "s1", {
      what: "stored",
      entries: [{ id, isFor: "servers", account: { username: "ann", verifier: "v" } }],
    }];
  };
  const told = (isLost: boolean, isAnew: boolean): Told[] => [
    ...LIFE.slice(0, 4),
    account("s1:1", 9),
    ...LIFE.slice(4),
    ...isLost ? [[5_020, "s1", { what: "lost entries", ids: ["s1:1"] }] as Told] : [],
    ...MEANWHILE,
    ...isAnew ? [[7_990, "c1", { what: "registered", username: "ann", secret: "a", server: "s2" }] as Told] : [],
    ...BACK,
    END,
  ];
  assertEquals(breaks(MISSED, told(true, true)), false);
  assertEquals(breaks(MISSED, told(true, false)), true);
  assertEquals(breaks(MISSED, told(false, true)), true);
});

Deno.test("where a plain client was is forgotten with data from before it came, unless another server knows", () => {
  const message = (at: number, who: string, id: string, sender: string): Told => {
    return [at, who, { what: "stored", entries: [{ id, isFor: "everyone", sender, n: 1 }] }];
  };
  const told = (since: number, restartedAt: number | undefined): Told[] => [
    ...LIFE.slice(0, 6),
    message(20, "s1", "s1:2", "c3.2"),
    ...LIFE.slice(6),
    [5_001, "s2", { what: "link down", peer: "s1", link: 1 }],
    [5_020, "s1", { what: "lost commits", since }],
    [5_020, "s1", { what: "lost entries", ids: ["s1:2"] }],
    ...restartedAt === undefined ? [] : [
      [5_100, "s2", { what: "died", how: "crash" }] as Told,
      [restartedAt, "s2", { what: "started", serverId: "s2" }] as Told,
    ],
    [5_300, "s1", { what: "started", serverId: "s1" }],
    message(6_000, "s1", "s1:3", "c2.1"),
    ...enters(8_000, "c1.2", "s1", "c1/1"),
    END,
  ];
  assertEquals(breaks(MISSED, told(10, 5_200)), false);
  assertEquals(breaks(MISSED, told(10, undefined)), true);
  assertEquals(breaks(MISSED, told(20, 5_200)), true);
});

Deno.test("another entry that had the number of a message was not the message", () => {
  const told = (sender: string): Told[] => [
    ...LIFE.slice(0, 6),
    [20, "s1", { what: "stored", entries: [{ id: "s2:1", isFor: "everyone", sender, n: 1 }] }],
    ...LIFE.slice(6),
    [5_050, "s2", { what: "died", how: "crash" }],
    [5_060, "s2", { what: "started", serverId: "s2" }],
    ...MEANWHILE,
    ...BACK,
    END,
  ];
  assertEquals(breaks(MISSED, told("c2.1")), true);
  const other: Told = [6_000, "c1", {
    what: "received",
    session: "c1.1",
    chain: "c1.1",
    sender: "c3.1",
    n: 1,
    id: "s2:1",
  }];
  assertEquals(breaks(MISSED, [other, ...told("c3.1")]), false);
});

Deno.test("what was there when a plain client entered is not new to it where that comes later", () => {
  const entry = { id: "s1:1", isFor: "everyone" as const, sender: "c2.1", n: 1 };
  const told = (storedAt: number, life: string): Told[] => {
    const there: Told = [storedAt, "s1", { what: "stored", entries: [entry] }];
    const late: Told = [8_500, "s2", { what: "stored", entries: [entry] }];
    const all = [...LIFE, there].toSorted(([one], [other]) => one - other);
    return [...all, ...enters(8_000, "c1.2", "s2", life), late, END];
  };
  const isMissed = (storedAt: number, life: string) => breaks("everybody gets everything", told(storedAt, life));
  assertEquals([isMissed(5, "c1/1"), isMissed(20, "c1/1"), isMissed(5, "c1/2")], [false, true, true]);
  // A process that was killed had received it: its user's next one stands there.
  const got = { what: "received", session: "c1.1", chain: "c1.1", sender: "c2.1", n: 1, id: "s1:1" } as const;
  const anew = (at: number) =>
    [...told(20, "c1/2"), [at, "c1", got] as const].toSorted(([one], [other]) => one - other);
  const isMissedBy = (at: number) => breaks("everybody gets everything", anew(at));
  assertEquals([isMissedBy(30), isMissedBy(8_001)], [false, true]);
  // Nobody can tell whether it was sent before its server died.
  assertEquals([isMissed(4_990, "c1/1"), isMissed(4_990, "c1/2")], [false, true]);
});
