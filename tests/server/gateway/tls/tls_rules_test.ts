import { assertEquals } from "@std/assert";
import { DEFAULT_CONFIG, type TlsConfig } from "../../../../config/config.ts";
import { tlsSupport } from "../../../../platform/tls/tls_support.ts";
import { tlsProblem } from "../../../../server/gateway/tls/tls_rules.ts";

const FILES = { cert: "server.pem", key: "server.key" };

function problem(tls: Partial<TlsConfig>, deno = "2.9.6"): string | undefined {
  return tlsProblem({ ...DEFAULT_CONFIG.tls, ...tls }, tlsSupport(deno), deno);
}

Deno.test("a certificate and its key go together, and all else of TLS needs them", () => {
  assertEquals(problem({}), undefined);
  assertEquals(problem({}, "2.5.7"), undefined);
  assertEquals(problem(FILES), undefined);
  assertEquals(problem({ cert: "server.pem" }), '"tls.cert" and "tls.key" go together');
  assertEquals(problem({ key: "server.key" }), '"tls.cert" and "tls.key" go together');
  assertEquals(problem({ ca: "ca.pem" }), '"tls.ca" needs "tls.cert" and "tls.key"');
  assertEquals(problem({ required: true }), '"tls.required" needs "tls.cert" and "tls.key"');
  assertEquals(problem({ port: 9000 }), '"tls.port" needs "tls.cert" and "tls.key"');
});

Deno.test("Deno before 2.8 needs a port for TLS alone", () => {
  const words = '"tls.port" has to be given: Deno 2.7.14 cannot take TLS on the port of the server, as 2.8 does';
  assertEquals(problem(FILES, "2.7.14"), words);
  assertEquals(problem({ ...FILES, port: 9000 }, "2.7.14"), undefined);
  assertEquals(problem(FILES, "2.8.0"), undefined);
});

Deno.test("no server asks for certificates where Deno takes callers without, or lets others in without TLS", () => {
  const asking = { ...FILES, ca: "ca.pem", clientAuth: true, required: true };
  assertEquals(problem(asking), undefined);
  assertEquals(problem(asking, "2.8.1"), undefined);
  assertEquals(problem(asking, "2.8.0"), '"tls.clientAuth" needs Deno 2.8.1, and this is 2.8.0');
  assertEquals(problem({ ...asking, port: 9000 }, "2.5.7"), '"tls.clientAuth" needs Deno 2.8.1, and this is 2.5.7');
  assertEquals(
    problem({ ...asking, ca: "" }),
    '"tls.clientAuth" needs "tls.ca", which says whose certificates are good',
  );
  assertEquals(
    problem({ ...asking, required: false }),
    '"tls.clientAuth" needs "tls.required": without it anybody comes in without TLS',
  );
});
