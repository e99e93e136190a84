/**
 * Which events of strangers get a line of their own, and which are counted. Anybody can fail at a login a thousand
 * times a second. That must not fill the disk, and must not push what matters out of the log. So an address gets one
 * line at once, and then one a minute with a count. Pure: the caller gives the time.
 */

import { RefusedCallers } from "../accounts/refused_callers.ts";
import type { AuditEvent, AuditKind } from "./audit_event.ts";

/** Kinds of which any stranger can make any number. */
const STRANGERS: ReadonlySet<AuditKind> = new Set([
  ...["loginFailed", "registrationFailed", "tokenRefused", "peerRefused"] as const,
]);
/** Addresses with lines of their own, for each kind; all others share one: a few dozen lines a minute at most. */
const MAX_CALLERS = 16;
/** Names that may be registered with a line for each; further ones are counted. */
const REGISTRATIONS_PER_MINUTE = 60;
const MINUTE_MS = 60_000;

/** The share of one log. */
export class StrangerShare {
  readonly #callers = new Map<AuditKind, RefusedCallers>();
  #registrations = { since: -Infinity, count: 0 };

  /** Whether `event`, which came from the network `from`, gets a line now. Otherwise it is counted. */
  hasLine({ what, of = "" }: AuditEvent, from: string, nowMs: number): boolean {
    if (!STRANGERS.has(what) && (what !== "registered" || this.#mayRegister(nowMs))) return true;
    const callers = this.#callers.get(what) ?? new RefusedCallers(MAX_CALLERS);
    this.#callers.set(what, callers);
    return callers.refused(from, of, nowMs);
  }

  /** When `due` is to be called; `undefined` for not before something was counted. */
  get dueAt(): number | undefined {
    const times = [...this.#callers.values()].flatMap(({ dueAt }) => dueAt === undefined ? [] : [dueAt]);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What was counted, as events. With `Infinity`: all of it. */
  due(nowMs: number): AuditEvent[] {
    return [...this.#callers].flatMap(([what, callers]) =>
      callers.due(nowMs).map(({ caller, count, why }) => ({
        what,
        from: caller ?? "many other addresses",
        // The last one stands for all.
        of: why === "" ? undefined : why,
        more: { count },
      }))
    );
  }

  #mayRegister(nowMs: number): boolean {
    if (nowMs - this.#registrations.since >= MINUTE_MS) this.#registrations = { since: nowMs, count: 0 };
    return ++this.#registrations.count <= REGISTRATIONS_PER_MINUTE;
  }
}
