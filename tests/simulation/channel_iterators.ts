/** The iterators of a client with the library that name channels: begun and left while it is there. */

import type { Activity, Client } from "../../client/options.ts";
import type { History } from "./history.ts";
import { factsOf } from "./numbered.ts";
import type { Process } from "./process.ts";

/** The life of a client. */
interface Life {
  readonly session: string;
  readonly chain: string;
  readonly process: Process;
}

interface Iterating {
  readonly life: Life;
  readonly name: string;
  readonly activities: AsyncIterableIterator<Activity>;
}

/** Of one client, over all its lives. */
export class ChannelIterators {
  readonly #name: string;
  readonly #history: History;
  #begun = 0;
  #open: readonly Iterating[] = [];

  constructor(name: string, history: History) {
    this.#name = name;
    this.#history = history;
  }

  /** One more. */
  begin(life: Life, client: Client, channels: readonly string[]): void {
    const { session } = life;
    const name = `i${++this.#begun}`;
    this.#history.add(this.#name, { what: "began to iterate", session, iterator: name, channels });
    const iterating = { life, name, activities: client.activities({ channels }) };
    this.#open = [...this.#open, iterating];
    void this.#take(iterating);
    void this.#untilKnown(iterating, client);
  }

  /** Leaves the oldest of this life. */
  end(life: Life): void {
    const oldest = this.#open.find((one) => one.life === life);
    if (oldest === undefined) return;
    this.#leave(oldest);
    void oldest.activities.return!();
  }

  #leave(iterating: Iterating): void {
    if (!this.#open.includes(iterating)) return;
    this.#open = this.#open.filter((one) => one !== iterating);
    const { life: { session }, name } = iterating;
    this.#history.add(this.#name, { what: "iterates no more", session, iterator: name });
  }

  async #take(iterating: Iterating): Promise<void> {
    const { life: { session, chain, process }, name, activities } = iterating;
    try {
      for await (const activity of activities) {
        if (process.isDead) return;
        this.#history.add(this.#name, {
          what: "received",
          session,
          chain,
          ...factsOf(activity),
          iterator: name,
        });
      }
    } catch {
      // The client has closed; its `closed` says why.
    }
    if (!process.isDead) this.#leave(iterating);
  }

  /**
   * An answer to a question says that the server has heard what was said before it. The first question may be said
   * right after a login that did not name the channels yet, and before they are. The second one is not.
   */
  async #untilKnown(iterating: Iterating, client: Client): Promise<void> {
    const { life: { session, process }, name } = iterating;
    try {
      await client.users("online");
      await client.users("online");
    } catch {
      return;
    }
    if (process.isDead || !this.#open.includes(iterating)) return;
    this.#history.add(this.#name, { what: "iterates", session, iterator: name });
  }
}
