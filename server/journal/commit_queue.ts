/**
 * Turns on their way into the store, in their order. Where the store waits for the disk at every turn, it does so
 * beside the event loop, for all turns together that came meanwhile. Until then nobody is told of them: what they have
 * is found here. All other turns are stored in the call, and told at once.
 */

import type { Clock } from "../../platform/clock.ts";
import { linesOf, type Segment } from "../../log/segment.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import { DurationCount, type Durations } from "../../view/metric_counters.ts";
import type { Account, Batch, Store, UsedMessageId } from "../store/store.ts";
import type { AwaitingCommit } from "./commit.ts";
import { unlessUnreadable } from "./unreadable_store.ts";
import type { TurnBatch } from "./turn_batch.ts";
import { UsedIds } from "./used_ids.ts";

/** A turn that has ended. */
export interface EndedTurn {
  readonly segments: readonly Segment[];
  readonly batch: TurnBatch;
  readonly waiting: Iterable<AwaitingCommit>;
  readonly registrations: readonly (() => void)[];
  /** Nobody is to be told of it. */
  readonly isSilent?: boolean;
}

/** What the queue is made with. */
export interface CommitQueueParts {
  readonly store: Store;
  readonly clock: Pick<Clock, "nowMs">;
  /** The turn is in the store, and all turns before it were told. May end further turns. */
  stored(turn: EndedTurn): void;
  /** The store did not take it. */
  failed(error: unknown): void;
}

interface Waiting {
  readonly turn: EndedTurn;
  isStored: boolean;
}

/** One journal's. */
export class CommitQueue {
  readonly #parts: CommitQueueParts;
  readonly #waiting: Waiting[] = [];
  /** Of turns that wait: the message ids that they used, and their accounts. */
  readonly #messageIds = new UsedIds();
  readonly #accounts = new Map<string, Account>();
  readonly #durations = new DurationCount();
  readonly #waits = new DurationCount();

  constructor(parts: CommitQueueParts) {
    this.#parts = parts;
  }

  /** How long the store took for each turn with something to store. */
  get durations(): Durations {
    return this.#durations.durations;
  }

  /** How long the event loop waited in place for turns that were on their way to the disk. */
  get waits(): Durations {
    return this.#waits.durations;
  }

  /** Whether turns with something to store wait for the disk. */
  get waitsForDisk(): boolean {
    return this.#parts.store.commitInBackground !== undefined;
  }

  /** Whether turns wait for it now. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Stores `batch`, what is to be kept of `turn`, if there is something. */
  add(turn: EndedTurn, batch: Batch | undefined): void {
    const { store, clock } = this.#parts;
    if (store.commitInBackground === undefined) {
      if (batch !== undefined) {
        const begunAtMs = clock.nowMs();
        store.commit(batch);
        this.#durations.add(clock.nowMs() - begunAtMs);
      }
      return this.#parts.stored(turn);
    }
    const waiting = [...turn.waiting].map((one) => one.sealed?.() ?? one);
    const entry: Waiting = { turn: { ...turn, waiting }, isStored: batch === undefined };
    this.#waiting.push(entry);
    if (batch === undefined) return this.#tell();
    for (const used of batch.messageIds) this.#messageIds.add(used);
    for (const account of batch.accounts) this.#accounts.set(account.username, account);
    const begunAtMs = clock.nowMs();
    const done = (error?: unknown) => {
      if (error !== undefined) return this.#parts.failed(error);
      this.#durations.add(clock.nowMs() - begunAtMs);
      entry.isStored = true;
      this.#leave(batch);
      this.#tell();
    };
    // Whoever is told may read the log. No clock and no link guards this call.
    store.commitInBackground(batch, (error) => unlessUnreadable(() => done(error)));
  }

  /** Waits in place until all turns are stored, and tells them. */
  finish(): void {
    if (!this.isWaiting) return;
    const { store, clock } = this.#parts;
    const begunAtMs = clock.nowMs();
    store.finishCommits?.();
    this.#waits.add(clock.nowMs() - begunAtMs);
  }

  /** The entry that a turn that waits has under this message id. */
  usedMessageId(username: string, messageId: string): UsedMessageId | undefined {
    return this.#messageIds.find(username, messageId);
  }

  /** The account that a turn that waits has under this name. */
  account(username: string): Account | undefined {
    return this.#accounts.get(username);
  }

  /** The line of an entry of a turn that waits, without its end. */
  lineOf({ origin, sequence }: EntryId): string | undefined {
    for (const { turn: { segments } } of this.#waiting) {
      const segment = segments.find((one) => one.origin === origin && one.first <= sequence && sequence <= one.last);
      if (segment !== undefined) return linesOf(segment.bytes)[sequence - segment.first] || undefined;
    }
    return undefined;
  }

  /** The store has them. */
  #leave({ messageIds, accounts }: Batch): void {
    for (const used of messageIds) this.#messageIds.delete(used);
    for (const account of accounts) {
      if (this.#accounts.get(account.username) === account) this.#accounts.delete(account.username);
    }
  }

  #tell(): void {
    while (this.#waiting[0]?.isStored) this.#parts.stored(this.#waiting.shift()!.turn);
  }
}
