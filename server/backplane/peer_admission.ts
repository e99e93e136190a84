/** How a server is answered that wants to come in over this server's port. Pure. */

import type { PeerIdentity } from "../../protocol/peer/peer_message.ts";

/** The answer. */
export type PeerAdmission =
  | { readonly kind: "peer"; readonly peer: PeerIdentity }
  /** It speaks the older dialect; one of family A says who it is. */
  | { readonly kind: "older"; readonly serverId: string | undefined }
  | { readonly kind: "refused"; readonly info: string }
  /** Too many wrong secrets came from its address: this one was not looked at. */
  | { readonly kind: "notNow"; readonly retryAfterMs: number };

/** The answer to a server that is let in. */
export type Admitted = Extract<PeerAdmission, { kind: "peer" | "older" }>;

/** The answer of a server that takes no others. */
export const NO_DOOR: PeerAdmission = Object.freeze({
  kind: "refused",
  info: "this server takes no other servers: it has no secret",
});
