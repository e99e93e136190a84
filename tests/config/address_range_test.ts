/** Ranges of addresses, compared with those of the runtime. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { BlockList } from "node:net";
import { AddressRanges, addressRangeText, isWithin, parseAddressRange } from "../../config/address_range.ts";

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

Deno.test("a range has one text, however it was written", () => {
  const texts: [given: string, text: string | undefined][] = [
    ["10.1.2.3", "10.1.2.3"],
    ["10.1.2.3/32", "10.1.2.3"],
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:DB8::1", "2001:db8::1"],
    ["2001:db8:0:0:1:0:0:1/128", "2001:db8::1:0:0:1"],
    ["2001:db8:1:2:3:4:5:6/64", "2001:db8:1:2::/64"],
    ["::/0", "::/0"],
    ["::1", "::1"],
    ["fe80::/10", "fe80::/10"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"],
    ["10.1.2/24", undefined],
    ["10.1.2.256", undefined],
    ["10.1.2.3/33", undefined],
    ["2001:db8::/129", undefined],
    ["1::2::3", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["12345::", undefined],
    ["", undefined],
    ["localhost", undefined],
  ];
  for (const [given, text] of texts) {
    const range = parseAddressRange(given);
    assertEquals(range && addressRangeText(range), text, given);
  }
});

Deno.test("the text of any range of IPv6 is read as a range of the same addresses", () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(
      fc.array(group, { minLength: 8, maxLength: 8 }),
      fc.integer({ min: 0, max: 128 }),
      (groups, prefix) => {
        const address = groups.map((part) => part.toString(16)).join(":");
        const text = addressRangeText(parseAddressRange(`${address}/${prefix}`)!);
        const read = parseAddressRange(text)!;
        assertEquals([read.prefix, isWithin(read, address), addressRangeText(read)], [prefix, true, text]);
      },
    ),
  );
});

Deno.test("AddressRanges finds each range that holds an address, the widest first", () => {
  const ranges = new AddressRanges();
  const add = (text: string) => ranges.add(parseAddressRange(text)!);
  for (const text of ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0"]) add(text);
  const holding = (address: string) => ranges.holding(address).map(addressRangeText);
  assertEquals(holding("10.1.2.3"), ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"]);
  assertEquals(holding("::ffff:10.1.2.4"), ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16"]);
  assertEquals(holding("2001:db8:ffff::1"), ["2001:db8::/32"]);
  assertEquals(holding("2001:db9::1"), []);
  assertEquals(holding("no address"), []);
  ranges.delete(parseAddressRange("10.0.0.0/8")!);
  assertEquals(holding("10.9.9.9"), ["0.0.0.0/0"]);
});
