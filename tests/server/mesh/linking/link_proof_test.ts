import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { calledProof, callerProof, LINK_PROOF, linkKeys } from "../../../../server/mesh/linking/link_proof.ts";
import { type Cipher, clearLines, openLine, sealLines } from "../../../../server/mesh/linking/sealed_lines.ts";

const { hmac } = nodeCrypto;
const GREETING = { callerId: "s-a", callerNonce: "a".repeat(48), calledNonce: "b".repeat(48), endPoint: "" };

Deno.test("a proof of the network's secret is of this link, this server and this side alone", () => {
  const proof = callerProof("abc", GREETING, hmac);
  assert(LINK_PROOF.test(proof));
  const { callerNonce, calledNonce } = GREETING;
  const others = [
    callerProof("abd", GREETING, hmac),
    callerProof("abc", { ...GREETING, callerId: "s-b" }, hmac),
    callerProof("abc", { ...GREETING, calledNonce: "c".repeat(48) }, hmac),
    callerProof("abc", { ...GREETING, callerNonce: calledNonce, calledNonce: callerNonce }, hmac),
    callerProof("abc", { ...GREETING, endPoint: "e".repeat(64) }, hmac),
    callerProof("abc", { ...GREETING, endPoint: "f".repeat(64) }, hmac),
    calledProof("abc", { ...GREETING, endPoint: "e".repeat(64) }, "s-b", hmac),
    ...Object.values(linkKeys("abc", { ...GREETING, endPoint: "e".repeat(64) }, "s-b", hmac)),
    calledProof("abc", GREETING, "", hmac),
    calledProof("abc", GREETING, "s-b", hmac),
    calledProof("abc", GREETING, "s-c", hmac),
    ...Object.values(linkKeys("abc", GREETING, "s-b", hmac)),
    ...Object.values(linkKeys("abc", GREETING, "", hmac)),
  ];
  assertEquals(new Set([proof, ...others]).size, 1 + others.length);
});

Deno.test("each side of a link seals with a key of its own, and both are of this link", () => {
  const keys = linkKeys("abc", GREETING, "s-b", hmac);
  assertNotEquals(keys.caller, keys.called);
  assertNotEquals(keys, linkKeys("abc", { ...GREETING, callerNonce: "c".repeat(48) }, "s-b", hmac));
});

const KEY = hmac("abc", "key");
const cipher: Cipher = nodeCrypto;
const VERIFIER = `scram$16384$${"0".repeat(32)}$${"1".repeat(64)}$${"2".repeat(64)}`;
const ACCOUNT = JSON.stringify({ command: "ACCOUNT", username: 'a","verifier":"x', verifier: VERIFIER, id: "s-a:1" });
const LINES = [
  ACCOUNT,
  JSON.stringify({
    command: "ACCOUNTS",
    accounts: [{ username: "a", verifier: VERIFIER }, { username: "b", verifier: VERIFIER }],
  }),
  JSON.stringify({ command: "SERVER_ANNOUNCE", serverId: "s-a", ticketKey: "1c4f", vector: {} }),
];

Deno.test("what is sealed is nowhere in the line, and comes back as it was", () => {
  const sealed = sealLines(`${LINES.join("\n")}\n`, KEY, cipher);
  for (const secret of [VERIFIER, "1c4f", ...VERIFIER.split("$").slice(2)]) assert(!sealed.includes(secret));
  assertEquals(sealed.split("\n").slice(0, -1).map((line) => openLine(line, KEY, cipher)), LINES);
  assertNotEquals(sealLines(ACCOUNT, KEY, cipher), sealLines(ACCOUNT, KEY, cipher));
});

Deno.test("what users have written is left alone, whatever it reads like", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (text, name) => {
    const lines = [
      { command: "ACTIVITY_BROADCAST", activity: { verifier: text, ticketKey: text, [name]: text } },
      { command: "DIRECT_MESSAGE", text: '{"command":"ACCOUNT","verifier":"x"}', verifier: "x" },
    ].map((message) => JSON.stringify(message));
    assertEquals(sealLines(lines.join("\n"), KEY, cipher), lines.join("\n"));
    for (const line of lines) assertEquals(openLine(line, KEY, cipher), line);
    const account = JSON.stringify({ command: "ACCOUNT", username: `"verifier":"${text}","x":"`, verifier: VERIFIER });
    assertEquals(openLine(sealLines(account, KEY, cipher), KEY, cipher), account);
  }));
});

Deno.test("a line that was changed, or is not sealed, is not opened", () => {
  const sealed = sealLines(ACCOUNT, KEY, cipher);
  assertEquals(openLine(ACCOUNT, KEY, cipher), undefined);
  assertEquals(openLine(sealed, hmac("abc", "another key"), cipher), undefined);
  assertEquals(openLine(sealed.replace("s-a:1", "s-a:2"), KEY, cipher), undefined);
  const other = sealLines(ACCOUNT.replace('a\\"', 'b\\"'), KEY, cipher);
  const value = /sealed:[^"]*/;
  assertEquals(openLine(sealed.replace(value, value.exec(other)![0]), KEY, cipher), undefined);
  fc.assert(fc.property(fc.nat(sealed.length - 1), fc.constantFrom("A", "0", "/"), (at, character) => {
    const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
    fc.pre(changed !== sealed && changed.startsWith('{"command":"ACCOUNT",'));
    // Or what is sealed has lost its name, and no server takes the line for a registration.
    const opened = openLine(changed, KEY, cipher);
    assert(opened === undefined || !opened.includes(`"verifier":"${VERIFIER}"`));
  }));
  // The last character before a "=" has bits that stand for nothing.
  for (const last of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
    const changed = sealed.replace(/.=/, `${last}=`);
    assertEquals(changed === sealed ? undefined : openLine(changed, KEY, cipher), undefined);
  }
});

Deno.test("another secret for the network goes sealed, and over a link without keys not at all", () => {
  const order = { command: "OPERATE", ask: 0, action: "networkSecret" };
  const secret = JSON.stringify({ ...order, networkSecret: "6f70656e", number: 1, until: 9, by: "me" });
  // What an operator types into another field is no secret.
  const typed = { command: "OPERATE", ask: 1, action: "disconnectAll", user: '"networkSecret":"6f70656e"', by: "me" };
  const other = JSON.stringify(typed);
  const sealed = sealLines(`${secret}\n${other}\n`, KEY, cipher).split("\n");
  assert(!sealed[0]!.includes("6f70656e"));
  assertEquals(sealed[1], other);
  assertEquals(sealed.slice(0, 2).map((line) => openLine(line, KEY, cipher)), [secret, other]);
  assertEquals(openLine(sealed[0]!.replace('"number":1', '"number":2'), KEY, cipher), undefined);
  assertEquals(openLine(secret, KEY, cipher), undefined);
  assertEquals(clearLines(`${other}\n${secret}\n${other}\n`), `${other}\n${other}\n`);
});
