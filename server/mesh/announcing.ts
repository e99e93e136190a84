/**
 * The announcements of a server to its linked servers. They go out regularly, and soon after a change. Of the log an
 * announcement has only the origins that have moved since the last one on that link. This file also reads the
 * announcements of others; `members.ts` keeps them.
 */

import type { Config } from "../../config/config.ts";
import { gatewayText, parseGateway } from "../../config/values.ts";
import type { MemberReport } from "./members.ts";
import { type Endpoint, isUnspecified } from "../../platform/address.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { sequenceOf } from "../../log/vector.ts";
import type { VectorMoment } from "../../log/vector_changes.ts";
import { encodeAnnounce } from "../../protocol/peer/peer_codec.ts";
import {
  CHANGES_FEATURE,
  type PeerIdentity,
  type ServerAnnounceMessage,
  type WireMember,
} from "../../protocol/peer/peer_message.ts";
import { VERSION } from "../../protocol/version.ts";
import type { Journal } from "../journal/journal.ts";
import type { PeerLink } from "./peer_link.ts";
import type { PeerLinks } from "./linking/peer_links.ts";

/** The announced values that the mesh does not have itself. */
export interface AnnouncingParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly journal: Journal;
  /** The key of the tickets of this server's clients. */
  readonly ticketKey: string;
  /** When this server was started, in milliseconds since 1970, and where its HTTP gateway is: empty for none. */
  readonly startedAt: number;
  http(): string;
  /** Logged-in clients. */
  load(): number;
}

/** The values that the mesh has. */
export interface AnnouncingOwner {
  /** The links that announcements go to. */
  readonly links: PeerLinks;
  /** Where others reach this server. */
  address(): Endpoint;
  takesClients(): boolean;
  /** Whether the log has everything about the lost connections of this server. */
  tellsPlaces(): boolean;
  /** An announcement goes out, next. As `BackplaneOwner.announcesNext`. */
  announcesNext(): boolean;
  /** The linked servers. */
  members(): readonly WireMember[];
}

/** The delay after a change of the load, so that a burst of logins is one announcement. */
const ANNOUNCE_SOON_MS = 50;

/** The announcements of one server. */
export class Announcing {
  readonly #parts: AnnouncingParts;
  readonly #mesh: AnnouncingOwner;
  /** The log as the other end of each link knows it. */
  readonly #toldAt = new WeakMap<PeerLink, VectorMoment>();
  #regular: Timer | undefined;
  #soon: Timer | undefined;

  constructor(parts: AnnouncingParts, mesh: AnnouncingOwner) {
    this.#parts = parts;
    this.#mesh = mesh;
  }

  /** Announces regularly from now on. */
  begin(): void {
    this.#regular = this.#parts.clock.after(this.#parts.config.cluster.announceIntervalMs, () => {
      try {
        this.now();
      } finally {
        this.begin();
      }
    });
  }

  /** The greeting on `link` says what this server has now. */
  greeted(link: PeerLink): void {
    this.#toldAt.set(link, this.#parts.journal.changes.moment);
  }

  /** Announces soon, once for all changes until then. */
  soon(): void {
    if (this.#mesh.links.size === 0 || this.#soon !== undefined) return;
    this.#soon = this.#parts.clock.after(ANNOUNCE_SOON_MS, () => this.now());
  }

  now(): void {
    this.#soon?.cancel();
    this.#soon = undefined;
    const { links, address, takesClients, tellsPlaces, members, announcesNext } = this.#mesh;
    if (links.size === 0) return;
    const isTold = announcesNext();
    const { clock, journal, config, ticketKey, startedAt } = this.#parts;
    const { serverId, vector, changes, origins: { formerNames } } = journal;
    const announce = {
      serverId,
      ...address(),
      load: this.#parts.load(),
      weight: config.cluster.weight,
      online: takesClients(),
      ticketKey,
      vector,
      lamport: journal.tick(),
      members: members(),
      version: VERSION,
      startedAt,
      http: this.#parts.http(),
      places: isTold && tellsPlaces(),
      ...(formerNames.length === 0 ? {} : { formerly: formerNames }),
    };
    const updateTime = clock.wallMs();
    const made = new Map<VectorMoment | undefined, string>();
    for (const link of links) {
      const toldAt = this.#takesChanges(link) ? this.#toldAt.get(link) : undefined;
      let line = made.get(toldAt);
      if (line === undefined) {
        const own = { [serverId]: sequenceOf(vector, serverId) };
        const said = toldAt === undefined
          ? announce
          : { ...announce, vector: { ...changes.since(toldAt, vector), ...own }, changes: true };
        line = encodeAnnounce(said, updateTime);
        made.set(toldAt, line);
      }
      link.writeSealed(line);
      this.#toldAt.set(link, changes.moment);
    }
  }

  #takesChanges(link: PeerLink): boolean {
    return link.peer.features?.includes(CHANGES_FEATURE) ?? false;
  }

  /** Announces no more by itself. */
  stop(): void {
    this.#regular?.cancel();
    this.#soon?.cancel();
    this.#soon = undefined;
  }
}

/** The believed part of an announcement. A server speaks for itself alone, and its address is that of its link. */
export function reportOf(message: ServerAnnounceMessage, { serverId, host, port }: PeerIdentity): MemberReport {
  const { version, startedAt, lamport } = message;
  // A server that listens on all of its addresses is reached at the address of its link.
  const gateway = parseGateway(message.http);
  const isReachable = gateway === undefined || !isUnspecified(gateway.endpoint.host);
  const http = isReachable ? message.http : gatewayText({ host, port: gateway.endpoint.port }, gateway.isSecure);
  return { ...message, serverId, host, port, about: { version, startedAt, http, lamport } };
}
