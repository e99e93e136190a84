/** What one server is made of, by who wires it. Types, and the one object that has them all. */

import type { Config } from "../../../config/config.ts";
import type { Supervisor } from "../../../heartbeat/supervisor.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { SecretCrypto } from "../../../platform/crypto.ts";
import type { FaultGuard } from "../../../platform/faults.ts";
import type { MetricCounters } from "../../../view/metric_counters.ts";
import type { Auditor } from "../../audit/audit_event.ts";
import type { Backplane } from "../../backplane/backplane.ts";
import type { Balancer } from "../../balance/balancer.ts";
import type { Handover } from "../../balance/handover.ts";
import type { Passes } from "../../accounts/passes.ts";
import type { Rulings } from "../../accounts/rulings.ts";
import type { Guests } from "../../guests/guests.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Past } from "../../hub/past.ts";
import type { Sessions } from "../../hub/sessions.ts";
import type { Forgetting } from "../../journal/forgetting.ts";
import type { Journal } from "../../journal/journal.ts";
import type { GoneServers } from "../../journal/origins/gone_servers.ts";
import type { Incarnation } from "../../journal/origins/incarnation.ts";
import type { LegacyServers } from "../../legacy/legacy_servers.ts";
import type { Segment } from "../../../log/segment.ts";
import type { EntrySpans } from "../../observe/entry_spans.ts";
import type { NodeMetrics } from "../../observe/node_metrics.ts";
import type { Observatory } from "../../observe/observatory.ts";
import type { Tracer } from "../../observe/tracer.ts";
import type { UserPlaces } from "../../places/user_places.ts";
import type { PresenceBoard } from "../../presence/presence_board.ts";
import type { ReaderBoard } from "../../presence/reader_board.ts";
import type { UserLists } from "../../presence/user_lists.ts";
import type { Admission } from "../../session/login/admission.ts";
import type { Connections } from "../../session/connections.ts";
import type { RightsWatch } from "../../session/rights_watch.ts";
import type { LimitName } from "../../session/limits/limit_names.ts";
import type { DiskBudget } from "../../store/disk_budget.ts";
import type { AuditTalk } from "../audit_talk.ts";
import type { Rights } from "../../rights/rights.ts";
import type { TakenNames } from "../../rights/names/taken_names.ts";
import type { AfterCommit } from "../after_commit.ts";
import type { Closing } from "../closing.ts";
import type { Operator } from "../operator.ts";
import type { InvitationOffice } from "../invitation_office.ts";
import type { OperatorRecords } from "../operator_records.ts";
import type { RoleOffice } from "../role_office.ts";
import type { RulingOffice } from "../ruling_office.ts";
import type { SecretOffice } from "../secret_office.ts";
import type { TokenOffice } from "../token_office.ts";

/** What all of a server is made with. */
export interface MachineParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly crypto: SecretCrypto;
  readonly faults: FaultGuard;
  /** Takes what the audit log has to know. */
  readonly auditor: Auditor;
}

/** The log of this server, what reads it, and what forgets it. */
export interface WiredLog {
  /** Which of the server's starts this is. */
  readonly incarnation: Incarnation;
  readonly journal: Journal;
  /** What operators have laid down. */
  readonly rulings: Rulings;
  readonly userLists: UserLists;
  readonly takenNames: TakenNames;
  readonly hub: Hub;
  readonly past: Past;
  readonly budget: DiskBudget;
  readonly forgetting: Forgetting;
  readonly goneServers: GoneServers;
  /** As `Store.hasRoom`. */
  hasRoom(): boolean;
}

/** What can be seen of this server, and of its network. */
export interface WiredObservers {
  /** In milliseconds since 1970. */
  readonly startedAt: number;
  readonly counters: MetricCounters<LimitName>;
  readonly observatory: Observatory;
  /** Absent when nobody wants spans. */
  readonly spans: EntrySpans | undefined;
  /** Puts events on record; absent while nobody does. */
  tracer(): Tracer | undefined;
  /** This server in numbers. */
  metrics(): NodeMetrics;
  /** Counts how long entries of this server were under way to its readers. */
  delivered(segments: readonly Segment[]): void;
}

/** The other servers, and who is online anywhere. */
export interface WiredNetwork {
  readonly supervisor: Supervisor;
  readonly sessions: Sessions;
  /** Absent where servers of the older dialect are refused. */
  readonly legacy: LegacyServers | undefined;
  readonly places: UserPlaces;
  readonly backplane: Backplane;
  readonly presence: PresenceBoard;
  /** Who reads a channel, for those who ask. */
  readonly readers: ReaderBoard;
  readonly balancer: Balancer;
  readonly handover: Handover;
}

/** Who is connected here, and who comes in. */
export interface WiredClients {
  readonly connections: Connections;
  readonly admission: Admission;
  readonly guests: Guests;
  readonly passes: Passes;
  readonly rights: Rights;
  readonly rightsWatch: RightsWatch;
}

/**
 * All of one server. `node.ts` fills it in from top to bottom, once. Who is wired may keep what stands above. What
 * stands below may only be used in functions that are called later: when the server has been started.
 */
export class Wired {
  log!: WiredLog;
  observers!: WiredObservers;
  network!: WiredNetwork;
  clients!: WiredClients;
  afterCommit!: AfterCommit;
  closing!: Closing;
  operator!: Operator;
  audits!: AuditTalk;
  operatorRecords!: OperatorRecords;
  rulingOffice!: RulingOffice;
  invitationOffice!: InvitationOffice;
  roleOffice!: RoleOffice;
  secretOffice!: SecretOffice;
  tokenOffice!: TokenOffice;
  /** Where the HTTP gateway is, `HOST:PORT`; empty for none. */
  http = "";
}
