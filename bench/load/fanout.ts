/**
 * Load: one publisher, many receivers, as fast as the server delivers. The publisher keeps a bounded number of
 * publications on their way, counted from what the receivers have got on average, so that delivery is measured and not
 * the growth of buffers.
 */

import { delay } from "@std/async/delay";
import { connect } from "./connection.ts";
import { counterOf } from "./counters.ts";
import type { FanoutJob, RateResult } from "./job.ts";
import { watchCpu } from "./process_stats.ts";
import { arrival, repeat } from "./publications.ts";
import { WIRES } from "./wire.ts";

/**
 * Runs the load, then stops publishing and waits until everything has arrived.
 * @throws {Error} when a receiver got less, or more, than was published.
 */
export async function runFanout(job: FanoutJob): Promise<RateResult> {
  const wire = WIRES[job.wire];
  const received = new Uint32Array(job.subscribers);
  let deliveries = 0;
  let published = 0;
  let isPublishing = false;

  const publications = repeat(wire.publication, job.window);
  const frameBytes = wire.publication.length;
  // In portions of a quarter of the window: less would measure small writes, more would let the server run dry.
  const portion = Math.ceil(job.window / 4);
  const publish = () => {
    const room = job.window - Math.ceil(published - deliveries / job.subscribers);
    if (!isPublishing || room < portion) return;
    published += room;
    publisher.write(publications.subarray(0, room * frameBytes));
  };

  const others = job.others ?? [];
  const ports = [job.port, ...others.map(({ port }) => port)];
  const receivers = [];
  for (let index = 0; index < job.subscribers; index++) {
    const counter = counterOf(wire.deliveries);
    receivers.push(
      await connect({ ...job, port: ports[index % ports.length]! }, wire.receive, (bytes) => {
        const count = counter.push(bytes);
        received[index]! += count;
        deliveries += count;
        publish();
      }),
    );
  }
  const publisher = wire.publish === undefined ? receivers[0]! : await connect(job, wire.publish, () => {});

  isPublishing = true;
  publish();
  await delay(job.warmupMs);
  const startedAt = performance.now();
  const before = deliveries;
  const cpu = watchCpu(job.serverPid, ...others.map(({ pid }) => pid));
  await delay(job.measureMs);
  const perS = (deliveries - before) / (performance.now() - startedAt) * 1000;
  const cpuUse = cpu();

  isPublishing = false;
  await arrival(() => deliveries >= published * job.subscribers);
  const wrong = received.find((count) => count !== published);
  if (wrong !== undefined) throw new Error(`A receiver got ${wrong} of ${published} publications`);
  return { kind: "rate", perS, ...cpuUse };
}
