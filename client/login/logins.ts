/**
 * How a client proves who it is, login after login: with a proof that it knows its secret, and in clear only where
 * nothing else is offered and that is allowed. It remembers tickets, and the key that it derived last: so a client that
 * comes back derives nothing. `client/session.ts` decides what is said; `protocol/login/scram.ts` has the proof.
 */

import type { Endpoint } from "../../platform/address.ts";
import { isLoopbackAddress, plainAddress } from "../../platform/address.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import type { SecureChannel } from "../../platform/tls/secure_channel.ts";
import type { Feature } from "../../protocol/message.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { clientFirst, nonceOf, type ScramDerivation } from "../../protocol/login/scram.ts";
import type { SessionEnd, SessionPlan } from "../session.ts";
import { type AccountCallParts, changeAccount } from "./account_call.ts";

/** The cryptography that a client needs. */
export type ClientCrypto = Pick<SecretCrypto, "scrypt" | "randomBytes" | "sha256" | "hmacOf">;

/** Whose logins they are. */
export interface LoginsParts {
  readonly username: string;
  /** Until it is changed. */
  readonly secret: string | undefined;
  readonly features: readonly Feature[];
  /** Whether the secret may be told in clear to other machines. */
  readonly clearSecrets: boolean;
  /** Absent: the client can prove nothing, and tells its secret. */
  readonly crypto: ClientCrypto | undefined;
}

/** As in a verifier. */
const KEY_BYTES = 32;
const NONCE_BYTES = 18;

/** One client's. */
export class Logins {
  /** From the last login. */
  ticket: string | undefined;
  /** The secret of the user, also after it was changed. */
  secret: string | undefined;
  readonly #parts: LoginsParts;
  /** The last derivation, by what it was made from. */
  #derived: { readonly from: string; readonly key: Promise<Uint8Array> } | undefined;
  /** Servers that offer nothing but the clear way. */
  readonly #inClear = new Set<string>();
  #wasChallenged = false;
  /** What the secret is being changed to. */
  #coming: string | undefined;
  /** Whether it was, and no connection has ended because of that yet. */
  #wasChanged = false;

  constructor(parts: LoginsParts) {
    this.#parts = parts;
    this.secret = parts.secret;
  }

  /** What the next login at `server` has in it. By TLS its proof is bound to `channel`, as far as that is known. */
  planFor(server: string, channel?: SecureChannel): Pick<SessionPlan, "secret" | "ticket" | "scram"> {
    const { secret } = this;
    const { username, features, crypto } = this.#parts;
    const ticket = features.includes("resume") ? this.ticket : undefined;
    // A plain client knows only the clear way.
    const isProved = crypto !== undefined && username !== ANONYMOUS && features.length > 0 &&
      !this.#inClear.has(server);
    const scram = isProved
      ? clientFirst(username, nonceOf(crypto.randomBytes(NONCE_BYTES)), channel?.serverEndPoint)
      : undefined;
    return { secret, ticket, scram };
  }

  /** The key of the secret. */
  derive({ salt, cost }: ScramDerivation): Promise<Uint8Array> {
    this.#wasChallenged = true;
    const from = `${cost} ${salt}`;
    if (this.#derived?.from !== from) {
      const { crypto } = this.#parts;
      const { secret = "" } = this;
      this.#derived = { from, key: crypto!.scrypt(secret, salt, cost, KEY_BYTES) };
    }
    return this.#derived.key;
  }

  /** `server`, at this address, offers only the clear way. Gives whether the client takes that way. */
  takesClearWay(server: string, remoteHost: string): boolean {
    // Servers of one network are of one version as a rule. Who was asked for a proof before is not led astray now.
    const isAllowed = this.#parts.clearSecrets ||
      (!this.#wasChallenged && isLoopbackAddress(plainAddress(remoteHost)));
    if (isAllowed) this.#inClear.add(server);
    return isAllowed;
  }

  /**
   * Changes the account of the user: its secret, or without one, that there is none any more.
   * @throws {TypeError} when it has no name.
   * @throws as `changeAccount` in `account_call.ts`.
   */
  async changeAccount(
    newSecret: string | undefined,
    at: { readonly server: Endpoint; readonly timeoutMs: number },
    machine: Pick<AccountCallParts, "transport" | "clock">,
  ): Promise<void> {
    const { secret } = this;
    const { username, crypto } = this.#parts;
    if (secret === undefined || username === ANONYMOUS) throw new TypeError("Cannot change an account without a name");
    if (crypto === undefined) throw new TypeError("Cannot change an account where nothing can be proved");
    this.#coming = newSecret;
    try {
      const call = { ...at, username, secret, ...(newSecret === undefined ? {} : { newSecret }) };
      await changeAccount(call, { ...machine, crypto });
      this.#takeComing();
    } finally {
      this.#coming = undefined;
    }
  }

  /** How a connection has ended: one that ends because this client has changed the secret is made anew. */
  afterChange(end: SessionEnd): SessionEnd {
    if (end.kind !== "endedByServer" || end.reason !== "SECRET_CHANGED") return end;
    // The answer to the change takes another way, and may come later.
    this.#takeComing();
    const isOwn = this.#wasChanged;
    this.#wasChanged = false;
    return isOwn ? { ...end, advice: "now" } : end;
  }

  #takeComing(): void {
    if (this.#coming === undefined || this.secret === this.#coming) return;
    this.secret = this.#coming;
    this.ticket = undefined;
    this.#derived = undefined;
    this.#wasChanged = true;
  }
}
