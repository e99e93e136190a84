/** Puts together what keeps places and what is said about them. */

import type { Clock } from "../../platform/clock.ts";
import type { StoreState } from "../store/store.ts";
import type { Journal } from "../journal/journal.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { PlaceTalk } from "./place_talk.ts";
import { PlaceKeeper } from "./place_keeper.ts";
import type { PresenceBoard } from "../presence/presence_board.ts";

/** What is needed of the node. The two functions are called once all of it is made. */
export interface UserPlacesParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly opened: StoreState;
  mesh(): Mesh;
  presence(): PresenceBoard;
}

/** Both parts of it. */
export interface UserPlaces {
  readonly keeper: PlaceKeeper;
  readonly talk: PlaceTalk;
}

/** Of one server. */
export function userPlaces({ journal, clock, opened, mesh, presence }: UserPlacesParts): UserPlaces {
  const keeper = new PlaceKeeper({
    journal,
    clock,
    opened,
    others: () => mesh().members,
    countsChanged: (username) => talk.countsChanged(username),
  });
  const talk = new PlaceTalk({
    serverId: () => journal.serverId,
    clock,
    keeper,
    links: () => mesh().links,
    lastOwn: () => journal.lastOf(journal.serverId),
    announcedBy: (serverId) => mesh().members.find((member) => member.serverId === serverId)?.vector ?? {},
    hasAccount: (username) => journal.hasAccount(username),
    whenHere: (id, run) => mesh().replication.whenHere(id, run),
    whenCommitted: (run) => journal.whenCommitted({ committed: run }),
    isHere: (id) => journal.isHere(id),
    whereabouts: (username) => presence().whereabouts(username),
    usersAt: (serverId) => presence().usersAt(serverId),
  });
  return { keeper, talk };
}
