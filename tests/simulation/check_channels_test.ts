/** Made-up histories with channels: what the checker says that somebody should have got, and should not. */

import { assert, assertEquals } from "@std/assert";
import { isRead } from "./channels.ts";
import { BEGINNING, brokenIn, endedWith, is, scheduleWith, type Told } from "./made_up_history.ts";
import type { ClientPlan } from "./schedule.ts";

const OTHERS = "nothing comes of other channels";
const ALL = "everybody gets everything";
const ITERATORS = "iterators give all of their channels";

/** `c1` publishes these in this order, `s1` stores them, then `s2` does: by number, each with its channel. */
function published(...channels: readonly (string | undefined)[]): Told[] {
  const entries = channels.map((channel, index) => ({
    ...{ id: `s1:${index + 1}`, isFor: "everyone", sender: "c1.1", n: index + 1 } as const,
    ...(channel === undefined ? {} : { channel }),
  }));
  return [
    ...entries.map(({ sender, n, channel }): Told => [
      ...[19, "c1"] as const,
      { what: "published", sender, n, ...(channel === undefined ? {} : { channel }) },
    ]),
    ...["s1", "s2"].flatMap((server) =>
      entries.map((entry, index): Told => [20 + index, server, { what: "stored", entries: [entry] }])
    ),
  ];
}

function received(n: number, channel?: string, iterator?: string): Told {
  const facts = { session: "c2.1", chain: "c2.1", sender: "c1.1", n, id: `s1:${n}` };
  return [40 + n, "c2", {
    what: "received",
    ...facts,
    ...(channel === undefined ? {} : { channel }),
    ...(iterator === undefined ? {} : { iterator }),
  }];
}

function reads(at: number, last: number, ...channels: string[]): Told {
  return [at, "c2", {
    what: "reads",
    session: "c2.1",
    chain: "c2.1",
    channels,
    vector: last === 0 ? {} : { s1: last },
  }];
}

/** The promises that this breaks, where `c1` reads nothing and `c2` is of this kind. */
function brokenWith(kind: ClientPlan["kind"], told: readonly Told[], channels?: readonly string[]): string[] {
  const clients: ClientPlan[] = [
    { name: "c1", kind: "anonymous", username: "ann", secret: "a", channels: [] },
    { name: "c2", kind, username: "bob", secret: "b", ...(channels === undefined ? {} : { channels }) },
  ];
  const entries = told.flatMap(([, , event]) => event.what === "stored" ? event.entries : []);
  const log = Object.fromEntries(entries.map(({ id, n = 0 }) => [id, n]));
  const rest = [endedWith("s1", log), endedWith("s2", log), is("c1"), is("c2")];
  return brokenIn(scheduleWith({ clients }), [...BEGINNING, ...told, ...rest]);
}

Deno.test("a pattern stands for what the protocol says that it does", () => {
  const channels = ["", "lab", "lab/door", "lab/door/1", "hall"];
  const standsFor = (pattern: string) => channels.filter((channel) => isRead([pattern], channel));
  assertEquals(standsFor(""), [""]);
  assertEquals(standsFor("lab"), ["lab"]);
  assertEquals(standsFor("lab/*"), ["lab/door"]);
  assertEquals(standsFor("lab/**"), ["lab", "lab/door", "lab/door/1"]);
  assertEquals(standsFor("*"), ["lab", "hall"]);
  assertEquals(standsFor("**"), channels);
  assert(!isRead([], ""));
});

Deno.test("nobody who does not read a channel is to get what is of it, and who reads it is", () => {
  const told = published(undefined, "a", "e");
  for (const kind of ["plain", "anonymous"] as const) {
    assertEquals(brokenWith(kind, [...told, received(1)]), []);
    assertEquals(brokenWith(kind, [...told, received(1), received(2, "a")]), [OTHERS]);
    assertEquals(brokenWith(kind, told), [ALL]);
  }
  assertEquals(brokenWith("anonymous", [...told, received(1), received(3, "e")], ["", "e"]), []);
  assertEquals(brokenWith("anonymous", [...told, received(1)], ["", "e"]), [ALL]);
  assertEquals(brokenWith("anonymous", [...told, received(2, "a"), received(3, "e")], ["*"]), []);
  assertEquals(brokenWith("anonymous", told, []), []);
});

Deno.test("what is read is read from the place that SUBSCRIBED names, and up to the one that UNSUBSCRIBED names", () => {
  const told = published("a", "a", "a", undefined);
  const [begins, subscribed, unsubscribed] = [reads(10, 0, ""), reads(42, 1, "", "a"), reads(43, 2, "")];
  const good = [...told, begins, subscribed, received(2, "a"), unsubscribed, received(4)];
  assertEquals(brokenWith("channels", good), []);
  const without = (lacking: Told) => good.filter((event) => event !== lacking);
  assertEquals(brokenWith("channels", without(good.find((event) => event[0] === 42 && event !== subscribed)!)), [ALL]);
  assertEquals(brokenWith("channels", [...told, begins, subscribed, unsubscribed, received(2, "a"), received(4)]), [
    OTHERS,
  ]);
  assertEquals(brokenWith("channels", [...told, begins, received(2, "a"), subscribed, unsubscribed, received(4)]), [
    OTHERS,
  ]);
  // What was there before it does not come, unless it is asked for.
  const all = [received(1, "a"), received(2, "a"), received(3, "a"), received(4)];
  assertEquals(brokenWith("channels", [...told, begins, subscribed, ...all]), [OTHERS]);
});

