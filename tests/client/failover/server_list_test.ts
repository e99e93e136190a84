import { assertEquals } from "@std/assert";
import {
  nextBest,
  nextServer,
  redirected,
  serverCount,
  serverList,
  withBackups,
} from "../../../client/failover/server_list.ts";

const a = { host: "a", port: 1 };
const b = { host: "b", port: 1 };
const c = { host: "c", port: 1 };
const d = { host: "d", port: 1 };

Deno.test("nextServer() goes round all servers", () => {
  let list = serverList(a, b, c);
  const called = [];
  for (let turn = 0; turn < 4; turn++) {
    called.push(list.current);
    list = nextServer(list);
  }
  assertEquals(called, [a, b, c, a]);
});

Deno.test("serverList() has each server once", () => {
  assertEquals(serverList(a, b, { ...a }).known, [a, b]);
});

Deno.test("redirected() calls the server that was named, and the known ones when that does not answer", () => {
  const list = redirected(nextServer(serverList(a, b)), c);
  assertEquals(list.current, c);
  assertEquals(serverCount(list), 3);
  assertEquals(nextServer(list).current, a);
  assertEquals(serverCount(nextServer(list)), 2);
});

Deno.test("redirected() to a known server goes on from that one", () => {
  const list = redirected(serverList(a, b, c), b);
  assertEquals(serverCount(list), 3);
  assertEquals(nextServer(list).current, c);
});

Deno.test("withBackups() puts the backups in front, and leaves the current server what it is", () => {
  const list = withBackups(serverList(a, b), [c, b]);
  assertEquals(list.known, [c, b, a]);
  assertEquals(list.current, a);
});

Deno.test("withBackups() replaces earlier backups and loses no configured server", () => {
  const list = withBackups(withBackups(serverList(a, b), [c]), [d, a]);
  assertEquals(list.known, [d, a, b]);
  assertEquals(withBackups(list, []).known, [a, b]);
});

Deno.test("nextBest() goes to the best server but the one that was lost, and on from there", () => {
  const list = nextBest(withBackups(serverList(a, d), [b, c]));
  assertEquals(list.current, b);
  assertEquals(nextServer(list).current, c);
  assertEquals(nextServer(nextServer(list)).current, a);
  assertEquals(nextBest(list).current, c);
});

Deno.test("nextBest() goes back to the only server", () => {
  assertEquals(nextBest(serverList(a)).current, a);
});

Deno.test("redirected() keeps the backups", () => {
  const list = nextServer(redirected(withBackups(serverList(a), [b]), d));
  assertEquals(list.current, b);
  assertEquals(serverCount(list), 2);
});
