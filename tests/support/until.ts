/** Waiting for something that announces itself nowhere. */

import { setImmediate } from "node:timers";
import { PATIENCE_MS } from "./line_client.ts";

/** Lets the event loop run until `condition` holds. Fails after `PATIENCE_MS`. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > giveUpAt) throw new Error(`${what} did not happen within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
