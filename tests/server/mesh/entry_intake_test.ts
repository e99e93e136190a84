/** What may enter the log of what a peer sends. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { takeLines } from "../../../server/mesh/entry_intake.ts";
import type { WireAudience } from "../../../protocol/peer/peer_message.ts";
import { activityLine } from "../../support/fake_peer.ts";

/** Two lines of the origin `b`, from `sender`. */
function take(sender: string, to: WireAudience, ...lines: readonly object[]) {
  const header = { command: "ENTRIES", origin: "b", first: 1, last: lines.length, after: 0, to } as const;
  return takeLines(sender, header, lines.map((line) => JSON.stringify(line)));
}

const ACCOUNT = { command: "ACCOUNT", username: "anna", verifier: "v", claim: 1, id: "b:2", lamport: 2, sentAt: 1 };

Deno.test("whom an entry is for follows from its kind", () => {
  const message = { command: "DIRECT_MESSAGE", from: "a", to: "anna", text: "t", id: "b:1", lamport: 1, sentAt: 1 };
  const receipt = { command: "RECEIPT", state: "delivered", of: "a:1", to: "anna", id: "b:1", lamport: 1 };
  const cases: [object, WireAudience, unknown][] = [
    [activityLine("b:1", 1), "servers", { kind: "everyone" }],
    [message, "servers", { kind: "user", username: "anna" }],
    [receipt, { user: "carl" }, { kind: "user", username: "carl" }],
    [receipt, "servers", { kind: "servers" }],
    [{ command: "SHOUT", id: "b:1", lamport: 1 }, "everyone", { kind: "servers" }],
    [{ command: "SHOUT", id: "b:1", lamport: 1 }, { user: "anna" }, { kind: "servers" }],
  ];
  for (const [line, to, audience] of cases) {
    const intake = take("b", to, line);
    assert(intake.ok);
    assertEquals(intake.entries[0]!.value.audience as unknown, audience);
    assertEquals([intake.entries[0]!.value.line, intake.oddity], [`${JSON.stringify(line)}\n`, undefined]);
  }
});

Deno.test("of a server that breaks a rule itself nothing is taken", () => {
  const intake = take("b", "everyone", activityLine("b:1", 1), { ...activityLine("b:2", 2), activity: null });
  assert(!intake.ok);
  assertStringIncludes(intake.problem, "b:2");
  assertStringIncludes(intake.problem, "activity");
  assert(!take("b", "everyone", activityLine("b:1", 1), ACCOUNT).ok);
});

Deno.test("what another server only passes on is taken, and nobody acts on it", () => {
  const bad = { ...activityLine("b:2", 2, { after: "c:9", messageId: "m" }), activity: null, lamport: 2 ** 53 - 1 };
  const intake = take("c", "everyone", activityLine("b:1", 1), bad);
  assert(intake.ok);
  assertStringIncludes(intake.oddity!, "b:2");
  const [good, odd] = intake.entries;
  assertEquals([good!.value.audience.kind, good!.value.facts.kind], ["everyone", "activity"]);
  assertEquals(odd!.value.audience.kind, "servers");
  const nothing = { kind: "other", lamport: 0, username: undefined, messageId: undefined, after: undefined };
  assertEquals(odd!.value.facts, { ...nothing, account: undefined } as never);
  assertEquals([odd!.after, odd!.value.line], [undefined, `${JSON.stringify(bad)}\n`]);
  // What is wrong with where it came in: the entry itself holds, and no client gets it.
  const leaked = take("c", "everyone", activityLine("b:1", 1), ACCOUNT);
  assert(leaked.ok);
  assertEquals([leaked.entries[1]!.value.audience.kind, leaked.entries[1]!.value.facts.account?.username], [
    "servers",
    "anna",
  ]);
});

Deno.test("a line that no version has ever kept is nobody's but the liar's who sends it", () => {
  for (const line of ["nonsense", "[]", '{"command":"ACTIVITY_BROADCAST"}', '{"command":"ACCOUNT","lamport":1}']) {
    const header = { command: "ENTRIES", origin: "b", first: 1, last: 1, after: 0, to: "servers" } as const;
    assertEquals(takeLines("c", header, [line]), { ok: false, problem: "entry b:1 cannot be read" });
  }
});
