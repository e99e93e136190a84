/** Who is logged in at this server: for its load, and for what concerns all of them or all of one user. */

import type { Endpoint } from "../../platform/address.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { WireServer } from "../../protocol/message.ts";
import type { Renumbering } from "../../log/renumbering.ts";

/** A logged-in client, as the network sees it. */
export interface ClientSession {
  readonly username: string;
  /** Whether it knows where it stands, and so misses nothing when it goes on elsewhere. */
  readonly canResume: boolean;
  /** Whether it can be sent elsewhere now without anything being lost, or being felt. */
  canBeMoved(nowMs: number): boolean;
  /** Where to go when this server is gone. Only for those that can resume. */
  sendBackups(servers: readonly WireServer[]): void;
  /** Sends it to another server. */
  redirect(to: Endpoint): void;
  /** Somebody has come or gone: `line` says it. */
  tellPresence(username: string, line: Uint8Array): void;
  /** What it was sent stands under other numbers. */
  renumbered(renumbering: Renumbering): void;
  end(reason: CloseReason): void;
}

/** All sessions of one server, in the order of their logins. */
export class Sessions implements Iterable<ClientSession> {
  readonly #sessions = new Set<ClientSession>();
  readonly #changed: () => void;

  /** `changed` is told whenever there is one more or less. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** How many there are. */
  get load(): number {
    return this.#sessions.size;
  }

  add(session: ClientSession): void {
    this.#sessions.add(session);
    this.#changed();
  }

  /** Harmless for one that is not there. */
  remove(session: ClientSession): void {
    if (this.#sessions.delete(session)) this.#changed();
  }

  /** Those of one user. */
  of(username: string): ClientSession[] {
    return [...this.#sessions].filter((session) => session.username === username);
  }

  [Symbol.iterator](): Iterator<ClientSession> {
    return this.#sessions.values();
  }
}
