/** What this process holds. */

/** Bytes of memory that the operating system has given to this process. */
export function heldBytes(): number {
  return Deno.memoryUsage().rss;
}
