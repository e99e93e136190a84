/** Which gateways the page calls, from what strangers say in a view. */

import { assertEquals } from "@std/assert";
import {
  gatewayAt,
  gatewaysInOrder,
  knownServers,
  lineUrl,
  nextBest,
  nextInTurn,
  originOf,
  withPass,
} from "../../dashboard/client/gateways.js";
import { Surroundings } from "../../dashboard/client/surroundings.js";

const HOME = { host: "localhost:8080", isSecure: false };

function server(port: number, http: unknown, more: object = {}) {
  return { name: `127.0.0.1:${port}`, host: "127.0.0.1", port, http, state: "linked", ...more };
}

const VIEW = {
  from: "a",
  servers: {
    a: server(8000, "127.0.0.1:8080", { state: "self" }),
    b: server(8001, "127.0.0.1:8081"),
    c: server(8002, null),
    d: server(8003, "127.0.0.1:8083"),
  },
};

function gateways(view: unknown, home = HOME): (string | undefined)[] {
  return knownServers(view, home).map(({ gateway }) => gateway);
}

Deno.test("knownServers() takes the page's own address for its own server, and the announced ones for others", () => {
  assertEquals(gateways(VIEW), ["localhost:8080", "127.0.0.1:8081", undefined, "127.0.0.1:8083"]);
});

Deno.test("gatewaysInOrder() puts the network's backups first, the page's own last, and leaves out who is gone", () => {
  const servers = knownServers(VIEW, HOME);
  assertEquals(gatewaysInOrder(servers, [], HOME), ["127.0.0.1:8081", "127.0.0.1:8083", "localhost:8080"]);
  const backups = [
    { serverId: "d", host: "127.0.0.1", port: 8003 },
    { serverId: "c", host: "127.0.0.1", port: 8002 },
    { serverId: "nobody", host: "127.0.0.1", port: 1 },
  ];
  assertEquals(gatewaysInOrder(servers, backups, HOME), ["127.0.0.1:8083", "127.0.0.1:8081", "localhost:8080"]);
  const dead = { ...VIEW, servers: { ...VIEW.servers, d: server(8003, "127.0.0.1:8083", { state: "dead" }) } };
  assertEquals(gatewaysInOrder(knownServers(dead, HOME), backups, HOME), ["127.0.0.1:8081", "localhost:8080"]);
  // A page whose own server was dead in some view still calls it.
  assertEquals(gatewaysInOrder([], [], HOME), ["localhost:8080"]);
});

Deno.test("a loopback gateway of another machine, or for a page from another machine, is nobody's", () => {
  const elsewhere = {
    from: "a",
    servers: { a: VIEW.servers.a, b: server(8001, "127.0.0.1:8081", { host: "10.0.0.2" }) },
  };
  assertEquals(gateways(elsewhere), ["localhost:8080", undefined]);
  assertEquals(gateways(VIEW, { host: "192.168.1.5:8080", isSecure: false }).slice(1), [
    undefined,
    undefined,
    undefined,
  ]);
  const reachable = {
    from: "a",
    servers: { a: VIEW.servers.a, b: server(8001, "10.0.0.2:8081", { host: "10.0.0.2" }) },
  };
  assertEquals(gateways(reachable), ["localhost:8080", "10.0.0.2:8081"]);
  // One that calls itself by its own address is on this machine all the same.
  const named = {
    from: "a",
    servers: { a: { ...VIEW.servers.a, host: "10.0.0.1" }, b: server(8001, "127.0.0.1:8081", { host: "10.0.0.1" }) },
  };
  assertEquals(gateways(named), ["localhost:8080", "127.0.0.1:8081"]);
});

