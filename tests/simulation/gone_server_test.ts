/** What is checked of origins that are forgotten as a whole fails on a history that was made up to break it. */

import { assertEquals } from "@std/assert";
import { RETENTION } from "./gone_server.ts";
import { brokenIn, scheduleWith, type Told } from "./made_up_history.ts";

const SCHEDULE = scheduleWith({ servers: ["s1", "s2", "s3"], clients: [], settings: { retention: RETENTION } });

function stored(at: number, server: string, id: string): Told {
  return [at, server, { what: "stored", entries: [{ id, isFor: "everyone", sender: "c1.1", n: 1 }] }];
}

function endedWith(server: string, vector: Readonly<Record<string, number>>): Told {
  return [300_000, server, { what: "ended with", vector, log: new Map(), accounts: {}, inboxes: {} }];
}

/** `s1` has an entry and goes; the others forget it at `forgottenAt`. Then `more`. */
function broken(forgottenAt: number, vectors: readonly Readonly<Record<string, number>>[], ...more: Told[]): string[] {
  const told: Told[] = [
    ...["s1", "s2", "s3"].map((server): Told => [0, server, { what: "started", serverId: server }]),
    stored(100, "s1", "s1:1"),
    stored(101, "s2", "s1:1"),
    stored(101, "s3", "s1:1"),
    [1_000, "s1", { what: "died", how: "destroy" }],
    [forgottenAt, "s2", { what: "forgot origins", origins: { s1: 1 } }],
    ...more,
    ...vectors.map((vector, index) => endedWith(`s${index + 2}`, vector)),
  ];
  return brokenIn(SCHEDULE, told);
}

Deno.test("the checker lets every server forget by itself who is gone for good", () => {
  assertEquals(broken(100_000, [{}, { s1: 1 }]), []);
  assertEquals(broken(100_000, [{}, {}], [100_001, "s3", { what: "forgot origins", origins: { s1: 1 } }]), []);
});

Deno.test("the checker sees that a server forgot who was there a moment ago", () => {
  assertEquals(broken(1_000 + RETENTION.membersMs - 1, [{}, { s1: 1 }]), ["only who is gone is forgotten"]);
  const alive: Told = [90_000, "s3", { what: "forgot origins", origins: { s2: 0 } }];
  assertEquals(broken(100_000, [{}, { s1: 1 }], alive), ["only who is gone is forgotten"]);
});

Deno.test("the checker sees what comes again of a forgotten origin, and lets in what goes on behind it", () => {
  const again = "what is forgotten does not come again";
  assertEquals(broken(100_000, [{ s1: 1 }, { s1: 1 }], stored(200_000, "s2", "s1:1")), [again]);
  assertEquals(
    broken(100_000, [{ s1: 2 }, { s1: 2 }], stored(200_000, "s2", "s1:2"), stored(200_001, "s3", "s1:2")),
    [],
  );
});

Deno.test("the checker sees an origin that is missing although nobody has forgotten it", () => {
  assertEquals(broken(100_000, [{}, {}]), ["nothing stored is lost"]);
});
