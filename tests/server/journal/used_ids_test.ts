/** Used message ids that the store does not have yet. */

import { assertEquals } from "@std/assert";
import { UsedIds } from "../../../server/journal/used_ids.ts";
import type { UsedMessageId } from "../../../server/store/store.ts";

const used = (username: string, messageId: string, sequence: number): UsedMessageId => (
  { username, messageId, origin: "a", sequence, usedAt: 1 }
);

Deno.test("UsedIds keeps the ids of users apart, also when the first of them is gone", () => {
  const ids = new UsedIds();
  const found = () => ["ann", "bob", "cem"].map((username) => ids.find(username, "m")?.sequence);
  assertEquals(found(), [undefined, undefined, undefined]);
  const [ann, bob, cem] = [used("ann", "m", 1), used("bob", "m", 2), used("cem", "m", 3)] as const;
  ids.add(ann);
  assertEquals(found(), [1, undefined, undefined]);
  ids.add(bob);
  ids.add(cem);
  assertEquals(found(), [1, 2, 3]);
  assertEquals(ids.find("ann", "n"), undefined);
  ids.delete(ann);
  assertEquals(found(), [undefined, 2, 3]);
  ids.add(used("ann", "m", 4));
  assertEquals(found(), [4, 2, 3]);
  ids.delete(cem);
  // Another use of the id.
  ids.delete(used("bob", "m", 9));
  assertEquals(found(), [4, 2, undefined]);
});
