/** What this server says in a greeting: who it is, and which servers it is linked with. */

import type { Endpoint } from "../../../platform/address.ts";
import type { PeerIdentity, WireMember } from "../../../protocol/peer/peer_message.ts";
import type { SecretCrypto } from "../../../platform/crypto.ts";
import type { SecureChannel } from "../../../platform/tls/secure_channel.ts";
import { toHex } from "../../../platform/hex.ts";
import type { NetworkSecrets } from "../../backplane/network_secrets.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Members } from "../members.ts";
import type { CopiedFolders } from "../origins/copied_folders.ts";
import type { OrphanAccounts } from "../origins/orphan_accounts.ts";
import type { CallingFacts } from "./calling.ts";
import { endPointOf, LINK_NONCE_BYTES } from "./link_proof.ts";
import type { PeerLinks } from "./peer_links.ts";

/** What it is made with. */
export interface OwnIdentityParts {
  readonly journal: Journal;
  readonly orphanAccounts: OrphanAccounts;
  readonly copiedFolders: CopiedFolders;
  readonly links: PeerLinks;
  readonly members: Members;
  readonly crypto: Pick<SecretCrypto, "hmac" | "randomBytes">;
  readonly secrets: Pick<NetworkSecrets, "current">;
  /** Where others reach this server. */
  address(): Endpoint;
}

/** One server's. */
export class OwnIdentity {
  readonly #parts: OwnIdentityParts;

  constructor(parts: OwnIdentityParts) {
    this.#parts = parts;
  }

  /** What this server says of itself, to the one of this name if it is known. Ends the turn of the journal. */
  for(caller?: string): PeerIdentity {
    const { journal, copiedFolders: { own: incarnation }, orphanAccounts, address } = this.#parts;
    // What was numbered in this turn has to be in the greeting: the other one was not asked for these names.
    journal.flush();
    const about = { incarnation, accounts: orphanAccounts.summary };
    const buriedAt = caller === undefined ? 0 : journal.buriedAt(caller);
    // One that was taken for gone for good need not send again what was had of it.
    const vector = caller === undefined || buriedAt === 0 ? journal.vector : { ...journal.vector, [caller]: buriedAt };
    return { serverId: journal.serverId, ...address(), vector, lamport: journal.tick(), ...about };
  }

  /** What a call over `channel` begins with. `isInClear`: the secret is told. `former`: one of before is proved. */
  greeting(isInClear: boolean, channel: SecureChannel | undefined, former?: string): CallingFacts {
    const { crypto: { hmac, randomBytes }, secrets } = this.#parts;
    const secret = former ?? secrets.current;
    const nonce = toHex(randomBytes(LINK_NONCE_BYTES));
    return { secret, identity: this.for(), isInClear, nonce, hmac, endPoint: endPointOf(channel) };
  }

  /** Those that this server is linked with. */
  get linked(): WireMember[] {
    const { links, members, copiedFolders } = this.#parts;
    return [...links].flatMap((link): WireMember[] => {
      const member = members.get(link.serverId);
      const incarnation = copiedFolders.of(link);
      if (member === undefined) return [];
      const { serverId, host, port, load, weight } = member;
      return [{ serverId, host, port, load, weight, ...(incarnation === undefined ? {} : { incarnation }) }];
    });
  }
}
