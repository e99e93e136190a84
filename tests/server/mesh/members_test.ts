/** Who belongs to the network, and who is called when. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Endpoint } from "../../../platform/address.ts";
import { type MemberReport, Members } from "../../../server/mesh/members.ts";

const DAY_MS = 86_400_000;

/** A server of that name, on a machine of that name. */
function at(serverId: string, port = 8000): { serverId: string; host: string; port: number } {
  return { serverId, host: serverId, port };
}

function report(serverId: string, more: Partial<MemberReport> = {}): MemberReport {
  return { ...at(serverId), load: 0, weight: 1, online: true, vector: {}, members: [], ...more };
}

function members(
  seeds: readonly string[] = [],
  known: readonly string[] = [],
  timeBeforeReconnectMs = 0,
): Members {
  const start = { seeds: seeds.map((host) => at(host)), known: known.map((name) => at(name)), timeBeforeReconnectMs };
  return new Members("own", start, 0);
}

/** The hosts that are to be called now. */
function due(of: Members, nowMs: number): string[] {
  return of.takeDue(nowMs).map(({ host }) => host);
}

Deno.test("who is given to join, and who was known, is called at once, and only once at a time", () => {
  const of = members(["a"], ["b"]);
  assertEquals(of.isAlone, false);
  assertEquals(of.nextCallAt, 0);
  assertEquals(due(of, 0), ["a", "b"]);
  assertEquals(due(of, 0), []);
  assertEquals(of.nextCallAt, undefined);
  assertEquals(members().isAlone, true);
});

Deno.test("all are tried once each is linked, or was called in vain", () => {
  const of = members(["a", "b"]);
  assertEquals(of.allTried, false);
  due(of, 0);
  assertEquals(of.allTried, false);
  of.callFailed(at("a"), 10, 0);
  assertEquals(of.allTried, false);
  of.linked(report("b"), at("b"), 10);
  assertEquals(of.allTried, true);
  assertEquals(members().allTried, true);
});

Deno.test("a server that is its own is not called again", () => {
  const of = members(["me"]);
  due(of, 0);
  of.isSelf(at("me"));
  assertEquals([of.isAlone, of.allTried, of.nextCallAt], [true, true, undefined]);
});

/** What a member is after its link was lost in one of these ways. */
const STATES = { lost: "suspect", silent: "dead", left: "left", duplicate: "suspect" } as const;

Deno.test("a dead member is silent until somebody answers in its place, or it is back", () => {
  const of = members(["a"]);
  const isSilent = () => [of.get("a")!.state, of.get("a")!.isSilent ?? false];
  for (const how of ["silent", "lost"] as const) {
    due(of, 0);
    of.linked(report("a"), at("a"), 0);
    assertEquals(isSilent(), ["linked", false]);
    of.lost("a", how, 10);
    assertEquals(isSilent(), how === "silent" ? ["dead", true] : ["suspect", false]);
    due(of, of.nextCallAt!);
    of.callFailed(at("a"), 20, 0);
    assertEquals(isSilent(), ["dead", true]);
    due(of, of.nextCallAt!);
    of.callFailed(at("a"), 2_000, 0, true);
    assertEquals(isSilent(), ["dead", false]);
    // Its machine may be off by now: its process ended all the same.
    due(of, of.nextCallAt!);
    of.callFailed(at("a"), 9_000, 0);
    assertEquals(isSilent(), ["dead", false]);
    due(of, of.nextCallAt!);
  }
  of.linked(report("a"), at("a"), 99_000);
  of.lost("a", "lost", 99_010);
  due(of, of.nextCallAt!);
  of.callFailed(at("a"), 99_020, 0, true);
  assertEquals(isSilent(), ["dead", false]);
});

Deno.test("a member that is linked is not called; lost it is, at once or after the configured time; and when it left a little later", () => {
  for (
    const [beforeMs, how, callAt] of [[0, "lost", 100], [700, "lost", 800], [0, "left", 350], [0, "silent", 100], [
      0,
      "duplicate",
      350,
    ]] as const
  ) {
    const of = members(["a"], [], beforeMs);
    due(of, 0);
    of.linked(report("a"), at("a"), 50);
    assertEquals([of.nextCallAt, of.get("a")!.state, of.get("a")!.hasLink], [undefined, "linked", true]);
    of.lost("a", how, 100);
    assertEquals(of.nextCallAt, callAt);
    assertEquals([of.get("a")!.state, of.get("a")!.hasLink], [STATES[how], false]);
    assertEquals(due(of, callAt - 1), []);
    assertEquals(due(of, callAt), ["a"]);
  }
});

