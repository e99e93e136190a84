/**
 * Tells the operator of refused callers, at every door: the first time at once, and then once a minute, with a count.
 * `refused_callers.ts` decides what is told when.
 */

import { getLogger } from "@logtape/logtape";
import { networkOf } from "../../platform/address.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { RefusedCallers, TELL_INTERVAL_MS } from "./refused_callers.ts";

/** So many connections of one address that have not said who they are get a line each; the others once they have. */
const MAX_TOLD_STRANGERS = 8;
const logger = getLogger(["thrum", "connection"]);

/** One server's. */
export class RefusalLog {
  readonly #clock: Pick<Clock, "nowMs" | "after">;
  readonly #callers = new RefusedCallers();
  /** By network: connections that were told of, and have not said who they are. */
  readonly #strangers = new Map<string, number>();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(clock: Pick<Clock, "nowMs" | "after">) {
    this.#clock = clock;
  }

  /** Whether somebody from there was refused within the last minute. Then a mere connection is not worth a line. */
  isQuiet(remoteHost: string): boolean {
    return this.#callers.isQuiet(networkOf(remoteHost));
  }

  /**
   * Somebody from there has connected. Gives whether that is told now, and not once it has said who it is. Where it is,
   * `settled` has to follow.
   */
  came(remoteHost: string): boolean {
    const network = networkOf(remoteHost);
    const told = this.#strangers.get(network) ?? 0;
    if (told >= MAX_TOLD_STRANGERS || this.isQuiet(remoteHost)) return false;
    this.#strangers.set(network, told + 1);
    return true;
  }

  /** One that was told of has said who it is, or is gone. */
  settled(remoteHost: string): void {
    const network = networkOf(remoteHost);
    const left = (this.#strangers.get(network) ?? 0) - 1;
    if (left > 0) this.#strangers.set(network, left);
    else this.#strangers.delete(network);
  }

  /** Somebody from there was refused, for a reason in words of ours. Gives whether the caller of this tells it now. */
  refused(remoteHost: string, why: string): boolean {
    const isFirst = this.#callers.refused(networkOf(remoteHost), why, this.#clock.nowMs());
    this.#tellLater();
    return isFirst;
  }

  /** Tells what was not told yet, and nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#tell(Infinity);
  }

  #tellLater(): void {
    const { dueAt } = this.#callers;
    if (dueAt === undefined || this.#timer !== undefined || this.#isStopped) return;
    this.#timer = this.#clock.after(Math.max(0, dueAt - this.#clock.nowMs()), () => {
      this.#timer = undefined;
      this.#tell(this.#clock.nowMs());
      this.#tellLater();
    });
  }

  #tell(nowMs: number): void {
    for (const { caller, count, why } of this.#callers.due(nowMs)) {
      logger.info("refused {count} more of {caller} within {seconds} s, the last: {why}", {
        count,
        caller: caller ?? "many other addresses",
        seconds: TELL_INTERVAL_MS / 1000,
        why,
      });
    }
  }
}
