/** What the section `tls` of a door may say. */

import { assertEquals } from "@std/assert";
import { DEFAULT_CONFIG, type DoorTlsConfig } from "../../../../config/config.ts";
import { tlsSupport } from "../../../../platform/tls/tls_support.ts";
import { doorTlsProblem } from "../../../../server/gateway/tls/door_tls_rules.ts";

function problem(
  wish: Partial<DoorTlsConfig>,
  { door = "http" as "http" | "grpc", deno = "2.9.6", hasTls = true } = {},
) {
  return doorTlsProblem(door, { ...DEFAULT_CONFIG.gateway[door].tls, ...wish }, tlsSupport(deno), deno, hasTls);
}

Deno.test("a door has the TLS of the server, its own, or none", () => {
  const files = { cert: "a", key: "b" };
  assertEquals(problem({}), undefined);
  assertEquals(problem({ use: "off" }), undefined);
  assertEquals(problem({ use: "own", ...files }), undefined);
  assertEquals(problem({ use: "own", ...files, ca: "c", clientAuth: true }), undefined);
});

Deno.test("a key that would mean nothing, or one that is missing, is named", () => {
  assertEquals(problem({ cert: "a" }), '"gateway.http.tls.cert" needs "gateway.http.tls.use" to be "own"');
  assertEquals(
    problem({ use: "off", clientAuth: true }),
    '"gateway.http.tls.clientAuth" needs "gateway.http.tls.use" to be "own"',
  );
  assertEquals(
    problem({ use: "own", cert: "a" }, { door: "grpc" }),
    '"gateway.grpc.tls.use" is "own", so "gateway.grpc.tls.cert" and "gateway.grpc.tls.key" are needed',
  );
  assertEquals(
    problem({ use: "own", cert: "a", key: "b", clientAuth: true }),
    '"gateway.http.tls.clientAuth" needs "gateway.http.tls.ca", which says whose certificates are good',
  );
});

Deno.test("what an older Deno cannot do is said", () => {
  const own = { use: "own", cert: "a", key: "b", ca: "c", clientAuth: true } as const;
  assertEquals(problem(own, { deno: "2.8.0" }), '"gateway.http.tls.clientAuth" needs Deno 2.8.1, and this is 2.8.0');
  assertEquals(
    problem({}, { deno: "2.5.7" }),
    'a door has TLS from Deno 2.8 on, and this is 2.5.7: "gateway.http.tls.use" can be "off"',
  );
  assertEquals(problem({ use: "off" }, { deno: "2.5.7", hasTls: false }), undefined);
  assertEquals(problem({}, { door: "grpc", deno: "2.5.7", hasTls: false }), undefined);
});
