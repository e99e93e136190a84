/** A server speaks for itself alone. Finds the fault of a message that speaks for another server. Pure. */

import type { PeerMessage } from "../../../protocol/peer/peer_message.ts";

/** Why the server `peer` may not say this to `own`, in words; `undefined` when it may. */
export function strangerProblem(message: PeerMessage, peer: string, own: string): string | undefined {
  switch (message.command) {
    case "SERVER_ANNOUNCE":
      return message.serverId === peer ? undefined : `SERVER_ANNOUNCE of another server than ${peer}`;
    case "LOCK_REQUEST":
    case "LOCK_RELEASE":
      return message.origin === peer ? undefined : `${message.command} for another server than ${peer}`;
    case "LOCK_ALLOWED":
    case "LOCK_DENIED":
      return message.origin === own ? undefined : `${message.command} for another server than ${own}`;
    case "AUTHENTICATION_SUCC":
      return "AUTHENTICATION_SUCC may only be the answer to AUTHENTICATE";
    default:
      return undefined;
  }
}
