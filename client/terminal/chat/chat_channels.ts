/** The channels of one chat: those that are read, the one that the person talks in, and those that were seen. Pure. */

import { RecentSet } from "../../../log/recent.ts";
import { channelProblem, matches } from "../../../protocol/channels/channel_name.ts";

/** Names that came with activities, for Tab. Strangers choose them. */
export const MAX_SEEN_CHANNELS = 1_000;

/** Keeps them. Names and patterns are normal. */
export class ChatChannels {
  readonly #joined = new Set<string>();
  readonly #seen = new RecentSet<string>(MAX_SEEN_CHANNELS);
  #current: string | undefined;

  /** Where the person talks; `undefined` for everyone. It need not be read: some may be written to alone. */
  get current(): string | undefined {
    return this.#current;
  }

  /** What is read, in the order in which it was joined. */
  get joined(): readonly string[] {
    return [...this.#joined];
  }

  /** All that the person may mean, for Tab. */
  get known(): readonly string[] {
    const current = this.#current === undefined ? [] : [this.#current];
    return [...new Set([...this.#joined, ...current, ...this.#seen])];
  }

  /** Whether it is one of them. */
  isKnown(name: string): boolean {
    return this.#joined.has(name) || this.#current === name || this.#seen.has(name);
  }

  /** Whether what is said in this channel is read. */
  reads(channel: string): boolean {
    return [...this.#joined].some((pattern) => matches(pattern, channel));
  }

  /** Something was said in it. */
  seen(channel: string): void {
    this.#seen.renew(channel);
  }

  /** `pattern` is read, and talked in where it is a name. Whether it was not read before. */
  join(pattern: string): boolean {
    const isNew = !this.#joined.has(pattern);
    this.#joined.add(pattern);
    if (channelProblem(pattern) === undefined) this.#current = pattern;
    return isNew;
  }

  /** The person talks to everyone. What is read stays. */
  talkToAll(): void {
    this.#current = undefined;
  }

  /** `pattern` cannot be read. What is said goes where it went: it must not go to everyone by mistake. */
  failed(pattern: string): void {
    this.#joined.delete(pattern);
  }

  /** `pattern` is neither read nor talked in any more. Whether it was. */
  leave(pattern: string): boolean {
    const wasCurrent = this.#current === pattern;
    if (wasCurrent) this.#current = undefined;
    return this.#joined.delete(pattern) || wasCurrent;
  }
}
