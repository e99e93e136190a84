/** What an operator may ask for, and what becomes of it (docs/dashboard.md). */

import { assert, assertEquals } from "@std/assert";
import { orderFor, readOrder, refusedOrder } from "../../../../server/gateway/http/orders.ts";
import { ORDER_PROBLEMS, type OrderProblem } from "../../../../server/node/order.ts";

const DISCONNECT = { server: "s-1", connection: "7", since: 9 };

Deno.test("a drain is for the server that is named, and for this one where none is", () => {
  assertEquals(readOrder("drain", ""), { kind: "drain", serverId: undefined });
  assertEquals(readOrder("drain", "{}"), { kind: "drain", serverId: undefined });
  const named = readOrder("drain", '{"server":"s-1","more":1}');
  assertEquals(named, { kind: "drain", serverId: "s-1" });
  assertEquals(orderFor({ kind: "drain", serverId: undefined }, "own"), { kind: "drain", serverId: "own" });
  assertEquals(orderFor({ kind: "drain", serverId: "s-1" }, "own"), { kind: "drain", serverId: "s-1" });
});

Deno.test("a connection is named whole: its server, its name, and when it was opened", () => {
  const { server: serverId, ...rest } = DISCONNECT;
  assertEquals(readOrder("disconnect", JSON.stringify(DISCONNECT)), { kind: "disconnect", serverId, ...rest });
  const wrong = [{ server: "a b" }, { server: 1 }, { connection: 7 }, { connection: "7".repeat(65) }];
  for (const fields of [...wrong, { connection: undefined }, { since: undefined }, { since: -1 }, { since: 1.5 }]) {
    const order = readOrder("disconnect", JSON.stringify({ ...DISCONNECT, ...fields }));
    assert("wrong" in order, JSON.stringify(fields));
  }
});

Deno.test("what is no order is none, and is told what it has to be", () => {
  for (const body of ["{", "[]", "null", "1", '"s-1"', '{"server":""}', '{"server":"__proto__ "}', '{"server":{}}']) {
    for (const kind of ["drain", "disconnect"] as const) assert("wrong" in readOrder(kind, body), `${kind} ${body}`);
  }
  assert("wrong" in readOrder("disconnect", ""));
});

Deno.test("each reason why an order is not carried out has a status of its kind, and its sentence", () => {
  for (const problem of Object.keys(ORDER_PROBLEMS) as OrderProblem[]) {
    const { status, sentence } = refusedOrder(problem);
    assert(status >= 400 && sentence === ORDER_PROBLEMS[problem], problem);
  }
  assertEquals(refusedOrder("NO_ANSWER").status, 504);
});
