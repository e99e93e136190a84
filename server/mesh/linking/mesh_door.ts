/**
 * The door of a mesh. Servers that come over this server's own port show the secret of the network here.
 * `peer_greeting.ts` decides the answer.
 */

import type { Config } from "../../../config/config.ts";
import { isLoopbackAddress, networkOf, plainAddress } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { SecretCrypto } from "../../../platform/crypto.ts";
import type { Link } from "../../../platform/transport.ts";
import type { LineFramer } from "../../../protocol/line_framer.ts";
import type { AuthenticateMessage } from "../../../protocol/message.ts";
import { Strikes } from "../../accounts/strikes.ts";
import { toHex } from "../../../platform/hex.ts";
import type { CallerFacts, LegacyDoor, LinkTaker, PeerDoor } from "../../backplane/door.ts";
import type {
  Admitted,
  AdmittedPeer,
  LinkGreeting,
  PeerAdmission,
  ProvenLink,
} from "../../backplane/peer_admission.ts";
import type { NetworkSecrets } from "../../backplane/network_secrets.ts";
import type { Incarnation } from "../../journal/origins/incarnation.ts";
import type { Members } from "../members.ts";
import { calledProof, callerProof, endPointOf, LINK_NONCE_BYTES, linkKeys } from "./link_proof.ts";
import { admitPeer } from "./peer_greeting.ts";

/** What it is made with. */
export interface MeshDoorParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly crypto: SecretCrypto;
  readonly secrets: Pick<NetworkSecrets, "isSet" | "accepted">;
  /** This server, which can get another name. */
  readonly journal: { readonly serverId: string };
  readonly incarnation: Incarnation;
  readonly legacy: LegacyDoor | undefined;
}

/** What it has of the mesh. */
export interface MeshDoorOwner {
  readonly members: Members;
  isStopping(): boolean;
  /** Takes over the link of a server that was let in. */
  enters(link: Link, framer: LineFramer, admission: AdmittedPeer, gone: () => void): LinkTaker;
}

/**
 * What wrong secrets of the network cost an address. Not much at most: a server that was given the right one at last
 * may be behind the same.
 */
const WRONG_SECRETS = { free: 5, forgetMs: 60_000, firstMs: 1_000, mostMs: 8_000 };
const encoder = new TextEncoder();

/** Of one server. */
export class MeshDoor implements PeerDoor {
  readonly #parts: MeshDoorParts;
  readonly #owner: MeshDoorOwner;
  readonly #strikes = new Strikes(WRONG_SECRETS);

  constructor(parts: MeshDoorParts, owner: MeshDoorOwner) {
    this.#parts = parts;
    this.#owner = owner;
  }

  admit(message: AuthenticateMessage, from: CallerFacts, greeting: LinkGreeting | undefined): PeerAdmission {
    const { config: { cluster }, secrets, clock, crypto, journal, incarnation, legacy } = this.#parts;
    const { remoteHost, channel } = from;
    const network = networkOf(remoteHost);
    return admitPeer(message, remoteHost, {
      waitMs: this.#strikes.waitMs(network, clock.nowMs()),
      serverId: journal.serverId,
      incarnationId: incarnation.id,
      hasSecret: secrets.isSet,
      takesLegacyDialect: legacy !== undefined,
      isStopping: this.#owner.isStopping(),
      endPoint: endPointOf(channel),
      greeting,
      // What is told on this machine is told to no network.
      takesClearSecret: cluster.clearSecret === "upgrade" || isLoopbackAddress(plainAddress(remoteHost)),
      isSecret: (secret) =>
        this.#counted(network, secrets.accepted.find((known) => this.#isEqual(secret, known))) !== undefined,
      prove: (proof, greeting) => this.#counted(network, this.#proven(proof, greeting)),
      newNonce: () => toHex(crypto.randomBytes(LINK_NONCE_BYTES)),
      member: (serverId) => this.#owner.members.get(serverId),
    });
  }

  accept(link: Link, framer: LineFramer, admission: Admitted, gone: () => void): LinkTaker {
    if (admission.kind === "older") return this.#parts.legacy!.accept(link, framer, admission.serverId, gone);
    return this.#owner.enters(link, framer, admission, gone);
  }

  /** What is right makes good for all that was wrong. */
  #counted<T>(from: string, right: T | undefined): T | undefined {
    if (right !== undefined) this.#strikes.forget(from);
    else this.#strikes.add(from, this.#parts.clock.nowMs());
    return right;
  }

  /** The link is sealed with the secret that the other server has. */
  #proven(proof: string, greeting: LinkGreeting): ProvenLink | undefined {
    const { crypto: { hmac }, journal: { serverId }, secrets } = this.#parts;
    const secret = secrets.accepted.find((known) => this.#isEqual(proof, callerProof(known, greeting, hmac)));
    if (secret === undefined) return undefined;
    const { caller, called } = linkKeys(secret, greeting, serverId, hmac);
    return { proof: calledProof(secret, greeting, serverId, hmac), sealKey: called, openKey: caller };
  }

  /** In a time that tells nothing. */
  #isEqual(one: string, other: string): boolean {
    const { crypto } = this.#parts;
    const digest = (text: string) => encoder.encode(crypto.digest(text));
    return crypto.isEqual(digest(one), digest(other));
  }
}
