/**
 * A client as programs see it: every call with its options and its signal. `client/client.ts` does the work, over all
 * connections of the client.
 */

import type { Vector } from "../../log/vector.ts";
import { endedHere } from "../errors.ts";
import { newSecretProblem } from "../login/new_secret.ts";
import type { Feature } from "../../protocol/message.ts";
import type { UserScope } from "../../protocol/presence/presence_message.ts";
import { collectPast, type PageQuestion, type WholePage } from "../past.ts";
import type {
  ActivitiesOptions,
  CallOptions,
  HistoryOptions,
  PresenceOptions,
  PublishOptions,
} from "./call_options.ts";
import type { Activity, Client, ClientEvent, CloseInfo, Message, Past, Presence, Published, Sent } from "../options.ts";
import { unlessAborted } from "../../platform/abort.ts";
import {
  ACTIVITIES_OPTIONS,
  CALL_OPTIONS,
  checkedChannel,
  checkedPatterns,
  checkOptions,
  HISTORY_OPTIONS,
  PRESENCE_OPTIONS,
  PUBLISH_OPTIONS,
} from "./known_options.ts";
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
  publish(
    activity: object | string,
    channel: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined>;
  send(to: string, text: string, signal: AbortSignal | undefined): Promise<string>;
  users(scope: UserScope, signal: AbortSignal | undefined): Promise<readonly string[]>;
  readers(channel: string, signal: AbortSignal | undefined): Promise<readonly string[]>;
  page(question: PageQuestion, signal: AbortSignal | undefined): Promise<WholePage>;
  /** Gives the user another secret; without one, deletes its account. */
  changeAccount(newSecret: string | undefined): Promise<void>;
  activities(
    signal: AbortSignal | undefined,
    channels: readonly string[] | undefined,
  ): AsyncIterableIterator<Activity>;
  messages(signal: AbortSignal | undefined): AsyncIterableIterator<Message>;
  /** With a channel: of its readers. */
  presence(signal: AbortSignal | undefined, channel: string | undefined): AsyncIterableIterator<Presence>;
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

  async publish<T extends object>(activity: T | string, options: PublishOptions = {}): Promise<Published> {
    checkOptions(options, PUBLISH_OPTIONS, "publish()");
    const { signal } = options;
    signal?.throwIfAborted();
    const channel = options.channel === undefined ? undefined : checkedChannel(options.channel);
    return { id: await this.#life.publish(activity, channel, signal) };
  }

  async send(to: string, text: string, options?: CallOptions): Promise<Sent> {
    return { id: await this.#life.send(to, text, waitingSignal(options, "send()")) };
  }

  async users(scope: UserScope, options?: CallOptions): Promise<readonly string[]> {
    return await this.#life.users(scope, waitingSignal(options, "users()"));
  }

  async readers(channel: string, options?: CallOptions): Promise<readonly string[]> {
    return await this.#life.readers(checkedChannel(channel), waitingSignal(options, "readers()"));
  }

  async changeSecret(newSecret: string): Promise<void> {
    const problem = newSecretProblem(newSecret);
    if (problem !== undefined) throw new TypeError(`Cannot change the secret: ${problem}`);
    await this.#life.changeAccount(newSecret);
  }

  async forget(): Promise<void> {
    await this.#life.changeAccount(undefined);
    this.#life.abandon(endedHere());
    await this.#life.closed;
  }

  async history(options: HistoryOptions = {}): Promise<Past> {
    checkOptions(options, HISTORY_OPTIONS, "history()");
    const { signal } = options;
    const { channel } = options;
    const asked = channel === undefined ? options : { ...options, channel: checkedPatterns([channel])[0]! };
    return await collectPast(asked, (question) => {
      signal?.throwIfAborted();
      return this.#life.page(question, signal);
    });
  }

  activities<T extends object>(options: ActivitiesOptions = {}): AsyncIterableIterator<Activity<T>> {
    checkOptions(options, ACTIVITIES_OPTIONS, "activities()");
    const activities: AsyncIterableIterator<Activity<object>> = this.#life.activities(
      options.signal,
      options.channels === undefined ? undefined : checkedPatterns(options.channels),
    );
    // The type is the program's word for what it takes them for.
    return activities as AsyncIterableIterator<Activity<T>>;
  }

  messages(options?: CallOptions): AsyncIterableIterator<Message> {
    return this.#life.messages(signalOf(options, "messages()"));
  }

  presence(options: PresenceOptions = {}): AsyncIterableIterator<Presence> {
    checkOptions(options, PRESENCE_OPTIONS, "presence()");
    const { signal, channel } = options;
    return this.#life.presence(signal, channel === undefined ? undefined : checkedChannel(channel));
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
