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
import { mayNotRead, noFeature, RefusedError } from "./errors.ts";
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

/** What was asked on this connection, and has no answer. */
interface Question {
  readonly command: ChannelMessage["command"];
  readonly channels: readonly string[];
  /** For whom; for nobody where nobody reads them any more. */
  readonly asker: Wanting | undefined;
}

/** What one client reads. */
export class Subscriptions {
  /** What the client reads in any case. */
  readonly base: PatternSet;
  readonly #isNamed: boolean;
  readonly #owner: SubscriptionsOwner;
  readonly #wanting = new Set<Wanting>();
  /** How many want a pattern. Those of `base` are wanted once more. */
  readonly #wanted = new Map<string, number>();
  /** What the login of this connection names. */
  #named: readonly string[] = [];
  /** What the server reads for this connection, as far as it has answered. */
  #read = new Set<string>();
  /** The same when it has answered all questions; absent before it has answered the login. */
  #told: Set<string> | undefined;
  /** The server does not know channels. */
  #lacksChannels = false;
  /** The oldest first, as the answers come. */
  #asked: Question[] = [];

  /** Reads `channels` in any case; what has no channel where they are not given. */
  constructor(channels: readonly string[] | undefined, owner: SubscriptionsOwner) {
    this.base = new PatternSet(channels ?? [NO_CHANNEL]);
    this.#count(this.base.patterns, 1);
    this.#isNamed = channels !== undefined;
    this.#owner = owner;
  }

  /** What the next login says; `undefined` where it need say nothing. */
  login(): readonly string[] | undefined {
    this.#told = undefined;
    this.#asked = [];
    this.#named = [...this.#wanted.keys()].sort();
    // Nobody wants less than `base`.
    const isUsual = !this.#isNamed && this.#named.length === this.base.patterns.length;
    return isUsual ? undefined : this.#named;
  }

  /**
   * The login was answered, by a server with these features. Of the patterns of `refused` this user may read nothing:
   * the server reads them as if the login had not named them.
   */
  opened(features: readonly Feature[], refused: readonly string[] = []): void {
    this.#lacksChannels = !features.includes("channels");
    if (this.#lacksChannels) {
      this.#told = undefined;
      for (const wanting of [...this.#wanting]) this.#fail(wanting, noFeature("channels"));
      return;
    }
    this.#read = new Set(this.#named.filter((pattern) => !refused.includes(pattern)));
    this.#told = new Set(this.#read);
    for (const wanting of [...this.#wanting]) {
      const error = refusal(wanting.channels, refused);
      if (error === undefined) this.#askFor(wanting);
      else this.#fail(wanting, error);
    }
    this.#giveUp(this.#named);
  }

  /** `wanting` reads its channels from now on. Gives how to end that. */
  add(wanting: Wanting): () => void {
    this.#wanting.add(wanting);
    this.#count(wanting.channels, 1);
    this.#askFor(wanting);
    // Not at once, as who adds it has not begun to read.
    if (this.#lacksChannels) queueMicrotask(() => this.#fail(wanting, noFeature("channels")));
    return () => void this.#remove(wanting);
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
    if (message.command === "SUBSCRIBE_FAILED") return this.#refused(message);
    const question = message.command === "POSITION" ? undefined : this.#asked.shift();
    if (question !== undefined) carryOut(question, this.#read);
    stands(message.vector);
  }

  /** The server did not do what was asked for first. Who else wants a part of that asks for itself. */
  #refused({ command, info, reason }: SubscribeFailedMessage): void {
    const question = this.#asked.shift();
    if (question === undefined) return;
    // Nobody reads them, so there is nobody to tell.
    if (question.asker === undefined) carryOut(question, this.#read);
    this.#told = new Set(this.#read);
    for (const later of this.#asked) carryOut(later, this.#told);
    if (question.asker === undefined) return;
    this.#fail(question.asker, new RefusedError(`Cannot read these channels: ${info}`, { command, info, reason }));
    for (const wanting of [...this.#wanting]) this.#askFor(wanting);
  }

  #fail(wanting: Wanting, error: Error): void {
    if (this.#remove(wanting)) wanting.failed(error);
  }

  /** Whether it was there. */
  #remove(wanting: Wanting): boolean {
    if (!this.#wanting.delete(wanting)) return false;
    this.#count(wanting.channels, -1);
    this.#giveUp(wanting.channels);
    return true;
  }

  /** Asks for what `wanting` wants and the server was not told. */
  #askFor(wanting: Wanting): void {
    this.#ask("SUBSCRIBE", wanting.channels.filter((pattern) => !this.#told?.has(pattern)), wanting);
  }

  /** Tells the server which of these nobody wants any more. */
  #giveUp(patterns: readonly string[]): void {
    this.#ask("UNSUBSCRIBE", patterns.filter((pattern) => this.#told?.has(pattern) && !this.#wanted.has(pattern)));
  }

  #ask(command: Question["command"], channels: readonly string[], asker?: Wanting): void {
    // What the next login names need not be asked for.
    if (this.#told === undefined || channels.length === 0) return;
    const question = { command, channels, asker };
    this.#asked.push(question);
    carryOut(question, this.#told);
    this.#owner.say(command === "SUBSCRIBE" ? { command, channels, history: 0 } : { command, channels });
  }

  #count(patterns: readonly string[], by: 1 | -1): void {
    for (const pattern of patterns) {
      const count = (this.#wanted.get(pattern) ?? 0) + by;
      if (count === 0) this.#wanted.delete(pattern);
      else this.#wanted.set(pattern, count);
    }
  }
}

/** Why somebody cannot read `channels`, if some of them are refused. */
function refusal(channels: readonly string[], refused: readonly string[]): RefusedError | undefined {
  const lacking = refused.length === 0 ? [] : channels.filter((pattern) => refused.includes(pattern));
  return lacking.length === 0 ? undefined : mayNotRead(lacking);
}

/** Does to `patterns` what the server does. */
function carryOut({ command, channels }: Question, patterns: Set<string>): void {
  for (const pattern of channels) {
    if (command === "SUBSCRIBE") patterns.add(pattern);
    else patterns.delete(pattern);
  }
}
