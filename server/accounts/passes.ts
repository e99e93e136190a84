/** Makes and takes the passes of one server's clients (`pass.ts`), and hears which were spent elsewhere. */

import type { Clock } from "../../platform/clock.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import { MAX_SPENT_TOLD } from "../../protocol/peer/pass_spent.ts";
import type { PassSpentMessage } from "../../protocol/peer/peer_message.ts";
import { checkPass, makePass, SpentPasses } from "./pass.ts";
import { stillProven } from "./ticket.ts";

/** What they are made with. */
export interface PassesParts {
  readonly crypto: SecretCrypto;
  readonly clock: Pick<Clock, "wallMs">;
  /** For how long a pass is good, in milliseconds; 0 for no passes. */
  readonly lifetimeMs: number;
  readonly keys: {
    /** Whose clients get passes from here. */
    readonly serverId: string;
    keyOf(serverId: string): string | undefined;
    /** How long ago a secret may have been derived. */
    readonly maxAgeMs: number;
  };
  /** The notes of the store, by key. */
  readonly kept: Readonly<Record<string, string>>;
  /** Keeps a note, or drops it. */
  save(key: string, value: string | null): void;
  /** The other servers are to know it. */
  tell(message: PassSpentMessage): void;
}

/** An account, as passes need it. */
interface PassAccount {
  readonly username: string;
  readonly verifier: string;
}

/** Before the digest of a spent pass, in the store. Never change it. */
const NOTE = "pass spent ";

/** The passes of one server. */
export class Passes {
  readonly #parts: PassesParts;
  readonly #spent = new SpentPasses();

  constructor(parts: PassesParts) {
    this.#parts = parts;
    const nowMs = parts.clock.wallMs();
    for (const [key, value] of Object.entries(parts.kept)) {
      if (key.startsWith(NOTE)) this.#spent.add(key.slice(NOTE.length), Number(value), nowMs);
    }
  }

  /** A new pass for a user who has proved the secret at `provenAtMs`; `undefined` where none would be good. */
  make(account: PassAccount, provenAtMs: number): string | undefined {
    const { crypto, clock, lifetimeMs, keys: { serverId, keyOf, maxAgeMs } } = this.#parts;
    const key = keyOf(serverId);
    const nowMs = clock.wallMs();
    const expiresAtMs = Math.min(nowMs + lifetimeMs, provenAtMs + maxAgeMs);
    if (key === undefined || lifetimeMs === 0 || expiresAtMs <= nowMs) return undefined;
    return makePass(key, { ...account, serverId, provenAtMs, expiresAtMs }, crypto);
  }

  /** Takes a pass: from now on it is worth nothing anywhere. Gives when the secret was proved, if the pass is good. */
  take(pass: string, account: PassAccount): { readonly provenAtMs: number } | undefined {
    const { crypto, clock, lifetimeMs, keys: { keyOf, maxAgeMs } } = this.#parts;
    const nowMs = clock.wallMs();
    const good = checkPass(pass, { ...account, nowMs, lifetimeMs }, keyOf, crypto);
    if (good === undefined || !stillProven(good.provenAtMs, nowMs, maxAgeMs)) return undefined;
    if (this.#spent.has(good.digest)) return undefined;
    this.#spend(good.digest, good.expiresAtMs);
    return good;
  }

  /** Another server says which were spent there. */
  heard({ passes }: PassSpentMessage): void {
    const { clock, lifetimeMs } = this.#parts;
    const nowMs = clock.wallMs();
    for (const [digest, expiresAtMs] of Object.entries(passes)) {
      // None of this network is good for longer, whatever a server says.
      this.#add(digest, Math.min(expiresAtMs, nowMs + 2 * lifetimeMs), nowMs);
    }
  }

  /** What a server that was met has to know; `undefined` for nothing. */
  get spent(): PassSpentMessage | undefined {
    const newest = this.#spent.newest(MAX_SPENT_TOLD);
    return newest.length === 0 ? undefined : { command: "PASS_SPENT", passes: Object.fromEntries(newest) };
  }

  #spend(digest: string, expiresAtMs: number): void {
    if (!this.#add(digest, expiresAtMs, this.#parts.clock.wallMs())) return;
    this.#parts.tell({ command: "PASS_SPENT", passes: { [digest]: expiresAtMs } });
  }

  /** A restart must not make a spent pass good again. */
  #add(digest: string, expiresAtMs: number, nowMs: number): boolean {
    const { save } = this.#parts;
    for (const old of this.#spent.forgetOld(nowMs)) save(NOTE + old, null);
    const isNew = this.#spent.add(digest, expiresAtMs, nowMs);
    if (isNew) save(NOTE + digest, `${expiresAtMs}`);
    return isNew;
  }
}
