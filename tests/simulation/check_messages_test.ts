/**
 * Each check of direct messages and of who is online fails on a history that was made up to break its promise, and is
 * content with one that does not.
 */

import { assertEquals } from "@std/assert";
import type { Happening } from "./history.ts";
import { brokenIn, scheduleWith, type Told } from "./made_up_history.ts";
import { messageText } from "./numbered.ts";
import type { ClientPlan } from "./schedule.ts";

const CLIENTS: readonly ClientPlan[] = [
  { name: "c1", kind: "library", username: "ann", secret: "a" },
  { name: "c2", kind: "library", username: "bob", secret: "b" },
  { name: "c3", kind: "library", username: "bob", secret: "b" },
  { name: "c4", kind: "plain", username: "bob", secret: "b" },
];

type End = Extract<Happening, { what: "ended with" }>;

/** The promises that `told` breaks, each once. */
function broken(told: readonly Told[], holdBackMs = 500, cuts: "noticed" | "silent" = "noticed"): string[] {
  const schedule = scheduleWith({ clients: CLIENTS, settings: { cuts, holdBackMs } });
  return brokenIn(schedule, told.toSorted(([a], [b]) => a - b));
}

function enters(at: number, client: string, server: string, life = 1, chain = 1): Told[] {
  const session = `${client}.${life}`;
  const username = CLIENTS.find(({ name }) => name === client)!.username;
  return [
    [at, client, { what: "connected", session, server }],
    [at, client, { what: "entered", session, chain: `${client}.${chain}`, username, vector: {} }],
  ];
}

/** Two servers that are linked, ann at one of them and bob at the other. */
const BEGINNING: readonly Told[] = [
  [0, "s1", { what: "started", serverId: "s1" }],
  [0, "s2", { what: "started", serverId: "s2" }],
  [1, "s1", { what: "link up", peer: "s2", link: 1 }],
  [1, "s2", { what: "link up", peer: "s1", link: 1 }],
  ...enters(10, "c1", "s1"),
  ...enters(10, "c2", "s2"),
];

function sent(at: number, n: number, id: string): Told[] {
  const facts = { sender: "c1.1", n };
  const entries = [{ id, isFor: "user" as const, ...facts, to: "bob", messageId: `m-${n}` }];
  return [
    [at, "c1", { what: "sent", ...facts, to: "bob" }],
    [at + 1, "s1", { what: "stored", entries }],
    [at + 3, "s2", { what: "stored", entries }],
    [at + 4, "c1", { what: "acknowledged", ...facts, id }],
  ];
}

function got(at: number, client: string, n: number, id: string, { life = 1, chain = 1, offline = false } = {}): Told {
  const facts = { session: `${client}.${life}`, chain: `${client}.${chain}`, username: "bob", id, offline };
  return [at, client, { what: "got", sender: "c1.1", n, ...facts }];
}

/** `server` notes that the first message was delivered, as `of`; so does the other one at `alsoAt`. */
function delivered(at: number, id: string, of: string, alsoAt = at + 3): Told[] {
  const entries = [receipt(id, of, 1)];
  return [[at, "s2", { what: "stored", entries }], [alsoAt, "s1", { what: "stored", entries }]];
}

function receipt(id: string, of: string, n: number) {
  return { id, isFor: "user" as const, receiptOf: of, messageId: `m-${n}` };
}

function told(at: number, of: string, n = 1): Told {
  return [at, "c1", { what: "told delivered", session: "c1.1", chain: "c1.1", of, messageId: `m-${n}` }];
}

function is(client: string): Told {
  const { username, secret } = CLIENTS.find(({ name }) => name === client)!;
  const session = `${client}.1`;
  return [70_000, client, { what: "is", session, chain: session, username, secret, connected: true }];
}

const ONCE_MORE: Told = [80_000, "", { what: "once more" }];

function ends(
  numbers: Readonly<Record<string, number>>,
  inboxes: Readonly<Record<string, End["inboxes"]>> = {},
): Told[] {
  return ["s1", "s2"].map((server): Told => {
    const log = new Map(
      Object.entries(numbers).map(([id, n]) => {
        const line = n === 0
          ? { command: "RECEIPT" }
          : { command: "DIRECT_MESSAGE", text: messageText({ sender: "c1.1", n }, "") };
        return [id, { line: JSON.stringify(line), isFor: "user" }];
      }),
    );
    const vector: Record<string, number> = {};
    for (const [origin, sequence] of Object.keys(numbers).map((id) => id.split(":") as [string, string])) {
      vector[origin] = Math.max(vector[origin] ?? 0, Number(sequence));
    }
    return [90_000, server, { what: "ended with", vector, log, accounts: {}, inboxes: inboxes[server] ?? {} }];
  });
}

