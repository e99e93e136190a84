import { assert, assertEquals } from "@std/assert";
import { StrangerShare } from "../../../server/audit/stranger_share.ts";

const failed = { what: "loginFailed", of: "anna" } as const;

Deno.test("StrangerShare gives an address one line at once, and one a minute with the count", () => {
  const share = new StrangerShare();
  assert(share.hasLine(failed, "10.0.0.1", 0));
  for (let count = 0; count < 1_000; count++) assert(!share.hasLine(failed, "10.0.0.1", 10));
  assert(share.hasLine(failed, "10.0.0.2", 20), "another address has its own line");
  assertEquals(share.due(59_999), []);
  assertEquals(share.dueAt, 60_000);
  assertEquals(share.due(60_000), [{ what: "loginFailed", from: "10.0.0.1", of: "anna", more: { count: 1_000 } }]);
});

Deno.test("StrangerShare gives any number of addresses a few dozen lines a minute", () => {
  const share = new StrangerShare();
  let lines = 0;
  for (let address = 0; address < 100_000; address++) if (share.hasLine(failed, `${address}`, 0)) lines++;
  const due = share.due(60_000);
  assert(lines + due.length < 40, `${lines} and ${due.length}`);
  assertEquals(due.reduce((sum, { more }) => sum + Number(more!.count), 0), 100_000 - lines);
  assertEquals(due[0]!.from, "many other addresses");
});

Deno.test("StrangerShare gives what operators and users do a line each", () => {
  const share = new StrangerShare();
  for (let count = 0; count < 1_000; count++) {
    assert(share.hasLine({ what: "banned", by: "operator", from: "10.0.0.1" }, "10.0.0.1", 0));
  }
  assertEquals(share.dueAt, undefined);
});

Deno.test("StrangerShare names sixty new users a minute, and counts the others", () => {
  const share = new StrangerShare();
  const named = (nowMs: number) =>
    Array.from({ length: 500 }, () => share.hasLine({ what: "registered", of: "x" }, "10.0.0.1", nowMs))
      .filter((isNamed) => isNamed).length;
  // One more tells that counting has begun.
  assertEquals(named(0), 61);
  assertEquals(share.due(60_000).map(({ more }) => more), [{ count: 439 }]);
  assertEquals(named(60_000), 60);
});

Deno.test("StrangerShare tells at the end what was not told yet", () => {
  const share = new StrangerShare();
  share.hasLine(failed, "10.0.0.1", 0);
  share.hasLine(failed, "10.0.0.1", 1);
  assertEquals(share.due(Infinity).map(({ more }) => more), [{ count: 1 }]);
});
