/** Runs a load: a generator process of its own for each job, one at a time. */

import type { Children } from "./children.ts";
import type { Failure, Held, Job, JobResult, WireName } from "./load/job.ts";
import { isNative, nativeArguments } from "./load/native.ts";
import { denoRun, type RunningServer } from "./start_server.ts";

/** The generators that there are. */
export interface Generators {
  /** The path of the one in C; `undefined` where it could not be compiled. */
  readonly native: string | undefined;
  /** Whether that one knows TLS. */
  readonly hasTls?: boolean;
}

/** A generator has its own deadline; this much later it is taken to be stuck. */
const STUCK_MS = 5_000;
/** What a generator says when its idle connections are there. */
const READY = "ready\n";

/** What a job has to know of the server that it loads. */
export function atServer(
  wire: WireName,
  { port, process, isTls }: RunningServer,
): Pick<Job, "wire" | "port" | "serverPid" | "tls"> {
  return { wire, port, serverPid: process.pid, ...(isTls === true ? { tls: true } : {}) };
}

/** Runs `job` to its end. */
export async function runJob(job: Job, generators: Generators, children: Children): Promise<JobResult> {
  const generator = children.spawn(command(job, generators), ".");
  const stuck = setTimeout(() => generator.kill("SIGKILL"), job.deadlineMs + STUCK_MS);
  const { stdout, stderr } = await generator.output();
  clearTimeout(stuck);
  return resultIn(decode(stdout), decode(stderr));
}

/** Idle connections that are there. */
export interface Holding {
  /** Ends them, and says how they fared. */
  end(): Promise<Held | Failure>;
}

/** Starts a `hold`, and waits until all its connections are logged in. */
export async function hold(
  job: Extract<Job, { kind: "hold" }>,
  generators: Generators,
  children: Children,
): Promise<Holding> {
  const generator = children.spawn(command(job, generators), ".");
  const output = generator.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let isOver = false; !isOver && !text.includes(READY);) {
    const { value, done } = await output.read();
    text += value ?? "";
    isOver = done;
  }
  if (!text.startsWith(READY)) throw new Error(`The connections could not be opened: ${text.trim()}`);
  return {
    end: async () => {
      generator.kill("SIGTERM");
      text = text.slice(READY.length);
      for (let isOver = false; !isOver;) {
        const { value, done } = await output.read();
        text += value ?? "";
        isOver = done;
      }
      await generator.stderr.cancel();
      await generator.status;
      return resultIn(text, "") as Held | Failure;
    },
  };
}

function command(job: Job, { native, hasTls = false }: Generators): string[] {
  return native !== undefined && isNative(job) && (hasTls || job.tls !== true)
    ? [native, ...nativeArguments(job, crypto.randomUUID())]
    : [...denoRun("./load/generator.ts"), JSON.stringify(job)];
}

function resultIn(text: string, said: string): JobResult {
  try {
    return JSON.parse(text);
  } catch {
    // It ended before it could say anything in order.
    return { kind: "failure", message: `the generator ended early: ${text} ${said.trim()}` };
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
