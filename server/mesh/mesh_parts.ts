/** What a mesh has of its node. Types only. */

import type { Config } from "../../config/config.ts";
import type { Supervisor } from "../../heartbeat/mod.ts";
import type { Incarnation } from "./origins/incarnation.ts";
import type { Clock } from "../../platform/clock.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import type { Transport } from "../../platform/transport.ts";
import type {
  ObservedMessage,
  ObserveMessage,
  OnlineChangeMessage,
  OnlineMessage,
  PlaceTalkMessage,
} from "../../protocol/peer/peer_message.ts";
import type { KnownServer } from "../store/store.ts";
import type { Trace } from "../../trace/trace_event.ts";
import type { CloneError } from "./origins/copied_folders.ts";
import type { HeartbeatCounts } from "../../view/server_counters.ts";
import type { Journal } from "../journal/journal.ts";
import type { Vector } from "../../log/vector.ts";
import type { Orphans } from "./origins/orphan_accounts.ts";
import type { OlderPeers } from "../legacy/legacy_servers.ts";
import type { PeerLink } from "./peer_link.ts";

/** What the mesh is made with. */
export interface MeshParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly supervisor: Supervisor;
  readonly journal: Journal;
  readonly crypto: SecretCrypto;
  readonly faults: FaultGuard;
  /** The servers that were known before a restart. */
  readonly known: readonly KnownServer[];
  /** What tickets of this server's clients are made with. */
  readonly ticketKey: string;
  /** Logged-in clients. */
  load(): number;
  /** Which of its starts this is. */
  readonly incarnation: Incarnation;
  /** The accounts of origins that are forgotten. */
  readonly orphans: Orphans;
  /** Another server has forgotten these origins whole. Whether this one lacks something of them. */
  forgotten(vector: Vector): boolean;
  /** Another server has this one's data folder's identity: it cannot go on. */
  isClone(error: CloneError): void;
  /** Makes a name for this server that none had before. */
  makeServerId(): string;
  /** This server has another name than `former` from now on. */
  renamed(former: string): void;
  /** What stood under numbers of another server that were given out twice is gone: clients come back to be told. */
  cutBack(): void;
  hasAccount(username: string): boolean;
  /** Where events go at the moment. */
  trace(): Trace | undefined;
  /** When this server was started, in milliseconds since 1970, and where its HTTP gateway is: empty for none. */
  readonly startedAt: number;
  http(): string;
  /** Counts those to other servers. */
  readonly heartbeats: HeartbeatCounts;
  /** Who looks at the network from here, or from there. */
  readonly observed: MeshObserver;
  /** Where users stand whose connections were lost. */
  readonly places: MeshPlaces;
  /** Servers of the older dialect that hang on this one; absent where none may. */
  readonly older: OlderPeers | undefined;
  /** What a server with a new link has to know of who is online here. */
  online(): OnlineMessage;
  /** Another server says who is online there; `undefined` when it cannot be reached any more. */
  heardOnline(serverId: string, message: OnlineMessage | OnlineChangeMessage | undefined): void;
  /** Whether there is space for what other servers have accepted. */
  hasReserve(): boolean;
  /** A member was linked, lost or suspected, or said how it is: `announced` when it was only that. */
  membersChanged(announced: string | undefined): void;
}

/** What of the mesh is told to who keeps places. */
export interface MeshPlaces {
  /** This server has joined: calls `told` when its log has all that is to be known of those who were here before. */
  joined(told: () => void): void;
  linked(link: PeerLink): void;
  /** A server cannot be reached any more, or not on the link that it had: whoever was there may be lost. */
  gone(serverId: string): void;
  /**
   * Another server has announced itself: when it was started, what it `has` of its own log, and whether that `tells` of
   * all lost connections.
   */
  announced(
    serverId: string,
    said: { readonly startedAt: number; readonly has: number; readonly tells: boolean },
  ): void;
  /** This server has announced itself. */
  announcedHere(): void;
  onMessage(link: PeerLink, message: PlaceTalkMessage): void;
  /** This server has another name: its own entries that told of lost connections have these numbers under it. */
  renamed(former: string, numbers: ReadonlyMap<number, number>): void;
  /** Nobody who waits is called any more. */
  stop(): void;
}

/** What of the mesh is told to those who look at the network. */
export interface MeshObserver {
  linked(link: PeerLink): void;
  unlinked(serverId: string): void;
  onObserve(link: PeerLink, message: ObserveMessage): void;
  onObserved(serverId: string, message: ObservedMessage): void;
}
