/** Puts together the parts that keep places and talk about them. */

import type { Clock } from "../../platform/clock.ts";
import type { StoreState } from "../store/store.ts";
import type { Journal } from "../journal/journal.ts";
import type { Backplane } from "../backplane/backplane.ts";
import { PlaceTalk } from "./place_talk.ts";
import { PlaceKeeper } from "./place_keeper.ts";
import type { PresenceBoard } from "../presence/presence_board.ts";

/** What is needed of the node. The two functions are called once all of it is made. */
export interface UserPlacesParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly opened: StoreState;
  /** When this server was started, in milliseconds since 1970. */
  readonly startedAt: number;
  backplane(): Backplane;
  presence(): PresenceBoard;
}

/** Both parts of it. */
export interface UserPlaces {
  readonly keeper: PlaceKeeper;
  readonly talk: PlaceTalk;
}

/** Of one server. */
export function userPlaces({ journal, clock, opened, startedAt, backplane, presence }: UserPlacesParts): UserPlaces {
  const keeper = new PlaceKeeper({
    journal,
    clock,
    opened,
    others: () => backplane().members,
    countsChanged: (username, behind) => talk.countsChanged(username, behind),
  });
  const talk = new PlaceTalk({
    serverId: () => journal.serverId,
    formerNames: () => journal.origins.formerNames,
    startedAt,
    clock,
    keeper,
    say: (message, to) => backplane().say(message, to),
    lastOwn: () => journal.lastOf(journal.serverId),
    lamport: () => journal.lamport,
    announcedBy: (serverId) => backplane().members.find((member) => member.serverId === serverId)?.vector ?? {},
    hasAccount: (username) => journal.hasAccount(username),
    whenHere: (id, run) => backplane().whenHere(id, run),
    whenCommitted: (run) => journal.whenCommitted({ committed: run }),
    isHere: (id) => journal.isHere(id),
    whereabouts: (username) => presence().whereabouts(username),
    usersAt: (serverId) => presence().usersAt(serverId),
  });
  return { keeper, talk };
}
