/** What an operator is asked about users, addresses and the network, and what is sent for it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  inviteOrder,
  logLevelOrder,
  networkSecretOrder,
  reloadOrder,
  withdrawOrder,
} from "../../dashboard/orders/network_orders.js";
import { serversTold } from "../../dashboard/orders/order.js";
import { banAddressOrder, liftOrder, USER_ACTS, userActs, userOrder } from "../../dashboard/orders/user_orders.js";
import { ADMIN_SHAPES, type AdminPath, readAdminRequest } from "../../server/gateway/http/admin/admin_request.ts";
import { AT, bodyOf, sampleUser } from "./_sample.ts";

const BAN = { kind: "ban", about: "ada", by: "192.0.2.1" };
const HOUR_MS = 3_600_000;

Deno.test("what can be done with a user is said as it is: what holds already can be lifted", () => {
  assertEquals(userActs(sampleUser()).disable, "Disable");
  assertEquals(userActs(sampleUser({ disabled: { ...BAN, kind: "disabled" } })).disable, "Enable");
  assertEquals([userActs(sampleUser()).ban, userActs(sampleUser({ ban: BAN })).ban], ["Ban", "Unban"]);
  assertEquals([userActs(sampleUser()).close, userActs(sampleUser({ at: ["a"] })).close], ["", "Disconnect"]);
});

Deno.test("what is sent for a user is what the server reads", () => {
  const sent = (row: ReturnType<typeof sampleUser>) =>
    Object.fromEntries(USER_ACTS.map((act) => [act, bodyOf(userOrder(act, row))]));
  const { disable, ban, close, reset, delete: deleted } = sent(sampleUser());
  assertEquals(disable, { kind: "disabled", about: "ada" });
  assertEquals(ban, { kind: "ban", about: "ada" });
  assertEquals([close, reset], [{ user: "ada" }, { user: "ada" }]);
  assertEquals(deleted, { kind: "deleted", about: "ada" });
  const again = sent(sampleUser({ ban: BAN, disabled: { ...BAN, kind: "disabled" } }));
  assertEquals(again.disable, { kind: "disabled", about: "ada", lifts: true });
  assertEquals(again.ban, { kind: "ban", about: "ada", lifts: true });
});

Deno.test("every order has a body that the server takes at its path", () => {
  const row = sampleUser({ given: ["lab"] });
  const orders = [
    ...USER_ACTS.map((act) => userOrder(act, row)),
    ...[banAddressOrder("192.0.2.7"), liftOrder("bannedAddress", "192.0.2.0/24"), inviteOrder(), logLevelOrder()],
    reloadOrder(),
    networkSecretOrder(),
    ...[withdrawOrder({ id: "0123456789abcdef0123456789abcdef", uses: 1, used: 0, until: null, state: "open" })],
  ];
  for (const order of orders) {
    assert(Object.hasOwn(ADMIN_SHAPES, order.path), order.path);
    const body = JSON.stringify(bodyOf(order, { why: " spam ", span: `${HOUR_MS}`, secret: "open sesame" }));
    const read = readAdminRequest(order.path as AdminPath, body);
    assert(!("wrong" in read), `${order.title}: ${body}`);
  }
});

Deno.test("the network's secret is sent when it was typed twice alike, and each server says what a reload changed there", () => {
  const { problem, body } = networkSecretOrder();
  assertEquals(problem!({ secret: "open sesame", again: "open sesam" }), "These are two secrets. Nothing was done.");
  assertEquals(problem!({ secret: "open sesame", again: "open sesame" }), "");
  assertEquals(typeof body === "function" && body({ secret: "s", again: "s" }, AT), { secret: "s" });
  const told = reloadOrder().told!({
    servers: [
      { server: "a", name: "one", done: true, changed: ["auth.rights", "log.level"], kept: ["cluster.weight"] },
      { server: "b", name: "two", done: true, changed: [], kept: [] },
      { server: "c", name: "three", done: false, error: "no such key" },
    ],
  });
  assertEquals([told.title, ...told.lines!.map(({ text }) => text)], [
    "Done in part",
    "one: changed: auth.rights, log.level; at the next start: cluster.weight",
    "two: nothing changed",
    "three: no such key",
  ]);
});

Deno.test("an end is counted from when the order is given, by the server's time; a reason without its ends", () => {
  const values = { span: `${HOUR_MS}`, why: "  too loud ", about: " 10.0.0.0/8 " };
  const body = bodyOf(banAddressOrder(), values, AT + 5);
  assertEquals(body, { kind: "bannedAddress", about: "10.0.0.0/8", until: AT + 5 + HOUR_MS, why: "too loud" });
  const invited = bodyOf(inviteOrder(), { uses: "3", span: "", note: "the class" });
  assertEquals(invited, { uses: 3, note: "the class" });
});

Deno.test("a deletion says what goes with the account, and has the name typed as it is seen", () => {
  const { text, typed } = userOrder("delete", sampleUser({ name: "a\u200bb", waiting: 2 }));
  assertEquals(typed, "a\\u200bb");
  assertStringIncludes(text, "The account, its secret and 2 messages that wait are gone for good.");
  assertStringIncludes(userOrder("delete", sampleUser()).text, "The account and its secret are gone for good.");
});

Deno.test("a new secret and the code of an invitation are told", () => {
  const told = userOrder("reset", sampleUser()).told!({ user: "ada", secret: "abcd-efgh" });
  assertEquals([told.title, told.secret], ["The new secret of ada", "abcd-efgh"]);
  const { secret, text } = inviteOrder().told!({ code: "xyz", uses: 2, until: null });
  assertEquals(secret, "xyz");
  assertStringIncludes(text, "2 names may be registered with this code");
});

Deno.test("what became of it is said for each server", () => {
  const servers = [
    { server: "a", name: "one:1", done: true, count: 2 },
    { server: "b", name: "two:2", done: false, error: "there is no link to that server just now" },
  ];
  const { title, lines } = userOrder("close", sampleUser()).told!({ servers });
  assertEquals(title, "Done in part");
  assertEquals(lines, [
    { state: "good", text: "one:1: 2 connections closed" },
    { state: "bad", text: "two:2: there is no link to that server just now" },
  ]);
  assertEquals(serversTold({ servers: servers.slice(0, 1) }, () => "done").title, "Done");
  assertEquals(serversTold({ servers: servers.slice(1) }, () => "done").title, "Not done");
});

Deno.test("who is to withdraw an invitation is told who has used it", () => {
  const of = (used: number) => {
    const id = "0123456789abcdef";
    return withdrawOrder({ id, uses: 3, used, until: null, state: "open" });
  };
  assertEquals(of(0).title, "Withdraw the invitation 01234567?");
  assertStringIncludes(of(0).text, "Nobody has registered with it.");
  assertStringIncludes(of(2).text, "2 users have registered with it, and may stay.");
});

Deno.test("roles are words, whatever stands between them, and none takes all back", () => {
  const order = userOrder("roles", sampleUser({ given: ["lab", "teacher"] }));
  assertEquals(order.fields![0]!.value, "lab teacher");
  assertEquals(bodyOf(order, { roles: " lab,  night-shift " }), { user: "ada", roles: ["lab", "night-shift"] });
  assertEquals(bodyOf(order, { roles: " " }), { user: "ada", roles: [] });
});