/** One message, as it should be. */
const ONE: readonly Told[] = [...BEGINNING, ...sent(20, 1, "s1:1")];
const TAKEN: readonly Told[] = [...ONE, got(30, "c2", 1, "s1:1"), ...delivered(31, "s2:1", "s1:1")];
const ONE_ENDS = ends({ "s1:1": 1, "s2:1": 0 });
const UNDELIVERED_ENDS = ends({ "s1:1": 1 });

Deno.test("a history in which all direct messages came as they should breaks no promise", () => {
  assertEquals(broken([...TAKEN, told(36, "s1:1"), is("c1"), is("c2"), ONCE_MORE, ...ONE_ENDS]), []);
});

Deno.test("the checker sees an acknowledged direct message that a server does not have in the end", () => {
  assertEquals(broken([...TAKEN, told(36, "s1:1"), ...ends({ "s2:1": 0 })]), ["nothing stored is lost", "equal logs"]);
});

Deno.test("the checker sees that nobody got a direct message, unless nobody of its user came and it waits", () => {
  assertEquals(broken([...ONE, ...UNDELIVERED_ENDS]), ["a direct message reaches its user"]);
  const waits = { bob: { "c1.1#1": "s1:1" } };
  const waiting = ends({ "s1:1": 1 }, { s1: waits, s2: waits });
  assertEquals(broken([...ONE, ...waiting]), ["a direct message reaches its user"]);
  const gone: Told = [15, "c2", { what: "left", session: "c2.1", info: "" }];
  assertEquals(broken([...ONE, gone, ...waiting]), []);
  assertEquals(broken([...ONE, gone, ...UNDELIVERED_ENDS]), ["a direct message reaches its user"]);
});

Deno.test("the checker lets a plain client not have read what its connection had taken, and no other one", () => {
  const receipt = delivered(31, "s2:1", "s1:1");
  assertEquals(broken([...ONE, ...receipt, ...ONE_ENDS]), ["a direct message reaches its user"]);
  const plain: Told[] = [[12, "s2", { what: "link up", peer: "c4", link: 2 }], ...enters(14, "c4", "s2")];
  assertEquals(broken([...ONE, ...plain, ...receipt, ...ONE_ENDS]), []);
  const lost: Told = [20, "s2", { what: "link down", peer: "c4", link: 2 }];
  const late = delivered(20_000, "s2:1", "s1:1");
  assertEquals(broken([...ONE, ...plain, lost, ...late, ...ONE_ENDS]), ["a direct message reaches its user"]);
});

Deno.test("the checker sees that one of two clients of a user did not get a direct message", () => {
  const both = [...TAKEN, ...enters(15, "c3", "s1"), told(36, "s1:1"), is("c3"), ...ONE_ENDS];
  assertEquals(broken(both), ["all clients of a user get a direct message"]);
  assertEquals(broken([...both, got(33, "c3", 1, "s1:1")]), []);
});

Deno.test("the checker sees that a direct message came twice, also to who was killed and whose server knew better", () => {
  const again = got(40, "c2", 1, "s1:1");
  assertEquals(broken([...TAKEN, again, ...ONE_ENDS]), ["a direct message comes once"]);
  const other = got(40, "c2", 1, "s2:9");
  assertEquals(broken([...TAKEN, other, ...ONE_ENDS]), ["a direct message comes once"]);
  const killed: Told[] = [[35, "c2", { what: "died", how: "crash" }], ...enters(150, "c2", "s2", 2)];
  const shown = got(160, "c2", 1, "s1:1", { life: 2 });
  assertEquals(broken([...TAKEN, ...killed, shown, ...ONE_ENDS]), ["a direct message comes once"]);
  const untold = [...ONE, got(30, "c2", 1, "s1:1"), ...killed, shown, ...delivered(161, "s2:1", "s1:1"), ...ONE_ENDS];
  assertEquals(broken(untold), []);
});

