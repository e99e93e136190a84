/** Names and addresses, as certificates have them. */

import { assertEquals } from "@std/assert";
import { certificateHost, withOwnHosts } from "../../../../server/gateway/tls/certificate_hosts.ts";

Deno.test("certificateHost() gives names in small letters and addresses in their shortest form", () => {
  const hosts: Record<string, string> = {
    "alpha.lan": "alpha.lan",
    "ALPHA.Lan.": "alpha.lan",
    "a_b": "a_b",
    "*.lan": "*.lan",
    "münchen.lan": "xn--mnchen-3ya.lan",
    "192.168.1.5": "192.168.1.5",
    "FE80:0:0::1": "fe80::1",
  };
  for (const [text, host] of Object.entries(hosts)) assertEquals(certificateHost(text), host, text);
});

Deno.test("certificateHost() refuses what is no name, no address, or every machine", () => {
  const refused = ["", ".", "..", "*", "a*.lan", "a b", "-a", "a/b", "a@b", "http://a", "host:80", "host:81", "[::1]"];
  const numbers = ["1.2.3", "192.168.1.256", "192.168.01.5", "0x7f000001", "::g", "fe80::1%eth0", "0.0.0.0", "::"];
  for (const text of [...refused, ...numbers, "x".repeat(64), `${"x.".repeat(127)}x`]) {
    assertEquals(certificateHost(text), undefined, text);
  }
});

Deno.test("withOwnHosts() adds what every machine calls itself, and has each once", () => {
  assertEquals(withOwnHosts(["localhost", "a", "a"]), ["localhost", "a", "127.0.0.1", "::1"]);
});
