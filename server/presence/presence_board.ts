/**
 * Carries presence between servers and to clients. Notes who comes and goes here, tells the other servers, and hears
 * their news. `presence.ts` decides what is told when.
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../../config/config.ts";
import { Presence, type PresenceEvent } from "./presence.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import type { OnlineChangeMessage, OnlineMessage } from "../../protocol/peer/peer_message.ts";
import { lineBytes } from "../../protocol/server_codec.ts";
import type { ClientSession, Sessions } from "../hub/sessions.ts";

/** What the board needs of its node. */
export interface PresenceBoardParts {
  /** This server. It can get another name. */
  readonly named: { readonly serverId: string };
  readonly perUser: Config["sessions"]["perUser"];
  readonly clock: Clock;
  readonly sessions: Sessions;
  /** Sends the message to every linked server. */
  tellServers(message: OnlineChangeMessage): void;
  /** The server's Lamport time after something happened here, or after a message came that was sent at `lamport`. */
  tick(lamport?: number): number;
  /** A user has come or gone. For listeners that are told in another way than clients. */
  told(event: PresenceEvent, lamport: number): void;
}

/** A user who lost a connection or a server has this long to come back before anybody is told. */
const GRACE_MS = 1_500;
const logger = getLogger(["thrum", "presence"]);

/** One server's view of who is online. */
export class PresenceBoard {
  readonly #parts: PresenceBoardParts;
  readonly #presence = new Presence(GRACE_MS);
  /** Sessions of each user at this server. */
  readonly #here = new Map<string, number>();
  /** The Lamport time when the newest session began. */
  readonly #beganAt = new Map<string, number>();
  /** The users of the server that was lost last. */
  #lost: { readonly serverId: string; readonly users: readonly string[] } = { serverId: "", users: [] };
  #timer: Timer | undefined;

  constructor(parts: PresenceBoardParts) {
    this.#parts = parts;
  }

  /** Users who are logged in somewhere in the network, or may still come back in time. */
  get listed(): string[] {
    return this.#presence.listed;
  }

  /** A number that changes whenever `listed` changes. */
  get changes(): number {
    return this.#presence.changes;
  }

  /** Users who are logged in at this moment, each with its servers. */
  get servers(): Iterable<readonly [username: string, serverIds: readonly string[]]> {
    return this.#presence.servers();
  }

  /** When users who are offline were online last, in milliseconds since 1970. */
  get lastSeen(): Iterable<readonly [username: string, at: number]> {
    return this.#presence.lastSeen;
  }

  isOnline(username: string): boolean {
    return this.#presence.isOnline(username);
  }

  /** Where a user is logged in. If nowhere: whether the user lost the last connection a moment ago. */
  whereabouts(username: string): { readonly servers: readonly string[]; readonly isAway: boolean } {
    return this.#presence.whereabouts(username);
  }

  /** Users who are logged in at `serverId`. */
  usersAt(serverId: string): string[] {
    return [...this.#presence.servers()].flatMap(([user, servers]) => servers.includes(serverId) ? [user] : []);
  }

  /** Users who were at `serverId` when it was lost, if that was the last loss. */
  lostWith(serverId: string): readonly string[] {
    return this.#lost.serverId === serverId ? this.#lost.users : [];
  }

  /** The news for a server with a new link. */
  get here(): OnlineMessage {
    return { command: "ONLINE", users: [...this.#here.keys()] };
  }

  /** This server had the name `former` until now. */
  renamed(former: string): void {
    for (const username of this.#here.keys()) this.#tell(this.#presence.came(this.#parts.named.serverId, username));
    const { clock } = this.#parts;
    this.#tell(this.#presence.serverGone(former, clock.nowMs(), clock.wallMs()));
  }

  /** A session has begun here. */
  came(session: ClientSession): void {
    const { username } = session;
    if (username === ANONYMOUS) return;
    const { named: { serverId }, sessions, perUser, tellServers } = this.#parts;
    if (perUser === "replace") {
      for (const other of sessions.of(username)) if (other !== session) other.end("SESSION_REPLACED");
    }
    const count = (this.#here.get(username) ?? 0) + 1;
    this.#here.set(username, count);
    // Also for a further session: other servers may have to end theirs.
    if (count === 1 || perUser === "replace") {
      const lamport = this.#parts.tick();
      this.#beganAt.set(username, lamport);
      tellServers({ command: "ONLINE_CHANGE", username, event: "joined", lamport });
    }
    if (count === 1) this.#tell(this.#presence.came(serverId, username));
  }

  /** A session has ended here. */
  went(username: string, how: "left" | "lost"): void {
    if (username === ANONYMOUS) return;
    const count = (this.#here.get(username) ?? 0) - 1;
    if (count > 0) {
      this.#here.set(username, count);
      return;
    }
    this.#here.delete(username);
    this.#beganAt.delete(username);
    const { named: { serverId }, clock, tellServers, tick } = this.#parts;
    tellServers({ command: "ONLINE_CHANGE", username, event: how, lamport: tick() });
    this.#tell(this.#presence.went(serverId, username, how, clock.nowMs(), clock.wallMs()));
  }

  /** Another server says who is online there. */
  heard(serverId: string, message: OnlineMessage | OnlineChangeMessage): void {
    const { clock } = this.#parts;
    const [nowMs, at] = [clock.nowMs(), clock.wallMs()];
    if (message.command === "ONLINE") {
      this.#tell(this.#presence.settle(serverId, new Set(message.users), nowMs, at));
      return;
    }
    const { username, event, lamport } = message;
    if (event !== "joined") return this.#tell(this.#presence.went(serverId, username, event, nowMs, at));
    this.#tell(this.#presence.came(serverId, username));
    if (this.#parts.perUser !== "replace" || this.#beganAfter(username, lamport, serverId)) return;
    for (const session of this.#parts.sessions.of(username)) session.end("SESSION_REPLACED");
  }

  /**
   * Whether the user's session here began after the one there. Both servers decide alike, so that one of two sessions
   * that begin at once stays.
   */
  #beganAfter(username: string, lamport: number, serverId: string): boolean {
    const here = this.#beganAt.get(username) ?? 0;
    return here > lamport || (here === lamport && this.#parts.named.serverId > serverId);
  }

  /** Another server cannot be reached any more. */
  serverGone(serverId: string): void {
    this.#lost = { serverId, users: this.usersAt(serverId) };
    const { clock } = this.#parts;
    this.#tell(this.#presence.serverGone(serverId, clock.nowMs(), clock.wallMs()));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #tell(events: readonly PresenceEvent[]): void {
    for (const { event, username } of events) {
      logger.debug("{username}: {event}", { username, event });
      const lamport = this.#parts.tick();
      const line = lineBytes({ command: "PRESENCE", event, username, lamport });
      for (const session of this.#parts.sessions) session.tellPresence(username, line);
      this.#parts.told({ event, username }, lamport);
    }
    this.#tellLater();
  }

  #tellLater(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock } = this.#parts;
    const { dueAt } = this.#presence;
    if (dueAt === undefined) return;
    this.#timer = clock.after(Math.max(0, dueAt - clock.nowMs()), () => this.#tell(this.#presence.due(clock.nowMs())));
  }
}