Deno.test("the checker lets the other copy of a direct message come to who was killed, unless it waited there", () => {
  const killed: Told[] = [[35, "c2", { what: "died", how: "crash" }], ...enters(150, "c2", "s2", 2)];
  const other = (offline: boolean) => got(160, "c2", 1, "s2:9", { life: 2, offline });
  assertEquals(broken([...TAKEN, ...killed, other(false), ...ONE_ENDS]), []);
  assertEquals(broken([...TAKEN, ...killed, other(true), ...ONE_ENDS])[0], "a direct message comes once");
});

Deno.test("the checker lets a direct message come again whose message id its server had forgotten, and no sooner", () => {
  const promise = "a direct message comes once";
  const isLet = (at: number) => {
    const entries = [{ id: "s3:1", isFor: "user" as const, sender: "c1.1", n: 1, to: "bob", messageId: "m-1" }];
    const again: Told[] = [[at, "s2", { what: "stored", entries }], got(at + 1, "c2", 1, "s3:1")];
    const settings = { retention: { membersMs: 20_000, entriesMs: 60_000 } };
    return !brokenIn(scheduleWith({ clients: CLIENTS, settings }), [...TAKEN, ...again]).includes(promise);
  };
  assertEquals([isLet(61_000), isLet(59_000)], [true, false]);
});

Deno.test("the checker lets what others had taken come after what waited, when the first login was cut off", () => {
  const promise = "the order of direct messages is kept";
  const told = (again: readonly Told[]): Told[] => [
    ...TAKEN,
    ...sent(40, 2, "s1:2"),
    ...enters(50, "c3", "s1"),
    got(51, "c3", 2, "s1:2", { offline: true }),
    ...again,
    got(60, "c3", 1, "s1:1"),
    ...ends({ "s1:1": 1, "s1:2": 2, "s2:1": 0 }),
  ];
  const again: Told = [55, "c3", { what: "connected", session: "c3.1", server: "s1" }];
  assertEquals(broken(told([again])).includes(promise), false);
  assertEquals(broken(told([])).includes(promise), true);
});

Deno.test("the checker passes over a message whose receipt has a number that was given out twice", () => {
  const twice: Told[] = [
    [40, "s2", { what: "lost entries", ids: ["s2:1"] }],
    [50, "s2", { what: "stored", entries: [{ id: "s2:1", isFor: "user" }] }],
  ];
  const waits = { bob: { "c1.1#1": "s1:1" } };
  const told = [...TAKEN, ...twice, is("c2"), ...ends({ "s1:1": 1, "s2:1": 0 }, { s2: waits })];
  const unequal = ["what was taken is not shown again", "equal inboxes"];
  for (const [cuts, count] of [["noticed", 2], ["silent", 0]] as const) {
    assertEquals(broken(told, 500, cuts).filter((promise) => unequal.includes(promise)).length, count);
  }
  // Shown it may be where servers forget what would tell that another entry has the number.
  const shown = [...TAKEN, ...twice, is("c2"), ONCE_MORE, ...enters(80_010, "c3", "s1")];
  const all = [...shown, got(80_020, "c3", 1, "s1:1", { offline: true })].toSorted(([a], [b]) => a - b);
  const isShown = (activityRetentionBytes: number) => {
    const settings = { cuts: "silent", activityRetentionBytes } as const;
    return brokenIn(scheduleWith({ clients: CLIENTS, settings }), all).includes(unequal[0]!);
  };
  assertEquals([isShown(4_000), isShown(1_073_741_824)], [false, true]);
});

Deno.test("the checker sees direct messages in a wrong order", () => {
  const two = [...ONE, ...sent(30, 2, "s1:2"), ...ends({ "s1:2": 2, "s1:1": 1 })];
  const [first, second] = [got(41, "c2", 1, "s1:1"), got(40, "c2", 2, "s1:2")];
  assertEquals(broken([...two, second, first]), ["the order of direct messages is kept"]);
  assertEquals(broken([...two, second, got(42, "c2", 1, "s1:1", { offline: true })]), [
    "the order of direct messages is kept",
  ]);
});

