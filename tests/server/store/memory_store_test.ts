import { assertEquals } from "@std/assert";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { testStoreContract } from "../../contract/store_contract.ts";

testStoreContract({
  name: "openMemoryStore()",
  use: (run) => {
    const store = openMemoryStore({ serverId: "s-1" });
    run(store, () => store);
    store.close();
  },
});

Deno.test("openMemoryStore() keeps so many message ids and no more, the newest", () => {
  using store = openMemoryStore({ serverId: "s-1", maxMessageIds: 3 });
  const use = (...ids: string[]) =>
    store.commit({
      segments: [],
      accounts: [],
      messageIds: ids.map((messageId) => ({ username: "bob", messageId, origin: "s-1", sequence: 1, usedAt: 5 })),
      cursors: [],
      endedCursors: [],
      lamport: 1,
    });
  const known = () =>
    ["a", "b", "c", "d", "e", "f", "g"].filter((id) => store.usedMessageId("bob", id) !== undefined).join("");
  use("a", "b", "c");
  use("a", "d");
  assertEquals(known(), "bcd");
  use("e", "f", "b", "g");
  assertEquals(known(), "efg");
  store.forget({ takenBefore: 0, maxBytes: Infinity, directMessagesBefore: 0, usedBefore: 10 });
  assertEquals(known(), "");
  use("a", "b", "c", "d");
  assertEquals(known(), "bcd");
});
