/** Passes, with which pages of other servers look here (docs/dashboard.md). */

import { assert, assertEquals } from "@std/assert";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { makeLookPass, PASS_MS, worthOfPass } from "../../../../server/gateway/http/look_pass.ts";
import { passIn } from "../../../../server/gateway/http/other_pages.ts";
import { request } from "./_world.ts";

const NOW = 1_796_000_000_000;
const KEYS: Readonly<Record<string, string>> = { "s-1": "a".repeat(64), "s.2": "b".repeat(64), "s-3": "" };
const PASS = { serverId: "s.2", issuedAt: NOW, endsAt: NOW + 3_600_000 };

function worth(text: string, nowMs = NOW): number | undefined {
  return worthOfPass(text, nowMs, (serverId) => KEYS[serverId], nodeCrypto);
}

Deno.test("a pass of a server of the network counts for some minutes, and no longer than its session", () => {
  const pass = makeLookPass(KEYS["s.2"]!, PASS, nodeCrypto);
  assertEquals(worth(pass), PASS.endsAt);
  assertEquals(worth(pass, NOW + PASS_MS), PASS.endsAt);
  assertEquals(worth(pass, NOW + PASS_MS + 120_000), undefined);
  // Clocks differ.
  assertEquals([worth(pass, NOW - 100_000), worth(pass, NOW - 130_000)], [PASS.endsAt, undefined]);
  const short = makeLookPass(KEYS["s.2"]!, { ...PASS, endsAt: NOW + 1_000 }, nodeCrypto);
  assertEquals([worth(short, NOW + 999), worth(short, NOW + 1_000)], [NOW + 1_000, undefined]);
});

Deno.test("what no server of the network has made is no pass", () => {
  const pass = makeLookPass(KEYS["s.2"]!, PASS, nodeCrypto);
  for (let at = 0; at < pass.length; at++) {
    const other = pass[at] === "0" ? "1" : "0";
    assertEquals(worth(pass.slice(0, at) + other + pass.slice(at + 1)), undefined, `${at}`);
  }
  const others = [
    makeLookPass(KEYS["s-1"]!, PASS, nodeCrypto),
    makeLookPass(KEYS["s-1"]!, { ...PASS, serverId: "s-9" }, nodeCrypto),
    makeLookPass("", { ...PASS, serverId: "s-3" }, nodeCrypto),
  ];
  for (const text of [...others, "", ".", pass.slice(1), `${pass}0`, pass.toUpperCase(), "x".repeat(10_000)]) {
    assertEquals(worth(text), undefined);
  }
});

Deno.test("a pass is looked for only where a page of another server may read", () => {
  for (const path of ["/api/network", "/api/events", "/api/diagram.svg", "/api/pass"]) {
    assertEquals(passIn(request(`GET ${path}?x=1&pass=a.b%2Bc`)), "a.b+c");
  }
  assertEquals(passIn(request("GET /line?pass=a", { upgrade: "websocket" })), "a");
  for (const line of ["GET /?pass=a", "GET /metrics?pass=a", "POST /api/drain?pass=a", "GET /line?pass=a", "GET /x"]) {
    assertEquals(passIn(request(line)), "", line);
  }
  assert(passIn(request("GET /api/network")) === "");
});
