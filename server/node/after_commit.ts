/**
 * What follows a commit, from top to bottom. A turn of the event loop ends with one transaction of the store. Only then
 * somebody is told what came in the turn. A fault of one step stops no other step: what is committed reaches everybody
 * who is owed it. `docs/architecture.md` quotes the numbered lines.
 */

import type { Backplane } from "../backplane/backplane.ts";
import type { Guests } from "../guests/guests.ts";
import { getLogger } from "@logtape/logtape";
import type { Hub } from "../hub/hub.ts";
import type { Sessions } from "../hub/sessions.ts";
import type { AwaitingCommit, Commit } from "../journal/commit.ts";
import type { Origins } from "../journal/origins/origins.ts";
import type { LegacyServers } from "../legacy/legacy_servers.ts";
import type { EntrySpans } from "../observe/entry_spans.ts";
import type { Observatory } from "../observe/observatory.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { Segment } from "../../log/segment.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";
import type { PlaceKeeper } from "../places/place_keeper.ts";
import type { UserLists } from "../presence/user_lists.ts";
import type { DiskBudget } from "../store/disk_budget.ts";

/** Who is told of a commit. */
export interface AfterCommitParts {
  readonly faults: FaultGuard;
  readonly backplane: Pick<Backplane, "committed" | "delivered">;
  readonly hub: Pick<Hub, "skipped" | "lacks" | "deliver">;
  readonly origins: Pick<Origins, "isRenaming">;
  readonly budget: Pick<DiskBudget, "wrote">;
  /** Is shown what clients of this server published; absent when nobody watches. */
  readonly watched: ((segments: readonly Segment[]) => void) | undefined;
  /** Counts how long the entries were under way. */
  delivered(segments: readonly Segment[]): void;
  tracer(): Pick<Tracer, "broadcast"> | undefined;
  readonly spans: Pick<EntrySpans, "committed" | "delivered"> | undefined;
  readonly legacy: Pick<LegacyServers, "committed" | "registered"> | undefined;
  readonly userLists: Pick<UserLists, "registered">;
  readonly guests: Pick<Guests, "registered">;
  readonly observatory: Pick<Observatory, "accountsChanged">;
  readonly sessions: Pick<Sessions, "of">;
  readonly placeKeeper: Pick<PlaceKeeper, "forgetUser">;
}

const logger = getLogger(["thrum", "server"]);

/** Of one server. */
export class AfterCommit {
  readonly #parts: AfterCommitParts;

  constructor(parts: AfterCommitParts) {
    this.#parts = parts;
  }

  /** Tells everybody, in this order. */
  committed({ segments, holes, waiting, names, lostAccounts, registrations }: Commit): void {
    const { backplane, hub, origins, budget, spans, legacy, userLists, guests, observatory } = this.#parts;
    const hasEntries = segments.length > 0;
    if (hasEntries) {
      // 1. Peers are sent the entries, first of all: their copies survive this server.
      this.#inTurn(() => spans?.committed());
      this.#inTurn(() => backplane.committed(segments));
    }
    // 2. Acknowledgements are sent. A sender goes on while its activity is still written to a thousand sockets.
    for (const one of waiting) this.#acknowledge(one);
    if (hasEntries) {
      // 3. Readers who would miss entries before these are told, and end. Nothing is skipped in silence.
      if (holes !== undefined) this.#inTurn(() => hub.skipped(segments[0]!.position - 1, holes));
      this.#inTurn(() => hub.lacks(segments));
      // 4. The disk budget and the trace note the entries, and a person who watches is shown them.
      this.#inTurn(() => budget.wrote(segments.reduce((sum, { bytes }) => sum + bytes.length, 0)));
      this.#inTurn(() => this.#parts.tracer()?.broadcast(segments));
      this.#inTurn(() => this.#parts.watched?.(segments));
      // 5. Readers are sent the entries, unless they had them under this server's former name.
      if (!origins.isRenaming) this.#inTurn(() => hub.deliver(segments));
      this.#inTurn(() => spans?.delivered(segments));
      this.#inTurn(() => this.#parts.delivered(segments));
      // 6. Logins that waited for entries of other servers go on: their sessions begin after these entries.
      this.#inTurn(() => backplane.delivered());
      // 7. Servers of the older dialect are sent the entries.
      this.#inTurn(() => legacy?.committed());
    }
    if (names.length > 0) {
      // 8. New names enter the lists of users.
      this.#inTurn(() => userLists.registered(names));
      this.#inTurn(() => names.forEach((username) => legacy?.registered(username)));
      this.#inTurn(() => guests.registered(names));
      this.#inTurn(() => observatory.accountsChanged(names));
    }
    // 9. Sessions end whose name another server registered earlier.
    for (const username of lostAccounts) this.#inTurn(() => this.#accountLost(username));
    // 10. Last, registrations are answered and waiting logins go on: each may begin sessions, and end turns.
    for (const delivered of registrations) this.#inTurn(delivered);
  }

  /** A connection that cannot be told is owed answers, and is cut. */
  #acknowledge(waiting: AwaitingCommit): void {
    try {
      waiting.committed();
    } catch (error) {
      this.#parts.faults.caught("turn", error);
      waiting.faulted?.();
    }
  }

  /** The account that this name had here does not hold any more. Its sessions have to go. */
  #accountLost(username: string): void {
    const { sessions, placeKeeper } = this.#parts;
    logger.warning("two servers registered {username} while they had no link: the older registration counts", {
      username,
    });
    for (const session of sessions.of(username)) session.end("NAME_LOST");
    placeKeeper.forgetUser(username);
  }

  #inTurn(step: () => void): void {
    guarded(this.#parts.faults, "turn", step, () => {});
  }
}
