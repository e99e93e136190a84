/** Turns that wait for the disk beside the event loop: nobody is told of them before, and all are told in order. */

import { assertEquals } from "@std/assert";
import type { AwaitingCommit, Commit } from "../../../server/journal/commit.ts";
import { Journal } from "../../../server/journal/journal.ts";
import { UnreadableError } from "../../../server/journal/unreadable_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { WaitingStore } from "../../support/waiting_store.ts";

/** A journal on such a store, and what it tells. */
class World {
  readonly disk = new WaitingStore();
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly journal: Journal;
  isFailed = false;

  constructor() {
    const kept = { tailBytes: 1_000_000, messagesWaitMs: 1_000 };
    this.journal = new Journal(this.disk.store, this.clock, kept, {
      committed: (commit) => this.#committed(commit),
      failed: () => this.isFailed = true,
    });
  }

  publish(n: number, messageId?: string) {
    return this.journal.publish({
      activity: `{"n":${n}}`,
      username: "ann",
      quotedUsername: '"ann"',
      messageId,
      lamport: undefined,
      after: undefined,
    });
  }

  /** Says so when a turn is committed. */
  notice(name: string): AwaitingCommit {
    return { committed: () => this.told.push(name) };
  }

  endTurn(): void {
    this.clock.advance(0);
  }

  #committed({ segments, waiting }: Commit): void {
    for (const one of waiting) one.committed();
    for (const { first, last } of segments) this.told.push(`${first}-${last}`);
  }
}

Deno.test("nobody is told of a turn, and nobody finds it, before it is on the disk; then in order", () => {
  const world = new World();
  const { disk, journal, told } = world;
  world.publish(1);
  world.publish(2);
  journal.whenCommitted(world.notice("first"));
  world.endTurn();
  world.publish(3);
  journal.whenCommitted(world.notice("second"));
  world.endTurn();
  assertEquals([told, journal.head, journal.vector], [[], 0, {}]);
  assertEquals(journal.segmentsAfter(0, Infinity), []);
  assertEquals(journal.missing({}).after, 0);
  assertEquals([disk.waiting, journal.queue.isWaiting], [2, true]);
  disk.sync(1);
  assertEquals([told, journal.head, journal.vector], [["first", "1-2"], 1, { "s-1": 2 }]);
  disk.sync(1);
  assertEquals(told, ["first", "1-2", "second", "3-3"]);
  assertEquals([journal.head, journal.queue.isWaiting, disk.finished], [2, false, 0]);
});

Deno.test("a turn with nothing to store waits for the turns before it", () => {
  const world = new World();
  const { disk, journal, told } = world;
  world.publish(1, "m");
  world.endTurn();
  // The same again: it is in the turn that waits.
  assertEquals(world.publish(1, "m").sequence, 1);
  assertEquals(journal.lineOf({ origin: "s-1", sequence: 1 })?.includes('"n":1'), true);
  journal.whenCommitted(world.notice("repeat"));
  world.endTurn();
  assertEquals([told, disk.waiting], [[], 1]);
  disk.sync(1);
  assertEquals(told, ["1-1", "repeat"]);
  assertEquals(world.publish(1, "m").sequence, 1);
  assertEquals(journal.lastOf("s-1"), 1);
});

Deno.test("a name is taken as soon as its turn has ended", () => {
  const { disk, journal, told } = new World();
  const registration = { username: "eve", verifier: "v", claim: 1 };
  journal.register(registration, ({ sequence }) => told.push(`registered ${sequence}`));
  journal.flush();
  assertEquals([disk.finished, disk.waiting], [1, 0]);
  journal.register({ ...registration, username: "dan" }, () => {});
  assertEquals(journal.hasAccount("dan"), true);
});

Deno.test("who is told of a turn is told of that turn alone, though it waits for the next one too", () => {
  const world = new World();
  const { disk, journal, told } = world;
  let lines: string[] = [];
  const replies: AwaitingCommit = {
    committed: () => told.push("not sealed"),
    sealed: () => {
      const sealed = lines;
      lines = [];
      return { committed: () => told.push(...sealed) };
    },
  };
  for (const n of [1, 2]) {
    world.publish(n);
    lines.push(`answer ${n}`);
    journal.whenCommitted(replies);
    world.endTurn();
  }
  disk.sync(1);
  assertEquals(told, ["answer 1", "1-1"]);
  disk.sync(1);
  assertEquals(told, ["answer 1", "1-1", "answer 2", "2-2"]);
});

Deno.test("flush() waits in place, and tells the turns before it first", () => {
  const world = new World();
  const { disk, journal, told } = world;
  world.publish(1);
  world.endTurn();
  world.publish(2);
  journal.flush();
  assertEquals([told, disk.finished, journal.head], [["1-1", "2-2"], 1, 2]);
  journal.flush();
  assertEquals([disk.finished, journal.queue.waits.count], [1, 1]);
});

Deno.test("nobody is told of a turn that the disk did not take, or of one behind it", () => {
  const world = new World();
  const { disk, journal, told } = world;
  world.publish(1);
  journal.whenCommitted(world.notice("answer"));
  world.endTurn();
  world.publish(2);
  world.endTurn();
  disk.sync(2, new Error("the disk fails"));
  world.publish(3);
  world.endTurn();
  assertEquals([told, world.isFailed, journal.head], [[], true, 0]);
});

Deno.test("who is told of a turn, and cannot read the store, ends nothing but the server", async () => {
  const disk = new WaitingStore();
  const clock = new FakeClock();
  let told = 0;
  const journal = new Journal(disk.store, clock, { tailBytes: 1_000_000, messagesWaitMs: 1_000 }, {
    committed: () => {
      told++;
      throw new UnreadableError("The store cannot be read");
    },
    failed: () => {},
  });
  journal.publish({
    activity: "{}",
    username: "ann",
    quotedUsername: '"ann"',
    messageId: undefined,
    lamport: undefined,
  });
  await clock.run(0);
  disk.sync(1);
  assertEquals(told, 1);
});
