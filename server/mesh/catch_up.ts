/**
 * Whether this server has joined: whether it has all that its peers had when their links came up, and knows
 * of everybody whether he is there. Until then it serves nobody, so that no login is refused because the
 * account has not come yet.
 */

import { getLogger } from "@logtape/logtape";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { covers, type Vector } from "../../log/vector.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";

/** What it depends on. */
export interface CatchUpFacts {
  readonly clock: Clock;
  /** A server that cannot catch up with others within this serves its clients all the same; 10 s if absent. */
  readonly timeoutMs?: number;
  /** What this server has. */
  vector(): Vector;
  /** The last entry of an origin that is forgotten whole; 0 of others. */
  buriedAt(origin: string): number;
  /** Whether every address that is known was called, and answered or did not. */
  allTried(): boolean;
  /** It has joined. Told once, before anybody who waited for it. */
  joined(): void;
  readonly faults: FaultGuard;
}

const logger = getLogger(["thrum", "mesh"]);

/** One server's way into the network. */
export class CatchUp {
  readonly #facts: CatchUpFacts;
  /** What each peer had when its link came up. */
  readonly #goals = new Map<string, Vector>();
  /** Whose accounts were asked for. */
  readonly #accountsOf = new Set<string>();
  #waiting: (() => void)[] = [];
  #timer: Timer | undefined;
  #isOver = false;

  constructor(facts: CatchUpFacts) {
    this.#facts = facts;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Begins; `isAlone`: there is nobody to join. */
  begin(isAlone: boolean): void {
    if (isAlone) return this.#finish();
    const { clock, timeoutMs = DEFAULT_CONFIG.cluster.joinWaitMs } = this.#facts;
    this.#timer = clock.after(timeoutMs, () => {
      logger.warning("could not catch up with the network within {seconds} s; serving without the rest for now", {
        seconds: timeoutMs / 1000,
      });
      this.#finish();
    });
  }

  /** Calls `run` once this server has joined; at once when it has. */
  whenOver(run: () => void): void {
    if (this.#isOver) run();
    else this.#waiting.push(run);
  }

  /** A link to `serverId` is up, and its server has `vector`. */
  linked(serverId: string, vector: Vector): void {
    // What is forgotten here does not come again.
    const goal = Object.entries(vector).filter(([origin, last]) => last > this.#facts.buriedAt(origin));
    this.#goals.set(serverId, Object.fromEntries(goal));
  }

  /** It has accounts that are in no log any more, and was asked for them. */
  awaitsAccounts(serverId: string): void {
    this.#accountsOf.add(serverId);
  }

  /** All of them have come. */
  accountsCame(serverId: string): void {
    if (this.#accountsOf.delete(serverId)) this.look();
  }

  /** It is gone: what only that server has cannot be waited for. */
  lost(serverId: string): void {
    this.#goals.delete(serverId);
    this.#accountsOf.delete(serverId);
  }

  /** Something has come, or has been tried. */
  look(): void {
    if (this.#isOver || this.#accountsOf.size > 0 || !this.#facts.allTried()) return;
    const has = this.#facts.vector();
    if ([...this.#goals.values()].every((goal) => covers(has, goal))) this.#finish();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#isOver = true;
  }

  #finish(): void {
    this.#timer?.cancel();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#facts.joined();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) guarded(this.#facts.faults, "session", run, () => {});
  }
}
