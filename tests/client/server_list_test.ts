import { assertEquals } from "@std/assert";
import { nextServer, redirected, serverCount, serverList } from "../../client/server_list.ts";

const a = { host: "a", port: 1 };
const b = { host: "b", port: 1 };
const c = { host: "c", port: 1 };

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
