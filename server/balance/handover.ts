/**
 * Clients leave a server that is about to stop. They leave little by little, so that other servers are not overrun.
 * Where there is time, each one leaves when it is in the middle of nothing, and goes to a server with room.
 */

import type { Endpoint } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { ServerView } from "../../view/network_view.ts";
import type { ClientSession, Sessions } from "../hub/sessions.ts";

/** What a handover works with. */
export interface HandoverParts {
  readonly clock: Clock;
  readonly sessions: Sessions;
  /** Whether there is another server that takes clients. */
  hasOthers(): boolean;
  /** The server with the most room for one more client, which counts as sent there. */
  nextTarget(): Endpoint | undefined;
}

/** The time between two portions of clients. */
const STEP_MS = 20;
/** The longest wait for a busy client. */
const PATIENCE_MS = 10_000;
/** Clients a second when there is time: about as many as a server can log in by tickets beside its work. */
const PER_SECOND = 200;

/** All clients of one server. */
export class Handover {
  readonly #parts: HandoverParts;
  #total = 0;
  #hurries = false;

  constructor(parts: HandoverParts) {
    this.#parts = parts;
  }

  /**
   * The progress. It is there also when a server has no clients, or has not begun to send them away.
   */
  get progress(): NonNullable<ServerView["draining"]> {
    const left = this.#parts.sessions.load;
    return { total: Math.max(1, this.#total, left), left };
  }

  /** Ends the wait for `gently`. */
  hurry(): void {
    this.#hurries = true;
  }

  /** Resolves when no client is left, or when `hurry` was called. */
  async gently(reason: CloseReason): Promise<void> {
    const { clock, sessions, nextTarget } = this.#parts;
    this.#total = sessions.load;
    const begunAt = clock.nowMs();
    const perStep = Math.max(1, Math.round(PER_SECOND * STEP_MS / 1000));
    while (sessions.load > 0 && !this.#hurries) {
      const nowMs = clock.nowMs();
      const isPatient = nowMs - begunAt < PATIENCE_MS;
      let moved = 0;
      for (const session of [...sessions]) {
        if (moved === perStep) break;
        if (isPatient && session.canResume && !session.canBeMoved(nowMs)) continue;
        const to = session.canResume ? nextTarget() : undefined;
        if (to !== undefined) session.redirect(to);
        else session.end(reason);
        moved++;
      }
      await this.#wait(STEP_MS);
    }
  }

  /** Tells all clients within `spanMs` to go, busy or not, and then resolves. At once if there is no other server. */
  async within(spanMs: number, reason: CloseReason): Promise<void> {
    const sessions: ClientSession[] = [...this.#parts.sessions];
    const hasOthers = spanMs > 0 && this.#parts.hasOthers();
    const steps = hasOthers ? Math.max(1, Math.min(sessions.length, Math.floor(spanMs / STEP_MS))) : 1;
    for (let step = 0; step < steps; step++) {
      if (step > 0) await this.#wait(spanMs / steps);
      const [from, to] = [step, step + 1].map((part) => Math.floor(sessions.length * part / steps));
      for (const session of sessions.slice(from, to)) session.end(reason);
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.after(delayMs, resolve));
  }
}
