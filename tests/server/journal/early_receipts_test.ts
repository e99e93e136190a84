/** Receipts of what had the number of another message, as an old copy of a server's data gave the number out again. */

import { assertEquals } from "@std/assert";
import { Journal } from "../../../server/journal/journal.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { encodeDirectMessage, encodeReceipt, parseEntry } from "../../../protocol/entry_codec.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const ignore = () => {};

function open() {
  const kept = { tailBytes: 1_000, messagesWaitMs: Infinity };
  const owner = { committed: ignore, placeNoted: ignore, failed: ignore };
  const journal = new Journal(openMemoryStore({ serverId: "s" }), new FakeClock(), kept, owner);
  const takeIn = (origin: string, sequence: number, username: string, line: string) => {
    const audience = { kind: "user", username } as const;
    journal.replicate({ origin, sequence, audience, line, facts: parseEntry(line)! });
  };
  const facts = { lamport: 1, sentAt: 1, after: undefined, to: "bob" };
  return {
    journal,
    message: (origin: string, sequence: number, messageId: string) =>
      takeIn(
        origin,
        sequence,
        "bob",
        encodeDirectMessage({ ...facts, origin, sequence, from: "eve", text: "x", messageId }),
      ),
    receipt: (origin: string, of: string, messageId: string) =>
      takeIn(origin, 1, "eve", encodeReceipt({ ...facts, origin, sequence: 1, of, messageId })),
    waiting: () => journal.directMessages.of("bob", {}).map(({ line }) => parseEntry(line)!.messageId),
  };
}

for (const when of ["in the turn in which the message comes", "in a later turn"]) {
  Deno.test(`a message goes on waiting when a receipt of another one with its number comes ${when}`, () => {
    const { journal, message, receipt, waiting } = open();
    message("a", 1, "this");
    if (when === "in a later turn") journal.flush();
    receipt("b", "a:1", "another");
    journal.flush();
    assertEquals(waiting(), ["this"]);
    receipt("c", "a:1", "this");
    journal.flush();
    assertEquals(waiting(), []);
  });
}

Deno.test("a message whose receipt came first does not wait, also where it comes under another number", () => {
  const { journal, message, receipt, waiting } = open();
  receipt("b", "a:7", "first");
  receipt("c", "a:8", "second");
  journal.flush();
  for (const [sequence, messageId] of ["other", "first", "second"].entries()) message("a-1", sequence + 1, messageId);
  journal.flush();
  assertEquals(waiting(), ["other"]);
});