Deno.test("the checker sees that what was taken is shown to who comes afterwards, unless its server did not know", () => {
  const later = [...TAKEN, told(36, "s1:1"), ...ONE_ENDS];
  const shown = (at: number, client: string) => got(at, client, 1, "s1:1", { offline: true });
  const promise = ["what was taken is not shown again"];
  assertEquals(broken([...later, ...enters(150, "c3", "s1"), shown(155, "c3")]), promise);
  // The other server has not heard of it.
  const slow = [...ONE, got(30, "c2", 1, "s1:1"), ...delivered(31, "s2:1", "s1:1", 60), ...ONE_ENDS];
  assertEquals(broken([...slow, ...enters(50, "c3", "s1"), shown(55, "c3")]), []);
  assertEquals(broken([...slow, ...enters(150, "c3", "s2"), shown(155, "c3")]), promise);
  // When all is quiet everybody has, also of what was not written down.
  const taken = [...ONE, got(30, "c2", 1, "s1:1"), is("c2"), ONCE_MORE, ...UNDELIVERED_ENDS];
  assertEquals(broken([...taken, ...enters(80_010, "c3", "s1"), shown(80_020, "c3")]), promise);
});

Deno.test("the checker lets who ends in numbers that were given out twice be shown what was taken behind these", () => {
  const history = (last: number | undefined): Told[] => [
    ...BEGINNING,
    [15, "s1", { what: "stored", entries: [{ id: "s1:1", isFor: "servers" }] }],
    [16, "s1", { what: "lost entries", ids: ["s1:1"] }],
    [17, "s1", { what: "stored", entries: [{ id: "s1:1", isFor: "servers" }] }],
    ...sent(20, 1, "s1:2"),
    got(30, "c2", 1, "s1:2"),
    ...delivered(31, "s2:1", "s1:2"),
    is("c2"),
    ONCE_MORE,
    ...enters(80_010, "c3", "s1"),
    ...(last === undefined
      ? []
      : [[80_010, "c3", { what: "gap", session: "c3.1", gaps: [{ origin: "s1", first: 1, last }] }] as Told]),
    got(80_020, "c3", 1, "s1:2"),
  ];
  const mayBeShown = (last: number | undefined, cuts: "noticed" | "silent") =>
    !broken(history(last), 500, cuts).includes("what was taken is not shown again");
  assertEquals([mayBeShown(1, "silent"), mayBeShown(undefined, "silent"), mayBeShown(1, "noticed")], [
    true,
    false,
    false,
  ]);
});

Deno.test("the checker lets who was killed get again what stands behind numbers that were given out twice", () => {
  const history = (gap: readonly Told[]): Told[] => [
    ...BEGINNING,
    [15, "s1", { what: "stored", entries: [{ id: "s1:1", isFor: "servers" }] }],
    [16, "s1", { what: "lost entries", ids: ["s1:1"] }],
    [17, "s1", { what: "stored", entries: [{ id: "s1:1", isFor: "servers" }] }],
    ...sent(20, 1, "s1:2"),
    got(30, "c2", 1, "s1:2"),
    ...delivered(31, "s2:1", "s1:2"),
    [35, "c2", { what: "died", how: "crash" }],
    ...enters(150, "c2", "s2", 2),
    ...gap,
    got(160, "c2", 1, "s1:2", { life: 2 }),
  ];
  const isOnce = (gap: readonly Told[]) => !broken(history(gap), 500, "silent").includes("a direct message comes once");
  const gap: Told = [150, "c2", { what: "gap", session: "c2.2", gaps: [{ origin: "s1", first: 1, last: 1 }] }];
  assertEquals([isOnce([gap]), isOnce([])], [true, false]);
});

Deno.test("the checker sees that what was taken waits all the same, and that inboxes differ", () => {
  const waits = { bob: { "c1.1#1": "s1:1" } };
  const taken = [...TAKEN, told(36, "s1:1"), is("c2")];
  assertEquals(broken([...taken, ...ends({ "s1:1": 1, "s2:1": 0 }, { s1: waits, s2: waits })]), [
    "what was taken is not shown again",
  ]);
  const gone: Told = [40, "c2", { what: "left", session: "c2.1", info: "" }];
  const one = ends({ "s1:1": 1, "s2:1": 0 }, { s2: waits });
  assertEquals(broken([...TAKEN, told(36, "s1:1"), gone, ...one]), ["equal inboxes"]);
});

