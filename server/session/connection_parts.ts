/** What all connections of a server are made with. Types only. */

import type { LimitsConfig } from "../../config/config.ts";
import type { Clock } from "../../platform/clock.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import type { Journal } from "../journal/journal.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { MetricCounters } from "../../view/metric_counters.ts";
import type { LimitName } from "./limits/limit_names.ts";
import type { ConnectionLogParts } from "./connection_log.ts";
import type { Entrance } from "./entrance.ts";
import type { IdentificationParts } from "./identification.ts";
import type { LineIntakeParts } from "./line_intake.ts";
import type { PeerEntrance } from "./peer_entrance.ts";
import type { ConnectionFactsParts } from "./session_facts.ts";

/** What connections are made with. */
export interface ConnectionParts {
  readonly clock: Pick<Clock, "nowMs" | "wallMs" | "after">;
  readonly limits: Pick<LimitsConfig, "maxPendingBytes">;
  readonly faults: FaultGuard;
  readonly journal: Journal;
  readonly facts: ConnectionFactsParts;
  /** Where it is written that it came and went. */
  readonly log: ConnectionLogParts;
  readonly counters: Pick<MetricCounters<LimitName>, "login" | "limited">;
  readonly lines: LineIntakeParts;
  readonly identification: IdentificationParts;
  /** How clients come in. */
  readonly entrance: Entrance;
  /** How servers come in. */
  readonly peerEntrance: PeerEntrance;
  /** Puts events on record; absent while nobody does. */
  tracer(): Pick<Tracer, "trace"> | undefined;
}
