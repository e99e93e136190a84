/** Load: connections that log in and are idle from then on, but answer when the server asks whether they live. */

import { delay } from "@std/async/delay";
import { connect, type Connection } from "./connection.ts";
import type { MemoryJob, MemoryResult } from "./job.ts";
import { residentBytes } from "./process_stats.ts";
import { WIRES } from "./wire.ts";

/** So many logins are under way at a time; the queue of a listening socket holds 511. */
const LOGINS_AT_ONCE = 100;

/** @throws {Error} when a connection did not last. */
export async function runMemory(job: MemoryJob): Promise<MemoryResult> {
  const wire = WIRES[job.wire];
  const hello = wire.idle ?? wire.receive;
  await delay(job.settleMs);
  const beforeBytes = residentBytes(job.serverPid);

  const connections: Connection[] = [];
  const connectOne = async () => {
    const text = new TextDecoder();
    const connection: Connection = await connect(job.port, hello, (bytes) => {
      const reply = wire.reply(text.decode(bytes));
      if (reply !== "") connection.write(reply);
    });
    connections.push(connection);
  };
  while (connections.length < job.connections) {
    const count = Math.min(LOGINS_AT_ONCE, job.connections - connections.length);
    await Promise.all(Array.from({ length: count }, connectOne));
  }

  await delay(job.settleMs);
  const afterBytes = residentBytes(job.serverPid);
  const closed = connections.filter((connection) => connection.isClosed).length;
  if (closed > 0) throw new Error(`The server closed ${closed} of ${job.connections} idle connections`);
  return { kind: "memory", beforeBytes, afterBytes, bytesPerConnection: (afterBytes - beforeBytes) / job.connections };
}
