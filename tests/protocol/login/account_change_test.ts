import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { toHex } from "../../../platform/hex.ts";
import { ACCOUNT_CHANGES, type NewKeys, openChange, sealChange } from "../../../protocol/login/account_change.ts";
import {
  challenge,
  checkChangeKey,
  clientFirst,
  keysOf,
  nonceOf,
  prove,
  readClientFirst,
  readServerFirst,
} from "../../../protocol/login/scram.ts";

const random = (length: number) => nodeCrypto.randomBytes(length);
const KEY = random(32);
const KEYS: NewKeys = { salt: random(16), storedKey: random(32), serverKey: random(32) };

Deno.test("both sides of an exchange have one key for what comes with the proof, and a listener has none", () => {
  const derived = random(32);
  const { first, text } = clientFirst("anna", nonceOf(random(18)));
  const talk = challenge(readClientFirst(text)!, nonceOf(random(18)), { salt: random(16), cost: 16_384 });
  const read = readServerFirst(first, talk.serverFirst);
  assert(read.ok);
  const { response, changeKey } = prove(read.talk, derived, nodeCrypto);
  const keys = keysOf(derived, nodeCrypto);
  assertEquals(checkChangeKey(talk, response, keys, nodeCrypto), changeKey);
  assertEquals(checkChangeKey(talk, response, keysOf(random(32), nodeCrypto), nodeCrypto), undefined);
  // It is none of what is said, or kept, or proved.
  for (const other of [keys.storedKey, keys.serverKey, derived]) assertNotEquals(changeKey, other);
  const again = challenge(readClientFirst(text)!, nonceOf(random(18)), { salt: random(16), cost: 16_384 });
  assertNotEquals(prove(again, derived, nodeCrypto).changeKey, changeKey);
});

Deno.test("openChange() gives what sealChange() has sealed", () => {
  assertEquals(openChange(KEY, "secret", sealChange(KEY, "secret", KEYS, nodeCrypto), nodeCrypto), {
    kind: "secret",
    keys: KEYS,
  });
  assertEquals(openChange(KEY, "forget", sealChange(KEY, "forget", undefined, nodeCrypto), nodeCrypto), {
    kind: "forget",
  });
});

Deno.test("a sealed change shows nothing of the keys", () => {
  const sealed = Uint8Array.from(atob(sealChange(KEY, "secret", KEYS, nodeCrypto)), (text) => text.charCodeAt(0));
  const hex = toHex(sealed);
  for (const part of Object.values(KEYS)) assert(!hex.includes(toHex(part)));
});

Deno.test("a sealed change opens as no other one, with no other key, and not when a bit of it is changed", () => {
  const sealed = sealChange(KEY, "secret", KEYS, nodeCrypto);
  assertEquals(openChange(random(32), "secret", sealed, nodeCrypto), undefined);
  assertEquals(openChange(KEY, "forget", sealed, nodeCrypto), undefined);
  // A change that takes the account away may not be made of one that does not.
  assertEquals(openChange(KEY, "secret", sealChange(KEY, "forget", undefined, nodeCrypto), nodeCrypto), undefined);
  const bytes = Uint8Array.from(atob(sealed), (text) => text.charCodeAt(0));
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    const text = btoa(String.fromCharCode(...changed));
    assertEquals(openChange(KEY, "secret", text, nodeCrypto), undefined, `byte ${at}`);
  }
});

Deno.test("openChange() takes any text without a fault", () => {
  fc.assert(fc.property(fc.string(), fc.constantFrom(...ACCOUNT_CHANGES), (text, change) => {
    assertEquals(openChange(KEY, change, text, nodeCrypto), undefined);
  }));
  for (const text of ["====", "A".repeat(152), "A".repeat(148) + "====", "*".repeat(152)]) {
    assertEquals(openChange(KEY, "secret", text, nodeCrypto), undefined);
  }
});
