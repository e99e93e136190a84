/**
 * The questions of a server to its network, however the servers are linked: by TCP (`mesh/`), not at all (`alone.ts`),
 * or by an engine that is still to come. `tests/contract/backplane_contract.ts` holds each of them to the promises
 * here. `server/node/engines.ts` chooses one. The first engine that needs more adds it. Types only.
 */

import type { Renumbering } from "../../log/renumbering.ts";
import type { Config } from "../../config/config.ts";
import type { ClockOffsetEstimate } from "../../heartbeat/clock_offset.ts";
import type { HeartbeatSnapshot, Supervisor } from "../../heartbeat/supervisor.ts";
import type { Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";
import type { Endpoint } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import type { Transport } from "../../platform/transport.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import type {
  ObservedMessage,
  ObserveMessage,
  OnlineChangeMessage,
  OnlineMessage,
  PassSpentMessage,
  PlaceTalkMessage,
} from "../../protocol/peer/peer_message.ts";
import type { AuditMessage } from "../../protocol/peer/audit_message.ts";
import type { ChannelTalkMessage } from "../../protocol/peer/channel_talk.ts";
import type { OrderMessage } from "../../protocol/peer/operate_message.ts";
import type { Trace } from "../../trace/trace_event.ts";
import type { DurationCount, HeartbeatCounts } from "../../view/metric_counters.ts";
import type { Incarnation } from "../journal/origins/incarnation.ts";
import type { Journal } from "../journal/journal.ts";
import type { KnownServer } from "../store/store.ts";
import type { CloneError } from "./clone_error.ts";
import type { LegacyDoor, PeerDoor } from "./door.ts";
import type { Member } from "./member.ts";
import type { NetworkSecrets } from "./network_secrets.ts";

/** One server's way to the others. No call waits, and none throws because another server cannot be reached. */
export interface Backplane {
  // ---- the life of a server --------------------------------------------------------------------------------------

  /** Begins. `listening` is where this server's own port is. Called once. */
  start(listening: Endpoint): void;
  /** Others are told that this server takes no clients any more. What others send is still taken. */
  retire(): void;
  /**
   * Resolves when all others that can be reached have every entry of this server, or `graceMs` later. Never rejects.
   */
  finish(graceMs: number): Promise<void>;
  /** Says nothing more to anybody, from this call on: the store cannot go on. */
  silence(): void;
  /** Ends everything. Nobody who waited is called after this call, and no timer stays. */
  stop(): Promise<void>;

  // ---- the log ---------------------------------------------------------------------------------------------------

  /** These are committed, and are the end of the log now. Others are sent them, before anybody here is told. */
  committed(segments: readonly Segment[]): void;
  /** What is committed was delivered to the readers here. Logins that waited for it go on. */
  delivered(): void;
  /**
   * Calls `run`, once, when an entry of the log needs no more than this server's own commit to be safe: at once, in
   * this call, where that is so from the beginning. So what `run` says has to go out with the turn. Calls `pending`
   * before it, once, when others let it wait for long.
   */
  whenSafe(entry: EntryId, run: () => void, pending?: () => void): void;
  /** Entries that somebody waits for to be safe. */
  readonly pending: number;
  /** Whether this server has what the others have, as far as they can be reached: until then it logs nobody in. */
  readonly isJoined: boolean;
  /** Whether this server has found its network since it was started. */
  readonly joinState: JoinState;
  /** Calls `run` once this server has joined; at once when it has. In the order of the calls. */
  whenJoined(run: () => void): void;
  /**
   * Calls `run` once the entry `id` is here; at once when it is, or nobody says which, and within 10 s
   * when it does not come.
   */
  whenHere(id: string | undefined, run: () => void): void;
  /** There is space again for what came when there was none. */
  reserveIsBack(): void;
  /** This server has forgotten these origins whole, up to these sequences. */
  forgot(vector: Vector): void;

  // ---- names -----------------------------------------------------------------------------------------------------

  /**
   * Claims a name that has no account here. `settled` is called once, with `undefined` when somebody else has the name
   * or claims it; at once where nobody has to be asked.
   */
  claim(username: string, settled: (claim: NameClaim | undefined) => void): void;

  // ---- who there is ----------------------------------------------------------------------------------------------

  /** This server, as others reach it. */
  readonly self: KnownServer;
  /** All other servers that are known. */
  readonly members: readonly Member[];
  /** Those among them that entries can be sent to now. */
  readonly routes: Iterable<Route>;
  /** Whether nobody else belongs to the network, as far as is known. */
  readonly isAlone: boolean;
  /** Whether this server, or one that is known, is called `serverId`. */
  isMember(serverId: string): boolean;
  /** The key for the tickets of this server's clients; `undefined` while none is known. */
  ticketKeyOf(serverId: string): string | undefined;

  // ---- small talk ------------------------------------------------------------------------------------------------

  /**
   * Says something small that is in no log, to one server or to all that can be reached. It may be
   * lost with the way there.
   */
  say(message: Talk, to?: string): void;
  /** What this server announces of itself has changed: the others are told soon. */
  announceSoon(): void;

  // ---- this server's own port ------------------------------------------------------------------------------------

  /** For servers that come over this server's own port. Without one each of them is refused. */
  readonly door?: PeerDoor;
}

/**
 * Whom a backplane tells. Nobody is told before `start`; after `silence` or `stop` no more is told than who is gone.
 * Entries of other origins are told to the journal (`Journal.replicate`): they enter the log in the turn in which they
 * came.
 */
export interface BackplaneOwner {
  // ---- who there is ----------------------------------------------------------------------------------------------

