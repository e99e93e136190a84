/**
 * Clients of a crowd: each publishes numbers without end, and writes down of each other one which numbers came, and
 * whether in order and once.
 */

import { delay } from "@std/async/delay";
import { type Client, type ClientEvent, connect, type ConnectOptions } from "../../mod.ts";

/** What one client has of what another one publishes. */
interface Received {
  /** The highest number that came. */
  highest: number;
  /** Lower ones that did not. */
  readonly missing: Set<number>;
}

/** The client pauses when so many of its activities are not acknowledged. */
const MAX_UNACKNOWLEDGED = 20;

/** One of the crowd. */
export class NumberedClient implements AsyncDisposable {
  readonly #number: number;
  readonly #client: Client;
  readonly #received = new Map<number, Received>();
  readonly #reading: Promise<void>;
  #publishing: Promise<void> = Promise.resolve();
  #isPublishing = false;
  #published = 0;
  /** Highest number up to which all are acknowledged. */
  #acknowledged = 0;
  /** Numbers that came a second time, or after a higher one of the same sender, in words. */
  readonly faults: string[] = [];
  readonly events: readonly ClientEvent[];

  private constructor(number: number, client: Client, events: ClientEvent[]) {
    this.#number = number;
    this.#client = client;
    this.events = events;
    this.#reading = this.#read();
  }

  /** Logs in as `options` say. Nothing is published yet. */
  static async open(number: number, options: ConnectOptions): Promise<NumberedClient> {
    const events: ClientEvent[] = [];
    const onEvent = (event: ClientEvent) => {
      if (event.kind !== "heartbeat") events.push(event);
    };
    return new NumberedClient(number, await connect({ ...options, onEvent }), events);
  }

  /** The server that it is, or was last, logged in to. */
  get serverId(): string {
    return this.#client.serverId!;
  }

  /** Whether it is logged in, as far as it knows. */
  get isOpen(): boolean {
    return this.events.findLast(({ kind }) => kind === "connected" || kind === "lost")?.kind === "connected";
  }

  get published(): number {
    return this.#published;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Activities that came. */
  get received(): number {
    let count = 0;
    for (const { highest, missing } of this.#received.values()) count += highest - missing.size;
    return count;
  }

  /** Publishes a number after `firstMs`, and then another one every `everyMs` or so. */
  publish(everyMs: number, firstMs: number): void {
    this.#isPublishing = true;
    this.#publishing = this.#publish(everyMs, firstMs);
  }

  /** Publishes no more, and waits until everything is acknowledged. */
  async stopPublishing(): Promise<void> {
    this.#isPublishing = false;
    await this.#publishing;
  }

  /** How many of the first `count` numbers of `sender` did not come. */
  lacks(sender: number, count: number): number {
    const { highest = 0, missing = new Set<number>() } = this.#received.get(sender) ?? {};
    return Math.max(0, count - highest) + missing.values().filter((number) => number <= count).toArray().length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isPublishing = false;
    await this.#client.close();
    await Promise.allSettled([this.#reading, this.#publishing]);
  }

  async #publish(everyMs: number, firstMs: number): Promise<void> {
    await delay(firstMs);
    const acknowledgements: Promise<void>[] = [];
    while (this.#isPublishing) {
      if (this.#client.unacknowledged < MAX_UNACKNOWLEDGED) {
        const n = ++this.#published;
        const acknowledged = this.#client.publish({ from: this.#number, n }).then(() => {
          if (n === this.#acknowledged + 1) this.#acknowledged = n;
          else this.faults.push(`${n} was acknowledged after ${this.#acknowledged}`);
        });
        // Whoever waits for all of them hears of it.
        acknowledged.catch(() => {});
        acknowledgements.push(acknowledged);
      }
      await delay(everyMs);
    }
    await Promise.all(acknowledgements);
  }

  async #read(): Promise<void> {
    for await (const { activity, id } of this.#client.activities()) {
      this.#note(activity.from as number, activity.n as number, id);
    }
  }

  #note(from: number, n: number, id: string): void {
    const received = this.#received.get(from) ?? { highest: 0, missing: new Set<number>() };
    this.#received.set(from, received);
    const what = `${n} of client ${from} (${id}) came to client ${this.#number}`;
    if (n > received.highest) {
      for (let skipped = received.highest + 1; skipped < n; skipped++) received.missing.add(skipped);
      received.highest = n;
    } else if (received.missing.delete(n)) this.faults.push(`${what} after ${received.highest}`);
    else this.faults.push(`${what} twice`);
  }
}
