/**
 * What a chat reads of channels: an iterator for each that is joined, and first what was said there before.
 * `chat_channels.ts` decides which these are, `chat.ts` shows what comes.
 */

import type { Clock } from "../../../platform/clock.ts";
import type { Style } from "../../../platform/terminal.ts";
import type { Activity, Client } from "../../options.ts";
import { beforeRow, nowRow } from "../describe.ts";
import { whyNotRead } from "./line_errors.ts";

/** What it is made with. */
export interface ChannelReadingsParts {
  readonly clock: Pick<Clock, "after" | "endOfTurn">;
  readonly style: Style;
  /** How much of what was said before is shown. */
  readonly last: number;
  /** How long that may take. */
  readonly pastTimeoutMs: number;
}

/** The chat. */
export interface ChannelReadingsOwner {
  /** Whether it was shown already. */
  hasShown(activity: Activity): boolean;
  /** Shows it, if it was not. */
  show(activity: Activity): void;
  /** Shows a row that nobody said. */
  showRow(row: string): void;
  /** The server reads this for the client now. */
  joined(pattern: string): void;
  /** It does not, or no more. `why` is for the person. */
  failed(pattern: string, why: string, error: Error): void;
}

/** The iterators of one chat. */
export class ChannelReadings {
  readonly #parts: ChannelReadingsParts;
  readonly #owner: ChannelReadingsOwner;
  readonly #readings = new Map<string, AsyncIterableIterator<Activity>>();

  constructor(parts: ChannelReadingsParts, owner: ChannelReadingsOwner) {
    this.#parts = parts;
    this.#owner = owner;
  }

  /** Reads `pattern`, which is not read yet. Resolves when that has begun, or has failed. */
  async begin(client: Client, pattern: string): Promise<void> {
    // First of all, so that nothing lies between what was said before and what comes.
    const activities = client.activities({ channels: [pattern] });
    this.#readings.set(pattern, activities);
    const begun = Promise.withResolvers<void>();
    const show = async () => {
      for await (const activity of activities) {
        await begun.promise;
        this.#owner.show(activity);
      }
    };
    show().catch((error) => this.#ended(pattern, activities, error));
    const past = await this.#past(client, pattern);
    if (this.#readings.get(pattern) === activities && past !== undefined) {
      this.#owner.joined(pattern);
      this.#showPast(pattern, past);
    }
    begun.resolve();
  }

  /** Reads `pattern` no more. */
  end(pattern: string): void {
    const activities = this.#readings.get(pattern);
    this.#readings.delete(pattern);
    void activities?.return?.();
  }

  /**
   * What was said in it before; `undefined` when the server says nothing in time. Its answer comes behind that to the
   * subscription, so a refusal is known then. Where no past is wanted, it is asked for all the same.
   */
  async #past(client: Client, channel: string): Promise<readonly Activity[] | undefined> {
    const { clock, last, pastTimeoutMs } = this.#parts;
    const late = new AbortController();
    const timer = clock.after(pastTimeoutMs, () => late.abort());
    try {
      const { activities } = await client.history({ limit: Math.max(1, last), channel, signal: late.signal });
      return last === 0 ? [] : activities;
    } catch {
      // The past is not worth the channel. What is wrong with that, its iterator says.
      return undefined;
    } finally {
      timer.cancel();
      // Both answers may have come in one packet.
      await new Promise<void>((resolve) => clock.endOfTurn(resolve));
    }
  }

  #showPast(channel: string, past: readonly Activity[]): void {
    const { style } = this.#parts;
    const unseen = past.filter((activity) => !this.#owner.hasShown(activity));
    if (unseen.length === 0) return;
    this.#owner.showRow(beforeRow(style, channel));
    for (const activity of unseen) this.#owner.show(activity);
    this.#owner.showRow(nowRow(style));
  }

  #ended(pattern: string, activities: AsyncIterableIterator<Activity>, error: Error): void {
    if (this.#readings.get(pattern) !== activities) return;
    this.#readings.delete(pattern);
    const why = whyNotRead(error);
    if (why !== undefined) this.#owner.failed(pattern, why, error);
  }
}
