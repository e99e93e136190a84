/** What `session.ts` takes beside a message, of one connection: its server, its address, and what it has proved. */

import { isLoopbackAddress, plainAddress } from "../../platform/address.ts";
import type { Link } from "../../platform/transport.ts";
import type { SecureChannel } from "../../platform/tls/secure_channel.ts";
import type { AuthenticateMessage } from "../../protocol/message.ts";
import type { LinkGreeting, PeerAdmission } from "../backplane/peer_admission.ts";
import type { Backplane } from "../backplane/backplane.ts";
import { mayUseChannels } from "../backplane/may_use_channels.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { Rulings } from "../accounts/rulings.ts";
import type { AuthConfig } from "../../config/auth/auth_config.ts";
import type { LimitsConfig } from "../../config/config.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Registrant, RegistrationRefusal } from "../rights/registration.ts";
import type { Rights } from "../rights/rights.ts";
import type { Hub } from "../hub/hub.ts";
import type { Journal } from "../journal/journal.ts";
import type { DiskBudget } from "../store/disk_budget.ts";
import { type ChannelLimits, channelRefusal } from "./limits/channel_limits.ts";
import type { PeerEntrance } from "./peer_entrance.ts";
import type { Phase } from "./connection_phase.ts";
import type { SessionFacts } from "./session_state.ts";

/** What it looks at. */
export interface ConnectionFactsParts {
  readonly limits: Pick<LimitsConfig, "maxRegistrationsPerConnection"> & ChannelLimits;
  readonly hub: Pick<Hub, "patternCount">;
  /** Whether secrets may come in clear from other machines: read each time, as it may change. */
  readonly auth: Pick<AuthConfig, "clearSecrets">;
  /** Whether other machines have to come by TLS. */
  readonly requiresTls: boolean;
  readonly journal: Pick<Journal, "hasAccount" | "hasUsed" | "channels">;
  readonly rulings: Pick<Rulings, "isDeleted">;
  readonly backplane: Pick<Backplane, "members">;
  readonly accounts: Pick<Accounts, "matches">;
  readonly budget: Pick<DiskBudget, "hasSpace">;
  readonly rights: Pick<Rights, "allowsAnonymous" | "registrationRefusal" | "areStill">;
  readonly clock: Pick<Clock, "wallMs">;
  /** How servers come in. */
  readonly peerEntrance: Pick<PeerEntrance, "admit">;
}

/** One connection's. */
export class ConnectionFacts implements SessionFacts {
  readonly #link: Pick<Link, "remoteHost" | "channel">;
  readonly #parts: ConnectionFactsParts;
  readonly #phase: () => Phase;

  /** Of the connection over `link`, whose phase `phase` gives. */
  constructor(link: Pick<Link, "remoteHost" | "channel">, parts: ConnectionFactsParts, phase: () => Phase) {
    this.#link = link;
    this.#parts = parts;
    this.#phase = phase;
  }

  get remoteHost(): string {
    return this.#link.remoteHost;
  }

  get channel(): SecureChannel | undefined {
    return this.#link.channel;
  }

  get requiresTls(): boolean {
    return this.#parts.requiresTls;
  }

  get maxRegistrations(): number {
    return this.#parts.limits.maxRegistrationsPerConnection;
  }

  get takesClearSecrets(): boolean {
    // What stays on this machine crosses no network, and what TLS protects is not in clear.
    return this.#parts.auth.clearSecrets || this.channel !== undefined ||
      isLoopbackAddress(plainAddress(this.remoteHost));
  }

  get takesChannels(): boolean {
    return mayUseChannels(this.#parts.backplane.members, this.#parts.journal.channels.isUsed);
  }

  channelRefusal(count: number): string | undefined {
    const { limits, hub } = this.#parts;
    return channelRefusal({ count, more: count }, hub.patternCount, limits);
  }

  get hasSpace(): boolean {
    return this.#parts.budget.hasSpace;
  }

  admit(message: AuthenticateMessage, greeting: LinkGreeting | undefined): PeerAdmission {
    return this.#parts.peerEntrance.admit(message, this.#link, greeting);
  }

  get allowsAnonymous(): boolean {
    return this.#parts.rights.allowsAnonymous;
  }

  registrationRefusal(registrant: Registrant): RegistrationRefusal | undefined {
    return this.#parts.rights.registrationRefusal(registrant, this.#parts.clock.wallMs());
  }

  /** Whether its user may do something else now than at its login. */
  get haveRightsChanged(): boolean {
    const phase = this.#phase();
    if (phase.kind !== "client") return false;
    const { username, may } = phase.session;
    return !this.#parts.rights.areStill(may, { username, address: this.remoteHost });
  }

  hasAccount(username: string): boolean {
    return this.#parts.journal.hasAccount(username) && !this.#parts.rulings.isDeleted(username);
  }

  isRepeated(username: string, messageId: string): boolean {
    return this.#parts.journal.hasUsed(username, messageId);
  }

  matchesSecret(secret: string): boolean {
    const phase = this.#phase();
    return phase.kind === "client" && phase.proven !== undefined &&
      this.#parts.accounts.matches(phase.session.username, secret, phase.proven.digest);
  }
}
