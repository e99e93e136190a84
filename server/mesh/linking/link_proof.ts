/**
 * How two servers prove to each other that they know the secret of the network, without telling it: by an HMAC over the
 * nonces of both. What was recorded on one link is worth nothing on another one. From the same nonces come the keys
 * with which they seal what nobody else may read (`sealed_lines.ts`). By TLS all of it is bound to the certificate that
 * the called server has shown: a proof that somebody hands on from one connection to another is none. Nonces and the
 * hash are arguments. Pure.
 */

import { toHex } from "../../../platform/hex.ts";
import type { SecureChannel } from "../../../platform/tls/secure_channel.ts";
import type { LinkGreeting } from "../../backplane/peer_admission.ts";

/** HMAC-SHA-256 with a text as its key, as hexadecimal digits. */
export type TextHmac = (key: string, text: string) => string;

/** The keys of one link, by who seals with them; as hexadecimal digits. */
export interface LinkKeys {
  readonly caller: string;
  readonly called: string;
}

/** A nonce, as one has to be: what is made here has 192 bits. */
export const LINK_NONCE = /^[0-9a-f]{32,64}$/;
/** Random bytes in a nonce. */
export const LINK_NONCE_BYTES = 24;
/** A proof, as one has to be. */
export const LINK_PROOF = /^[0-9a-f]{64}$/;

/** What is known of the certificate that a link is protected with, as a greeting has it. */
export function endPointOf(channel: SecureChannel | undefined): string {
  return channel?.serverEndPoint === undefined ? "" : toHex(channel.serverEndPoint);
}

/** The proof of the server that has made the link. It comes first: who only calls is shown nothing to guess with. */
export function callerProof(secret: string, greeting: LinkGreeting, hmac: TextHmac): string {
  return hmac(secret, textOf("caller", greeting));
}

/** The proof of the called server, whose name is `calledId`. */
export function calledProof(secret: string, greeting: LinkGreeting, calledId: string, hmac: TextHmac): string {
  return hmac(secret, textOf("called", greeting, calledId));
}

/** The keys of the link, once both are proved. */
export function linkKeys(secret: string, greeting: LinkGreeting, calledId: string, hmac: TextHmac): LinkKeys {
  return {
    caller: hmac(secret, textOf("sealed by caller", greeting, calledId)),
    called: hmac(secret, textOf("sealed by called", greeting, calledId)),
  };
}

/** Each use has a text of its own, so that nothing that is said for one is good for another. */
function textOf(use: string, { callerId, callerNonce, calledNonce, endPoint }: LinkGreeting, calledId = ""): string {
  // No part can hold a NUL.
  const channel = endPoint === "" ? [] : [endPoint];
  return ["thrum/2", use, callerId, callerNonce, calledNonce, calledId, ...channel].join("\0");
}
