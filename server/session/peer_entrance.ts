/** How a server comes in over this server's own port, where clients come in, too: by the door of the backplane. */

import type { Auditor } from "../audit/audit_event.ts";
import type { Backplane } from "../backplane/backplane.ts";
import type { CallerFacts, LinkTaker } from "../backplane/door.ts";
import { type Admitted, type LinkGreeting, NO_DOOR, type PeerAdmission } from "../backplane/peer_admission.ts";
import type { Link } from "../../platform/transport.ts";
import type { LineFramer } from "../../protocol/line_framer.ts";
import type { AuthenticateMessage } from "../../protocol/message.ts";
import type { MetricCounters } from "../../view/metric_counters.ts";
import type { LimitName } from "./limits/limit_names.ts";
import type { SeatGiver, ServedConnection } from "./served_connection.ts";

/** What servers come in by. */
export interface PeerEntranceParts {
  readonly backplane: Pick<Backplane, "door">;
  readonly seats: Pick<SeatGiver, "enter">;
  readonly counters: Pick<MetricCounters<LimitName>, "limited">;
  readonly auditor: Auditor;
}

/** The connection of the server. */
export interface PeerEntranceOwner extends ServedConnection {
  readonly link: Link;
  /** The link is gone. */
  gone(): void;
}

/** Of one server. */
export class PeerEntrance {
  readonly #parts: PeerEntranceParts;

  constructor(parts: PeerEntranceParts) {
    this.#parts = parts;
  }

  /** Whether a server that says this is let in; `greeting` was said before. */
  admit(message: AuthenticateMessage, from: CallerFacts, greeting: LinkGreeting | undefined): PeerAdmission {
    const { backplane, counters, auditor } = this.#parts;
    const admission = backplane.door?.admit(message, from, greeting) ?? NO_DOOR;
    if (admission.kind === "notNow") counters.limited("secrets");
    if (admission.kind === "refused") {
      auditor.audit({ what: "peerRefused", from: from.remoteHost, more: { why: admission.info } });
    }
    return admission;
  }

  /** Hands the link over. Returns who takes the lines that come from here on. */
  letIn(admission: Admitted, framer: LineFramer, owner: PeerEntranceOwner): LinkTaker {
    const { backplane, seats } = this.#parts;
    seats.enter(owner, { kind: "peer" }, () => {});
    return backplane.door!.accept(owner.link, framer, admission, () => owner.gone());
  }
}
