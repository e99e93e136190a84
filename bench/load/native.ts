/**
 * The generator in C (`bench/load/native/`): compiles it, and writes a job as its arguments. Most loads need it, as a
 * generator in TypeScript takes a whole core for what the fastest servers deliver.
 */

import type { Job } from "./job.ts";
import { forRun, type Hello, type Wire, WIRES } from "./wire.ts";

const SOURCES = ["count.c", "connection.c", "loads.c", "generator.c"];
/** Frames that are made at once for a load at a rate. */
const PORTION = 512;

/** What compiles TLS in. Not every machine has the files for it. */
const WITH_TLS = ["-DWITH_TLS", "-lssl", "-lcrypto"];

/** The compiled generator, and whether it knows TLS; or why there is none. */
export type NativeGenerator = { readonly path: string; readonly hasTls: boolean } | { readonly reason: string };

/** Compiles the generator into `folder` with `compiler`, within about a second. */
export function compileGenerator(folder: string, compiler = "gcc"): NativeGenerator {
  const path = `${folder}/generator`;
  const sources = SOURCES.map((file) => new URL(`./native/${file}`, import.meta.url).pathname);
  const usual = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path, ...sources, "-lm"];
  const compiled = (args: string[]) =>
    new Deno.Command(compiler, { args, stdout: "null", stderr: "piped" }).outputSync();
  try {
    if (compiled([...usual, ...WITH_TLS]).success) return { path, hasTls: true };
    const { success, stderr } = compiled(usual);
    return success
      ? { path, hasTls: false }
      : { reason: `${compiler} cannot compile it: ${new TextDecoder().decode(stderr).trim()}` };
  } catch (error) {
    return { reason: `${compiler} cannot be started: ${(error as Error).message}` };
  }
}

/** Whether the generator in C knows this kind of job. */
export function isNative(job: Pick<Job, "kind">): boolean {
  return job.kind !== "failover" && job.kind !== "storm";
}

/** `job` as arguments. `random` makes the ids of its publications differ from those of all other runs. */
export function nativeArguments(job: Job, random: string): string[] {
  const others = job.others ?? [];
  return [
    ...argument("kind", job.kind),
    ...argument("ports", [job.port, ...others.map(({ port }) => port)].join(",")),
    ...argument("pids", [job.serverPid, ...others.map(({ pid }) => pid)].join(",")),
    ...argument("deadline", job.deadlineMs),
    ...(job.tls === true ? argument("tls", 1) : []),
    ...loadArguments(job, WIRES[job.wire], random),
  ];
}

function loadArguments(job: Job, wire: Wire, random: string): string[] {
  switch (job.kind) {
    case "fanout":
      return [
        ...delivered(wire),
        ...argument("connections", job.subscribers),
        ...argument("window", job.window),
        ...spans(job),
      ];
    case "channels": {
      const { channels } = wire;
      if (channels === undefined) throw new Error(`"${job.wire}" has no channels`);
      return [
        ...hello("receive", job.readAll ? channels.receiveAll : channels.receive),
        ...hello("publish", channels.publish),
        ...argument("frame", channels.publication),
        ...argument("deliveries", channels.deliveries),
        ...argument("connections", job.readAll ? job.subscribers : job.channels * job.subscribers),
        ...argument("channels", job.channels),
        ...argument("window", job.window),
        ...spans(job),
      ];
    }
    case "fill":
      return [
        ...delivered(wire),
        ...argument("connections", 1),
        ...argument("window", job.window),
        ...argument("entries", job.entries),
      ];
    case "latency":
      return [
        ...delivered(wire),
        ...argument("connections", job.subscribers),
        ...argument("window", PORTION),
        ...argument("rate", job.ratePerS),
        ...spans(job),
      ];
    case "ack":
      return [
        ...acked(job.wire, wire, random),
        ...argument("publishers", job.publishers),
        ...argument(
          "window",
          job.window,
        ),
        ...spans(job),
      ];
    case "hold":
      return [...hello("receive", wire.idle ?? wire.receive), ...argument("connections", job.connections)];
    case "readers": {
      if (wire.replay === undefined) throw new Error(`"${job.wire}" has nothing to catch up on`);
      return [
        ...hello("receive", wire.replay.hello),
        ...argument("deliveries", `marked:${wire.replay.delivery}`),
        ...argument("connections", job.connections),
        ...argument("entries", job.entries),
      ];
    }
    case "failover":
      throw new TypeError("This load needs clients of the library");
    case "storm":
      throw new TypeError("This load needs clients that prove a secret");
  }
}

function delivered(wire: Wire): string[] {
  return [
    ...hello("receive", wire.receive),
    ...(wire.publish === undefined ? [] : hello("publish", wire.publish)),
    ...argument("frame", wire.publication),
    ...argument("deliveries", wire.deliveries),
  ];
}

function acked(name: string, { acked }: Wire, random: string): string[] {
  if (acked === undefined) throw new Error(`"${name}" has no acknowledged publications`);
  return [
    ...hello("publish", acked.hello),
    ...argument("frame", forRun(acked.publication, random)),
    ...argument("deliveries", `marked:${acked.answer}`),
    ...(acked.delivery === undefined ? [] : argument("delivered", acked.delivery)),
  ];
}

function spans({ warmupMs, measureMs }: { readonly warmupMs: number; readonly measureMs: number }): string[] {
  return [...argument("warmup", warmupMs), ...argument("measure", measureMs)];
}

function hello(who: "receive" | "publish", { say, ready }: Hello): string[] {
  return [...argument(`${who}.say`, say), ...argument(`${who}.ready`, ready)];
}

function argument(key: string, value: string | number): string[] {
  return [`${key}=${value}`];
}
