/**
 * What operators of the network have laid down, as it counts now: who is banned, disabled or deleted, and whose secret
 * was changed. Reads the records of the log; `ruling.ts` says what they hold. Whoever shows people the door asks here.
 */

import { type AddressRange, AddressRanges, addressRangeText, parseAddressRange } from "../../config/address_range.ts";
import type { Claimed } from "../../log/precedes.ts";
import type { Clock } from "../../platform/clock.ts";
import { utcText } from "../../platform/local_time.ts";
import { isRulingKind, readTerms, type Ruling, RULING_KINDS, type RulingKind, type RulingTerms } from "./ruling.ts";

/** Why somebody may not come in, with the sentence that is said. */
export interface Barred {
  readonly reason: "BANNED" | "DISABLED" | "UNKNOWN_USER";
  readonly info: string;
}

/** What they are read from. */
export interface RulingSources<T extends Registered> {
  /** What was set for the whole network. */
  readonly records: {
    get(of: string, key: string): unknown;
    of(of: string): Iterable<readonly [key: string, value: unknown]>;
  };
  /** The account of a name as it was registered. */
  account(username: string): T | undefined;
  readonly clock: Pick<Clock, "wallMs">;
}

/** An account, as it was registered. */
export interface Registered extends Claimed {
  readonly username: string;
  readonly verifier: string;
}

/** A record that was set. */
type SetRecord = { readonly of: string; readonly key: string; readonly value: unknown };

/** Of one server. */
export class Rulings<T extends Registered = Registered> {
  readonly #sources: RulingSources<T>;
  readonly #ranges = new AddressRanges();

  constructor(sources: RulingSources<T>) {
    this.#sources = sources;
    for (const [key, value] of sources.records.of("bannedAddress")) this.#note(key, value);
  }

  /** All that hold, by kind. Those that have ended by themselves are left out. */
  *[Symbol.iterator](): Iterator<Ruling> {
    for (const kind of RULING_KINDS) {
      for (const [about] of this.#sources.records.of(kind)) {
        const terms = this.#inForce(kind, about);
        if (terms !== undefined) yield { kind, about, terms };
      }
    }
  }

  /** A record came. Gives the ruling in it, if it is one. */
  came({ of, key, value }: SetRecord): Ruling | undefined {
    if (!isRulingKind(of)) return undefined;
    if (of === "bannedAddress") this.#note(key, value);
    const terms = readTerms(of, key, value);
    return value !== null && terms === undefined ? undefined : { kind: of, about: key, terms };
  }

  /** Its record is forgotten: it had ended. */
  forgot(of: string, key: string): void {
    if (of === "bannedAddress") this.#note(key, null);
  }

  /** Why this user may not log in; `undefined` if it may. */
  barredUser(username: string): Barred | undefined {
    if (this.isDeleted(username)) {
      return { reason: "UNKNOWN_USER", info: "there is no user with this name" };
    }
    const ban = this.#inForce("ban", username);
    if (ban !== undefined) return { reason: "BANNED", info: `this user is banned${untilText(ban)}${whyText(ban)}` };
    const disabled = this.#inForce("disabled", username);
    if (disabled === undefined) return undefined;
    return { reason: "DISABLED", info: `this account is disabled${whyText(disabled)}` };
  }

  /** Why nobody may come in from this address; `undefined` if people may. */
  barredAddress(address: string): Barred | undefined {
    for (const range of this.#ranges.holding(address)) {
      const ban = this.#inForce("bannedAddress", addressRangeText(range));
      if (ban !== undefined) {
        return { reason: "BANNED", info: `this address is banned${untilText(ban)}${whyText(ban)}` };
      }
    }
    return undefined;
  }

  /** Whether the account of this name is gone. The name stays taken. */
  isDeleted(username: string): boolean {
    const terms = this.#inForce("deleted", username);
    return terms !== undefined && isAbout(terms, this.#sources.account(username));
  }

  /** The account of this name as it counts now: `undefined` if it was deleted, and with its newest secret. */
  account(username: string): T | undefined {
    const account = this.#sources.account(username);
    if (account === undefined || this.isDeleted(username)) return undefined;
    const terms = this.#inForce("secret", username);
    return terms?.verifier !== undefined && isAbout(terms, account)
      ? { ...account, verifier: terms.verifier }
      : account;
  }

  #inForce(kind: RulingKind, key: string): RulingTerms | undefined {
    const { records, clock } = this.#sources;
    const value = records.get(kind, key);
    const terms = value === undefined ? undefined : readTerms(kind, key, value);
    return terms !== undefined && clock.wallMs() < (terms.until ?? Infinity) ? terms : undefined;
  }

  #note(key: string, value: unknown): void {
    const range: AddressRange | undefined = parseAddressRange(key);
    if (range === undefined) return;
    if (value === null) this.#ranges.delete(range);
    else this.#ranges.add(range);
  }
}

/** Whether a ruling is about this registration. */
function isAbout({ claim }: RulingTerms, account: Registered | undefined): boolean {
  return account !== undefined && claim?.lamport === account.lamport && claim.origin === account.origin;
}

function untilText({ until }: RulingTerms): string {
  return until === undefined ? "" : ` until ${utcText(until)}`;
}

function whyText({ why }: RulingTerms): string {
  return why === undefined ? "" : `: ${why}`;
}
