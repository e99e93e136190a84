import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { pbkdf2Sync } from "node:crypto";
import { nodeCrypto } from "../../../platform/crypto.ts";
import {
  challenge,
  checkProof,
  clientFirst,
  isOfOtherChannel,
  isUnbindable,
  keysOf,
  prove,
  readClientFirst,
  readServerFirst,
  type ScramTalk,
} from "../../../protocol/login/scram.ts";

const bytesOf = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const [NONCE, OTHER_NONCE] = ["c".repeat(24), "s".repeat(24)];
const DERIVATION = { salt: new Uint8Array(16).fill(7), cost: 16_384 };
const DERIVED = new Uint8Array(32).fill(1);
const KEYS = keysOf(DERIVED, nodeCrypto);

function talkOf(username = "anna", nonce = NONCE, serverNonce = OTHER_NONCE): ScramTalk {
  return challenge(clientFirst(username, nonce).first, serverNonce, DERIVATION);
}

Deno.test("the exchange is that of RFC 7677, section 3, from the salted password on", () => {
  const { first, text } = clientFirst("user", "rOprNGfwEbeRWgbNEkqO");
  assertEquals(text, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  const salt = bytesOf("W22ZaJ0SNY7soEsUEjb6gQ==");
  const talk = challenge(readClientFirst(text)!, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", { salt, cost: 4096 });
  assertEquals(
    talk.serverFirst,
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  );
  assertEquals(talk.first, first);
  const derived = new Uint8Array(pbkdf2Sync("pencil", salt, 4096, 32, "sha256"));
  const { response, serverFinal } = prove(talk, derived, nodeCrypto);
  assertEquals(
    response,
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
  );
  assertEquals(serverFinal, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  assertEquals(checkProof(talk, response, keysOf(derived, nodeCrypto), nodeCrypto), serverFinal);
});

Deno.test("a proof is good for its secret, and the server answers with its own", () => {
  const talk = talkOf();
  const { response, serverFinal } = prove(talk, DERIVED, nodeCrypto);
  assertEquals(checkProof(talk, response, KEYS, nodeCrypto), serverFinal);
  const wrong = prove(talk, new Uint8Array(32).fill(2), nodeCrypto);
  assertEquals(checkProof(talk, wrong.response, KEYS, nodeCrypto), undefined);
  assertNotEquals(wrong.serverFinal, serverFinal);
});

Deno.test("a proof that was recorded is worth nothing under any other nonce or name", () => {
  const { response } = prove(talkOf(), DERIVED, nodeCrypto);
  const others = [
    talkOf("anna", NONCE, "t".repeat(24)),
    talkOf("anna", "d".repeat(24)),
    // Both nonces, swapped.
    talkOf("anna", OTHER_NONCE, NONCE),
    talkOf("bob"),
  ];
  for (const talk of others) {
    assertEquals(checkProof(talk, response, KEYS, nodeCrypto), undefined);
    // With the nonces of the new exchange written into it.
    const altered = response.replace(/r=[^,]*/, `r=${talk.nonce}`);
    assertEquals(checkProof(talk, altered, KEYS, nodeCrypto), undefined);
  }
});

Deno.test("an exchange that is bound to a connection by TLS proves nothing on another one, nor with the binding left out", () => {
  const [seen, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const { first, text } = clientFirst("anna", NONCE, seen);
  assertEquals(text.startsWith("p=tls-server-end-point,,n=anna,"), true);
  const talk = challenge(first, OTHER_NONCE, DERIVATION);
  const { response, serverFinal } = prove(talk, DERIVED, nodeCrypto);
  const asSeen = (binding?: Uint8Array) => challenge(readClientFirst(text, binding)!, OTHER_NONCE, DERIVATION);
  assertEquals(checkProof(asSeen(seen), response, KEYS, nodeCrypto), serverFinal);
  assertEquals(isOfOtherChannel(asSeen(seen), response), false);
  for (const binding of [other, undefined, new Uint8Array()]) {
    assertEquals(checkProof(asSeen(binding), response, KEYS, nodeCrypto), undefined);
    assertEquals(isOfOtherChannel(asSeen(binding), response), true);
    assertEquals(isUnbindable(readClientFirst(text, binding)!), binding !== other);
  }
  // Somebody in between tells the server that the client binds nothing.
  const unbound = readClientFirst(text.replace("p=tls-server-end-point", "n"), seen)!;
  const passedOn = response.replace(/^c=[^,]*/, "c=biws");
  assertEquals(checkProof(challenge(unbound, OTHER_NONCE, DERIVATION), passedOn, KEYS, nodeCrypto), undefined);
  assertEquals(isOfOtherChannel(talkOf(), "c=biws"), false);
});

Deno.test("who has what a server keeps cannot make a proof of it", () => {
  const talk = talkOf();
  for (const key of [KEYS.storedKey, KEYS.serverKey]) {
    assertEquals(checkProof(talk, prove(talk, key, nodeCrypto).response, KEYS, nodeCrypto), undefined);
  }
});

Deno.test("a proof with any character changed or missing proves nothing", () => {
  const talk = talkOf();
  const { response } = prove(talk, DERIVED, nodeCrypto);
  fc.assert(fc.property(fc.nat(response.length - 1), fc.constantFrom("", "A", "=", ",", "\0", "é"), (at, instead) => {
    const changed = response.slice(0, at) + instead + response.slice(at + 1);
    fc.pre(changed !== response);
    assertEquals(checkProof(talk, changed, KEYS, nodeCrypto), undefined);
  }));
  for (let length = 0; length < response.length; length++) {
    assertEquals(checkProof(talk, response.slice(0, length), KEYS, nodeCrypto), undefined);
  }
});

Deno.test("checkProof() throws for no text", () => {
  fc.assert(fc.property(fc.string(), fc.string({ unit: "binary" }), (text, proof) => {
    assertEquals(checkProof(talkOf(), text, KEYS, nodeCrypto), undefined);
    assertEquals(checkProof(talkOf(), `c=biws,r=${talkOf().nonce},p=${proof}`, KEYS, nodeCrypto), undefined);
  }));
});

Deno.test("readClientFirst() takes every name back out, and nothing that clientFirst() does not write", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (username) => {
    assertEquals(readClientFirst(clientFirst(username, NONCE).text)?.username, username);
  }));
  const bad = [
    "",
    `n=anna,r=${NONCE}`,
    `y,,n=anna,r=${NONCE}`,
    `p=tls-exporter,,n=anna,r=${NONCE}`,
    `n,a=bob,n=anna,r=${NONCE}`,
    `n,,n=an=na,r=${NONCE}`,
    `n,,n=anna,r=short`,
    `n,,n=anna,r=${"n".repeat(129)}`,
    `n,,n=anna,r=${NONCE},x=1`,
    `n,,m=1,n=anna,r=${NONCE}`,
    `n,,n=anna,r=${NONCE}\n`,
  ];
  for (const text of bad) assertEquals(readClientFirst(text), undefined, text);
  fc.assert(fc.property(fc.string(), (text) => void readClientFirst(text)));
});

Deno.test("a client takes a challenge for its own nonce alone, and none that makes guessing cheap or memory scarce", () => {
  const { first } = clientFirst("anna", NONCE);
  const good = talkOf().serverFirst;
  const read = readServerFirst(first, good);
  assert(read.ok);
  assertEquals([read.salt, read.cost, read.talk], [DERIVATION.salt, DERIVATION.cost, talkOf()]);
  const bad = [
    "",
    good.replace("i=16384", "i=1"),
    good.replace("i=16384", "i=8192"),
    good.replace("i=16384", "i=16385"),
    good.replace("i=16384", "i=1048576"),
    good.replace("i=16384", "i=1e9"),
    good.replace(/s=[^,]*/, "s="),
    good.replace(/s=[^,]*/, "s=AA=="),
    good.replace(/s=[^,]*/, `s=${btoa("x".repeat(65))}`),
    good.replace(NONCE, "d".repeat(24)),
    good.replace(OTHER_NONCE, ""),
    good.replace(OTHER_NONCE, "short"),
    `${good},m=x`,
  ];
  for (const text of bad) assertEquals(readServerFirst(first, text).ok, false, text);
  fc.assert(fc.property(fc.string(), (text) => void readServerFirst(first, text)));
});
