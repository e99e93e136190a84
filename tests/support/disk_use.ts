/** Stores in memory that say how much of a disk they take. */

import type { DiskUse } from "../../server/store/budget.ts";
import type { Store } from "../../server/store/store.ts";

/** `store`, which takes what `look` says, and has no room while `hasRoom` denies it. */
export function withDiskUse(
  store: Store,
  look: () => DiskUse | undefined,
  hasRoom: () => boolean = () => true,
): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "diskUse") return look;
      if (name === "hasRoom") return hasRoom();
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A folder of so many bytes, on a disk that has so many left. */
export function diskUse(bytes: number, freeBytes = 1e12): DiskUse {
  return {
    parts: { logFiles: bytes, database: 0, writeAheadLog: 0, messageIds: 0, audit: 0, other: 0, reusable: 0 },
    freeBytes,
  };
}
