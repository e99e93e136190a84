/**
 * The channels of which a client is told who begins to read them and who ends, over all its connections: as long as an
 * iterator wants it. Each connection asks anew. Sends nothing itself.
 */

import type { Feature } from "../../protocol/message.ts";
import type { UserListFailedMessage } from "../../protocol/presence/presence_message.ts";
import { noFeature, noReaders } from "../errors.ts";
import type { IteratedPart } from "../fanout.ts";
import type { Presence } from "../options.ts";

/** The client. */
export interface ChannelPresenceOwner {
  /** The features in force; `undefined` while there is no connection. */
  features(): readonly Feature[] | undefined;
  /** Says to the server, if there is a connection, whether it wants to be told. */
  say(channel: string, presence: boolean): void;
}

type Fail = (error: Error) => void;

/** What one client wants to be told. */
export class ChannelPresence {
  readonly #owner: ChannelPresenceOwner;
  /** Iterators that want it, by channel. */
  readonly #wanting = new Map<string, Set<Fail>>();

  constructor(owner: ChannelPresenceOwner) {
    this.#owner = owner;
  }

  /** What an iterator of `channel` gives. */
  partOf(channel: string): IteratedPart<Presence> {
    let over = () => {};
    return {
      isFor: (presence) => presence.channel === channel,
      begun: (fail) => over = this.#add(channel, fail),
      over: () => over(),
    };
  }

  /** The login was answered. */
  opened(): void {
    for (const channel of this.#wanting.keys()) this.#ask(channel);
  }

  /** The server does not tell. What it says of a channel that nobody wants is of another question. */
  refused(refusal: UserListFailedMessage): void {
    if (refusal.channel !== undefined) this.#failAll(refusal.channel, noReaders(refusal));
  }

  #add(channel: string, fail: Fail): () => void {
    const wanting = this.#wanting.get(channel) ?? new Set();
    const isFirst = wanting.size === 0;
    this.#wanting.set(channel, wanting.add(fail));
    if (isFirst) this.#ask(channel);
    return () => {
      if (!wanting.delete(fail) || wanting.size > 0 || this.#wanting.get(channel) !== wanting) return;
      this.#wanting.delete(channel);
      this.#owner.say(channel, false);
    };
  }

  /** Where there is no connection the next one asks. */
  #ask(channel: string): void {
    const features = this.#owner.features();
    if (features === undefined) return;
    const lacking = (["channels", "presence"] as const).find((feature) => !features.includes(feature));
    if (lacking === undefined) return this.#owner.say(channel, true);
    // Not at once, as who has asked has not begun to read.
    queueMicrotask(() => this.#failAll(channel, noFeature(lacking)));
  }

  #failAll(channel: string, error: Error): void {
    const wanting = this.#wanting.get(channel);
    this.#wanting.delete(channel);
    for (const fail of wanting ?? []) fail(error);
  }
}
