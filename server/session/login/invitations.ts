/**
 * Takes a place of an invitation in the network for somebody who registers. Each place is claimed as a name is, so two
 * servers never give one away twice while they are linked. What an invitation is stands in
 * `server/rights/invitations.ts`.
 */

import type { Clock } from "../../../platform/clock.ts";
import type { EntryId } from "../../../protocol/entry_id.ts";
import type { Backplane } from "../../backplane/backplane.ts";
import { freePlace, placeIn } from "../../rights/invitations.ts";
import type { Records } from "../../rights/records.ts";
import { invitationRefusal, type RegistrationRefusal } from "../../rights/registration.ts";

/** What it works with. */
export interface InvitationsParts {
  /** Whether nobody registers without an invitation. Where everybody may, none is used up. */
  areNeeded(): boolean;
  readonly records: Pick<Records, "get">;
  readonly backplane: Pick<Backplane, "claim">;
  readonly clock: Pick<Clock, "wallMs">;
  /** By which servers know the code of an invitation. */
  keyOf(code: string): string;
}

/** A place that is this registration's alone; or why there is none. Ends with one of its two methods. */
export type PlaceClaim = { readonly ok: false; readonly refusal: RegistrationRefusal } | {
  readonly ok: true;
  /** As the account has it; absent where no invitation is needed. */
  readonly key: string | undefined;
  /** The account is the entry `entry`. */
  registered(entry: EntryId): void;
  /** No account is made: others may have the place. */
  release(): void;
};

const NOT_NEEDED: PlaceClaim = Object.freeze({ ok: true, key: undefined, registered: () => {}, release: () => {} });

/** Of one server. */
export class Invitations {
  readonly #parts: InvitationsParts;

  constructor(parts: InvitationsParts) {
    this.#parts = parts;
  }

  /** Claims a place of the invitation with this code. Tells it once. */
  claim(code: string | undefined, told: (claim: PlaceClaim) => void): void {
    if (!this.#parts.areNeeded()) return told(NOT_NEEDED);
    if (code === undefined) return told({ ok: false, refusal: invitationRefusal("unknown") });
    this.#claimFrom(this.#parts.keyOf(code), 1, told);
  }

  /** Somebody may be about to take a place that looks free here. Then the next one is tried. */
  #claimFrom(key: string, first: number, told: (claim: PlaceClaim) => void): void {
    const { records, backplane, clock } = this.#parts;
    const free = freePlace(key, records, clock.wallMs(), first);
    if (!free.ok) return told({ ok: false, refusal: invitationRefusal(free.problem) });
    backplane.claim(free.place, (claim) => {
      const again = claim === undefined ? undefined : freePlace(key, records, clock.wallMs(), free.number);
      if (claim !== undefined && again?.ok && again.number === free.number) {
        return told({
          ok: true,
          key: placeIn(free.place),
          registered: (entry) => claim.registered(entry, () => {}),
          release: () => claim.release(),
        });
      }
      // It was used while it was claimed.
      claim?.release();
      this.#claimFrom(key, free.number + 1, told);
    });
  }
}
