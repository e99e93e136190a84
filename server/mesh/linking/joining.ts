/**
 * Whether this server has found its network since its start. Knows whether there was a link, and how the calls ended.
 * `/readyz`, the metrics and the repeated reminders come from this. Pure: the time comes in.
 */

import type { JoinState } from "../../backplane/backplane.ts";

/** What became of the last call to an address. */
interface Failure {
  readonly isRefused: boolean;
  readonly why: string;
}

/** What is to be said to the operator. */
export interface JoinReminder {
  readonly state: "unreached" | "refused";
  /** The addresses, each with what became of the last call. */
  readonly calls: string;
}

/** Reminders are this far apart in the first minute after the wait, and later. */
const FIRST_REMINDERS_MS = 10_000;
const LATER_REMINDERS_MS = 60_000;
/** One reminder names no more addresses than these. */
const MOST_NAMED = 5;

/** One server's search for its network. */
export class Joining {
  readonly #waitMs: number;
  readonly #isAlone: () => boolean;
  readonly #failures = new Map<string, Failure>();
  #begunAtMs: number | undefined;
  #remindAtMs = Infinity;
  #hasLinked = false;

  /** The wait for others is over after `waitMs`. `isAlone`: there is, and may be, nobody else. */
  constructor(waitMs: number, isAlone: () => boolean) {
    this.#waitMs = waitMs;
    this.#isAlone = isAlone;
  }

  /** The first calls go out. */
  begin(nowMs: number): void {
    this.#begunAtMs = nowMs;
    this.#remindAtMs = nowMs + this.#waitMs;
  }

  /** There is a link to another server, whoever has made it. That stays so when the link is lost. */
  linked(): void {
    this.#hasLinked = true;
    this.#failures.clear();
  }

  /** Nobody took the call. */
  unreachable(address: string, why: string): void {
    if (!this.#hasLinked) this.#failures.set(address, { why, isRefused: false });
  }

  /** Somebody took the call, and no link came of it; `isRefused`: that server does not want this one. */
  ended(address: string, why: string, isRefused: boolean): void {
    // A server that refuses again and again may soon only say that it was called too often.
    if (this.#hasLinked || (!isRefused && this.#failures.get(address)?.isRefused)) return;
    this.#failures.set(address, { why, isRefused });
  }

  /** How the search stands. */
  state(nowMs: number): JoinState {
    if (this.#hasLinked) return "joined";
    if (this.#isAlone()) return "alone";
    // A refusal is an answer: waiting does not help against it.
    if ([...this.#failures.values()].some(({ isRefused }) => isRefused)) return "refused";
    return this.#begunAtMs === undefined || nowMs < this.#begunAtMs + this.#waitMs ? "joining" : "unreached";
  }

  /** What is due to be said; `undefined` if it is nothing. */
  reminder(nowMs: number): JoinReminder | undefined {
    if (nowMs < this.#remindAtMs) return undefined;
    const sinceMs = nowMs - (this.#begunAtMs ?? nowMs) - this.#waitMs;
    this.#remindAtMs = nowMs + (sinceMs < LATER_REMINDERS_MS ? FIRST_REMINDERS_MS : LATER_REMINDERS_MS);
    const state = this.state(nowMs);
    if (state !== "unreached" && state !== "refused") return undefined;
    const calls = [...this.#failures].map(([address, { why }]) => `${address} (${why})`);
    const more = calls.length > MOST_NAMED ? ` and ${calls.length - MOST_NAMED} more` : "";
    return { state, calls: calls.slice(0, MOST_NAMED).join(", ") + more };
  }
}
