/** A claim to a name that all servers have allowed, as the one who registers the name has it. It ends once. */

import type { EntryId } from "../../../protocol/entry_id.ts";
import type { NameClaim } from "../../backplane/backplane.ts";

/** What ends it. */
export interface NetworkClaimOwner {
  /** Tells all servers that it is over. */
  release(): void;
  /** Calls `done` when all servers that can be reached have this server's entry `sequence`. */
  whenAllHave(sequence: number, done: () => void): void;
}

/** The claim of this Lamport time. */
export function networkClaim(lamport: number, { release, whenAllHave }: NetworkClaimOwner): NameClaim {
  let isOver = false;
  /** Calls `end` if the claim has not ended before. */
  const once = (end: () => void) => {
    if (isOver) return;
    isOver = true;
    end();
  };
  return {
    lamport,
    release: () => once(release),
    registered: ({ sequence }: EntryId, done) =>
      once(() =>
        whenAllHave(sequence, () => {
          release();
          done();
        })
      ),
  };
}
