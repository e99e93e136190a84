/** How a server is answered that wants to come in over this server's port. Pure. */

import type { PeerIdentity } from "../../protocol/peer/peer_message.ts";

/** What two servers have said before their proofs. */
export interface LinkGreeting {
  /** The server that has made the link, and its nonce. */
  readonly callerId: string;
  readonly callerNonce: string;
  /** The nonce of the called server. */
  readonly calledNonce: string;
  /** What this side knows of the certificate of the called server, as hexadecimal digits; empty without TLS. */
  readonly endPoint: string;
}

/** What follows for a link from a proof: this server's own, and the keys with which each side seals. */
export interface ProvenLink {
  readonly proof: string;
  readonly sealKey: string;
  readonly openKey: string;
}

/** The answer. */
export type PeerAdmission =
  /** `proven` is there where it has not told the secret. */
  | { readonly kind: "peer"; readonly peer: PeerIdentity; readonly proven?: ProvenLink }
  /** It has to prove that it knows the secret. */
  | { readonly kind: "challenged"; readonly greeting: LinkGreeting }
  /** It speaks the older dialect; one of family A says who it is. */
  | { readonly kind: "older"; readonly serverId: string | undefined }
  /** `reason` is for programs. */
  | { readonly kind: "refused"; readonly info: string; readonly reason?: string }
  /** Too many wrong secrets came from its address: this one was not looked at. */
  | { readonly kind: "notNow"; readonly retryAfterMs: number };

/** The answer to a server that is let in. */
export type Admitted = Extract<PeerAdmission, { kind: "peer" | "older" }>;

/** The same to a server of this dialect. */
export type AdmittedPeer = Extract<PeerAdmission, { kind: "peer" }>;

/** The answer of a server that takes no others. */
export const NO_DOOR: PeerAdmission = Object.freeze({
  kind: "refused",
  info: "this server takes no other servers: it has no secret",
});
