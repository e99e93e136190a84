/**
 * Talkers of a crowd: each writes numbered direct messages to the others without end, and notes of each other one which
 * numbers came, and which of them late or twice.
 */

import { delay } from "@std/async/delay";
import { type Client, type ClientEvent, connect, type ConnectOptions } from "../../mod.ts";

/** A message that came after one that its sender wrote later. */
export interface Late {
  readonly sender: string;
  readonly receiver: string;
  readonly n: number;
  readonly id: string;
  /** The highest number that had come. */
  readonly after: number;
}

/** What one talker has of what another one wrote to it. */
interface Received {
  /** The highest number that came. */
  highest: number;
  /** Lower ones that did not. */
  readonly missing: Set<number>;
}

/**
 * The talker pauses when so many of its messages are not acknowledged: at 20 a second, what a failover
 * of ten seconds leaves.
 */
const MAX_UNACKNOWLEDGED = 200;
/** A login that took so long was answered without what its client had published last (docs/network.md, Order). */
const LET_IN_WITHOUT_MS = 8_000;

/** One of the crowd. */
export class NumberedTalker implements AsyncDisposable {
  /** Whom it is logged in as. */
  readonly name: string;
  readonly #client: Client;
  readonly #received = new Map<string, Received>();
  /**
   * For each other one, of message 1, 2 … to it: how many logins had been answered without what came before
   * them when it was stored.
   */
  readonly #letInWithout = new Map<string, number[]>();
  readonly #delivered = new Set<string>();
  readonly #reading: Promise<void>;
  #talking: Promise<void> = Promise.resolve();
  #isTalking = false;
  #sent = 0;
  #stored = 0;
  /** When the newest connection was begun. */
  #dialledAt = 0;
  #loginsWithout = 0;
  /** Messages and receipts that came a second time; in words. */
  readonly doubled: string[] = [];
  readonly late: Late[] = [];

  private constructor(name: string, client: Client) {
    this.name = name;
    this.#client = client;
    this.#reading = this.#read();
  }

  /** Logs in as `options` say, with a name. Nothing is written yet. */
  static async open(options: ConnectOptions & { readonly username: string }): Promise<NumberedTalker> {
    let talker: NumberedTalker | undefined;
    const onEvent = (event: ClientEvent) => {
      if (event.kind === "delivered") return talker!.#noteReceipt(event.messageId, event.to);
      // None of the first login: nothing came before that.
      if (talker !== undefined) talker.#noteLogin(event.kind);
    };
    return talker = new NumberedTalker(options.username, await connect({ ...options, onEvent }));
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
    return this.#letInWithout.get(receiver)?.length ?? 0;
  }

  /** How many of the first `count` messages of `sender` did not come. */
  lacks(sender: string, count: number): number {
    const { highest = 0, missing = new Set<number>() } = this.#received.get(sender) ?? {};
    return Math.max(0, count - highest) + missing.values().filter((number) => number <= count).toArray().length;
  }

  /** Whether this one was let in without what it had written last, between two messages that it wrote to `receiver`. */
  wasLetInWithout(receiver: string, first: number, second: number): boolean {
    const logins = this.#letInWithout.get(receiver)!;
    return logins[first - 1]! < logins[second - 1]!;
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
    const logins = this.#letInWithout.get(to) ?? [];
    this.#letInWithout.set(to, logins);
    const n = logins.push(0);
    this.#sent++;
    await this.#client.send(to, String(n));
    this.#stored++;
    logins[n - 1] = this.#loginsWithout;
  }

  async #read(): Promise<void> {
    for await (const { from, text, id } of this.#client.messages()) this.#note(from, Number(text), id);
  }

  #note(from: string, n: number, id: string): void {
    const received = this.#received.get(from) ?? { highest: 0, missing: new Set<number>() };
    this.#received.set(from, received);
    if (n > received.highest) {
      for (let skipped = received.highest + 1; skipped < n; skipped++) received.missing.add(skipped);
      received.highest = n;
    } else if (received.missing.delete(n)) {
      this.late.push({ sender: from, receiver: this.name, n, id, after: received.highest });
    } else this.doubled.push(`${n} of ${from} (${id}) to ${this.name}`);
  }

  #noteLogin(kind: ClientEvent["kind"]): void {
    if (kind === "connecting") this.#dialledAt = performance.now();
    if (kind === "connected" && performance.now() - this.#dialledAt >= LET_IN_WITHOUT_MS) this.#loginsWithout++;
  }

  #noteReceipt(messageId: string, to: string): void {
    if (this.#delivered.has(messageId)) {
      this.doubled.push(`the receipt of ${messageId} of ${this.name} to ${to}`);
    }
    this.#delivered.add(messageId);
  }
}
