/** Where a reader stands of which bytes have not left: found out without reading the whole log. */

import { assertEquals, assertLess } from "@std/assert";
import { PLAIN } from "../../../log/channel_lines.ts";
import { Journal } from "../../../server/journal/journal.ts";
import type { SentReader } from "../../../server/journal/log_reader.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const told = () => {};
const OWNER = { committed: told, placeNoted: told, failed: told };

/** A log of one message a turn, to each of `receivers` in turn; how often the store was read. */
function logOf(receivers: readonly string[], turns: number, tailBytes: number) {
  const clock = new FakeClock();
  let reads = 0;
  const store = openMemoryStore({ serverId: "s-1" });
  const counting = new Proxy(store, {
    get(target, name) {
      if (name === "segmentsAfter") reads++;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const journal = new Journal(counting, clock, { tailBytes, messagesWaitMs: Infinity }, OWNER);
  for (let n = 1; n <= turns; n++) {
    const to = receivers[n % receivers.length]!;
    journal.directMessages.send({ from: "anna", to, text: "hello", messageId: undefined, lamport: undefined });
    journal.flush();
  }
  const bytesOf = (position: number) => journal.segmentsAfter(position - 1, 0)[0]!.bytes.length;
  const before = (reader: Partial<SentReader>) =>
    journal.positionBefore({
      ...{ position: turns, unsentBytes: 1, began: 0, username: "bob", filter: PLAIN, filteredSince: 0 },
      ...reader,
    });
  return { before, bytesOf, reads: () => reads };
}

Deno.test("positionBefore() goes back over what was sent to this reader, and over nothing when all has left", () => {
  const { before, bytesOf } = logOf(["bob"], 10, 1_000_000);
  assertEquals(before({ unsentBytes: 0 }), 10);
  assertEquals(before({ unsentBytes: 1 }), 9);
  assertEquals(before({ unsentBytes: bytesOf(10) + 1 }), 8);
  assertEquals(before({ unsentBytes: 1_000_000, began: 4 }), 4);
});

Deno.test("positionBefore() does not count what is for somebody else", () => {
  const { before } = logOf(["eve", "bob"], 10, 1_000_000);
  // The newest is for eve.
  assertEquals(before({ unsentBytes: 1 }), 8);
});

Deno.test("positionBefore() looks at a bounded number of segments, and then says where the reader began", () => {
  const inMemory = logOf(["eve"], 3_000, 100_000_000);
  assertEquals(inMemory.before({ began: 7 }), 7);
  const inStore = logOf(["eve"], 3_000, 0);
  const reads = inStore.reads();
  assertEquals(inStore.before({ began: 7 }), 7);
  assertLess(inStore.reads() - reads, 100);
});
