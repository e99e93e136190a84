/** The chat's words about its connection: one line when the server is gone, one when the connection is back. Pure. */

import type { Endpoint } from "../../../platform/address.ts";
import { CLOSE_REASONS, isCloseReason } from "../../../protocol/close_reason.ts";
import type { ClientEvent } from "../../options.ts";
import { endpointText } from "../../../config/values.ts";
import { NOTHING_TOLD, type Notice, stepTelling } from "../notices.ts";

/** The state of the connection, as the person was told. */
export interface Outage {
  readonly isLost: boolean;
  /** Where the client is again, before it has caught up. */
  readonly backAt: Endpoint | undefined;
}

/** All is well. */
export const NO_OUTAGE: Outage = Object.freeze({ isLost: false, backAt: undefined });

/** The notice for `event`, if there is one. */
export function stepOutage(outage: Outage, event: ClientEvent): { outage: Outage; notice?: Notice } {
  switch (event.kind) {
    case "lost":
      // The client ends with that, and says why.
      if (isCloseReason(event.reason) && CLOSE_REASONS[event.reason].reconnect === "never") return { outage };
      // The next server is down, too: that is one outage.
      if (outage.isLost) return { outage: { isLost: true, backAt: undefined } };
      return {
        outage: { isLost: true, backAt: undefined },
        notice: { tone: "warning", text: "Server is down. Connecting to a backup server …" },
      };
    case "connected":
      return { outage: outage.isLost ? { isLost: true, backAt: event.server } : outage };
    case "caughtUp": {
      if (outage.backAt === undefined) return { outage };
      const missed = event.replayed + event.offline;
      const connected = `Connected to ${endpointText(outage.backAt)}`;
      return {
        outage: NO_OUTAGE,
        notice: { tone: "good", text: missed === 0 ? connected : `${connected}, caught up with ${missed}` },
      };
    }
    case "gap":
    case "overflow":
    case "pending":
    case "duplicate":
    case "notAllowed": {
      const { notice } = stepTelling(NOTHING_TOLD, event);
      return { outage, ...(notice && { notice }) };
    }
    default:
      return { outage };
  }
}
