import { assertEquals } from "@std/assert";
import { drainText, startOfDrained } from "../../dashboard/draining.js";
import type { ServerView } from "../../view/network_view.ts";
import { sampleServer } from "./_sample.ts";

const AGAIN = "It has to be started again by hand.";

function viewOf(load: number, ...others: Partial<ServerView>[]) {
  const own = sampleServer({ name: "own", state: "self", load });
  const rest = others.map((fields, index) => [`other-${index}`, sampleServer(fields)]);
  return { from: "a", servers: { a: own, ...Object.fromEntries(rest) } };
}

Deno.test("drainText() says that clients are handed over where there is somebody to take them", () => {
  const text = `own takes no new clients, hands its 2 clients over to the other server, and then stops. ${AGAIN}`;
  assertEquals(drainText(viewOf(2, {})), text);
  assertEquals(drainText(viewOf(2, {}, { state: "dead" })), text);
  assertEquals(drainText(viewOf(2, {}, {})), text.replace("the other server", "the other servers"));
});

Deno.test("drainText() promises nothing where there is nobody to take clients", () => {
  const text =
    `own takes no new clients, and stops. There is no other server: its 1 client will be disconnected. ${AGAIN}`;
  assertEquals(drainText(viewOf(1)), text);
  assertEquals(drainText(viewOf(1, { state: "dead" }, { state: "left" })), text);
  const full = text.replace("There is no other server", "No other server takes clients");
  assertEquals(drainText(viewOf(1, { takesClients: false })), full);
  assertEquals(drainText(viewOf(1, { draining: { total: 1, left: 1 } })), full);
  assertEquals(drainText(viewOf(0)), `own takes no new clients, and stops. There is no other server. ${AGAIN}`);
});

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
