/** Ranges of addresses, compared with those of the runtime. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { BlockList } from "node:net";
import { isWithin, parseAddressRange } from "../../config/address_range.ts";

Deno.test("parseAddressRange() reads addresses and CIDR ranges, and nothing else", () => {
  for (const good of ["10.0.0.0/8", "127.0.0.1", "::1", "2001:db8::/32", "::/0", "0.0.0.0/0", "::ffff:10.0.0.1/128"]) {
    assertEquals(parseAddressRange(good) !== undefined, true, good);
  }
  for (
    const bad of [
      "",
      "10.0.0",
      "10.0.0.0/33",
      "010.0.0.1",
      "256.1.1.1",
      "1::2::3",
      ":::",
      "a",
      "::1/129",
      "::g",
      "1/",
      "/8",
    ]
  ) {
    assertEquals(parseAddressRange(bad), undefined, bad);
  }
});

Deno.test("an IPv4 address is in its range also where it came in on an IPv6 socket", () => {
  const range = parseAddressRange("10.1.0.0/16")!;
  assertEquals(["10.1.2.3", "::ffff:10.1.2.3", "10.2.0.1", "::1", "nonsense"].map((each) => isWithin(range, each)), [
    ...[true, true, false, false, false],
  ]);
});

Deno.test("isWithin() says what the runtime's own list says", () => {
  const v4 = fc.ipV4();
  const v6 = fc.ipV6();
  const check = (family: "ipv4" | "ipv6", most: number) => (base: string, address: string, prefix: number) => {
    const list = new BlockList();
    list.addSubnet(base, prefix % (most + 1), family);
    const range = parseAddressRange(`${base}/${prefix % (most + 1)}`)!;
    for (const each of [address, base]) assertEquals(isWithin(range, each), list.check(each, family), each);
  };
  fc.assert(fc.property(v4, v4, fc.nat(128), check("ipv4", 32)));
  fc.assert(fc.property(v6, v6, fc.nat(128), check("ipv6", 128)));
});
