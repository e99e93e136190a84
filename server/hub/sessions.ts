/**
 * The clients that are logged in at this server: their number is its load. Finds all sessions, or those of one user.
 */

import type { Endpoint } from "../../platform/address.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { PatternSet } from "../../protocol/channels/pattern_set.ts";
import type { WireServer } from "../../protocol/message.ts";
import type { Renumbering } from "../../log/renumbering.ts";

/** A logged-in client, as the network sees it. */
export interface ClientSession {
  readonly username: string;
  /** What it reads of the log; `undefined` for nothing. */
  readonly reads: PatternSet | undefined;
  /** Whether it knows its place in the log, so that it misses nothing when it goes on elsewhere. */
  readonly canResume: boolean;
  /** Whether it can be sent elsewhere now, and nobody loses or feels anything. */
  canBeMoved(nowMs: number): boolean;
  /** Where to go when this server is gone. Only for clients that can resume. */
  sendBackups(servers: readonly WireServer[]): void;
  /** Sends it to another server. */
  redirect(to: Endpoint): void;
  /** `line` says that somebody has come or gone. */
  tellPresence(username: string, line: Uint8Array): void;
  /** The entries that it was sent have other numbers now. */
  renumbered(renumbering: Renumbering): void;
  /** What its user may do may be something else than at its login: then it ends. */
  reviewRights(): void;
  /** Ends it; `why` is said in place of the sentence of `reason`. */
  end(reason: CloseReason, why?: string): void;
}

/** All sessions of one server, in the order of their logins. */
export class Sessions implements Iterable<ClientSession> {
  readonly #sessions = new Set<ClientSession>();
  readonly #changed: () => void;

  /** Calls `changed` whenever the number of sessions changes. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The number of sessions. */
  get load(): number {
    return this.#sessions.size;
  }

  add(session: ClientSession): void {
    this.#sessions.add(session);
    this.#changed();
  }

  /** Does nothing for a session that is not there. */
  remove(session: ClientSession): void {
    if (this.#sessions.delete(session)) this.#changed();
  }

  /** The sessions of one user. */
  of(username: string): ClientSession[] {
    return [...this.#sessions].filter((session) => session.username === username);
  }

  [Symbol.iterator](): Iterator<ClientSession> {
    return this.#sessions.values();
  }
}
