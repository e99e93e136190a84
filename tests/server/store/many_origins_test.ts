/** What many origins cost the store when nothing happens to them: statements are counted, as these are what is felt. */

import { assertEquals } from "@std/assert";
import { StatementSync } from "node:sqlite";
import { EVERYONE, SERVERS } from "../../../log/segment.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite_store.ts";
import { LogWriter } from "../../support/log_writer.ts";
import { withFolder } from "./sqlite/_small_files.ts";

/** Statements that `act` executes. */
function statementsOf(act: () => void): number {
  let count = 0;
  const { get, all, run } = StatementSync.prototype;
  const counted = <T extends typeof get | typeof all | typeof run>(method: T) =>
    function (this: StatementSync, ...values: never[]) {
      count++;
      return (method as (...values: never[]) => unknown).apply(this, values);
    } as unknown as T;
  Object.assign(StatementSync.prototype, { get: counted(get), all: counted(all), run: counted(run) });
  try {
    act();
  } finally {
    Object.assign(StatementSync.prototype, { get, all, run });
  }
  return count;
}

const LIMITS = { takenBefore: 0, maxBytes: 1_000_000, directMessagesBefore: 0, usedBefore: 0 };
const BEFORE = { takenBefore: 10, directMessagesBefore: 10 };

/** What a folder with so many origins costs. */
function costsOf(origins: number): Record<string, number> {
  const costs: Record<string, number> = {};
  withFolder((folder) => {
    const open = () => openSqliteStore({ folder, makeServerId: () => "own", synchronous: "normal" });
    {
      using store = open();
      const log = new LogWriter();
      const names = Array.from({ length: origins }, (_, number) => `gone-${number}`);
      // Old ones of which only accounts are left, and young ones, some of whose messages users have.
      store.commit(log.batch(...names.map((origin) => ({ origin, takenAt: 1, audience: SERVERS }))));
      const bob = { kind: "user" as const, username: "bob" };
      const young = names.flatMap((origin) => [
        { origin: `${origin}-young`, takenAt: 100, audience: bob },
        { origin: `${origin}-young`, takenAt: 100, audience: EVERYONE },
      ]);
      store.commit(log.batch(...young));
    }
    let store = open();
    store.close();
    costs.open = statementsOf(() => store = open());
    costs.forget = statementsOf(() => store.forget(LIMITS));
    costs.members = statementsOf(() => store.buriable(BEFORE, 10, { mayGo: () => false }));
    costs.ten = statementsOf(() => assertEquals(Object.keys(store.buriable(BEFORE, 10)).length, 10));
    costs.named = statementsOf(() => {
      assertEquals(store.buriable(BEFORE, 10, { among: ["gone-1", "gone-1-young", "nobody"] }), { "gone-1": 1 });
    });
    costs.missing = statementsOf(() => store.missing(store.opened.vector));
    store.close();
  });
  return costs;
}

Deno.test("a start, a look for what is to be forgotten and a reader that has all cost no statement for each origin", () => {
  const few = costsOf(20);
  assertEquals(costsOf(400), few);
  assertEquals([few.members, few.ten, few.named, few.missing], [0, 10, 1, 0]);
});
