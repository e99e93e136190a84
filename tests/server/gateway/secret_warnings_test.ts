import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ConfigLayer, DEFAULT_CONFIG } from "../../../config/config.ts";
import { layered } from "../../../config/load.ts";
import { secretWarnings } from "../../../server/gateway/secret_warnings.ts";

function warningsFor(layer: ConfigLayer): string[] {
  return secretWarnings(layered(DEFAULT_CONFIG, layer));
}

Deno.test("a server that only its own machine reaches warns of nothing", () => {
  for (const host of ["127.0.0.1", "::1", "localhost", "127.0.0.2"]) {
    assertEquals(warningsFor({ server: { host } }), [], host);
  }
});

Deno.test("a server that others reach says that secrets may come in clear, unless it takes none", () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "example.org"]) {
    const [warning, ...rest] = warningsFor({ server: { host } });
    assertStringIncludes(warning!, "auth.clearSecrets");
    assertEquals(rest, []);
    assertEquals(warningsFor({ server: { host }, auth: { clearSecrets: false } }), []);
    assertEquals(warningsFor({ server: { host }, tls: { required: true } }), []);
  }
});

Deno.test("a server that tells the secret of the network to others says so, wherever it listens", () => {
  const [warning] = warningsFor({ cluster: { clearSecret: "upgrade" } });
  assertStringIncludes(warning!, "cluster.clearSecret");
});

Deno.test("a gateway where operators may show tokens in clear says so, if others reach it and it has no TLS", () => {
  const gateway = (listen: string, http: NonNullable<NonNullable<ConfigLayer["gateway"]>["http"]> = {}) => ({
    gateway: { http: { listen, clearToken: true, ...http } },
  });
  for (const listen of ["0.0.0.0:8080", "[::]:8080", "thrum.lan:8080"]) {
    assertStringIncludes(warningsFor(gateway(listen))[0] ?? "", "gateway.http.clearToken", listen);
    assertEquals(warningsFor(gateway(listen, { clearToken: false })), []);
    assertEquals(warningsFor(gateway(listen, { tls: { use: "own", cert: "a.pem", key: "a-key.pem" } })), []);
    assertEquals(warningsFor({ ...gateway(listen), tls: { cert: "a.pem", key: "a-key.pem" } }), []);
    // TLS of the server is none of the gateway.
    const off = { ...gateway(listen, { tls: { use: "off" } }), tls: { cert: "a.pem", key: "a-key.pem" } } as const;
    assertEquals(warningsFor(off).length, 1);
  }
  assertEquals(warningsFor(gateway("8080")), []);
});
