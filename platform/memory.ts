/** What this process uses of the machine. */

import process from "node:process";

/** Bytes of memory that the operating system has given to this process. */
export function heldBytes(): number {
  return Deno.memoryUsage().rss;
}

/** The time that processors have worked for this process, in seconds. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}
