/** Tells the operator again and again that this server is not in its network. `joining.ts` decides when. */

import { getLogger } from "@logtape/logtape";
import type { Joining } from "./joining.ts";

const logger = getLogger(["thrum", "mesh"]);

/** Says what is due. */
export function remind(joining: Joining, nowMs: number): void {
  const { state, calls } = joining.reminder(nowMs) ?? {};
  if (state === "refused") logger.error("not in the network, and not ready: refused by {calls}", { calls });
  else if (state === "unreached") {
    logger.warning("not in the network: no server of it was reached since the start: {calls}", { calls });
  }
}
