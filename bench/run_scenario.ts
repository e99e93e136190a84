/**
 * Carries out a scenario: starts its servers, puts every load on each of them in turn, round by round, and ends them.
 * One generator process runs at a time, beside one server that is busy.
 */

import type { Children } from "./children.ts";
import type { Contender, ContenderKey, Contenders, RunningServer } from "./contenders.ts";
import type { Job, JobResult, WireName } from "./load/job.ts";
import type { Measured, Scenario, Variant } from "./scenarios.ts";
import { LOCKED } from "../tools/locked.ts";

/** A generator has its own deadline; this much later it is taken to be stuck. */
const STUCK_MS = 5_000;

interface Running {
  readonly key: ContenderKey;
  readonly contender: Contender;
  readonly server: RunningServer;
}

/**
 * What each server did. A server that does not start, and a load that fails, are told to `onProblem`; the others go on.
 * `onProgress` gets a line before each load.
 */
export async function runScenario(
  scenario: Scenario,
  contenders: Contenders,
  children: Children,
  onProgress: (line: string) => void,
  onProblem: (problem: string) => void,
): Promise<Measured[]> {
  const running: Running[] = [];
  for (const key of scenario.contenders) {
    const contender = contenders[key];
    if (contender === undefined) continue;
    try {
      running.push({ key, contender, server: await contender.start(children, await children.folder()) });
    } catch (error) {
      onProblem((error as Error).message);
    }
  }

  const measured: Measured[] = [];
  for (const variant of scenario.variants) {
    const results = running.map(() => [] as (JobResult | undefined)[]);
    for (let round = 1; round <= scenario.rounds; round++) {
      for (const [index, { contender, server }] of running.entries()) {
        const what = `${scenario.name} ${variant.label} · round ${round} of ${scenario.rounds} · ${contender.name}`;
        onProgress(what);
        const result = await runLoad(variant, contender, server, children);
        if (result.kind === "failure") onProblem(`${what}: ${result.message}; ${server.state()}`);
        results[index]!.push(result.kind === "failure" ? undefined : result);
      }
    }
    for (const [index, { key, contender }] of running.entries()) {
      measured.push({ variant, contender: key, name: contender.name, rounds: results[index]! });
    }
  }
  await children.stop();
  return measured;
}

async function runLoad(
  variant: Variant,
  contender: Contender,
  server: RunningServer,
  children: Children,
): Promise<JobResult> {
  return await runJob({ ...variant.load, ...atServer(contender.wire, server) }, children);
}

/** What a job has to know of the server that it loads. */
export function atServer(wire: WireName, { port, process }: RunningServer): Pick<Job, "wire" | "port" | "serverPid"> {
  return { wire, port, serverPid: process.pid };
}

/** Runs `job` in a generator process of its own. */
export async function runJob(job: Job, children: Children): Promise<JobResult> {
  const module = new URL("./load/generator.ts", import.meta.url).pathname;
  const generator = children.spawn([Deno.execPath(), "run", LOCKED, "-A", module, JSON.stringify(job)], ".");
  const stuck = setTimeout(() => generator.kill("SIGKILL"), job.deadlineMs + STUCK_MS);
  const { stdout, stderr } = await generator.output();
  clearTimeout(stuck);
  const text = new TextDecoder();
  try {
    return JSON.parse(text.decode(stdout));
  } catch {
    // It ended before it could say anything in order.
    return { kind: "failure", message: `the generator ended early: ${text.decode(stderr).trim()}` };
  }
}
