/** What a connection has of its node. Types only. */

import type { Accounts } from "../accounts/accounts.ts";
import type { RefusalLog } from "../accounts/refusal_log.ts";
import type { Config } from "../../config/config.ts";
import type { Supervisor } from "../../heartbeat/supervisor.ts";
import type { Hub } from "../hub/hub.ts";
import type { Past } from "../hub/past.ts";
import type { Clock } from "../../platform/clock.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import type { Transport } from "../../platform/transport.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { WireHeartbeat } from "../../protocol/message.ts";
import type { StoreError } from "../store/store.ts";
import type { ConnectionView, Door, EndView } from "../../view/network_view.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { HeartbeatDials } from "./limits/heartbeat_dials.ts";
import type { MetricCounters } from "../../view/metric_counters.ts";
import type { Balancer } from "../balance/balancer.ts";
import type { DiskBudget } from "../store/disk_budget.ts";
import type { Journal } from "../journal/journal.ts";
import type { LongLogins } from "./limits/long_logins.ts";
import type { Backplane } from "../backplane/backplane.ts";
import type { PlaceKeeper } from "../places/place_keeper.ts";
import type { PlaceTalk } from "../places/place_talk.ts";
import type { Standing } from "./limits/seats.ts";
import type { PresenceBoard } from "../presence/presence_board.ts";
import type { AddressRates } from "./limits/address_rates.ts";
import type { LimitName } from "./limits/limit_names.ts";
import type { Sessions } from "../hub/sessions.ts";
import type { UserLists } from "../presence/user_lists.ts";
import type { WorkShares } from "./limits/work_shares.ts";

/** What a connection has of its node. */
export interface ConnectionServices {
  readonly config: Config;
  readonly clock: Clock;
  readonly heartbeat: WireHeartbeat;
  readonly transport: Transport;
  readonly supervisor: Supervisor;
  readonly hub: Hub;
  readonly journal: Journal;
  readonly past: Past;
  readonly accounts: Accounts;
  readonly backplane: Backplane;
  readonly balancer: Balancer;
  readonly sessions: Sessions;
  readonly presence: PresenceBoard;
  readonly placeKeeper: PlaceKeeper;
  readonly placeTalk: PlaceTalk;
  readonly counters: MetricCounters<LimitName>;
  readonly longLogins: LongLogins;
  readonly refusals: RefusalLog;
  readonly seats: SeatGiver;
  readonly rates: AddressRates;
  readonly budget: DiskBudget;
  readonly faults: FaultGuard;
  /** Says when a client may be called on the port that it has named. */
  readonly heartbeatDials: HeartbeatDials;
  /** Whoever puts events on record at the moment. */
  readonly tracer: Tracer | undefined;
  hasAccount(username: string): boolean;
  readonly userLists: UserLists;
  readonly shares: WorkShares;
  /** It will not be served any more, and why. */
  ended(end: EndedConnection): void;
  /** The connection's link is gone. */
  gone(connection: ServedConnection): void;
  /** The store cannot be read: the whole server cannot go on. */
  failed(error: StoreError): void;
}

/** What a connection says of its end. */
export interface EndedConnection extends Pick<EndView, "since" | "user" | "address" | "why" | "heartbeats"> {
  readonly reason: CloseReason;
}

/** A connection, as its node keeps it. */
export interface ServedConnection {
  /** Unique at this server while it runs. */
  readonly id: string;
  /** Whether it has said nothing of its own for a while. */
  readonly isQuiet: boolean;
  /** Ends it of the server's own will; its last line has `lingerMs` to leave. */
  end(reason: CloseReason, why?: string, lingerMs?: number): void;
  /** How it is, for people. */
  describe(nowWallMs: number): ConnectionView;
}

/** Where connections get their seats. */
export interface SeatGiver {
  /** Whether few are left: then nobody is to take long to say who it is. */
  readonly isShort: boolean;
  /** The secret of `connection` is being looked at, or that is over. */
  tries(connection: ServedConnection, isTrying: boolean): void;
  /** It has said who it is. Gives whether it has a seat; if not, `granted` is called once it has, perhaps never. */
  enter(connection: ServedConnection, standing: Standing, granted: () => void): boolean;
}

/** What a connection is told of itself. */
export interface ConnectionOrigin {
  readonly id: string;
  readonly over: Door;
}
