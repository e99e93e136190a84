/**
 * Changes of accounts that their users have asked for: they are laid down like those of an operator, for the whole
 * network (`ruling_office.ts`). Each is an entry that every server keeps, so a user may ask for a bounded number.
 */

import type { Clock } from "../../platform/clock.ts";
import { RecentMap } from "../../log/recent.ts";
import type { OwnChange } from "../accounts/accounts.ts";
import type { OwnAccounts } from "../session/identification.ts";
import type { ChangeProblem } from "../session/login/logging_in.ts";
import { NO_SPACE } from "../session/session_state.ts";
import type { DiskBudget } from "../store/disk_budget.ts";
import type { RulingOffice } from "./ruling_office.ts";

/** What it is made with. */
export interface OwnAccountsParts {
  readonly clock: Pick<Clock, "nowMs">;
  readonly budget: Pick<DiskBudget, "hasSpace">;
  /** Made later. */
  rulingOffice(): Pick<RulingOffice, "make">;
}

/** How the records say that the user itself wanted it. */
export const BY_USER = "user";
/** More than anybody means to make in an hour. */
const MAX_CHANGES = 10;
const HOUR_MS = 3_600_000;
/** Users who are remembered for it. */
const MAX_USERS = 10_000;

/** Of one server. */
export class OwnAccountChanges implements OwnAccounts {
  readonly #parts: OwnAccountsParts;
  readonly #changes = new RecentMap<string, { readonly since: number; count: number }>(MAX_USERS);

  constructor(parts: OwnAccountsParts) {
    this.#parts = parts;
  }

  change(username: string, change: OwnChange, from: string, done: (problem: ChangeProblem) => void): void {
    const problem = this.#problem(username, change);
    if (problem !== undefined) return done(problem);
    const asked = change.kind === "secret"
      ? { kind: change.kind, verifier: change.verifier }
      : { kind: "deleted" as const };
    void this.#parts.rulingOffice().make({ ...asked, about: username, by: BY_USER }, from).then((result) => {
      if (result.ok) return done(undefined);
      // Other problems cannot come up here.
      const reason = result.problem === "UNKNOWN" ? "UNKNOWN_USER" : "OLDER_VERSION";
      done({ reason, info: result.sentence });
    });
  }

  #problem(username: string, { kind }: OwnChange): ChangeProblem {
    // Who wants to go may go, also where nothing more is taken.
    if (kind === "forget") return undefined;
    if (!this.#parts.budget.hasSpace) return { reason: "NO_SPACE", info: NO_SPACE };
    const now = this.#parts.clock.nowMs();
    const known = this.#changes.get(username);
    const recent = known !== undefined && now - known.since < HOUR_MS ? known : { since: now, count: 0 };
    if (recent.count >= MAX_CHANGES) {
      return {
        reason: "TOO_MANY",
        info: `the secret was changed ${MAX_CHANGES} times within an hour: try again later`,
      };
    }
    recent.count++;
    this.#changes.renew(username, recent);
    return undefined;
  }
}
