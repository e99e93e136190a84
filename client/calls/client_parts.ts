/** What a client runs on: the machine, or what stands for it; and the features that it asks for. */

import type { Clock } from "../../platform/clock.ts";
import type { Transport } from "../../platform/transport.ts";
import type { Feature } from "../../protocol/message.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import type { ClientCrypto } from "../login/logins.ts";

/** What a client runs on. */
export interface ClientParts {
  readonly clock: Clock;
  readonly transport: Transport;
  /** Evenly distributed from 0 up to but not including 1. */
  readonly random: () => number;
  /** Absent: the client cannot prove that it knows its secret, and tells it in clear. */
  readonly crypto?: ClientCrypto;
  /** Takes trace events; absent if no trace is written. */
  readonly writeTrace?: (event: TraceEvent) => void;
  /** Resolves when they are written. Called once, at the end. */
  readonly endTrace?: () => Promise<void>;
}

/** All features that a client of this version can do something with. */
export const CLIENT_FEATURES: readonly Feature[] = Object.freeze(
  ["heartbeat", "presence", "ack", "resume", "chat", "history", "channels"] as const,
);