  /** A member was met, lost or suspected, or said how it is: `announced` when it was only that. */
  membersChanged(announced: string | undefined): void;
  /** There is a way to `serverId`. What it has to know first is said to it in this call. */
  met(serverId: string): void;
  /** `serverId` is there again before its loss was seen. Who was there before may be there no more. */
  startedAnew(serverId: string): void;
  /** `serverId` cannot be reached any more. What it says comes after it was met again. */
  gone(serverId: string): void;

  // ---- what is said ----------------------------------------------------------------------------------------------

  /** `serverId` says something small. What one server says comes in its order. */
  said(serverId: string, message: Talk): void;
  /** `serverId` has said how it is. */
  announced(serverId: string, said: Announced): void;
  /**
   * This server says how it is, next. What others have to know before that is said to them in this call. Gives whether
   * what is told of its log then tells of all connections that were lost here.
   */
  announcesNext(): boolean;
  /**
   * This server has joined. Calls `told` when its log has all that is to be known of those who were here before it was
   * started. Told once, before those who wait for it.
   */
  joined(told: () => void): void;

  // ---- origins of the log ----------------------------------------------------------------------------------------

  /** Another server has forgotten these origins whole. Gives whether this one lacks something of them. */
  forgotten(vector: Vector): boolean;
  /** This server was called `former`: its entries have the numbers that `numbers` gives for their former ones. */
  renumbered(former: string, numbers: ReadonlyMap<number, number>): void;
  /** All that follows from that for the network is done: clients of this server may be told. */
  renamed(renumbering: Renumbering): void;
  /** What stood under numbers of another server that were given out twice is gone: clients come back to be told. */
  cutBack(renumbering: Renumbering): void;
  /** Another server has the identity of this one's data folder: this one cannot go on. */
  isClone(error: CloneError): void;
}

/**
 * How a server's search for its network stands: there is nobody to join (`alone`); nobody was reached yet (`joining`),
 * nor within `cluster.joinWaitMs` (`unreached`); another server does not want this one (`refused`); or it has had a
 * link since its start (`joined`).
 */
export type JoinState = "alone" | "joining" | "joined" | "unreached" | "refused";

/** What a server has said of itself, as far as it is told. */
export interface Announced {
  /** When it was started, in milliseconds since 1970 by its own calendar. */
  readonly startedAt: number;
  /** How far its own origin goes. */
  readonly has: number;
  /** Whether that tells of all connections that it has lost. */
  readonly tells: boolean;
  /** What it was called before, since it was started. */
  readonly formerly: readonly string[];
}

/** What any backplane may be made with; each takes what it needs. The functions are called after `start` only. */
export interface BackplaneParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly supervisor: Supervisor;
  readonly journal: Journal;
  readonly crypto: SecretCrypto;
  readonly secrets: NetworkSecrets;
  readonly faults: FaultGuard;
  readonly owner: BackplaneOwner;
  /** What the store keeps for it: the servers that were known before a restart, and notes by name. */
  readonly kept: { readonly members: readonly KnownServer[]; readonly notes: Readonly<Record<string, string>> };
  /** What the tickets of this server's clients are made with. */
  readonly ticketKey: string;
  /** Which of its starts this is. */
  readonly incarnation: Incarnation;
  /** When this server was started, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Servers of the older dialect that hang on this one; absent where none may. */
  readonly legacy: LegacyDoor | undefined;
  /** Counts heartbeats to other servers. */
  readonly heartbeats: HeartbeatCounts;
  /** Takes how long entries of this server took until another one had stored them. */
  readonly replications: Pick<DurationCount, "add">;
  /** Whether nobody can claim a name, by what is known here: it is taken, or looks like one that is. */
  isTaken(name: string): boolean;
  /** Makes a name for this server that none had before. */
  makeServerId(): string;
  /** Logged-in clients. */
  load(): number;
  /** Where the HTTP gateway is, `HOST:PORT`; empty for none. */
  http(): string;
  /** Whether there is space for what other servers have accepted. */
  hasReserve(): boolean;
  /** Whether the disk follows: else too much of the log waits for it. */
  hasRoom(): boolean;
  /** Where events go at the moment. */
  trace(): Trace | undefined;
}

/**
 * Small talk: who is online, who reads a channel, where lost connections stood, who looks at the network, what
 * operators want, which passes are spent, and where audit logs end.
 */
export type Talk =
  | OnlineMessage
  | OnlineChangeMessage
  | PlaceTalkMessage
  | ObserveMessage
  | ObservedMessage
  | OrderMessage
  | PassSpentMessage
  | AuditMessage
  | ChannelTalkMessage;

/** A way to another server. */
export interface Route {
  readonly serverId: string;
  /** How it answers; `undefined` where nobody asks it. */
  readonly heartbeat: HeartbeatSnapshot | undefined;
  /** How far its calendar is ahead of this server's; `undefined` while it has not said. */
  readonly clockOffset?: ClockOffsetEstimate | undefined;
  /** What it has offered beyond what every version knows. */
  readonly features: readonly string[];
}

/**
 * A name that only this server may make an account of. Ends with one of its two methods; calls after that do nothing.
 */
export interface NameClaim {
  /** When it was claimed, as a Lamport time of this server. Of two claims of one name the earlier holds. */
  readonly lamport: number;
  /**
   * `entry` is the name's account, and is committed. Calls `done` when all servers that can be reached have it, or do
   * not say so for too long.
   */
  registered(entry: EntryId, done: () => void): void;
  /** No account is made: others may have the name. */
  release(): void;
}