Deno.test("a login brings what its vector lacks of the channels that it names, which may be older than what came", () => {
  const told = published("a", "e", "e");
  const came = [reads(10, 0, "e"), received(2, "e")];
  const again = reads(50, 0, "a", "e");
  assertEquals(brokenWith("channels", [...told, ...came, again, received(1, "a"), received(3, "e")]), []);
  assertEquals(brokenWith("channels", [...told, ...came, again, received(3, "e")]), [ALL]);
  const order = "a sender's order is kept";
  const late = [reads(10, 0, "a", "e"), received(2, "e"), received(1, "a"), received(3, "e")];
  assertEquals(brokenWith("channels", [...told, ...late]), [order]);
});

Deno.test("an iterator gives what is of its channels, once, and all that is published when its server knows of it", () => {
  const facts = { session: "c2.1", iterator: "i1" };
  const begun: Told = [12, "c2", { what: "began to iterate", ...facts, channels: ["a"] }];
  const known: Told = [13, "c2", { what: "iterates", ...facts }];
  const left: Told = [39, "c2", { what: "iterates no more", ...facts }];
  const told = published("a", "e");
  assertEquals(brokenWith("anonymous", [begun, known, ...told, received(1, "a", "i1")], []), []);
  assertEquals(brokenWith("anonymous", [begun, known, ...told], []), [ITERATORS]);
  assertEquals(brokenWith("anonymous", [begun, known, ...told, left], []), []);
  assertEquals(brokenWith("anonymous", [begun, ...told, known], []), []);
  const two = [begun, known, ...told, received(1, "a", "i1"), received(2, "e", "i1")];
  assertEquals(brokenWith("anonymous", two, []), [OTHERS]);
  const twice = [begun, known, ...told, received(1, "a", "i1"), received(1, "a", "i1")];
  assertEquals(brokenWith("anonymous", twice, []), ["nothing comes twice"]);
  // What another iterator gives is another matter.
  const both = [begun, known, ...told, received(1, "a"), received(1, "a", "i1")];
  assertEquals(brokenWith("anonymous", both, ["a"]), []);
});

Deno.test("an activity is of the channel that its sender said, for servers and for clients", () => {
  const promise = "an activity stays in its channel";
  assertEquals(brokenWith("anonymous", [...published("a"), received(1, "e")], ["a", "e"]), [promise]);
  const [says, ...stored] = published("a");
  const other: Told = [says![0], says![1], { what: "published", sender: "c1.1", n: 1, channel: "e" }];
  assertEquals(brokenWith("anonymous", [other, ...stored, received(1, "e")], ["a", "e"]), [promise]);
});

Deno.test("the past that comes with SUBSCRIBED is of what is new, and does not go beyond its place", () => {
  const whole = "the past is whole";
  const question = { session: "c2.1", number: 1, channels: ["a", "e"], without: ["e"], upTo: { s1: 2 } };
  const page = (limit: number, more: boolean, ...numbers: number[]): Told[] => [
    [30, "c2", { what: "asks for the past", session: "c2.1", number: 1, server: "s2" }],
    [35, "c2", {
      ...{ what: "was told the past", ...question, limit, more },
      activities: numbers.map((n) => ({ sender: "c1.1", n, id: `s1:${n}` })),
    }],
    reads(35, 2, "a", "e"),
  ];
  // The answer does not count what is no activity.
  const account = { username: "ann", verifier: "v" };
  const other: Told = [18, "s2", { what: "stored", entries: [{ id: "s0:1", isFor: "servers", account }] }];
  const told = [other, ...published("a", "a", "a", "e"), reads(10, 0, "e")];
  const rest = [received(3, "a"), received(4, "e")];
  assertEquals(brokenWith("channels", [...told, ...page(9, false, 1, 2), ...rest]), []);
  assertEquals(brokenWith("channels", [...told, ...page(1, true, 2), ...rest]), []);
  assertEquals(brokenWith("channels", [...told, ...page(1, true, 1), ...rest]), [whole]);
  assertEquals(brokenWith("channels", [...told, ...page(9, false, 2), ...rest]), [whole]);
  assertEquals(brokenWith("channels", [...told, ...page(9, false), ...rest]), [whole]);
  assertEquals(brokenWith("channels", [...told, ...page(9, false, 1, 2, 3), ...rest]), ["the past is what was said"]);
  const others = brokenWith("channels", [...told, ...page(9, false, 1, 2, 4), ...rest]);
  assert(others.includes("the past is of the channels that were asked for"), others.join());
});
