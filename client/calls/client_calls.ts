/**
 * A client as programs see it: every call with its options and its signal. `client/client.ts` does the work, over all
 * connections of the client.
 */

import type { Vector } from "../../log/vector.ts";
import type { Feature, UserScope } from "../../protocol/message.ts";
import { collectPast, type PageQuestion, type WholePage } from "../past.ts";
import type {
  Activity,
  CallOptions,
  Client,
  ClientEvent,
  CloseInfo,
  HistoryOptions,
  Message,
  Past,
  Presence,
  Published,
  Sent,
} from "../options.ts";
import { unlessAborted } from "../../platform/abort.ts";
import { CALL_OPTIONS, checkOptions, HISTORY_OPTIONS } from "./known_options.ts";
import type { Listeners } from "./listeners.ts";

/** The client beneath. Each of its calls throws at once where the client is closed. */
export interface ClientLife {
  readonly username: string;
  readonly registered: boolean;
  readonly serverId: string | undefined;
  readonly features: readonly Feature[];
  readonly vector: Vector;
  readonly lamport: number;
  readonly unacknowledged: number;
  readonly closed: Promise<CloseInfo>;
  readonly listeners: Listeners;
  publish(activity: object | string, signal: AbortSignal | undefined): Promise<string | undefined>;
  send(to: string, text: string, signal: AbortSignal | undefined): Promise<string>;
  users(scope: UserScope, signal: AbortSignal | undefined): Promise<readonly string[]>;
  page(question: PageQuestion, signal: AbortSignal | undefined): Promise<WholePage>;
  activities(signal: AbortSignal | undefined): AsyncIterableIterator<Activity>;
  messages(signal: AbortSignal | undefined): AsyncIterableIterator<Message>;
  presence(signal: AbortSignal | undefined): AsyncIterableIterator<Presence>;
  close(): Promise<void>;
  /** Ends it at once, for `reason`. */
  abandon(reason: unknown): void;
}

/** Makes the calls of a program. */
export class ClientCalls implements Client {
  readonly #life: ClientLife;

  constructor(life: ClientLife) {
    this.#life = life;
  }

  get username(): string {
    return this.#life.username;
  }

  get registered(): boolean {
    return this.#life.registered;
  }

  get serverId(): string | undefined {
    return this.#life.serverId;
  }

  get features(): readonly Feature[] {
    return this.#life.features;
  }

  get vector(): Vector {
    return this.#life.vector;
  }

  get lamport(): number {
    return this.#life.lamport;
  }

  get unacknowledged(): number {
    return this.#life.unacknowledged;
  }

  get closed(): Promise<CloseInfo> {
    return this.#life.closed;
  }

  on(...given: readonly unknown[]): () => void {
    const [kind, listener, options] = typeof given[0] === "string" ? given : [undefined, ...given];
    if (typeof listener !== "function") throw new TypeError("Cannot listen: there is no listener");
    const signal = signalOf(options as CallOptions | undefined, "on()");
    const tell = listener as (event: ClientEvent) => void;
    return this.#life.listeners.add(kind as ClientEvent["kind"] | undefined, tell, signal);
  }

  async publish<T extends object>(activity: T | string, options?: CallOptions): Promise<Published> {
    return { id: await this.#life.publish(activity, waitingSignal(options, "publish()")) };
  }

  async send(to: string, text: string, options?: CallOptions): Promise<Sent> {
    return { id: await this.#life.send(to, text, waitingSignal(options, "send()")) };
  }

  async users(scope: UserScope, options?: CallOptions): Promise<readonly string[]> {
    return await this.#life.users(scope, waitingSignal(options, "users()"));
  }

  async history(options: HistoryOptions = {}): Promise<Past> {
    checkOptions(options, HISTORY_OPTIONS, "history()");
    const { signal } = options;
    return await collectPast(options, (question) => {
      signal?.throwIfAborted();
      return this.#life.page(question, signal);
    });
  }

  activities<T extends object>(options?: CallOptions): AsyncIterableIterator<Activity<T>> {
    const activities: AsyncIterableIterator<Activity<object>> = this.#life.activities(
      signalOf(options, "activities()"),
    );
    // The type is the program's word for what it takes them for.
    return activities as AsyncIterableIterator<Activity<T>>;
  }

  messages(options?: CallOptions): AsyncIterableIterator<Message> {
    return this.#life.messages(signalOf(options, "messages()"));
  }

  presence(options?: CallOptions): AsyncIterableIterator<Presence> {
    return this.#life.presence(signalOf(options, "presence()"));
  }

  async close(options?: CallOptions): Promise<void> {
    const signal = signalOf(options, "close()");
    await unlessAborted(this.#life.close(), signal, () => this.#life.abandon(signal!.reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The signal of a call. @throws {TypeError} for an option that there is not. */
function signalOf(options: CallOptions | undefined, call: string): AbortSignal | undefined {
  if (options === undefined) return undefined;
  checkOptions(options, CALL_OPTIONS, call);
  return options.signal;
}

/** The same of a call that does nothing when it is aborted. @throws the reason. */
function waitingSignal(options: CallOptions | undefined, call: string): AbortSignal | undefined {
  const signal = signalOf(options, call);
  signal?.throwIfAborted();
  return signal;
}
