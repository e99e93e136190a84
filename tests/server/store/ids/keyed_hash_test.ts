/** The keyed hash of message ids: the published values, and that no two pairs share one. */

import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { chaskey, chaskeyKeys, KeyedHash } from "../../../../server/store/ids/keyed_hash.ts";

const KEY = new Uint8Array(new Int32Array([0x833d3433, 0x009f389f, 0x2398e64f, 0x417acf39]).buffer);

/** Of the bytes 0, 1, 2 and so on, from the reference implementation of Chaskey-12. */
const KNOWN: readonly [length: number, mac: readonly number[]][] = [
  [0, [0x43cb1f41, 0x51eba0c2, 0xff0a8ac3, 0x7ee3f642]],
  [1, [0xf9ac2067, 0x9c35a846, 0x441aad3d, 0x777b7330]],
  [15, [0x03cfb44b, 0x283c8163, 0xfca71448, 0xc40a0aea]],
  [16, [0x5dd0e2a9, 0xfb5eac8c, 0x633a392e, 0x500c36f3]],
  [17, [0x8b5f6d5a, 0x202314f6, 0x22092368, 0x9639e606]],
  [32, [0x77962784, 0x07c647fa, 0xdd752c0f, 0xd2f5a799]],
  [63, [0x2dd072e1, 0x42b89efe, 0xfb26b615, 0x049aa451]],
];

Deno.test("chaskey() gives the published values", () => {
  for (const [length, mac] of KNOWN) {
    const bytes = new Uint8Array(64);
    for (let at = 0; at < length; at++) bytes[at] = at;
    const out = new Int32Array(4);
    chaskey(new Int32Array(bytes.buffer), length, chaskeyKeys(KEY), out);
    assertEquals([...out].map((word) => word >>> 0), mac, `of ${length} bytes`);
  }
  assertThrows(() => chaskeyKeys(new Uint8Array(15)), RangeError);
});

Deno.test("KeyedHash.hash() tells any two pairs of name and id apart, and depends on the key", () => {
  const [hash, other] = [new KeyedHash(KEY), new KeyedHash(new Uint8Array(16))];
  const of = (by: KeyedHash, username: string, messageId: string) => {
    by.hash(username, messageId);
    return by.out.slice(0, 3).join();
  };
  const pairs = [
    ...[["b", "ob"], ["bo", "b"], ["bob", ""], ["", "bob"], ["bob", "\0"], ["bob", "\0\0"], ["", "\x01"], ["", "Ā"]],
    ...[["", "\ud800"], ["", "\udc00"], ["", "😀"], ["é", ""], ["", "é"], ["", "\xff"], ["", ""]],
    ...Array.from({ length: 300 }, (_, length) => ["anna", "x".repeat(length)]),
    ...Array.from({ length: 300 }, (_, length) => ["eve", "ж".repeat(length)]),
    ["x".repeat(5_000), "y".repeat(5_000)],
  ];
  const found = new Map<string, string>();
  for (const [username, messageId] of pairs) {
    const key = of(hash, username!, messageId!);
    // What was hashed before does not matter.
    assertEquals(of(hash, username!, messageId!), key);
    assertNotEquals(of(other, username!, messageId!), key);
    const pair = JSON.stringify([username, messageId]);
    assertEquals(found.get(key), undefined, `${pair} and ${found.get(key)}`);
    found.set(key, pair);
  }
});
