/** What links to other servers are made with, what comes over them, and how they end. Types only. */

import type { LivenessConfig } from "../../../heartbeat/liveness.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Supervisor } from "../../../heartbeat/supervisor.ts";
import type { EntriesMessage } from "../../../protocol/peer/peer_message.ts";
import type { Cipher } from "./sealed_lines.ts";

/** What links to other servers are made with. */
export interface PeerLinkParts {
  readonly supervisor: Supervisor;
  readonly clock: Pick<Clock, "nowMs" | "wallMs">;
  /** The watch over data that comes. */
  readonly silence: LivenessConfig;
  /** The watch over answers to probes. */
  readonly probes: LivenessConfig;
  /** How long the answer to AUTHENTICATE may take. */
  readonly greetingTimeoutMs: number;
  /** Seals what no listener may read. */
  readonly cipher: Cipher;
  /** Counts heartbeats. */
  readonly heartbeats: { sent: number; unanswered: number };
}

/**
 * How a link ended. `silent` says that this server gave the other one up. `clearOnly`: the called server asked for no
 * proof of the secret. `proofOnly`: it takes nothing else. `otherSecret`: it knows another secret of the network.
 */
export type PeerEnd = "left" | "lost" | "silent" | "refused" | "duplicate" | "clearOnly" | "proofOnly" | "otherSecret";

/** Lines of the log that came. */
export interface ArrivedLines {
  readonly header: EntriesMessage;
  /** Without their ends. */
  readonly lines: readonly string[];
}
