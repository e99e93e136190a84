/**
 * The waits for entries. A sender waits until one other server has its entry. A new account waits until all servers
 * have it. A login waits until the earlier entries of its client are here. Each wait has an end, and a long wait is
 * told.
 */

import type { Clock } from "../../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../../platform/faults.ts";
import { type EntryId, parseEntryId } from "../../../protocol/entry_id.ts";
import type { Journal } from "../../journal/journal.ts";

/** What waits are decided with. */
export interface EntryWaitsParts {
  readonly journal: Pick<Journal, "isHere">;
  readonly clock: Clock;
  readonly faults: FaultGuard;
  /** For so long an entry may be missing that nobody within reach is known to have. */
  readonly holdBackMs: number;
  /** Whether the entry may come from somebody who is within reach. */
  isReachable(entry: EntryId): boolean;
  /** How far each server that is linked has this server's own entries; `undefined` while that does not count. */
  peersHave(): readonly number[] | undefined;
  /** Not all had the own entry `sequence` within `patienceMs`: nobody waits for the others any longer. */
  late(sequence: number, patienceMs: number): void;
}

interface Waiting {
  /** That of this server's own entry; another one when the server has taken a new name. */
  sequence: number;
  readonly done: () => void;
}

/** One that is to be told when it waits for long. */
interface LongWaiting {
  readonly sinceMs: number;
  readonly pending: () => void;
}

/** A login that waits for what it comes after. */
interface WaitingLogin {
  readonly last: EntryId;
  isHere(): boolean;
  run(): void;
  readonly sinceMs: number;
  /** When there was a way to the origin last. */
  reachableAtMs: number;
}

/** Another server answers within milliseconds as a rule. Whoever waits for longer than this is told that it waits. */
const PENDING_MS = 2_000;
/** A little less than clients wait for the answer to a login. */
const LOGIN_PATIENCE_MS = 8_000;

/** Those of one server. */
export class EntryWaits {
  readonly #parts: EntryWaitsParts;
  readonly #logins = new Set<WaitingLogin>();
  /**
   * Who waits for one peer to have an entry of this server, and who waits for all; each in the order of the entries.
   */
  readonly #untold = new Map<Waiting, LongWaiting>();
  readonly #forOne: Waiting[] = [];
  readonly #forAll: Waiting[] = [];

  constructor(parts: EntryWaitsParts) {
    this.#parts = parts;
  }

  /** Entries of this server that somebody waits for until another server has them. */
  get pending(): number {
    return this.#forOne.length;
  }

  /**
   * Calls `done` once one other server has this server's entry `sequence` as well; before that, once,
   * `pending` when it takes long.
   */
  whenOneHas(sequence: number, done: () => void, pending?: () => void): void {
    const waiting = { sequence, done };
    // A range is waited for when its turn ends, after single entries of the turn that follow it.
    let at = this.#forOne.length;
    while (at > 0 && this.#forOne[at - 1]!.sequence > sequence) at--;
    this.#forOne.splice(at, 0, waiting);
    if (pending !== undefined) this.#untold.set(waiting, { sinceMs: this.#parts.clock.nowMs(), pending });
    this.settle();
  }

  /** Calls `done` once all servers that are linked then have this server's entry `sequence` as well. */
  whenAllHave(sequence: number, done: () => void): void {
    this.#forAll.push({ sequence, done });
    this.settle();
  }

  /** As `whenAllHave`, and calls `done` after `patienceMs` at the latest, when `late` was told. */
  whenAllHaveWithin(sequence: number, patienceMs: number, done: () => void): void {
    const timer = this.#parts.clock.after(patienceMs, () => {
      const index = this.#forAll.indexOf(waiting);
      if (index < 0) return;
      this.#forAll.splice(index, 1);
      this.#parts.late(sequence, patienceMs);
      done();
    });
    const waiting = {
      sequence,
      done: () => {
        timer.cancel();
        done();
      },
    };
    this.#forAll.push(waiting);
    this.settle();
  }

  /**
   * Calls `run` once the entry `last`, which a client says it published before, is here. Without it: when its origin
   * has been out of reach for as long as entries are held back, as it may be lost, or never have been; and when the
   * client loses its patience soon, however near the origin is.
   */
  whenHere(last: string | undefined, run: () => void): void {
    const { journal, clock } = this.#parts;
    if (last === undefined || journal.isHere(last)) return run();
    const nowMs = clock.nowMs();
    const isHere = () => journal.isHere(last);
    this.#logins.add({ last: parseEntryId(last)!, isHere, run, sinceMs: nowMs, reachableAtMs: nowMs });
  }

  /** The entries of this server have the numbers that `numbers` gives for their former ones. */
  renamed(numbers: ReadonlyMap<number, number>): void {
    for (const waiting of [...this.#forOne, ...this.#forAll]) waiting.sequence = numbers.get(waiting.sequence) ?? 0;
  }

  /** Peers have more, or there are others: whoever waited for that is called. */
  settle(): void {
    const has = this.#parts.peersHave();
    if (has === undefined) return;
    this.#settleUpTo(this.#forOne, has.length === 0 ? 0 : Math.max(...has));
    this.#settleUpTo(this.#forAll, has.length === 0 ? Infinity : Math.min(...has));
  }

  /** Whoever waited for an entry that is here now is called. */
  letIn(): void {
    for (const waiting of this.#logins) {
      if (!waiting.isHere()) continue;
      this.#logins.delete(waiting);
      this.#call(waiting.run);
    }
  }

  /** Called regularly: whoever has waited for long enough for an entry is called without it. */
  letInWithout(nowMs: number): void {
    for (const waiting of this.#logins) {
      if (this.#parts.isReachable(waiting.last)) waiting.reachableAtMs = nowMs;
      const isLost = nowMs - waiting.reachableAtMs >= this.#parts.holdBackMs;
      if (!isLost && nowMs - waiting.sinceMs < LOGIN_PATIENCE_MS) continue;
      this.#logins.delete(waiting);
      this.#call(waiting.run);
    }
  }

  /** Called regularly: tells whoever has waited for long, and was not told so yet. */
  tellPending(nowMs: number): void {
    for (const [waiting, { sinceMs, pending }] of this.#untold) {
      // In the order in which they came.
      if (nowMs - sinceMs < PENDING_MS) return;
      this.#untold.delete(waiting);
      this.#call(pending);
    }
  }

  /** No login is called any more. */
  stop(): void {
    this.#logins.clear();
  }

  #settleUpTo(waiting: Waiting[], sequence: number): void {
    while (waiting.length > 0 && waiting[0]!.sequence <= sequence) {
      const settled = waiting.shift()!;
      this.#untold.delete(settled);
      this.#call(settled.done);
    }
  }

  /** The others who wait are called, whatever becomes of this one. */
  #call(run: () => void): void {
    guarded(this.#parts.faults, "session", run, () => {});
  }
}