Deno.test("a member is suspect while its link is silent, and after it was lost; dead when it cannot be called", () => {
  const of = members(["a"]);
  due(of, 0);
  of.linked(report("a"), at("a"), 0);
  of.suspected("a", true, 10);
  assertEquals([of.get("a")!.state, of.get("a")!.sinceMs, of.get("a")!.hasLink], ["suspect", 10, true]);
  of.suspected("a", false, 20);
  assertEquals([of.get("a")!.state, of.get("a")!.sinceMs], ["linked", 20]);
  of.lost("a", "lost", 30);
  assertEquals([of.get("a")!.state, of.get("a")!.load], ["suspect", 0]);
  // Without a link there is nothing that could be silent.
  of.suspected("a", false, 35);
  assertEquals(of.get("a")!.state, "suspect");
  due(of, 30);
  of.callFailed(at("a"), 40, 0);
  assertEquals([of.get("a")!.state, of.get("a")!.sinceMs], ["dead", 40]);
  due(of, of.nextCallAt!);
  of.linked(report("a"), at("a"), 5_000);
  assertEquals(of.get("a")!.state, "linked");
});

Deno.test("one that has left stays so while it cannot be reached", () => {
  const of = members(["a"]);
  of.linked(report("a"), at("a"), 0);
  of.lost("a", "left", 0);
  due(of, 1_000);
  of.callFailed(at("a"), 1_000, 0);
  assertEquals(of.get("a")!.state, "left");
});

Deno.test("calls become rarer, up to 30 s, and a random half of it is waited", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 12, maxLength: 20 }),
      (chances) => {
        const of = members(["a"]);
        let now = 0;
        for (const [failures, chance] of chances.entries()) {
          assertEquals(due(of, now), ["a"]);
          of.callFailed(at("a"), now, chance);
          const span = Math.min(30_000, 250 * 2 ** failures);
          const waitMs = of.nextCallAt! - now;
          assert(waitMs > span / 2 - 1 && waitMs < span, `${waitMs} ms after ${failures} failures`);
          now = of.nextCallAt!;
        }
        // A link makes it begin anew.
        due(of, now);
        of.linked(report("a"), at("a"), now);
        of.lost("a", "lost", now);
        due(of, now);
        of.callFailed(at("a"), now, 0);
        assertEquals(of.nextCallAt! - now, 125);
      },
    ),
  );
});

Deno.test("members of members are called too, but not this server itself, and not at what others say of a known one", () => {
  const of = members(["a"]);
  due(of, 0);
  of.linked(report("a", { members: [at("b"), at("own")] }), at("a"), 0);
  assertEquals(due(of, 0), ["b"]);
  assertEquals(of.get("own"), undefined);
  // Nobody has met it yet.
  assertEquals(of.all.map(({ serverId }) => serverId), ["a"]);
  of.linked(report("b"), at("b"), 5);
  of.announced(report("a", { load: 7, members: [{ ...at("b"), host: "evil" }, at("c")] }), 10);
  assertEquals([of.get("a")!.load, of.get("b")!.host], [7, "b"]);
  assertEquals([...of.get("a")!.linkedTo], ["b", "c"]);
  assertEquals(due(of, 10), ["c"]);
  // Who is not known does not become so by what it says.
  of.announced(report("z"), 10);
  assertEquals(of.get("z"), undefined);
});

Deno.test("a member that came back at another address is called there, once somebody with a link to it says where", () => {
  const of = members(["a"], ["b"]);
  assertEquals(due(of, 0), ["a", "b"]);
  of.callFailed(at("b"), 1, 0);
  assertEquals(of.get("b")!.state, "dead");
  of.linked(report("a", { members: [at("b", 9000)] }), at("a"), 2);
  assertEquals([of.get("b")!.host, of.get("b")!.port], ["b", 9000]);
  assertEquals(of.takeDue(2).map(({ port }) => port), [9000]);
  of.linked(report("b", { port: 9000 }), at("b", 9000), 3);
  assertEquals(of.get("b")!.state, "linked");
  // At the former address nobody is called any more.
  assertEquals(of.takeDue(DAY_MS), []);

  // One that was given to join is called at both.
  const seeded = members(["b"], ["b"]);
  seeded.takeDue(0);
  seeded.callFailed(at("b"), 1, 0);
  seeded.linked(report("a", { members: [at("b", 9000)] }), undefined, 2);
  assertEquals(seeded.takeDue(2).map(({ port }) => port), [9000]);
  seeded.callFailed(at("b", 9000), 3, 0);
  assertEquals(seeded.takeDue(60_000).map(({ port }) => port), [8000]);
});

Deno.test("a member with two addresses is called at one of them at a time", () => {
  const of = members(["alias"]);
  due(of, 0);
  of.linked(report("a"), at("alias"), 0);
  assertEquals(of.nextCallAt, undefined);
  of.lost("a", "lost", 100);
  const first = of.takeDue(100);
  assertEquals(first.length, 1);
  assertEquals(of.nextCallAt, undefined);
  // Then it is the other's turn.
  of.callFailed(first[0]!, 110, 0);
  const second = of.takeDue(110);
  assertEquals(second.length, 1);
  assert(second[0]!.host !== first[0]!.host);
  of.linked(report("a"), second[0], 120);
  assertEquals(due(of, 60_000), []);
});

