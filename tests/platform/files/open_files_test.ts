import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { openFiles, planOpenFiles, readOpenFileLimit } from "../../../platform/files/open_files.ts";

const WISH = { maxConnections: 50_000, maxLobby: 1_024, maxCallers: 4_096, doors: 2 };

Deno.test("the limit is read as Linux writes it; without one everybody has what is wanted", () => {
  const limits = (value: string) =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${value}   20000   files\n`;
  assertEquals(readOpenFileLimit(limits("256")), 256);
  assertEquals(readOpenFileLimit(limits("unlimited")), undefined);
  assertEquals(readOpenFileLimit(""), undefined);
  assertEquals(planOpenFiles(undefined, 30, WISH), {
    ...{ maxConnections: 50_000, maxLobby: 1_024, maxCallers: 4_096, maxSockets: Infinity },
  });
  if (Deno.build.os === "linux") assert(openFiles().used > 2);
});

Deno.test("what is given away is never more than there is, and something is kept for the store", () => {
  const numbers = { limit: fc.integer({ min: 64, max: 2_000_000 }), used: fc.integer({ min: 20, max: 40 }) };
  fc.assert(fc.property(fc.record({ ...numbers, doors: fc.integer({ min: 0, max: 2 }) }), ({ limit, used, doors }) => {
    const plan = planOpenFiles(limit, used, { ...WISH, doors });
    assert(plan.maxSockets + doors * plan.maxCallers + used + 12 <= limit, "what is kept");
    assert(plan.maxConnections + plan.maxLobby <= plan.maxSockets, "a socket for each connection");
    assert(Math.min(plan.maxConnections, plan.maxLobby, plan.maxCallers) >= 1);
  }));
  // Where there are enough, nobody has less than is wanted.
  assertEquals(planOpenFiles(1_000_000, 30, WISH).maxConnections, 50_000);
});
