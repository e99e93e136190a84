/**
 * Load: one publisher at a steady rate, whatever the server does. Each publication carries the time at which it is
 * written, and every receiver reads it: all deliveries are measured.
 */

import { delay } from "@std/async/delay";
import { percentile } from "../figures/statistics.ts";
import { connect } from "./connection.ts";
import type { LatencyJob, LatencyResult } from "./job.ts";
import { watchCpu } from "./process_stats.ts";
import { StampReader, writeStamp } from "./stamps.ts";
import { arrival, repeat } from "./publications.ts";
import { WIRES } from "./wire.ts";

/**
 * Runs the load and waits until everything has arrived.
 * @throws {Error} when more or less was delivered than was published.
 */
export async function runLatency(job: LatencyJob): Promise<LatencyResult> {
  const wire = WIRES[job.wire];
  const expected = Math.ceil((job.measureMs / 1000) * job.ratePerS * job.subscribers);
  // A late timer makes it a little more than what is expected.
  const latenciesUs = new Float64Array(expected * 2);
  let measured = 0;
  let deliveries = 0;
  let published = 0;
  let isMeasuring = false;

  const others = job.others ?? [];
  const ports = [job.port, ...others.map(({ port }) => port)];
  const receivers = [];
  for (let index = 0; index < job.subscribers; index++) {
    const reader = new StampReader();
    let nowUs = 0;
    const onStamp = (stampUs: number) => {
      deliveries++;
      if (isMeasuring && measured < latenciesUs.length) latenciesUs[measured++] = nowUs - stampUs;
    };
    receivers.push(
      await connect({ ...job, port: ports[index % ports.length]! }, wire.receive, (bytes) => {
        nowUs = performance.now() * 1000;
        reader.push(bytes, onStamp);
      }),
    );
  }
  const publisher = wire.publish === undefined ? receivers[0]! : await connect(job, wire.publish, () => {});

  const stampOffset = wire.publication.indexOf("~") + 1;
  const publishFor = async (spanMs: number) => {
    const startedAt = performance.now();
    const before = published;
    for (let now = startedAt; now < startedAt + spanMs; now = performance.now()) {
      const due = Math.floor((now - startedAt) / 1000 * job.ratePerS) - (published - before);
      if (due > 0) {
        const frames = repeat(wire.publication, due);
        const stampUs = Math.floor(performance.now() * 1000);
        for (let at = stampOffset; at < frames.length; at += wire.publication.length) writeStamp(frames, at, stampUs);
        publisher.write(frames);
        published += due;
      }
      await delay(1);
    }
  };

  await publishFor(job.warmupMs);
  await arrival(() => deliveries >= published * job.subscribers);
  isMeasuring = true;
  const cpu = watchCpu(job.serverPid, ...others.map(({ pid }) => pid));
  await publishFor(job.measureMs);
  const cpuUse = cpu();
  const perS = measured / job.measureMs * 1000;
  await arrival(() => deliveries >= published * job.subscribers);
  if (deliveries !== published * job.subscribers) {
    throw new Error(`${deliveries} deliveries of ${published} publications to ${job.subscribers} receivers`);
  }

  const sorted = latenciesUs.subarray(0, measured).sort();
  return {
    kind: "latency",
    p50Ms: percentile(sorted, 50) / 1000,
    p99Ms: percentile(sorted, 99) / 1000,
    p999Ms: percentile(sorted, 99.9) / 1000,
    maxMs: percentile(sorted, 100) / 1000,
    perS,
    offeredPerS: job.ratePerS * job.subscribers,
    ...cpuUse,
  };
}
