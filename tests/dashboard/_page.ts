/** A page without a browser: a `LineSession`, what it was told to do, and a clock. */

import { LineSession } from "../../dashboard/client/line_session.js";
import type { SessionEffect, SessionEvent } from "../../dashboard/client/session_types.js";
import type { Plan } from "../../dashboard/client/lines.js";

/** What is handed in without its moment. */
type Timeless<T> = T extends unknown ? Omit<T, "at" | "chance"> : never;

export const HOME = { host: "localhost:8080", isSecure: false };
export const ANNA: Plan = { username: "anna", secret: "open sesame", register: false, isPlain: false };
export const HEARTBEAT = { idleTimeoutMs: 30_000, intervalMs: 10_000, count: 3 };
export const FEATURES = ["heartbeat", "presence", "ack", "resume", "chat", "history", "channels"];
/** Two servers of one network, of which the page's own is "a". */
export const VIEW = {
  from: "a",
  servers: {
    a: { name: "a", host: "127.0.0.1", port: 8000, http: "127.0.0.1:8080", state: "self" },
    b: { name: "b", host: "127.0.0.1", port: 8001, http: "127.0.0.1:8081", state: "linked" },
  },
};
export const HOME_URL = "ws://localhost:8080/line";
export const OTHER_URL = "ws://127.0.0.1:8081/line";

/** Runs a session and keeps what it says. */
export class Page {
  readonly session = new LineSession(HOME);
  /** All effects so far. */
  readonly effects: SessionEffect[] = [];
  at = 1_000;
  chance = 0.5;

  /** Hands something in, and gives what the session wants done. */
  take(event: Timeless<SessionEvent>): SessionEffect[] {
    const effects = this.session.take({ ...event, at: this.at, chance: this.chance } as SessionEvent);
    this.effects.push(...effects);
    return effects;
  }

  /** A line from the server. */
  line(message: object): SessionEffect[] {
    return this.take({ kind: "line", text: JSON.stringify(message) });
  }

  /** Comes in, as far as the LOGIN. */
  signIn(plan: Plan = ANNA, more: object = {}): void {
    this.take({ kind: "signIn", plan, ...more });
    this.take({ kind: "opened" });
  }

  /** Connects, and leaves all else to the person. */
  byHand(): void {
    this.take({ kind: "signIn", plan: undefined });
    this.take({ kind: "opened" });
  }

  /** Lets time pass until the page calls a server. */
  untilDialing(): void {
    while (this.kind === "waiting") this.pass(this.session.wakeAt! - this.at);
  }

  /** The server answers the login. */
  loggedIn(more: object = {}): SessionEffect[] {
    return this.line({
      command: "LOGIN_SUCCESS",
      info: "logged in",
      features: FEATURES,
      serverId: "a",
      lamport: 5,
      heartbeat: HEARTBEAT,
      resume: { vector: {}, replayed: 0 },
      ...more,
    });
  }

  /** Comes in, and is logged in. */
  live(more: object = {}): void {
    this.signIn();
    this.loggedIn(more);
    this.line({ command: "CAUGHT_UP", vector: {} });
    // A connection that ends in the moment in which it began was no connection.
    this.pass(1);
  }

  /** Lets time pass, and hands in every wake-up on the way. */
  pass(ms: number): void {
    const until = this.at + ms;
    for (;;) {
      const { wakeAt } = this.session;
      if (wakeAt === undefined || wakeAt > until) break;
      this.at = Math.max(this.at, wakeAt);
      this.take({ kind: "woke", lateMs: 0 });
    }
    this.at = until;
  }

  /** The socket closes. */
  close(): SessionEffect[] {
    return this.take({ kind: "closed" });
  }

  get kind(): string {
    return this.session.status.kind;
  }
}

/** The lines among `effects`, read. */
export function written(effects: readonly SessionEffect[]): Record<string, unknown>[] {
  return effects.flatMap((effect) => effect.kind === "write" ? [JSON.parse(effect.line)] : []);
}

/** The commands among them. */
export function commands(effects: readonly SessionEffect[]): unknown[] {
  return written(effects).map(({ command }) => command);
}

/** Where the page wants to connect. */
export function dialed(effects: readonly SessionEffect[]): string[] {
  return effects.flatMap((effect) => effect.kind === "dial" ? [effect.url] : []);
}

/** An activity as a server sends it. */
export function broadcast(id: string, more: object = {}): object {
  return {
    command: "ACTIVITY_BROADCAST",
    activity: { text: `said as ${id}`, authenticated_user: "bob" },
    id,
    lamport: 9,
    sentAt: 1_700_000_000_000,
    ...more,
  };
}

/** What was shown of activities, by their ids. */
export function activityIds(effects: readonly SessionEffect[]): string[] {
  return effects.flatMap((effect) => effect.kind === "activity" ? [effect.id] : []);
}
