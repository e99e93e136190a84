import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { callerOf, proxiesOf } from "../../../../server/gateway/http/caller.ts";

function caller(remoteHost: string, forwarded: string | undefined, proxies: string[]): string {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return callerOf(
    { method: "GET", target: "/", headers, remoteHost, remotePort: 1, isSecure: false },
    proxiesOf(proxies),
  );
}

Deno.test("callerOf() believes X-Forwarded-For from trusted proxies only, and the last address that is none of them", () => {
  assertEquals(caller("10.0.0.1", "1.2.3.4", []), "10.0.0.1");
  assertEquals(caller("10.0.0.1", undefined, ["10.0.0.1"]), "10.0.0.1");
  assertEquals(caller("10.0.0.1", "1.2.3.4", ["10.0.0.1"]), "1.2.3.4");
  assertEquals(caller("::ffff:10.0.0.1", "1.2.3.4", ["10.0.0.1"]), "1.2.3.4");
  // What the caller itself has said stands first.
  assertEquals(caller("10.0.0.1", "9.9.9.9, 1.2.3.4", ["10.0.0.1"]), "1.2.3.4");
  assertEquals(caller("10.0.0.1", "9.9.9.9, 1.2.3.4, 10.0.0.2", ["10.0.0.1", "10.0.0.2"]), "1.2.3.4");
  assertEquals(caller("fd00::1", " [2001:DB8::7]:443 ", ["FD00::1"]), "2001:DB8::7");
  assertEquals(caller("fd00::1", "1.2.3.4:5678", ["fd00::1"]), "1.2.3.4");
});

Deno.test("callerOf() takes what is no address for nothing: it is the proxy then", () => {
  for (const forwarded of ["", "unknown", "_hidden", "1.2.3.4, evil", "1.2.3", "a b", ",,", "localhost"]) {
    assertEquals(caller("10.0.0.1", forwarded, ["10.0.0.1"]), "10.0.0.1", forwarded);
  }
  fc.assert(fc.property(fc.string({ unit: "binary" }), (forwarded) => {
    const found = caller("10.0.0.1", forwarded, ["10.0.0.1"]);
    assertEquals(/^[0-9a-f:.]+$/i.test(found), true, found);
    assertEquals(caller("8.8.8.8", forwarded, ["10.0.0.1"]), "8.8.8.8");
  }));
});
