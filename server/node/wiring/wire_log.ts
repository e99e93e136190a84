/** Wires the log of a server: the journal, its readers, the budget of its disk, and what forgets. */

import { toHex } from "../../../platform/hex.ts";
import { getLogger } from "@logtape/logtape";
import type { Position } from "../../../log/segment.ts";
import { ClientLog } from "../../hub/client_log.ts";
import { Hub } from "../../hub/hub.ts";
import { Past } from "../../hub/past.ts";
import { Forgetting } from "../../journal/forgetting.ts";
import { Journal } from "../../journal/journal.ts";
import { GoneServers } from "../../journal/origins/gone_servers.ts";
import { beginIncarnation } from "../../journal/origins/incarnation.ts";
import { INCARNATION } from "../../journal/origins/origins.ts";
import { TakenNames } from "../../rights/names/taken_names.ts";
import { UserLists } from "../../presence/user_lists.ts";
import { DiskBudget, MAX_BYTES_NOTE, maxBytesNote } from "../../store/disk_budget.ts";
import { Rulings } from "../../accounts/rulings.ts";
import { arrivingChange } from "../../accounts/verifier_change.ts";
import type { Store } from "../../store/store.ts";
import type { MachineParts, Wired, WiredLog } from "./wired.ts";

/** What it is made with. */
export interface WireLogParts extends MachineParts {
  readonly store: Store;
}

/** How often the server looks whether it may forget whole origins. */
const BURYING_INTERVAL_MS = 600_000;
const logger = getLogger(["thrum", "server"]);

/** The log of one server. */
export function wireLog({ config, clock, crypto, faults, store }: WireLogParts, wired: Wired): WiredLog {
  warnOfCut(store);
  const kept = {
    tailBytes: config.limits.tailBytes,
    messagesWaitMs: config.store.directMessageRetentionMs,
    verifiers: config.cluster.clearSecret === "never" ? arrivingChange(crypto) : undefined,
    // It may have been accepted by a server that had not heard of the deletion.
    isGone: (username: string): boolean => rulings.isDeleted(username),
  };
  const journal = new Journal(store, clock, kept, {
    committed: (commit) => wired.afterCommit.committed(commit),
    placeNoted: (origin, sequence, lamport, note) => {
      const { keeper, talk } = wired.network.places;
      keeper.heard(origin, sequence, lamport, note);
      if (note.event === "lost") talk.heardPlace(origin, note.username);
    },
    named: (username) => {
      takenNames.add(username);
      wired.rulingOffice.named(username);
    },
    failed: (error) => wired.closing.fail(error),
  });
  const rulings = new Rulings({
    records: journal.records.all,
    account: (username) => journal.storedAccount(username),
    clock,
  });
  const takenNames = new TakenNames({
    usernames: () => journal.usernames(),
    hasAccount: (username) => journal.hasAccount(username),
    records: journal.records.all,
  });
  const userLists = new UserLists({
    readUsernames: () => journal.usernames().filter((username) => !rulings.isDeleted(username)),
    get online() {
      return wired.network.presence.listed;
    },
    get onlineChanges() {
      return wired.network.presence.changes;
    },
  });
  const incarnationId = toHex(crypto.randomBytes(8));
  const incarnation = beginIncarnation(store.opened.notes[INCARNATION], incarnationId);
  const clientLog = new ClientLog(journal, store.opened.head);
  const hub = new Hub(clientLog, clock, faults);
  const past = new Past(journal, clientLog, clock);
  const budget = new DiskBudget({
    clock,
    limits: config.store,
    keptMaxBytes: maxBytesNote(store.opened.notes),
    keep: (maxBytes) => journal.saveNote(MAX_BYTES_NOTE, `${maxBytes}`),
    use: () => store.diskUse(),
    reserveIsBack: () => wired.network.backplane.reserveIsBack(),
    failed: (error) => wired.closing.fail(error),
  });
  const forgot = (upTo: Position, channels: ReadonlyMap<string, Position> = new Map()) => {
    journal.forgot(channels.values().reduce((last, position) => Math.max(last, position), upTo));
    hub.forgot(upTo, channels);
  };
  const forgetting = new Forgetting({
    clock,
    store,
    now: () => journal.retention.look(),
    limits: config.store,
    expire: (notedBefore) => wired.network.places.keeper.expire(notedBefore),
    forgot,
    failed: (error) => wired.closing.fail(error),
  });
  const goneServers = new GoneServers({
    ...{ clock, journal, limits: config.store, forgot },
    intervalMs: Math.min(BURYING_INTERVAL_MS, config.cluster.memberRetentionMs),
    now: () => journal.retention.at(clock.nowMs()),
    isMember: (origin) => wired.network.backplane.isMember(origin),
    buried: (vector) => wired.network.backplane.forgot(vector),
  });
  const hasRoom = () => store.hasRoom;
  const space = { budget, forgetting, goneServers, hasRoom };
  return { incarnation, journal, rulings, userLists, takenNames, hub, past, ...space };
}

/** A power cut took entries with it: the operator is told, and that the server has a new name. */
function warnOfCut({ opened: { cut, serverId } }: Store): void {
  if (cut === undefined) return;
  logger.warning(
    "the machine stopped before the disk had the newest entries. Entries lost: {entries}. The server is now {serverId}; it was {before}",
    { entries: cut.entries, before: cut.formerServerId, serverId },
  );
}
