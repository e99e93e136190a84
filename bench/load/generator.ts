/**
 * The load generator where there is no C compiler, and everywhere for clients of the library and for logins: takes a
 * `Job` as its argument, runs it, prints its `JobResult` as one line of JSON and ends. It always ends within the job's
 * deadline, also when nobody waits for it any more.
 */

import { runAck } from "./ack.ts";
import { runFailover } from "./failover.ts";
import { runFanout } from "./fanout.ts";
import { runFill } from "./fill.ts";
import { runHold } from "./hold.ts";
import type { Job, JobResult } from "./job.ts";
import { runLatency } from "./latency.ts";
import { runStorm } from "./storm.ts";

function run(job: Job): Promise<JobResult> {
  switch (job.kind) {
    case "fanout":
      return runFanout(job);
    case "latency":
      return runLatency(job);
    case "hold":
      return runHold(job);
    case "channels":
    case "readers":
      throw new Error(`This generator is too slow for "${job.kind}": it needs a C compiler (gcc)`);
    case "ack":
      return runAck(job);
    case "fill":
      return runFill(job);
    case "failover":
      return runFailover(job);
    case "storm":
      return runStorm(job);
  }
}

function finish(result: JobResult): never {
  console.log(JSON.stringify(result));
  Deno.exit(0);
}

if (import.meta.main) {
  const job: Job = JSON.parse(Deno.args[0]!);
  setTimeout(
    () => finish({ kind: "failure", message: `not done after ${job.deadlineMs / 1000} s` }),
    job.deadlineMs,
  );
  try {
    finish(await run(job));
  } catch (error) {
    finish({ kind: "failure", message: error instanceof Error ? error.message : String(error) });
  }
}
