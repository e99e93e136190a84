/**
 * All guests of one server, as the doors see them: who may come in, where notices have their place in the log, and who
 * comes and goes in the network.
 */

import { guarded } from "../../platform/faults.ts";
import type { PresenceEvent } from "../presence/presence.ts";
import type { Vector } from "../../log/vector.ts";
import { NO_CHANNEL } from "../../protocol/channels/channel_name.ts";
import { usernameProblem } from "../../protocol/names.ts";
import type { SessionsConfig } from "../../config/config.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import type { Rulings } from "../accounts/rulings.ts";
import type { Backplane } from "../backplane/backplane.ts";
import { mayUseChannels } from "../backplane/may_use_channels.ts";
import type { Sessions } from "../hub/sessions.ts";
import type { Journal } from "../journal/journal.ts";
import type { PresenceBoard } from "../presence/presence_board.ts";
import type { Connections } from "../session/connections.ts";
import type { DiskBudget } from "../store/disk_budget.ts";
import { mayReadIn } from "../rights/permissions.ts";
import type { Rights } from "../rights/rights.ts";
import { Guest, type GuestOwner, type GuestParts, type NewGuest } from "./guest.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";

/**
 * Why somebody cannot come in: the name is not allowed, has an account, or is logged in elsewhere and may be only once;
 * there is no place; it may not read what the door would tell it; the server lets nobody in at the moment; or an
 * operator lets this one in nowhere.
 */
export type GuestRefusal = "badName" | "account" | "elsewhere" | "full" | "notAllowed" | "notNow" | "banned";

/** What the doors see of their server. */
export interface GuestsParts {
  readonly journal: Pick<Journal, "lamport" | "reach" | "vector" | "hasAccount" | "channels">;
  readonly rulings: Pick<Rulings, "barredUser" | "barredAddress">;
  readonly presence: Pick<PresenceBoard, "isOnline">;
  readonly sessions: Pick<Sessions, "of">;
  readonly budget: Pick<DiskBudget, "hasSpace">;
  readonly backplane: Pick<Backplane, "isJoined" | "members">;
  readonly connections: Pick<Connections, "isFull" | "nextId" | "add">;
  readonly faults: FaultGuard;
  readonly perUser: SessionsConfig["perUser"];
  readonly rights: Pick<Rights, "of">;
  /** Whether the server is about to end. */
  isClosing(): boolean;
  /** What each guest is made with. */
  readonly guest: GuestParts;
}

/** Hears who comes and goes in the network, the door's own guests included. */
export type PresenceListener = (event: PresenceEvent, lamport: number) => void;

/** The guests. */
export class Guests {
  /** The server's Lamport time when it was started: above all earlier ones. */
  readonly lamportAtStart: number;
  readonly #parts: GuestsParts;
  readonly #listeners = new Set<PresenceListener>();

  /** Made before anything has happened at the server. */
  constructor(parts: GuestsParts) {
    this.#parts = parts;
    this.lamportAtStart = parts.journal.lamport;
  }

  /** The server's Lamport time. */
  get lamport(): number {
    return this.#parts.journal.lamport;
  }

  /** Sets the server's clock to `lamport` at least, so that times do not go back after a restart. */
  reach(lamport: number): void {
    this.#parts.journal.reach(lamport);
  }

  /** The vector of the log: the place of a notice that comes now. */
  get position(): Vector {
    return { ...this.#parts.journal.vector };
  }

  /** Whether somebody is online anywhere in the network. */
  isOnline(name: string): boolean {
    return this.#parts.presence.isOnline(name);
  }

  /** Whether there is space for what guests publish. */
  get hasSpace(): boolean {
    return this.#parts.budget.hasSpace;
  }

  /** Whether guests may publish in a channel. */
  get takesChannels(): boolean {
    const { journal, backplane } = this.#parts;
    return mayUseChannels(backplane.members, journal.channels.isUsed);
  }

  /** Lets somebody in, or returns why not. */
  enter<N>(newcomer: NewGuest, owner: GuestOwner): Guest<N> | GuestRefusal {
    const { journal, rulings, presence, backplane, connections, perUser, rights, isClosing } = this.#parts;
    const { name, host } = newcomer;
    if (usernameProblem(name) !== undefined) return "badName";
    const may = rights.of({ username: name, address: host, isGuest: true });
    if (!mayReadIn(may, newcomer.channel ?? NO_CHANNEL)) return "notAllowed";
    if (isClosing()) return "notNow";
    if (connections.isFull) return "full";
    if (!backplane.isJoined) return "notNow";
    // A user with an account has a secret, and no door asks for it.
    const hasAccount = unlessUnreadable(() => journal.hasAccount(name));
    if (hasAccount !== false) return hasAccount === undefined ? "notNow" : "account";
    if (rulings.barredUser(name) !== undefined || rulings.barredAddress(host) !== undefined) return "banned";
    if (perUser === "refuse" && presence.isOnline(name)) return "elsewhere";
    const guest = new Guest<N>(connections.nextId(), this.#parts.guest, { ...newcomer, may }, owner);
    connections.add(guest);
    guest.begin();
    return guest;
  }

  /** Tells `listener` from now on who comes and goes. Returns a function that ends this. */
  listen(listener: PresenceListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Somebody has come or gone. */
  presence(event: PresenceEvent, lamport: number): void {
    const { faults } = this.#parts;
    for (const listener of this.#listeners) guarded(faults, "grpc", () => listener(event, lamport), () => {});
  }

  /** These names have accounts now. A guest has no proof that the account is its own, and has to go. */
  registered(usernames: readonly string[]): void {
    for (const username of usernames) {
      for (const session of this.#parts.sessions.of(username)) {
        if (session instanceof Guest) session.end("NAME_LOST");
      }
    }
  }
}
