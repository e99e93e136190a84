/** Talkers of a crowd: each writes numbered direct messages to the others without end, and checks of each other one which numbers came, and whether in order and once. */

import { delay } from "@std/async/delay";
import { type Client, type ClientEvent, connect, type ConnectOptions } from "../../mod.ts";

/** What one talker has of what another one wrote to it. */
interface Received {
  /** The highest number that came. */
  highest: number;
  /** Lower ones that did not. */
  readonly missing: Set<number>;
}

/** The talker pauses when so many of its messages are not acknowledged: at 20 a second, what a failover of ten seconds leaves. */
const MAX_UNACKNOWLEDGED = 200;

/** One of the crowd. */
export class NumberedTalker implements AsyncDisposable {
  /** Whom it is logged in as. */
  readonly name: string;
  readonly #client: Client;
  readonly #received = new Map<string, Received>();
  /** How many were written to each other one. */
  readonly #sentTo = new Map<string, number>();
  readonly #delivered = new Set<string>();
  readonly #reading: Promise<void>;
  #talking: Promise<void> = Promise.resolve();
  #isTalking = false;
  #sent = 0;
  #stored = 0;
  /** Numbers that came a second time, or after a higher one of the same sender, and receipts that came twice; in words. */
  readonly faults: string[] = [];
  readonly events: readonly ClientEvent[];

  private constructor(name: string, client: Client, events: ClientEvent[]) {
    this.name = name;
    this.#client = client;
    this.events = events;
    this.#reading = this.#read();
  }

  /** Logs in as `options` say, with a name. Nothing is written yet. */
  static async open(options: ConnectOptions & { readonly username: string }): Promise<NumberedTalker> {
    const events: ClientEvent[] = [];
    let talker: NumberedTalker | undefined;
    const onEvent = (event: ClientEvent) => {
      if (event.kind === "delivered") talker!.#noteReceipt(event.messageId, event.to);
      else if (event.kind !== "heartbeat") events.push(event);
    };
    return talker = new NumberedTalker(options.username, await connect({ ...options, onEvent }), events);
  }

  /** The server that it is, or was last, logged in to. */
  get serverId(): string {
    return this.#client.serverId!;
  }

  /** Messages that were written. */
  get sent(): number {
    return this.#sent;
  }

  /** Of these, those that the server said to have stored. */
  get stored(): number {
    return this.#stored;
  }

  /** Of these, those that a receipt said to have been delivered. */
  get delivered(): number {
    return this.#delivered.size;
  }

  /** Messages that came. */
  get received(): number {
    let count = 0;
    for (const { highest, missing } of this.#received.values()) count += highest - missing.size;
    return count;
  }

  /** How many messages were written to `receiver`. */
  sentTo(receiver: string): number {
    return this.#sentTo.get(receiver) ?? 0;
  }

  /** How many of the first `count` messages of `sender` did not come. */
  lacks(sender: string, count: number): number {
    const { highest = 0, missing = new Set<number>() } = this.#received.get(sender) ?? {};
    return Math.max(0, count - highest) + missing.values().filter((number) => number <= count).toArray().length;
  }

  /** Writes to whom `next` names after `firstMs`, and then again every `everyMs`. */
  talk(next: () => string, everyMs: number, firstMs: number): void {
    this.#isTalking = true;
    this.#talking = this.#talk(next, everyMs, firstMs);
  }

  /** Writes no more, and waits until everything is acknowledged. */
  async stopTalking(): Promise<void> {
    this.#isTalking = false;
    await this.#talking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isTalking = false;
    await this.#client.close();
    await Promise.allSettled([this.#reading, this.#talking]);
  }

  async #talk(next: () => string, everyMs: number, firstMs: number): Promise<void> {
    const acknowledgements: Promise<void>[] = [];
    // By the clock, so that a turn that took long is made up for.
    let dueAt = performance.now() + firstMs;
    await delay(firstMs);
    while (this.#isTalking) {
      if (this.#client.unacknowledged < MAX_UNACKNOWLEDGED) {
        const acknowledged = this.#write(next());
        // Whoever waits for all of them hears of it.
        acknowledged.catch(() => {});
        acknowledgements.push(acknowledged);
      }
      dueAt = Math.max(dueAt + everyMs, performance.now() - everyMs);
      await delay(Math.max(0, dueAt - performance.now()));
    }
    await Promise.all(acknowledgements);
  }

  async #write(to: string): Promise<void> {
    const n = this.sentTo(to) + 1;
    this.#sentTo.set(to, n);
    this.#sent++;
    await this.#client.send(to, String(n));
    this.#stored++;
  }

  async #read(): Promise<void> {
    for await (const { from, text, id } of this.#client.messages()) this.#note(from, Number(text), id);
  }

  #note(from: string, n: number, id: string): void {
    const received = this.#received.get(from) ?? { highest: 0, missing: new Set<number>() };
    this.#received.set(from, received);
    const what = `${n} of ${from} (${id}) came to ${this.name}`;
    if (n > received.highest) {
      for (let skipped = received.highest + 1; skipped < n; skipped++) received.missing.add(skipped);
      received.highest = n;
    } else if (received.missing.delete(n)) this.faults.push(`${what} after ${received.highest}`);
    else this.faults.push(`${what} twice`);
  }

  #noteReceipt(messageId: string, to: string): void {
    if (this.#delivered.has(messageId)) {
      this.faults.push(`${messageId} of ${this.name} to ${to} was told to be delivered twice`);
    }
    this.#delivered.add(messageId);
  }
}
