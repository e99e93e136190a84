import { assert, assertEquals } from "@std/assert";
import { answersAt, isUnspecified, networkOf } from "../../platform/address.ts";

Deno.test("networkOf() gives an IPv4 address itself, and of IPv6 the network of 64 bits, however it is written", () => {
  assertEquals(networkOf("127.0.0.1"), "127.0.0.1");
  assertEquals(networkOf("::ffff:127.0.0.1"), "127.0.0.1");
  assertEquals(networkOf("2001:db8:0:1::5"), "2001:db8:0:1");
  assertEquals(networkOf("2001:DB8::1:a:b:c:d"), "2001:db8:0:1");
  assertEquals(networkOf("2001:0db8:0000:0001:ffff:ffff:ffff:ffff"), "2001:db8:0:1");
  assertEquals(networkOf("::1"), "0:0:0:0");
  assertEquals(networkOf("fe80::1%eth0"), "fe80:0:0:0");
  assertEquals(networkOf(""), "");
});

Deno.test("isUnspecified() knows the addresses on which a server listens everywhere", () => {
  for (const host of ["", "0.0.0.0", "::"]) assertEquals(isUnspecified(host), true, host);
  for (const host of ["127.0.0.1", "::1", "0.0.0.1", "localhost"]) assertEquals(isUnspecified(host), false, host);
});

Deno.test("answersAt() knows a program's own address, however it is written, and no other of its machine", () => {
  const own: [string, string[], string[]][] = [
    ["127.0.0.1", ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "::1", "10.0.0.1"]],
    ["localhost", ["127.0.0.1", "::1"], ["127.0.0.2", "10.0.0.1"]],
    ["0.0.0.0", ["127.0.0.1", "127.0.0.2"], ["10.0.0.1"]],
    ["::", ["::1", "127.0.0.1"], ["10.0.0.1", "fe80::1"]],
    ["10.0.0.1", ["10.0.0.1"], ["127.0.0.1", "10.0.0.2"]],
  ];
  for (const [host, same, others] of own) {
    for (const called of same) {
      assert(answersAt({ host, port: 8000 }, { host: called, port: 8000 }), `${host} ${called}`);
    }
    for (const called of same) assert(!answersAt({ host, port: 8000 }, { host: called, port: 8001 }));
    for (const called of others) assert(!answersAt({ host, port: 8000 }, { host: called, port: 8000 }), called);
  }
});
