/** Who is online in the network, and what is told about it. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Presence, type PresenceEvent } from "../../../server/presence/presence.ts";

const GRACE_MS = 1_500;
const PLACES = ["a", "b", "c"] as const;
const USERS = ["anna", "bob"] as const;

const place = fc.constantFrom(...PLACES);
const user = fc.constantFrom(...USERS);

/** Something that a server hears, in any order. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("came" as const), place, user }),
  fc.record({
    kind: fc.constant("went" as const),
    place,
    user,
    how: fc.constantFrom("left" as const, "lost" as const),
  }),
  fc.record({ kind: fc.constant("settle" as const), place, users: fc.subarray([...USERS]) }),
  fc.record({ kind: fc.constant("serverGone" as const), place }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 2 * GRACE_MS }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Drives a `Presence` and a model that knows only who is where. */
class World {
  readonly presence = new Presence(GRACE_MS);
  readonly where = new Map<string, Set<string>>(USERS.map((name) => [name, new Set()]));
  readonly told: (PresenceEvent & { readonly at: number })[] = [];
  nowMs = 1_000;

  take(step: Step): void {
    const { presence, where, nowMs } = this;
    switch (step.kind) {
      case "came":
        where.get(step.user)!.add(step.place);
        return this.#note(presence.came(step.place, step.user));
      case "went":
        where.get(step.user)!.delete(step.place);
        return this.#note(presence.went(step.place, step.user, step.how, nowMs));
      case "settle":
        return this.#settle(step.place, step.users, presence.settle(step.place, new Set(step.users), nowMs));
      case "serverGone":
        return this.#settle(step.place, [], presence.serverGone(step.place, nowMs));
      case "wait":
        return this.wait(step.ms);
    }
  }

  /** Lets time pass, as a timer at `dueAt` would. */
  wait(ms: number): void {
    const end = this.nowMs + ms;
    for (let due = this.presence.dueAt; due !== undefined && due <= end; due = this.presence.dueAt) {
      this.nowMs = Math.max(this.nowMs, due);
      const events = this.presence.due(this.nowMs);
      assert(events.length > 0, "it was due, and nothing came of it");
      this.#note(events);
    }
    this.nowMs = end;
  }

  #settle(place: string, users: readonly string[], events: readonly PresenceEvent[]): void {
    for (const [name, places] of this.where) {
      if (users.includes(name)) places.add(place);
      else places.delete(place);
    }
    this.#note(events);
  }

  #note(events: readonly PresenceEvent[]): void {
    for (const event of events) this.told.push({ ...event, at: this.nowMs });
  }
}

Deno.test("what is told of a user alternates between joined and gone, whatever order things happen in", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const world = new World();
    for (const step of steps) {
      world.take(step);
      const online = USERS.filter((name) => world.where.get(name)!.size > 0).toSorted();
      assertEquals([...world.presence.servers()].map(([name]) => name).toSorted(), online);
      for (const name of USERS) assertEquals(world.presence.isOnline(name), online.includes(name));
    }
    for (const name of USERS) {
      const events = world.told.filter(({ username }) => username === name).map(({ event }) => event);
      events.forEach((event, index) => assertEquals(event === "joined", index % 2 === 0, events.join()));
    }
  }));
});

Deno.test("once the moment for coming back is over, what was told last is how it is", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const world = new World();
    for (const step of steps) world.take(step);
    world.wait(GRACE_MS);
    assertEquals(world.presence.dueAt, undefined);
    for (const name of USERS) {
      const last = world.told.findLast(({ username }) => username === name)?.event;
      assertEquals(last === "joined", world.where.get(name)!.size > 0);
    }
  }));
});

Deno.test("whoever asks at any moment, and is told what follows, knows who is there once things are quiet", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const world = new World();
    /** What those know who asked before each step, in the order in which they did. */
    const watchers: { readonly knows: Set<string>; readonly from: number }[] = [];
    for (const step of steps) {
      watchers.push({ knows: new Set(world.presence.listed), from: world.told.length });
      world.take(step);
    }
    world.wait(GRACE_MS);
    const truth = USERS.filter((name) => world.where.get(name)!.size > 0);
    for (const { knows, from } of watchers) {
      for (const { event, username } of world.told.slice(from)) {
        // What is told changes what is known: nobody who is listed joins, and nobody goes who is not.
        assertEquals(knows.has(username), event !== "joined", `${username} ${event}`);
        if (event === "joined") knows.add(username);
        else knows.delete(username);
      }
      assertEquals([...knows].toSorted(), truth.toSorted());
    }
    assertEquals(world.presence.listed, truth.toSorted());
  }));
});

Deno.test("nobody is told to be lost who was somewhere within the moment before", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const world = new World();
    const seenAt = new Map<string, number>();
    for (const step of steps) {
      for (const name of USERS) if (world.where.get(name)!.size > 0) seenAt.set(name, world.nowMs);
      const before = world.told.length;
      world.take(step);
      for (const { event, username, at } of world.told.slice(before)) {
        if (event === "lost") assert(at - seenAt.get(username)! >= GRACE_MS);
      }
    }
  }));
});

Deno.test("who logs out is gone at once, who is lost a moment later", () => {
  const presence = new Presence(GRACE_MS);
  assertEquals(presence.came("a", "anna"), [{ event: "joined", username: "anna" }]);
  assertEquals(presence.went("a", "anna", "left", 1_000), [{ event: "left", username: "anna" }]);
  assertEquals(presence.dueAt, undefined);
  presence.came("a", "bob");
  assertEquals(presence.went("a", "bob", "lost", 2_000), []);
  assertEquals([presence.isOnline("bob"), presence.dueAt], [false, 2_000 + GRACE_MS]);
  assertEquals(presence.due(1_999 + GRACE_MS), []);
  assertEquals(presence.due(2_000 + GRACE_MS), [{ event: "lost", username: "bob" }]);
  assertEquals(presence.dueAt, undefined);
});

Deno.test("who goes from server to server in that moment is never told of", () => {
  const presence = new Presence(GRACE_MS);
  presence.came("a", "anna");
  assertEquals(presence.serverGone("a", 1_000), []);
  assertEquals(presence.came("b", "anna"), []);
  assertEquals(presence.due(10_000), []);
  // The other way round: the new server is heard of first.
  assertEquals(presence.came("c", "anna"), []);
  assertEquals(presence.went("b", "anna", "lost", 20_000), []);
  assertEquals(presence.due(30_000), []);
  // Whoever has another session somewhere is there, also after logging out here.
  assertEquals(presence.came("a", "anna"), []);
  assertEquals(presence.went("c", "anna", "left", 40_000), []);
  assertEquals(presence.listed, ["anna"]);
});

Deno.test("what a server says when its link comes up replaces all that it said before", () => {
  const presence = new Presence(GRACE_MS);
  presence.settle("a", new Set(["anna", "bob"]), 1_000);
  assertEquals(presence.settle("a", new Set(["bob", "carl"]), 2_000), [{ event: "joined", username: "carl" }]);
  // She has a moment to come back, and nobody would be told that she did.
  assertEquals(presence.listed, ["anna", "bob", "carl"]);
  assertEquals(presence.due(2_000 + GRACE_MS), [{ event: "lost", username: "anna" }]);
  assertEquals(presence.listed, ["bob", "carl"]);
});
