/**
 * All guests of one server, as the doors see them: who may come in, where notices stand among the lines of the log, and
 * who comes and goes elsewhere in the network.
 */

import { guarded } from "../../platform/faults.ts";
import type { PresenceEvent } from "../presence/presence.ts";
import type { Vector } from "../../log/vector.ts";
import { usernameProblem } from "../../protocol/names.ts";
import type { ConnectionServices } from "../session/connection_services.ts";
import { Guest, type GuestOwner, type NewGuest } from "./guest.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";

/**
 * Why somebody cannot come in: the name cannot be had, is an account's, or is logged in and that once only; there is no
 * place; or the server lets nobody in at the moment.
 */
export type GuestRefusal = "badName" | "account" | "elsewhere" | "full" | "notNow";

/** What the doors need of their node. */
export interface GuestsParts {
  readonly services: ConnectionServices;
  /** Why it cannot serve one more connection. */
  refusal(): "full" | "notNow" | undefined;
  /** It serves this one from now on. Gives what it is called. */
  nextId(): string;
  serve(guest: Guest<unknown>): void;
}

/** Hears who comes and goes in the network, the door's own guests included. */
export type PresenceListener = (event: PresenceEvent, lamport: number) => void;

/** The guests. */
export class Guests {
  /** The server's Lamport time when it was started: above all of before. */
  readonly lamportAtStart: number;
  readonly #parts: GuestsParts;
  readonly #listeners = new Set<PresenceListener>();

  /** To be made before anything has happened at the server. */
  constructor(parts: GuestsParts) {
    this.#parts = parts;
    this.lamportAtStart = parts.services.journal.lamport;
  }

  /** The server's Lamport time. */
  get lamport(): number {
    return this.#parts.services.journal.lamport;
  }

  /** Lets the server's clock be no less than `lamport`, so that times do not go back when it is started again. */
  reach(lamport: number): void {
    this.#parts.services.journal.reach(lamport);
  }

  /** What all of the log that was delivered covers: the position of a notice that comes now. */
  get position(): Vector {
    return { ...this.#parts.services.journal.vector };
  }

  /** Whether somebody is online anywhere in the network. */
  isOnline(name: string): boolean {
    return this.#parts.services.presence.isOnline(name);
  }

  /** Whether what guests publish is taken: there is space for it. */
  get hasSpace(): boolean {
    return this.#parts.services.budget.hasSpace;
  }

  /** Lets somebody in, or says why not. */
  enter<N>(newcomer: NewGuest, owner: GuestOwner): Guest<N> | GuestRefusal {
    const { services, refusal } = this.#parts;
    const { backplane, presence, config: { sessions: { perUser } } } = services;
    const { name } = newcomer;
    if (usernameProblem(name) !== undefined) return "badName";
    const problem = refusal() ?? (backplane.isJoined ? undefined : "notNow");
    if (problem !== undefined) return problem;
    // Who has an account proves it with a secret; no door could tell.
    const hasAccount = unlessUnreadable(() => services.hasAccount(name));
    if (hasAccount !== false) return hasAccount === undefined ? "notNow" : "account";
    if (perUser === "refuse" && presence.isOnline(name)) return "elsewhere";
    const guest = new Guest<N>(this.#parts.nextId(), services, newcomer, owner);
    this.#parts.serve(guest);
    guest.begin();
    return guest;
  }

  /** Tells `listener` from now on who comes and goes. Gives what ends that. */
  listen(listener: PresenceListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Somebody has come or gone. */
  presence(event: PresenceEvent, lamport: number): void {
    const { faults } = this.#parts.services;
    for (const listener of this.#listeners) guarded(faults, "grpc", () => listener(event, lamport), () => {});
  }

  /** These names have accounts now: who has one without proof has to go. */
  registered(usernames: readonly string[]): void {
    for (const username of usernames) {
      for (const session of this.#parts.services.sessions.of(username)) {
        if (session instanceof Guest) session.end("NAME_LOST");
      }
    }
  }
}
