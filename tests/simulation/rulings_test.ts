/** Made-up histories with rulings: which of them the checker believes. */

import { assertEquals } from "@std/assert";
import type { StoredRecord } from "./history.ts";
import { BEGINNING, brokenIn, endedWith, is, scheduleWith, type Told } from "./made_up_history.ts";

const USER = "judged-1";
const EQUAL = "every server judges the same";
const LATER = "the later ruling holds";
const SHOWN_OUT = "who is barred is shown out";

/** Each server stores these in an order of its own. */
function laidDown(...records: readonly (Partial<StoredRecord> & { readonly id: string })[]): Told[] {
  const entries = records.map(({ id, ...more }) => ({
    id,
    isFor: "servers" as const,
    record: { of: "ban", key: USER, value: '{"by":"x"}', lamport: 5, origin: "s1", ...more },
  }));
  return [
    ...entries.map((entry): Told => [20, "s1", { what: "stored", entries: [entry] }]),
    ...entries.toReversed().map((entry): Told => [30, "s2", { what: "stored", entries: [entry] }]),
  ];
}

/** In the end `s1` and `s2` have these rulings, and the user is logged in there. */
function ends(first: Readonly<Record<string, string>>, second = first, server?: string): Told[] {
  const judges = (who: string, rulings: Readonly<Record<string, string>>): Told => [
    ...[80_000, who] as const,
    { what: "judges", rulings, barred: Object.keys(rulings).length > 0 ? [USER] : [] },
  ];
  return [
    [80_000, USER, { what: "judged user is", username: USER, ...(server === undefined ? {} : { server }) }],
    judges("s1", first),
    judges("s2", second),
  ];
}

function brokenBy(...told: readonly Told[]): string[] {
  const stored = told.flatMap(([, , event]) => event.what === "stored" ? event.entries : []);
  const log = Object.fromEntries(stored.map(({ id }, index) => [id, index]));
  const rest = [endedWith("s1", log), endedWith("s2", log), is("c1"), is("c2")];
  return brokenIn({ ...scheduleWith({}), judged: [USER] }, [...BEGINNING, ...told, ...rest]).filter((promise) =>
    [EQUAL, LATER, SHOWN_OUT, "a deleted name stays taken"].includes(promise) || promise.startsWith("rulings wait")
  );
}

const BAN = '{"by":"x"}';
const BANNED = { [`ban ${USER}`]: BAN };

Deno.test("the ruling of the later time holds at every server, and at one time the higher server's", () => {
  const lifted = laidDown({ id: "s1:1" }, { id: "s2:1", value: "null", lamport: 6, origin: "s2" });
  assertEquals(brokenBy(...lifted, ...ends({}, {}, "s1")), []);
  assertEquals(brokenBy(...lifted, ...ends(BANNED)), [LATER]);
  assertEquals(brokenBy(...lifted, ...ends({}, BANNED, "s1")), [EQUAL, LATER]);
  const two = laidDown({ id: "s1:1" }, { id: "s2:1", value: '{"by":"y"}', origin: "s2" });
  assertEquals(brokenBy(...two, ...ends({ [`ban ${USER}`]: '{"by":"y"}' })), []);
  assertEquals(brokenBy(...two, ...ends(BANNED)), [LATER]);
});

Deno.test("at one time a ban beats its lifting, whichever server is the higher one", () => {
  for (const [ban, lift] of [["s1", "s2"], ["s2", "s1"]] as const) {
    const told = laidDown({ id: `${ban}:1`, origin: ban }, { id: `${lift}:1`, origin: lift, value: "null" });
    assertEquals(brokenBy(...told, ...ends(BANNED)), []);
    assertEquals(brokenBy(...told, ...ends({}, {}, "s1")), [LATER]);
  }
});

Deno.test("who is barred is logged in nowhere, and who is not is", () => {
  const ban = laidDown({ id: "s1:1" });
  assertEquals(brokenBy(...ban, ...ends(BANNED, BANNED, "s2")), [SHOWN_OUT]);
  assertEquals(brokenBy(...ends({})), [SHOWN_OUT]);
  assertEquals(brokenBy(...ends({}, {}, "s1")), []);
  // Nobody was told its new secret.
  const reset = laidDown({ id: "s1:1", of: "secret" });
  const held = { [`secret ${USER}`]: BAN };
  const [, ...judges] = ends(held);
  const open = judges.map(([at, who, event]): Told => [at, who, { ...event, barred: [] } as Told[2]]);
  const out: Told = [80_000, USER, { what: "judged user is", username: USER }];
  assertEquals(brokenBy(...reset, out, ...open), []);
  const ruled: Told = [30, "s1", { what: "ruled", verdict: "reset", username: USER, askedAt: 20, isLaidDown: true }];
  assertEquals(brokenBy(...reset, ruled, out, ...open), [SHOWN_OUT]);
});

Deno.test("nobody gets the name of one that was judged, unless its account was lost", () => {
  const gave: Told = [70_000, "s2", { what: "gave a name away", username: USER }];
  const promise = "a deleted name stays taken";
  assertEquals(brokenBy(gave, ...ends({}, {}, "s1")), [promise]);
  const account = { username: USER, verifier: "v" };
  const lost: Told[] = [
    [15, "s1", { what: "stored", entries: [{ id: "s1:9", isFor: "servers", account }] }],
    [16, "s1", { what: "died", how: "power cut" }],
    [16, "s1", { what: "lost entries", ids: ["s1:9"] }],
  ];
  assertEquals(brokenBy(...lost, gave, ...ends({}, {}, "s1")), []);
});

Deno.test("a server that is linked with one that does not follow rulings lays none down", () => {
  const up: Told = [1_000, "s1", { what: "link up", peer: "liar-0", link: 7 }];
  const down: Told = [9_000, "s1", { what: "link down", peer: "liar-0", link: 7 }];
  const ruled = (askedAt: number, isLaidDown: boolean): Told => [
    ...[askedAt, "s1"] as const,
    { what: "ruled", verdict: "ban", username: USER, askedAt, isLaidDown },
  ];
  const promise = "rulings wait for servers that do not follow them";
  assertEquals(brokenBy(up, ruled(5_000, true), down, ...ends({}, {}, "s1")), [promise]);
  assertEquals(brokenBy(up, ruled(5_000, false), down, ruled(9_500, true), ...ends({}, {}, "s1")), []);
});