Deno.test("a call that is under way when the other side's comes first is not made again", () => {
  const of = members(["a"]);
  assertEquals(due(of, 0), ["a"]);
  of.linked(report("a"), undefined, 5);
  of.lost("a", "lost", 10);
  assertEquals(due(of, 10), []);
  of.called(at("a"), 20);
  assertEquals(due(of, 20), []);
  assertEquals(of.nextCallAt, 270);
});

Deno.test("a server that takes the place of another at its address makes it forgotten", () => {
  const of = members([], ["old"]);
  due(of, 0);
  of.linked(report("new", { host: "old" }), { host: "old", port: 8000 }, 0);
  assertEquals(of.all.map(({ serverId }) => serverId), ["new"]);
  of.lost("new", "lost", 10);
  assertEquals(due(of, 10), ["old"]);
});

Deno.test("who cannot be reached for a day is forgotten, unless it was given to join", () => {
  for (const seeds of [[], ["a"]]) {
    const of = members(seeds, seeds.length === 0 ? ["a"] : []);
    let now = 0;
    due(of, now);
    of.linked(report("a"), at("a"), now);
    of.lost("a", "lost", now);
    while (now < 2 * DAY_MS && of.nextCallAt !== undefined) {
      now = of.nextCallAt;
      for (const address of of.takeDue(now)) of.callFailed(address, now, 0.5);
    }
    assertEquals(of.get("a"), undefined);
    assertEquals(of.isAlone, seeds.length === 0);
  }
});

const host = fc.constantFrom("a", "b", "c");
const event = fc.oneof(
  fc.record({ kind: fc.constant("due") }),
  fc.record({ kind: fc.constant("failed"), pick: fc.nat(9) }),
  fc.record({ kind: fc.constant("linked"), pick: fc.nat(9), members: fc.array(host) }),
  fc.record({ kind: fc.constant("called in"), host, members: fc.array(host) }),
  fc.record({
    kind: fc.constant("lost"),
    host,
    how: fc.constantFrom("left" as const, "lost" as const, "duplicate" as const),
  }),
);

Deno.test("whatever happens, who has no link is called again within 31 s, and who has one is not", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const of = members(["a"]);
      const calling: Endpoint[] = [];
      /** Whom those that are linked name. */
      const names = new Map<string, readonly string[]>();
      let now = 0;
      for (const one of events) {
        now += 10;
        const isLinked = (name: string) => of.get(name)?.hasLink ?? false;
        if (one.kind === "due") {
          for (const address of of.takeDue(now)) {
            assert(!isLinked(address.host), `${address.host} is linked`);
            assert(!calling.some((other) => other.host === address.host), `${address.host} is called twice`);
            calling.push(address);
          }
        } else if ("host" in one && "how" in one) {
          if (isLinked(one.host)) of.lost(one.host, one.how, now);
          names.delete(one.host);
        } else if ("host" in one) {
          if (!isLinked(one.host)) {
            of.linked(report(one.host, { members: one.members.map((name) => at(name)) }), undefined, now);
            names.set(one.host, one.members);
          }
        } else if (calling.length > 0) {
          const [address] = calling.splice(one.pick % calling.length, 1);
          if (one.kind === "failed") of.callFailed(address!, now, 0.5);
          else if (isLinked(address!.host)) of.called(address!, now);
          else of.linked(report(address!.host), address, now);
        }
      }
      for (const address of calling.splice(0)) of.callFailed(address, now, 0.5);
      const named = [...names.values()].flat().filter((name) => of.get(name) === undefined);
      const lonely = of.all.filter(({ hasLink }) => !hasLink).map(({ host }) => host);
      const seed = of.get("a") === undefined ? ["a"] : [];
      assertEquals(new Set(due(of, now + 31_000)), new Set([...named, ...lonely, ...seed]));
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("a thousand servers that one only names are no members, are bounded, and go with the last one who names them", () => {
  const of = members(["a", "b"]);
  due(of, 0);
  const phantoms = Array.from({ length: 1_000 }, (_, n) => at(`phantom-${n}`));
  of.linked(report("a", { members: phantoms }), at("a"), 0);
  of.linked(report("b", { members: [phantoms[0]!] }), at("b"), 0);
  assertEquals(of.all.map(({ serverId }) => serverId).sort(), ["a", "b"]);
  assertEquals(due(of, 0).length, 64);
  for (const { host } of phantoms) of.callFailed(at(host), 0, 0);
  of.lost("a", "lost", 1);
  assertEquals(due(of, 60_000).sort(), ["a", "phantom-0"]);
  of.callFailed(at("phantom-0"), 60_000, 0);
  of.announced(report("b"), 60_000);
  assertEquals(of.nextCallAt, undefined);
});

Deno.test("a server that was named and is reached is a member, whoever names it", () => {
  const of = members(["a"]);
  due(of, 0);
  of.linked(report("a", { members: [at("b")] }), at("a"), 0);
  due(of, 0);
  of.linked(report("b"), at("b"), 1);
  of.lost("a", "lost", 2);
  of.lost("b", "lost", 3);
  assertEquals(of.all.map(({ serverId, state }) => `${serverId} ${state}`), ["a suspect", "b suspect"]);
});
