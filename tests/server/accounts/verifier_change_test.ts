/** Verifiers of earlier versions that come from other servers, and how changed lines are told from others. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { linesOf, SERVERS } from "../../../log/segment.ts";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { encodeAccount, parseEntry } from "../../../protocol/entry_codec.ts";
import { formerDigestOf } from "../../../protocol/former_digest.ts";
import { arrivingChange, changedLine } from "../../../server/accounts/verifier_change.ts";
import { scramVerifier } from "../../../server/accounts/verifier.ts";
import { Journal } from "../../../server/journal/journal.ts";
import { Forks } from "../../../server/mesh/origins/forks.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const EARLIER = `scrypt$16384$${"0a".repeat(16)}$${"0b".repeat(32)}`;
const NOW = scramVerifier(EARLIER, nodeCrypto);
const AT = { claim: 1, origin: "s-2", sequence: 1, lamport: 1, sentAt: 1 };
const LINE = encodeAccount({ username: "anna", verifier: EARLIER, ...AT });

function journalWith(verifiers: ReturnType<typeof arrivingChange> | undefined) {
  const store = openMemoryStore({ serverId: "s-1" });
  const owner = { committed() {}, failed() {} };
  const journal = new Journal(store, new FakeClock(), { tailBytes: 10_000, messagesWaitMs: 1_000, verifiers }, owner);
  journal.replicate({ origin: "s-2", sequence: 1, audience: SERVERS, line: LINE, facts: parseEntry(LINE)! });
  journal.takeAccounts([{ username: "ben", verifier: EARLIER, lamport: 1, origin: "s-3" }]);
  journal.flush();
  const [line] = store.segmentsAfter(0, Infinity).flatMap((segment) => linesOf(segment.bytes));
  return { line: line!, anna: store.account("anna")?.verifier, ben: store.account("ben")?.verifier };
}

Deno.test("a verifier that comes from another server is changed before it is stored, in the log and as state", () => {
  const { line, anna, ben } = journalWith(arrivingChange(nodeCrypto));
  assertEquals([anna, ben], [NOW, NOW]);
  assert(!line.includes("0b0b"));
  assertEquals(JSON.parse(line).verifier, NOW);
});

Deno.test("a verifier stays as it came while servers of earlier versions have to read it", () => {
  const { line, anna, ben } = journalWith(undefined);
  assertEquals([line, anna, ben], [LINE.trimEnd(), EARLIER, EARLIER]);
});

Deno.test("a changed line has the digest for other servers that it had before, also when it is changed again", () => {
  const changed = changedLine(LINE.trimEnd(), nodeCrypto);
  const forksOf = (line: string) => {
    const journal = { origins: { lineOf: () => line } };
    const noLink = () => {};
    return new Forks({
      ...{
        journal,
        digest: nodeCrypto.digest,
        isSame: noLink,
        isFork: noLink,
        isRetracted: noLink,
      } as unknown as ConstructorParameters<typeof Forks>[0],
    });
  };
  const former = forksOf(LINE.trimEnd()).digestOf("s-2", 1);
  assertMatch(former!, /^[0-9a-f]{32}$/);
  assertEquals(forksOf(changed).digestOf("s-2", 1), former);
  assertEquals(changedLine(changed, nodeCrypto), changed);
  assertEquals(formerDigestOf(changed), former);
});

Deno.test("no other line has a former digest, whatever users write", () => {
  const digest = "0".repeat(32);
  const lines = [
    LINE,
    JSON.stringify({ command: "ACTIVITY_BROADCAST", activity: { a: 1 }, was: digest }),
    JSON.stringify({ command: "ACCOUNT", username: `x","was":"${digest}"}`, verifier: "v" }),
    JSON.stringify({ command: "ACCOUNT", was: digest, username: "x" }),
    JSON.stringify({ command: "ACCOUNT", username: "x", was: "0".repeat(31) }),
  ];
  for (const line of lines) assertEquals(formerDigestOf(line), undefined, line);
});

Deno.test("what is no verifier of an earlier version stays as it is", () => {
  const lines = [
    encodeAccount({ username: "anna", verifier: NOW, ...AT }),
    encodeAccount({ username: "anna", verifier: "scrypt$x", ...AT }),
    JSON.stringify({ command: "ACTIVITY_BROADCAST", activity: { verifier: EARLIER } }),
    "scrypt$ is no line",
  ];
  for (const line of lines) assertEquals(changedLine(line, nodeCrypto), line);
});