Deno.test("a page that came over TLS calls gateways with TLS only, as browsers allow nothing else", () => {
  const home = { host: "thrum.example", isSecure: true };
  const view = {
    from: "a",
    servers: { a: server(8000, null), b: server(8001, "10.0.0.2:8081", { host: "10.0.0.2" }) },
  };
  assertEquals(gatewaysInOrder(knownServers(view, home), [], home), ["thrum.example"]);
  assertEquals(lineUrl("thrum.example", home), "wss://thrum.example/line");
  assertEquals(lineUrl("[::1]:8080", HOME), "ws://[::1]:8080/line");
  const secure = server(8001, "https://10.0.0.2:8081", { host: "10.0.0.2" });
  const both = { ...view, servers: { ...view.servers, c: secure } };
  assertEquals(gatewaysInOrder(knownServers(both, home), [], home), ["https://10.0.0.2:8081", "thrum.example"]);
  assertEquals(lineUrl("https://10.0.0.2:8081", home), "wss://10.0.0.2:8081/line");
  // A page that came without may call both.
  assertEquals(lineUrl("https://10.0.0.2:8081", HOME), "wss://10.0.0.2:8081/line");
  assertEquals([originOf("https://10.0.0.2:8081"), originOf("10.0.0.2:8081")], [
    "https://10.0.0.2:8081",
    "http://10.0.0.2:8081",
  ]);
});

Deno.test("a view that makes no sense names nobody, and no gateway but HOST:PORT is taken", () => {
  for (const view of [null, 7, [], {}, { servers: [] }, { servers: { a: null, b: 1, c: {} } }]) {
    assertEquals(knownServers(view, HOME), []);
  }
  for (const http of ["", "evil", "user@host:80", "host:80/path", "host:80#x", "host:port", 8080, { host: "x" }]) {
    assertEquals(gateways({ from: "a", servers: { a: VIEW.servers.a, b: server(8001, http) } }), [
      "localhost:8080",
      undefined,
    ]);
  }
});

Deno.test("gatewayAt() finds the gateway of the server that a REDIRECT names", () => {
  const servers = knownServers(VIEW, HOME);
  assertEquals(gatewayAt(servers, "127.0.0.1", 8001), "127.0.0.1:8081");
  assertEquals(gatewayAt(servers, "127.0.0.1", 8002), undefined);
  assertEquals(gatewayAt(servers, "127.0.0.1", 9), undefined);
});

Deno.test("the one that was lost is not called before the others were, round and round", () => {
  const known = ["b", "c", "home"];
  assertEquals([nextBest(known, "home"), nextBest(known, "b"), nextBest(["home"], "home")], ["b", "c", "home"]);
  assertEquals([nextInTurn(known, "b"), nextInTurn(known, "home"), nextInTurn(known, "gone")], ["c", "b", "b"]);
});

Deno.test("a server is called by its address, and by its id too where another one was there before", () => {
  const surroundings = new Surroundings(HOME);
  assertEquals(surroundings.nameOf("s-1"), "s-1");
  const server = { name: "127.0.0.1:8000", host: "127.0.0.1", port: 8000 };
  surroundings.learn({ from: "s-1", servers: { "s-1": server, "s-2": { ...server, name: "127.0.0.1:8001" } } });
  assertEquals(["s-1", "s-2", "s-3"].map((id) => surroundings.nameOf(id)), ["127.0.0.1:8000", "127.0.0.1:8001", "s-3"]);
  surroundings.learn({ from: "s-1", servers: { "s-1": server, "s-0": { ...server, state: "dead" } } });
  assertEquals(surroundings.nameOf("s-0"), "127.0.0.1:8000 · s-0");
});

Deno.test("a pass is for other gateways: the page's own knows it by its cookie", () => {
  const home = { host: "one:8080", isSecure: false };
  assertEquals(withPass("ws://two:8080/line", "a+b", home), "ws://two:8080/line?pass=a%2Bb");
  assertEquals(withPass("ws://one:8080/line", "a", home), "ws://one:8080/line");
  assertEquals(withPass("ws://two:8080/line", "", home), "ws://two:8080/line");
});
