/** What a connection can be, and what follows from its phase alone. */

import type { Proven } from "../accounts/credential.ts";
import type { LinkTaker } from "../backplane/door.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { ConnectionView } from "../../view/network_view.ts";
import type { ClientRequests } from "./client/client_requests.ts";
import type { Identification } from "./identification.ts";
import type { Taking } from "./line_intake.ts";
import type { ServedClient } from "./client/served_client.ts";
import type { LoggedIn, Session } from "./session_state.ts";

/** A client that is served. */
export interface ClientPhase {
  readonly kind: "client";
  readonly session: LoggedIn;
  readonly client: ServedClient;
  readonly requests: ClientRequests;
  /** Not there for a client that needs no account. */
  readonly proven: Proven | undefined;
}

/** A client that has published within this is in the middle of something. */
const BUSY_MS = 1_000;
/** One that has published nothing for so long has nothing to say. */
const QUIET_MS = 10_000;

/** What a connection is, with all that it has in this phase. A phase is replaced whole. */
export type Phase =
  /** It has to say who it is. */
  | { readonly kind: "stranger"; readonly identification: Identification }
  /** It is let in, and about to be welcomed; it has said nothing for `silentMs`. */
  | { readonly kind: "entering"; readonly session: LoggedIn; readonly silentMs: number }
  | ClientPhase
  /** A server. `taker` has taken the link over, and takes the lines. */
  | { readonly kind: "peer"; readonly taker: LinkTaker }
  /** Its last line may still be on its way. `served` is the client that it was. */
  | { readonly kind: "closed"; readonly reason: CloseReason; readonly served: ServedClient | undefined };

/** What becomes of a line that comes in this phase. */
export function takingIn(phase: Phase): Taking {
  switch (phase.kind) {
    case "client":
      return "now";
    case "stranger":
      return phase.identification.isBusy ? "later" : "now";
    case "entering":
      return "later";
    case "peer":
      return "elsewhere";
    case "closed":
      return "never";
  }
}

/** Whether something that was asked for is still to be found out, read from the log, or made safe. */
export function owesIn(phase: Phase): boolean {
  switch (phase.kind) {
    case "stranger":
      return phase.identification.isBusy;
    case "client":
      return phase.client.isBehind || phase.requests.owed > 0;
    default:
      return false;
  }
}

/** Its session, as decisions see it. */
export function sessionOf(phase: Phase): Session {
  switch (phase.kind) {
    case "stranger":
      return phase.identification.session;
    case "entering":
    case "client":
      return phase.session;
    case "peer":
    case "closed":
      return phase;
  }
}

/** The client that it is, or was. */
export function servedIn(phase: Phase): ServedClient | undefined {
  return phase.kind === "client" ? phase.client : phase.kind === "closed" ? phase.served : undefined;
}

/** Whether it has published nothing for long. */
export function isQuietIn(phase: Phase, nowMs: number): boolean {
  return nowMs - (servedIn(phase)?.publishedAt ?? -Infinity) >= QUIET_MS;
}

/** Whether it is a client that loses nothing when it has to go elsewhere. */
export function mayBeMovedIn(phase: Phase, nowMs: number): boolean {
  if (phase.kind !== "client") return false;
  const { features } = phase.session;
  // Without acknowledgements, activities that are on their way would be lost.
  return features.includes("resume") && features.includes("ack") && phase.client.isIdleFor(BUSY_MS, nowMs);
}

/** What it is called for people. */
export function kindOf(phase: Phase): ConnectionView["kind"] {
  if (phase.kind === "peer") return "server";
  if (phase.kind !== "client") return "new";
  return phase.session.isPlain ? "plain" : "client";
}
