/**
 * Writes the places of users' connections into the open turn of the journal: for later starts, and as entries of the
 * log for all servers. `server/places/place_keeper.ts` decides what is noted, and when.
 */

import type { EntryAudience } from "../../log/segment.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import { encodePlace, type PlaceNote } from "../../protocol/peer/place_codec.ts";
import type { StoredPlace } from "../store/store.ts";
import type { OwnEntry } from "./entries.ts";
import type { TurnBatch } from "./turn_batch.ts";

/** What of the journal they are written with. */
export interface PlacesJournal {
  /** What the turn that is going on adds to the store beside the log; begins one where there is none. */
  openTurn(): TurnBatch;
  /** Numbers an entry of this server in that turn, made of something that was sent at this Lamport time. */
  nextOwn(lamport: number | undefined): OwnEntry;
  /** Adds the line of an entry to the log. */
  add(entry: EntryId, audience: EntryAudience, line: string): void;
}

/** The places of all users. */
export class PlaceNotes {
  readonly #journal: PlacesJournal;

  constructor(journal: PlacesJournal) {
    this.#journal = journal;
  }

  /**
   * Tells all servers what is to be known of a user's lost connections; `note` is given the Lamport time of the entry.
   */
  tell(note: (lamport: number) => PlaceNote): OwnEntry {
    this.#journal.openTurn();
    const own = this.#journal.nextOwn(undefined);
    const noted = note(own.lamport);
    this.#journal.add(own, { kind: "user", username: noted.username }, encodePlace(noted, own));
    return own;
  }

  /** Notes where a user's connection stands, or stood. */
  save(place: StoredPlace): void {
    this.#journal.openTurn().savePlace(place);
  }

  /** Forgets that. */
  end(id: number): void {
    this.#journal.openTurn().endPlace(id);
  }

  /** Forgets a plain client's place, as earlier versions kept it. */
  endCursor(id: number): void {
    this.#journal.openTurn().endCursor(id);
  }
}
