import { assertEquals } from "@std/assert";
import { startOfDrained } from "../../dashboard/orders/draining.js";
import type { ServerView } from "../../view/network_view.ts";
import { sampleServer } from "./_sample.ts";

Deno.test("startOfDrained() knows it from the first sign until the server was started again", () => {
  const view = (fields: Partial<ServerView>) => ({
    from: "a",
    servers: { a: sampleServer({ startedAt: 5, ...fields }) },
  });
  const draining = { total: 1, left: 0 };
  assertEquals(startOfDrained(view({}), undefined), undefined);
  assertEquals(startOfDrained(view({ takesClients: false }), undefined), undefined);
  assertEquals(startOfDrained(view({ takesClients: false, draining }), undefined), 5);
  assertEquals(startOfDrained(view({ takesClients: false }), 5), 5);
  assertEquals(startOfDrained({ from: "a", servers: {} }, 5), 5);
  assertEquals(startOfDrained(view({ startedAt: 6 }), 5), undefined);
});

Deno.test("startOfDrained() is not taken back by what was on its way when the order was taken", () => {
  const server = sampleServer({ startedAt: 5, takesClients: true, draining: null });
  assertEquals(startOfDrained({ from: "a", servers: { a: server } }, 5), 5);
});
