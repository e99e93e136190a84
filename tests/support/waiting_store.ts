/** A store that waits for its disk beside the event loop, as one with `store.synchronous` at "full" does. */

import { openMemoryStore } from "../../server/store/memory_store.ts";
import type { Batch, Store } from "../../server/store/store.ts";

/** A store on a disk that takes batches when the test says so. */
export class WaitingStore {
  readonly store: Store;
  readonly #inner = openMemoryStore({ serverId: "s-1" });
  readonly #waiting: { batch: Batch; done: (error?: unknown) => void }[] = [];
  /** How often somebody waited in place. */
  finished = 0;

  constructor() {
    const own = {
      commitInBackground: (batch: Batch, done: (error?: unknown) => void) => void this.#waiting.push({ batch, done }),
      finishCommits: () => {
        this.finished++;
        this.sync(Infinity);
      },
    };
    this.store = new Proxy(this.#inner, {
      get: (inner, name) => {
        const value = Reflect.get(own, name) ?? Reflect.get(inner, name);
        return typeof value === "function" ? value.bind(inner) : value;
      },
    });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The first `count` batches are on the disk, or cannot be written. */
  sync(count: number, error?: unknown): void {
    for (; count > 0 && this.#waiting.length > 0; count--) {
      const { batch, done } = this.#waiting.shift()!;
      if (error === undefined) this.#inner.commit(batch);
      done(error);
    }
  }
}
