/** What a server says when it ends a connection. Pure. */

import { CLOSE_REASONS, type CloseReason } from "../../protocol/close_reason.ts";
import type { EndConnectionMessage, RefusalMessage } from "../../protocol/message.ts";
import type { Session } from "./session_state.ts";

/** Ends after which the same login is refused. Plain clients know a command for them. */
const SHOWN_OUT: ReadonlySet<CloseReason> = new Set(["NAME_LOST", "BANNED", "DISABLED", "DELETED", "SECRET_CHANGED"]);

/** What the server says when it ends a connection for `reason`; `undefined` if the client knows no command for it. */
export function farewellOf(
  session: Session,
  reason: CloseReason,
  why: string,
): RefusalMessage | EndConnectionMessage | undefined {
  if (session.kind === "client") {
    if (session.isPlain) return SHOWN_OUT.has(reason) ? { command: "AUTHENTICATION_FAIL", info: why } : undefined;
    return { command: "END_CONNECTION", reason, info: why, reconnect: CLOSE_REASONS[reason].reconnect };
  }
  if (reason === "TOO_MANY") return tooManyOf(session, why);
  // If a stranger knows any command, it is INVALID_MESSAGE.
  return reason === "IDENTIFY_TIMEOUT" ? { command: "INVALID_MESSAGE", info: why } : undefined;
}

/** What the server says if a client is not logged in and there is no seat for it. */
function tooManyOf(session: Session, info: string): RefusalMessage | EndConnectionMessage {
  const isPlain = session.kind === "verifying" && session.message.command === "LOGIN" &&
    session.message.features.length === 0;
  return isPlain
    ? { command: "LOGIN_FAILED", info, reason: "TOO_MANY" }
    : { command: "END_CONNECTION", reason: "TOO_MANY", info, reconnect: "backoff" };
}
