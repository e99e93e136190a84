/** Waiting for something that announces itself nowhere. */

import { setImmediate } from "node:timers";
import { delay } from "@std/async/delay";
import { PATIENCE_MS } from "./line_client.ts";

/** Most things happen within so many turns of the event loop. What takes longer waits for time. */
const TURNS = 200;

/** Lets the event loop run until `condition` holds. Fails after `PATIENCE_MS`. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (let turn = 0; !condition(); turn++) {
    if (Date.now() > giveUpAt) throw new Error(`${what} did not happen within ${PATIENCE_MS} ms`);
    // Turns alone would keep a processor busy that others need, servers in other processes among them.
    await (turn < TURNS ? new Promise((resolve) => setImmediate(resolve)) : delay(1));
  }
}

/** Between two looks at what happens in other processes: these need the processor more than this one does. */
const LOOK_MS = 20;

/** As `until`, for what other processes do. Fails after `patienceMs`. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) {
      throw new Error(`Not within ${patienceMs} ms: ${typeof what === "string" ? what : what()}`);
    }
    await delay(LOOK_MS);
  }
}
