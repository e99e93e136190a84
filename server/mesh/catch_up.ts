/**
 * Whether this server has joined. It has joined when it has all entries that its peers had when their links came up,
 * and has tried every known address. Until then it serves nobody. Otherwise it would refuse logins whose accounts have
 * not come yet.
 */

import { getLogger } from "@logtape/logtape";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { covers, type Vector } from "../../log/vector.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";

/** The facts that it depends on. */
export interface CatchUpFacts {
  readonly clock: Clock;
  /** After this time a server serves its clients even if it has not caught up; 10 s if absent. */
  readonly timeoutMs?: number;
  /** The entries of this server. */
  vector(): Vector;
  /** The last entry of an origin that is forgotten as a whole; 0 for others. */
  buriedAt(origin: string): number;
  /** True when every known address has been tried. */
  allTried(): boolean;
  /** The server has joined. Called once, before anything that waited for it. */
  joined(): void;
  readonly faults: FaultGuard;
}

const logger = getLogger(["thrum", "mesh"]);

/** One server's way into the network. */
export class CatchUp {
  readonly #facts: CatchUpFacts;
  /** The entries that each peer had when its link came up. */
  readonly #goals = new Map<string, Vector>();
  /** The peers whose accounts were asked for. */
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

  /** The peer has accounts that are in no log any more, and was asked for them. */
  awaitsAccounts(serverId: string): void {
    this.#accountsOf.add(serverId);
  }

  /** All these accounts have come. */
  accountsCame(serverId: string): void {
    if (this.#accountsOf.delete(serverId)) this.look();
  }

  /** The peer is gone. Nobody can wait for entries that only it has. */
  lost(serverId: string): void {
    this.#goals.delete(serverId);
    this.#accountsOf.delete(serverId);
  }

  /** An entry has come, or an address was tried. */
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