Deno.test("the checker sees that a sender was not told of a delivery, too often, or of one that was none", () => {
  assertEquals(broken([...TAKEN, is("c1"), ...ONE_ENDS]), ["a delivery is told"]);
  assertEquals(broken([...TAKEN, told(36, "s1:1"), told(37, "s1:1"), ...ONE_ENDS]), ["a delivery is told once"]);
  assertEquals(broken([...TAKEN, told(29, "s1:1"), ...ONE_ENDS]), ["a delivery is told when it was"]);
});

Deno.test("the checker lets a delivery be untold whose receipt has a number that was given out twice, at the server of its sender", () => {
  const history = (at: string): Told[] => [
    ...ONE,
    got(30, "c2", 1, "s1:1"),
    [25, "s2", { what: "stored", entries: [{ id: "s2:1", isFor: "servers" }] }],
    ...delivered(31, "s2:1", "s1:1"),
    [40, at, { what: "stored", entries: [receipt("s3:1", "s1:1", 1)] }],
    is("c1"),
    ...ONE_ENDS,
  ];
  const mayBeUntold = (at: string) => !broken(history(at), 500, "silent").includes("a delivery is told");
  assertEquals([mayBeUntold("s2"), mayBeUntold("s1")], [true, false]);
});

Deno.test("the checker sees a server that lists somebody who is not online, or not somebody who is", () => {
  const lists = (...users: string[]): Told => [71_000, "s1", { what: "lists", users }];
  const told = [...BEGINNING, is("c1"), is("c2")];
  assertEquals(broken([...told, lists("ann", "bob")]), []);
  assertEquals(broken([...told, lists("ann")]), ["who is online is known"]);
  assertEquals(broken([...told, lists("ann", "bob", "eve")]), ["who is online is known"]);
});

Deno.test("the checker knows which of two messages that had one number was told as delivered", () => {
  const second = { id: "s1:1", isFor: "user" as const, sender: "c1.1", n: 2, to: "bob", messageId: "m-2" };
  const history = (...all: readonly Told[]): Told[] => [
    ...BEGINNING,
    ...sent(20, 1, "s1:1"),
    got(24, "c2", 1, "s1:1"),
    [25, "s2", { what: "stored", entries: [receipt("s2:1", "s1:1", 1)] }],
    [40, "s1", { what: "lost entries", ids: ["s1:1"] }],
    [50, "c1", { what: "sent", sender: "c1.1", n: 2, to: "bob" }],
    [51, "s1", { what: "stored", entries: [second] }],
    got(52, "c2", 2, "s1:1"),
    [53, "s1", { what: "stored", entries: [receipt("s1:2", "s1:1", 2)] }],
    [60, "s1", { what: "renamed", serverId: "s1-1", ids: ["s1:1", "s1:2"] }],
    [61, "s1", { what: "stored", entries: [{ ...second, id: "s1-1:1" }, receipt("s1-1:2", "s1-1:1", 2)] }],
    [62, "s2", { what: "stored", entries: [{ ...second, id: "s1-1:1" }, receipt("s1-1:2", "s1-1:1", 2)] }],
    [63, "s1", { what: "stored", entries: [{ ...second, n: 1, messageId: "m-1" }] }],
    ...all,
    is("c1"),
  ];
  const isTold = (...all: readonly Told[]) => !broken(history(...all)).includes("a delivery is told");
  assertEquals(isTold(told(64, "s1:1"), told(65, "s1-1:1", 2)), true);
  assertEquals([isTold(told(64, "s1:1")), isTold(told(64, "s1-1:1", 2))], [false, false]);
  const isOnce = (...all: readonly Told[]) => !broken(history(...all)).includes("a delivery is told once");
  const both = [told(64, "s1:1", 2), told(65, "s1:1")];
  assertEquals([isOnce(...both), isOnce(...both, told(66, "s1-1:1", 2))], [true, false]);
});

Deno.test("the checker lets a direct message come again under its new name that an old copy had numbered, and no other one", () => {
  const told = (renamed: string): Told[] => [
    ...BEGINNING,
    ...sent(20, 1, "s1:1"),
    got(24, "c2", 1, "s1:1"),
    [30, "s1", { what: "renamed", serverId: "s1-1", ids: [renamed] }],
    got(40, "c2", 1, "s1-1:1"),
  ];
  assertEquals(broken(told("s1:1")).includes("a direct message comes once"), false);
  assertEquals(broken(told("s1:2")).includes("a direct message comes once"), true);
});
