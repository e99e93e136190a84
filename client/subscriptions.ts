/**
 * The channels that a client reads, over all its connections: those of its options for good, and those of iterators as
 * long as they are read. A login names all of them. What changes between two logins is asked for once, however many
 * iterators want it. Sends nothing itself.
 */

import type { Vector } from "../log/vector.ts";
import type { ChannelAnswer, ChannelMessage, SubscribeFailedMessage } from "../protocol/channels/channel_message.ts";
import { NO_CHANNEL } from "../protocol/channels/channel_name.ts";
import { PatternSet } from "../protocol/channels/pattern_set.ts";
import type { Feature } from "../protocol/message.ts";
import { noFeature, RefusedError } from "./errors.ts";
import type { IteratedPart } from "./fanout.ts";
import type { Activity } from "./options.ts";

/** The client. */
export interface SubscriptionsOwner {
  /** Says it to the server, if there is a connection. */
  say(message: ChannelMessage): void;
}

/** Somebody who reads some channels. */
export interface Wanting {
  readonly channels: readonly string[];
  /** The server refuses them. */
  failed(error: Error): void;
}

/** What one client reads. */
export class Subscriptions {
  /** What the client reads in any case. */
  readonly base: PatternSet;
  readonly #isNamed: boolean;
  readonly #owner: SubscriptionsOwner;
  readonly #wanting = new Set<Wanting>();
  /** What the login of this connection names. */
  #named: PatternSet;
  /** What the server was told of on this connection; absent before it has answered the login. */
  #told: PatternSet | undefined;
  /** The server does not know channels. */
  #lacksChannels = false;
  /** Questions of this connection without an answer, the oldest first. */
  #asked: readonly string[][] = [];

  /** Reads `channels` in any case; what has no channel where they are not given. */
  constructor(channels: readonly string[] | undefined, owner: SubscriptionsOwner) {
    this.#named = this.base = new PatternSet(channels ?? [NO_CHANNEL]);
    this.#isNamed = channels !== undefined;
    this.#owner = owner;
  }

  /** What the next login says; `undefined` where it need say nothing. */
  login(): readonly string[] | undefined {
    this.#told = undefined;
    this.#named = this.#all;
    const isUsual = !this.#isNamed && this.#named.key === this.base.key;
    return isUsual ? undefined : this.#named.patterns;
  }

  /** The login was answered, by a server with these features. */
  opened(features: readonly Feature[]): void {
    this.#asked = [];
    if (features.includes("channels")) {
      this.#lacksChannels = false;
      this.#told = this.#named;
      return this.#tell(this.#named);
    }
    this.#told = undefined;
    this.#lacksChannels = true;
    for (const wanting of [...this.#wanting]) this.#fail(wanting, noFeature("channels"));
  }

  /** `wanting` reads its channels from now on. Gives how to end that. */
  add(wanting: Wanting): () => void {
    this.#wanting.add(wanting);
    if (this.#told !== undefined) this.#tell(this.#told);
    // Not at once, as who adds it has not begun to read.
    else if (this.#lacksChannels) queueMicrotask(() => this.#fail(wanting, noFeature("channels")));
    return () => {
      if (this.#wanting.delete(wanting) && this.#told !== undefined) this.#tell(this.#told);
    };
  }

  /** Tells the server what it was not told yet. */
  #tell(told: PatternSet): void {
    const all = this.#all;
    this.#ask("SUBSCRIBE", all.patterns.filter((pattern) => !told.patterns.includes(pattern)));
    this.#ask("UNSUBSCRIBE", told.patterns.filter((pattern) => !all.patterns.includes(pattern)));
    this.#told = all;
  }

  /** Whether an iterator gives it that names no channels. */
  isUsual({ channel = NO_CHANNEL }: Activity): boolean {
    return this.base.wants(channel);
  }

  /** What an iterator of these channels gives. */
  partOf(channels: readonly string[]): IteratedPart<Activity> {
    const wants = new PatternSet(channels);
    let over = () => {};
    return {
      isFor: ({ channel = NO_CHANNEL }) => wants.wants(channel),
      begun: (failed) => over = this.add({ channels: wants.patterns, failed }),
      over: () => over(),
    };
  }

  /** The server says something of channels. `stands` is told what the client has. */
  said(message: ChannelAnswer, stands: (vector: Vector) => void): void {
    if (message.command === "SUBSCRIBE_FAILED") return this.#answered(message);
    if (message.command !== "POSITION") this.#answered();
    stands(message.vector);
  }

  /** The server did what was asked for, or not. Its answers come in the order of the questions. */
  #answered(failed?: SubscribeFailedMessage): void {
    const [channels = [], ...others] = this.#asked;
    this.#asked = others;
    if (failed === undefined) return;
    const { command, info, reason } = failed;
    const error = new RefusedError(`Cannot read these channels: ${info}`, { command, info, reason });
    this.#told = this.#told?.without(channels);
    for (const wanting of [...this.#wanting]) {
      if (!wanting.channels.some((pattern) => channels.includes(pattern))) continue;
      this.#fail(wanting, error);
    }
  }

  #fail(wanting: Wanting, error: Error): void {
    if (this.#wanting.delete(wanting)) wanting.failed(error);
  }

  get #all(): PatternSet {
    return this.base.with([...this.#wanting].flatMap(({ channels }) => channels));
  }

  #ask(command: ChannelMessage["command"], channels: readonly string[]): void {
    if (channels.length === 0) return;
    this.#asked = [...this.#asked, [...channels]];
    this.#owner.say(command === "SUBSCRIBE" ? { command, channels, history: 0 } : { command, channels });
  }
}
