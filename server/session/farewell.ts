/** What somebody is told whose connection a server ends. Pure. */

import { CLOSE_REASONS, type CloseReason } from "../../protocol/close_reason.ts";
import type { EndConnectionMessage, RefusalMessage } from "../../protocol/message.ts";
import type { Session } from "./session.ts";

/**
 * What somebody is told whose connection this server ends, for `reason`; `undefined` where it knows no
 * command that says so.
 */
export function farewellOf(
  session: Session,
  reason: CloseReason,
  why: string,
): RefusalMessage | EndConnectionMessage | undefined {
  if (session.kind === "client") {
    if (session.isPlain) return reason === "NAME_LOST" ? { command: "AUTHENTICATION_FAIL", info: why } : undefined;
    return { command: "END_CONNECTION", reason, info: why, reconnect: CLOSE_REASONS[reason].reconnect };
  }
  if (reason === "TOO_MANY") return tooManyOf(session, why);
  // Whoever this is knows INVALID_MESSAGE, if anything.
  return reason === "IDENTIFY_TIMEOUT" ? { command: "INVALID_MESSAGE", info: why } : undefined;
}

/** What somebody is told who is not logged in and for whom there is no seat. */
function tooManyOf(session: Session, info: string): RefusalMessage | EndConnectionMessage {
  const isPlain = session.kind === "verifying" && session.message.command === "LOGIN" &&
    session.message.features.length === 0;
  return isPlain
    ? { command: "LOGIN_FAILED", info, reason: "TOO_MANY" }
    : { command: "END_CONNECTION", reason: "TOO_MANY", info, reconnect: "backoff" };
}
