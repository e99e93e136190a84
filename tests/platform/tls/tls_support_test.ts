import { assertEquals } from "@std/assert";
import { tlsSupport } from "../../../platform/tls/tls_support.ts";

Deno.test("one port speaks both, and a certificate is replaced, from Deno 2.8 on", () => {
  const had = ["2.5.7", "2.7.14", "2.8.0", "2.8.1", "2.9.6", "3.0.0"].map((version) => tlsSupport(version));
  assertEquals(had.map(({ hasOnePort }) => hasOnePort), [false, false, true, true, true, true]);
  assertEquals(had.map(({ hasReload }) => hasReload), [false, false, true, true, true, true]);
});

Deno.test("clients are asked for certificates from Deno 2.8.1 on", () => {
  const versions = ["1.46.3", "2.5.7", "2.7.13", "2.8.0", "2.8.1", "2.8.1-rc.1", "2.8.10", "2.10.0", "3.0.0", ""];
  assertEquals(
    versions.map((version) => tlsSupport(version).hasClientAuth),
    [false, false, false, false, true, true, true, true, true, false],
  );
});
