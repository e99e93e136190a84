/** Load: publications until the server has so many, with one receiver, who is the publisher. */

import { connect } from "./connection.ts";
import { counterOf } from "./counters.ts";
import type { FillJob, RateResult } from "./job.ts";
import { watchCpu } from "./process_stats.ts";
import { arrival, repeat } from "./publications.ts";
import { WIRES } from "./wire.ts";

/**
 * Runs the load until everything has come back.
 * @throws {Error} when more came than was published.
 */
export async function runFill(job: FillJob): Promise<RateResult> {
  const wire = WIRES[job.wire];
  const counter = counterOf(wire.deliveries);
  const publications = repeat(wire.publication, job.window);
  let published = 0;
  let received = 0;
  const publish = () => {
    const room = Math.min(job.window - (published - received), job.entries - published);
    // In portions of a quarter of the window, as in `fanout.ts`; the last one is what is left.
    if (room < Math.min(job.window / 4, job.entries - published) || room === 0) return;
    published += room;
    publisher.write(publications.subarray(0, room * wire.publication.length));
  };
  const publisher = await connect(job, wire.receive, (bytes) => {
    received += counter.push(bytes);
    publish();
  });
  const cpu = watchCpu(job.serverPid);
  const startedAt = performance.now();
  publish();
  let tookMs = NaN;
  await arrival(() => {
    if (received < job.entries) return false;
    tookMs = performance.now() - startedAt;
    return true;
  });
  if (received !== job.entries) throw new Error(`${received} deliveries of ${job.entries} publications`);
  return { kind: "rate", perS: job.entries / tookMs * 1000, ...cpu() };
}
