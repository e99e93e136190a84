import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { encodeAuthenticationSuccess } from "../../../../protocol/peer/peer_codec.ts";
import { Calling, type CallingFacts } from "../../../../server/mesh/linking/calling.ts";
import { calledProof, callerProof, linkKeys } from "../../../../server/mesh/linking/link_proof.ts";

const { hmac } = nodeCrypto;
const IDENTITY = { serverId: "s-a", host: "a", port: 1, vector: { "s-a": 1 }, lamport: 1 };
const CALLED = { serverId: "s-b", host: "b", port: 2, vector: {}, lamport: 2 };
const FACTS: CallingFacts = {
  secret: "abc",
  identity: IDENTITY,
  isInClear: false,
  nonce: "a".repeat(48),
  hmac,
  endPoint: "",
};
const GREETING = { callerId: "s-a", callerNonce: FACTS.nonce, calledNonce: "b".repeat(48), endPoint: "" };
const CHALLENGE = JSON.stringify({ command: "PEER_CHALLENGE", nonce: GREETING.calledNonce });

const answer = (proof?: string) => encodeAuthenticationSuccess(CALLED, [], proof).trimEnd();
const line = (message: object) => JSON.stringify(message);

Deno.test("a server proves the secret when it is asked, and opens the link when it is proved to it", () => {
  const calling = new Calling(FACTS);
  assert(!calling.first.includes("abc"));
  assertEquals(JSON.parse(calling.first).vector, undefined);
  const said = calling.take(CHALLENGE);
  assert(said.kind === "say");
  const { proof, secret, serverId, vector } = JSON.parse(said.line);
  assertEquals([proof, secret, serverId, vector], [
    callerProof("abc", GREETING, hmac),
    undefined,
    "s-a",
    { "s-a": 1 },
  ]);
  const opened = calling.take(answer(calledProof("abc", GREETING, "s-b", hmac)));
  const { caller, called } = linkKeys("abc", GREETING, "s-b", hmac);
  assertEquals(opened.kind === "opened" && opened.keys, { seal: caller, open: called });
});

Deno.test("a server that proves nothing, or has recorded another link, is not believed", () => {
  const others = [
    undefined,
    "",
    "0".repeat(64),
    // What the caller has said itself, and what was said on another link, by another server or with another secret.
    callerProof("abc", GREETING, hmac),
    calledProof("abc", { ...GREETING, callerNonce: "c".repeat(48) }, "s-b", hmac),
    calledProof("abc", GREETING, "s-c", hmac),
    calledProof("abd", GREETING, "s-b", hmac),
  ];
  for (const proof of others) {
    const calling = new Calling(FACTS);
    calling.take(CHALLENGE);
    const step = calling.take(answer(proof));
    assertEquals([step.kind, step.kind === "over" && step.end], ["over", "lost"]);
    assertStringIncludes(step.kind === "over" ? step.why : "", "has not proved");
  }
});

Deno.test("a server that asks for no proof is told nothing, whatever it says", () => {
  const silent = [
    line({ command: "INVALID_MESSAGE", info: '"secret" is missing' }),
    answer(),
    answer(calledProof("abc", GREETING, "s-b", hmac)),
    line({ command: "SERVER_ANNOUNCE", id: "p", load: 0, hostname: "parent", port: 1 }),
    line({ command: "USER_SYNC" }),
  ];
  for (const text of silent) assertEquals(new Calling(FACTS).take(text).kind, "clearOnly", text);
  for (const nonce of [undefined, "", "x".repeat(48), "a".repeat(31), 7]) {
    assertEquals(new Calling(FACTS).take(line({ command: "PEER_CHALLENGE", nonce })).kind, "over");
  }
});

Deno.test("a server that takes no call without TLS is told nothing, and no secret in clear either", () => {
  const info = "this server takes connections of other machines by TLS alone";
  for (const facts of [FACTS, { ...FACTS, isInClear: true }]) {
    const step = new Calling(facts).take(line({ command: "INVALID_MESSAGE", info, reason: "TLS_REQUIRED" }));
    assertEquals(step, { kind: "over", end: "refused", why: `${info} ("cluster.tls")` });
  }
});

Deno.test("a challenge is answered once", () => {
  const calling = new Calling(FACTS);
  calling.take(CHALLENGE);
  assertEquals(calling.take(CHALLENGE).kind, "over");
});

Deno.test("a server that is told the secret in clear may speak either dialect, or want a proof", () => {
  const inClear = () => new Calling({ ...FACTS, isInClear: true });
  assertEquals(JSON.parse(inClear().first).secret, "abc");
  const opened = inClear().take(answer());
  assertEquals(opened.kind === "opened" && opened.keys, undefined);
  assertEquals(inClear().take(line({ command: "USER_SYNC" })).kind, "older");
  assertEquals(
    inClear().take(line({ command: "AUTHENTICATION_FAIL", info: "no", reason: "CLEAR_SECRET" })).kind,
    "proofOnly",
  );
  const refused = inClear().take(line({ command: "AUTHENTICATION_FAIL", info: "the secret is wrong" }));
  assertEquals(refused.kind === "over" && refused.end, "refused");
  assertEquals(inClear().take(CHALLENGE).kind, "over");
});

Deno.test("a proof of another secret is told apart from other refusals, so that a former secret can be tried", () => {
  const wrong = line({ command: "AUTHENTICATION_FAIL", info: "the secret is wrong", reason: "WRONG_SECRET" });
  const proved = new Calling(FACTS);
  proved.take(CHALLENGE);
  assertEquals(proved.take(wrong), { kind: "over", end: "otherSecret", why: "the secret is wrong" });
  // Nothing was proved yet, or the secret itself was told.
  for (const facts of [FACTS, { ...FACTS, isInClear: true }]) {
    const step = new Calling(facts).take(wrong);
    assertEquals(step.kind === "over" && step.end, "refused");
  }
});
