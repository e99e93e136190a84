/**
 * How a server greets one that it has called: it proves that it knows the secret of the network, and wants the same
 * proof. Or it tells the secret in clear, to a server of an earlier version or of the older dialect. Decides what is
 * said, and what an answer means. The nonce and the hash are arguments. Pure.
 */

import type { LinkGreeting } from "../../backplane/peer_admission.ts";
import { encodeAuthenticate, encodePeerNonce, parsePeerLine } from "../../../protocol/peer/peer_codec.ts";
import {
  type AuthenticationSuccessMessage,
  PEER_FEATURE,
  type PeerIdentity,
} from "../../../protocol/peer/peer_message.ts";
import { calledProof, callerProof, LINK_NONCE, linkKeys, type TextHmac } from "./link_proof.ts";
import { CLEAR_SECRET, OLDER_DIALECT_HINT, OTHER_SECRET, speaksOlderDialect } from "./peer_greeting.ts";

/** What a call is made with. */
export interface CallingFacts {
  readonly secret: string;
  readonly identity: PeerIdentity;
  /** Whether the secret is told, as this server knew nothing else. */
  readonly isInClear: boolean;
  /** Of this call alone. */
  readonly nonce: string;
  readonly hmac: TextHmac;
  /** As in `LinkGreeting`. */
  readonly endPoint: string;
}

/** The keys of a link, as one side has them. */
export interface SealingKeys {
  readonly seal: string;
  readonly open: string;
}

/** What follows from a line of the called server. */
export type CallStep =
  | { readonly kind: "say"; readonly line: string }
  /** Both know each other. Without `keys`, the secret was told in clear. */
  | {
    readonly kind: "opened";
    readonly answer: AuthenticationSuccessMessage;
    readonly keys: SealingKeys | undefined;
  }
  /** It speaks the older dialect, and was told the secret. */
  | { readonly kind: "older"; readonly why: string }
  /** It asks for no proof, or takes nothing else. */
  | { readonly kind: "clearOnly" | "proofOnly"; readonly why: string }
  | { readonly kind: "over"; readonly end: "refused" | "otherSecret" | "lost"; readonly why: string };

/** Why a server takes no call without TLS, for programs. */
const TLS_REQUIRED = "TLS_REQUIRED";

/** One call. */
export class Calling {
  readonly #facts: CallingFacts;
  /** Once the called server has asked for a proof. */
  #greeting: LinkGreeting | undefined;

  constructor(facts: CallingFacts) {
    this.#facts = facts;
  }

  /** Whether a proof was promised, and not asked for yet. */
  get isUnasked(): boolean {
    return !this.#facts.isInClear && this.#greeting === undefined;
  }

  /** What is said first. */
  get first(): string {
    const { isInClear, secret, identity, nonce } = this.#facts;
    return isInClear ? encodeAuthenticate({ secret }, identity) : encodePeerNonce(identity.serverId, nonce);
  }

  /** A line came. Not called after one that ends the greeting. */
  take(line: string): CallStep {
    const message = parsePeerLine(line);
    const info = message !== undefined && "info" in message ? message.info : "";
    if (this.isUnasked && message?.command === "PEER_CHALLENGE" && LINK_NONCE.test(message.nonce)) {
      return this.#prove(message.nonce);
    }
    // It may be of this version, and tells nothing before there is TLS.
    if (message?.command === "INVALID_MESSAGE" && message.reason === TLS_REQUIRED) {
      return { kind: "over", end: "refused", why: `${info} ("cluster.tls")` };
    }
    // A server of 0.1.0 misses the secret in the line.
    if (this.isUnasked && (message?.command === "INVALID_MESSAGE" || speaksOlderDialect(line))) {
      return { kind: "clearOnly", why: info === "" ? "it does not ask for a proof of the secret" : info };
    }
    if (message?.command === "AUTHENTICATION_SUCC" && message.features.includes(PEER_FEATURE) && !this.isUnasked) {
      return this.#opened(message);
    }
    if (!this.isUnasked && this.#greeting === undefined && speaksOlderDialect(line)) {
      return { kind: "older", why: OLDER_DIALECT_HINT };
    }
    if (message?.command === "AUTHENTICATION_FAIL" && message.reason === CLEAR_SECRET) {
      return { kind: "proofOnly", why: info };
    }
    const why = info === "" ? "it did not answer as a server does" : info;
    if (message?.command !== "AUTHENTICATION_FAIL") return { kind: "over", end: "lost", why };
    const isOther = this.#greeting !== undefined && message.reason === OTHER_SECRET;
    return { kind: "over", end: isOther ? "otherSecret" : "refused", why };
  }

  #prove(calledNonce: string): CallStep {
    const { secret, identity, nonce: callerNonce, hmac, endPoint } = this.#facts;
    this.#greeting = { callerId: identity.serverId, callerNonce, calledNonce, endPoint };
    return {
      kind: "say",
      line: encodeAuthenticate({ proof: callerProof(secret, this.#greeting, hmac) }, identity),
    };
  }

  #opened(answer: AuthenticationSuccessMessage): CallStep {
    const { secret, hmac } = this.#facts;
    const greeting = this.#greeting;
    if (greeting === undefined) return { kind: "opened", answer, keys: undefined };
    if (answer.proof !== calledProof(secret, greeting, answer.serverId, hmac)) {
      return { kind: "over", end: "lost", why: "it has not proved that it knows the secret of the network" };
    }
    const { caller, called } = linkKeys(secret, greeting, answer.serverId, hmac);
    return { kind: "opened", answer, keys: { seal: caller, open: called } };
  }
}
