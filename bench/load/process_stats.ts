/** What Linux tells about a process: processor time and resident memory. */

import type { CpuUse } from "./job.ts";

/** Linux counts processor time in hundredths of a second on all machines that Deno runs on. */
const MS_PER_TICK = 10;

/**
 * How much processor time servers, all of them together, and generator use from now on; the function that
 * is returned says it.
 */
export function watchCpu(...serverPids: readonly number[]): () => CpuUse {
  const serversMs = () => serverPids.reduce((sum, pid) => sum + processorMs(pid), 0);
  const startedAt = performance.now();
  const server = serversMs();
  const generator = processorMs(Deno.pid);
  return () => {
    const elapsedMs = performance.now() - startedAt;
    return {
      serverCores: (serversMs() - server) / elapsedMs,
      generatorCores: (processorMs(Deno.pid) - generator) / elapsedMs,
    };
  };
}

/** Resident memory of process `pid`. */
export function residentBytes(pid: number): number {
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(/^Rss:\s+(\d+) kB/m.exec(rollup)![1]) * 1024;
}

/** User and system time of all threads of process `pid`, in milliseconds. */
export function processorMs(pid: number): number {
  // After the name, which is in parentheses and may hold anything, user and system time are the 12th and 13th field.
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/**
 * Processor time of the threads that process `pid` has now, in milliseconds, to a thousandth. What threads used that
 * have ended is not in it.
 */
export function threadsMs(pid: number): number {
  let ns = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]);
    } catch {
      // It has just ended.
    }
  }
  return ns / 1e6;
}

/** How many files and sockets process `pid` has open. */
export function openFiles(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** What the kernel of this machine has for all sockets and other small objects, in bytes. */
export function kernelSocketBytes(): number {
  const slabKb = Number(/^Slab:\s+(\d+) kB/m.exec(Deno.readTextFileSync("/proc/meminfo"))![1]);
  const tcpPages = Number(/^TCP:.* mem (\d+)/m.exec(Deno.readTextFileSync("/proc/net/sockstat"))![1]);
  return slabKb * 1024 + tcpPages * 4096;
}
