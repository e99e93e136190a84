import { openMemoryStore } from "../../store/memory_store.ts";
import { testStoreContract } from "../contract/store_contract.ts";

testStoreContract({
  name: "openMemoryStore()",
  use: (run) => {
    const store = openMemoryStore({ serverId: "s-1" });
    run(store, () => store);
    store.close();
  },
});
