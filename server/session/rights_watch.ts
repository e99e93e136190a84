/**
 * What a session may do is found out at its login. When rights change, the sessions end that may do something else now:
 * they come back at once, and learn what it is. All other sessions feel nothing.
 */

import { type FaultGuard, guarded } from "../../platform/faults.ts";
import type { ClientSession, Sessions } from "../hub/sessions.ts";
import type { Journal } from "../journal/journal.ts";
import type { Records } from "../rights/records.ts";
import { ROLES } from "../rights/roles.ts";

/** What it is made with. */
export interface RightsWatchParts {
  readonly journal: Pick<Journal, "whenDelivered">;
  readonly records: Pick<Records, "listen">;
  readonly sessions: Pick<Sessions, "of"> & Iterable<ClientSession>;
  readonly faults: FaultGuard;
}

/** One server's. */
export class RightsWatch {
  readonly #parts: RightsWatchParts;

  /** Hears of the roles that operators give. */
  constructor(parts: RightsWatchParts) {
    this.#parts = parts;
    const { journal, records, sessions } = parts;
    records.listen(({ of, key }) => {
      if (of === ROLES) journal.whenDelivered(() => this.#review(sessions.of(key)));
    });
  }

  /** The table of rights is another one, or who has which role. */
  look(): void {
    this.#review([...this.#parts.sessions]);
  }

  #review(sessions: readonly ClientSession[]): void {
    for (const session of sessions) guarded(this.#parts.faults, "session", () => session.reviewRights(), () => {});
  }
}
