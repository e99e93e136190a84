/** What an operator may ask at the gateway, and what is refused before anything happens. */

import { assertEquals } from "@std/assert";
import {
  ADMIN_SHAPES,
  type AdminPath,
  readAdminRequest,
} from "../../../../../server/gateway/http/admin/admin_request.ts";

Deno.test("readAdminRequest() reads what the paths take, and nothing more", () => {
  const read = (path: AdminPath, body: unknown) => readAdminRequest(path, JSON.stringify(body));
  assertEquals(read("/api/rule", { kind: "ban", about: "eve", until: 9, why: "spam", verifier: "x", by: "me" }), {
    kind: "rule",
    ruling: { kind: "ban", about: "eve", until: 9, why: "spam" },
  });
  assertEquals(read("/api/rule", { kind: "disabled", about: "eve", lifts: true }), {
    kind: "rule",
    ruling: { kind: "disabled", about: "eve", lifts: true },
  });
  assertEquals(read("/api/reset", { user: "eve" }), { kind: "reset", user: "eve" });
  assertEquals(read("/api/close", { address: "10.0.0.0/8" }), {
    kind: "everywhere",
    order: { kind: "disconnectAll", address: "10.0.0.0/8" },
  });
  assertEquals(read("/api/invite", { uses: 3 }), { kind: "invite", uses: 3, until: null });
  assertEquals(read("/api/invite", { uses: 3, until: 9, note: "class 3" }), {
    ...{ kind: "invite", uses: 3, until: 9, note: "class 3" },
  });
  assertEquals(read("/api/withdraw", { invitation: "4be1" }), { kind: "withdraw", invitation: "4be1" });
  assertEquals(read("/api/role", { user: "eve", roles: [] }), { kind: "role", user: "eve", roles: [] });
  assertEquals(read("/api/role", { user: "eve", roles: ["x"] }), { kind: "role", user: "eve", roles: ["x"] });
  assertEquals(read("/api/token", { role: "look" }), { kind: "token", role: "look", ends: false });
  assertEquals(read("/api/token", { role: "act", ends: true }), { kind: "token", role: "act", ends: true });
  assertEquals(read("/api/log-level", { level: "debug" }), {
    kind: "everywhere",
    order: { kind: "logLevel", level: "debug" },
  });
});

Deno.test("readAdminRequest() takes a reload for all servers or for one, and a secret for as long as is said", () => {
  const read = (path: AdminPath, body: unknown) => readAdminRequest(path, JSON.stringify(body));
  const reload = { kind: "everywhere", order: { kind: "reload" } } as const;
  assertEquals(read("/api/reload", {}), reload);
  assertEquals(read("/api/reload", { server: "s-1" }), { ...reload, only: "s-1" });
  for (const wrong of [[], null, { server: 1 }, { server: "not a server" }]) {
    assertEquals(read("/api/reload", wrong), { wrong: ADMIN_SHAPES["/api/reload"] });
  }
  const secret = "open sesame, open";
  assertEquals(read("/api/network-secret", { secret }), { kind: "networkSecret", secret, lastsMs: 86_400_000 });
  assertEquals(read("/api/network-secret", { secret, lastsMs: 9 }), { kind: "networkSecret", secret, lastsMs: 9 });
});

Deno.test("readAdminRequest() answers every other body with what it has to be", () => {
  const bodies = [
    ...["", "[]", "null", "1", "{}", '{"user":1}', '{"level":"loud"}', '{"user":"a","address":"10.0.0.1"}'],
    ...['{"address":"anna"}', '{"kind":"secret","about":"eve","verifier":"x"}', '{"kind":"ban"}'],
    ...['{"kind":"ban","about":"eve","lifts":1}', '{"kind":"ban","about":"eve","until":"tomorrow"}'],
    ...['{"uses":1,"note":2}', `{"invitation":"${"4".repeat(129)}"}`, '{"user":"eve","roles":"x","address":"::1"}'],
    ...['{"user":"eve","roles":[1],"address":"::1"}'],
    ...['{"kind":"role","about":"eve"}', '{"kind":"ban","about":"eve","why":1}'],
  ];
  for (const path of Object.keys(ADMIN_SHAPES).filter((path) => path !== "/api/reload") as AdminPath[]) {
    for (const body of bodies) {
      const isRight = path === "/api/reset" && /"user":"(?:a|eve)"/.test(body) || path === "/api/close" && body === "";
      if (!isRight) assertEquals(readAdminRequest(path, body), { wrong: ADMIN_SHAPES[path] }, `${path} ${body}`);
    }
  }
});
