/** Small parts that the loads share: many publications in one buffer, and waiting for the last delivery. */

import { delay } from "@std/async/delay";

/** Often enough that a load does not stand still, seldom enough that it costs nothing. */
const POLL_MS = 5;
/** What was doubled would come this soon after the last that was expected. */
const STRAGGLER_MS = 30;

/** `text`, which is ASCII, so many times in one buffer. */
export function repeat(text: string, count: number): Uint8Array {
  return new TextEncoder().encode(text.repeat(count));
}

/**
 * Waits until everything `hasArrived`, and a moment longer for what nobody expects. The generator's deadline bounds it.
 */
export async function arrival(hasArrived: () => boolean): Promise<void> {
  while (!hasArrived()) await delay(POLL_MS);
  await delay(STRAGGLER_MS);
}
