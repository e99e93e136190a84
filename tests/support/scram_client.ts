/** The client's side of a login that tells no secret, for raw clients of tests. */

import { nodeCrypto } from "../../platform/crypto.ts";
import { clientFirst, prove, readServerFirst, type ScramHash } from "../../protocol/login/scram.ts";
import type { Received } from "./line_client.ts";

/** Derives a key from a secret. */
export type Derive = (secret: string, salt: Uint8Array, cost: number) => Uint8Array | Promise<Uint8Array>;

/** As scrypt of `NodeWorld` does: the secret itself. */
export const secretItself: Derive = (secret) => new TextEncoder().encode(secret);

/** As a server's scrypt does. */
export const reallyDerived: Derive = (secret, salt, cost) => nodeCrypto.scrypt(secret, salt, cost, 32);

/** One exchange. */
export class ScramLogin {
  readonly #first: ReturnType<typeof clientFirst>;
  /** What the server has to prove, once the response is made. */
  serverFinal: string | undefined;

  /** By TLS with `binding`, which is what the client knows of the certificate. */
  constructor(readonly username: string, nonce: string = crypto.randomUUID(), binding?: Uint8Array) {
    this.#first = clientFirst(username, nonce, binding);
  }

  /** The LOGIN. */
  login(more: object = {}): Received {
    const { username } = this;
    return { command: "LOGIN", username, scram: this.#first.text, features: ["scram"], ...more };
  }

  /** The RESPONSE to `challenge`, as who knows `secret` makes it. */
  async response(challenge: Received, secret: string, derive: Derive, hash: ScramHash = nodeCrypto): Promise<Received> {
    const read = readServerFirst(this.#first.first, challenge.scram);
    if (!read.ok) throw new Error(read.problem);
    const proof = prove(read.talk, await derive(secret, read.salt, read.cost), hash);
    this.serverFinal = proof.serverFinal;
    return { command: "RESPONSE", scram: proof.response };
  }
}
