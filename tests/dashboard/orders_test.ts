/** What an operator is asked before something is done, and what is sent for it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { banOrder, canDisconnect, disconnectOrder, drainOrder, drainText } from "../../dashboard/orders/orders.js";
import type { ConnectionView, ServerView } from "../../view/network_view.ts";
import { bodyOf, sampleConnection, sampleServer } from "./_sample.ts";

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

Deno.test("drainOrder() is for any server, and tells what becomes of the clients of that one", () => {
  const view = viewOf(2, { name: "other", load: 5 });
  const { title, text, path, body } = drainOrder(view, "other-0");
  assertEquals([title, path, body], ["Drain other?", "/api/drain", { server: "other-0" }]);
  assertStringIncludes(text, "other takes no new clients, hands its 5 clients over to the other server");
  assertEquals(drainOrder(view, "a").title, "Drain this server?");
});

function rowOf(data: Partial<ConnectionView>, isGone = false) {
  return { key: "s-1 7 b", serverId: "s-1", serverName: "one", isGone, data: sampleConnection({ since: 9, ...data }) };
}

Deno.test("disconnectOrder() names the connection whole, and says what its program makes of it", () => {
  const { title, text, body } = disconnectOrder(rowOf({}));
  assertEquals([title, body], ["Disconnect ada?", { server: "s-1", connection: "7 b", since: 9 }]);
  assertStringIncludes(text, "does not come back by itself");
  assertStringIncludes(disconnectOrder(rowOf({ kind: "plain" })).text, "may come back by itself");
  assertEquals(disconnectOrder(rowOf({ user: "" })).title, "Disconnect 127.0.0.1:50000?");
});

Deno.test("canDisconnect() leaves out links between servers, and what is gone", () => {
  assertEquals([rowOf({}), rowOf({ kind: "new" }), rowOf({ kind: "guest" })].map(canDisconnect), [true, true, true]);
  assertEquals([rowOf({ kind: "server" }), rowOf({}, true), undefined].map(canDisconnect), [false, false, false]);
});

Deno.test("banOrder() is about the user, and about the address of who has no name", () => {
  const { title, text, path } = banOrder(rowOf({}));
  assertEquals([title, path], ["Ban ada?", "/api/rule"]);
  assertEquals(bodyOf(banOrder(rowOf({}))), { kind: "ban", about: "ada" });
  assertStringIncludes(text, "shown out everywhere");
  const ofAddress = (address: string) => bodyOf(banOrder(rowOf({ user: "", address })));
  assertEquals(ofAddress("127.0.0.1:50000"), { kind: "bannedAddress", about: "127.0.0.1" });
  assertEquals(ofAddress("[2001:db8::1]:50000"), { kind: "bannedAddress", about: "2001:db8::1" });
});

Deno.test("what nobody sees in a name is written out where an operator is asked about it", () => {
  const hidden = "ada\u200b";
  const titles = [disconnectOrder(rowOf({ user: hidden })), banOrder(rowOf({ user: hidden }))].map(({ title }) =>
    title
  );
  assertEquals(titles, ["Disconnect ada\\u200b?", "Ban ada\\u200b?"]);
});
