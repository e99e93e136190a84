/** All parts of the benchmark, in the order in which they are measured and shown. */

import type { Part } from "./part.ts";
import { ack } from "./parts/ack.ts";
import { channels } from "./parts/channels.ts";
import { fanout, growth, trace, watch } from "./parts/fanout.ts";
import { idle, memory } from "./parts/idle.ts";
import { curve, disturbed, latency } from "./parts/latency.ts";
import { NETWORK_PARTS } from "./parts/network.ts";
import { soak } from "./parts/soak.ts";
import { backlog, start } from "./parts/stored.ts";
import { storm } from "./parts/storm.ts";
import { tls } from "./parts/tls.ts";

export const PARTS: readonly Part[] = [
  ...[fanout, channels, latency, disturbed, ack, memory, idle],
  ...[curve, growth, backlog, start, storm, trace, watch],
  ...NETWORK_PARTS,
  tls,
  soak,
];
