/**
 * What happens to whole origins of the log, this server's own among them: it gets a new name (`renaming.ts`), numbers are found to be given out twice
 * (`retractions.ts`), others are forgotten whole. Writes that into turns of the journal; who says so, and what is told to whom, is the business of the mesh.
 */

import type { SegmentBuilder } from "../../log/segment_builder.ts";
import type { Incarnation } from "../mesh/origins/incarnation.ts";
import type { Position } from "../../log/segment.ts";
import { takeBack, type Vector } from "../../log/vector.ts";
import type { VectorChanges } from "../../log/vector_changes.ts";
import type { EntryRange, Store, StoreState } from "../store/store.ts";
import { rename } from "./renaming.ts";
import { Retractions } from "./retractions.ts";
import type { Turn } from "./turn_batch.ts";

/** What of the journal they are written with. */
export interface OriginsJournal {
  /** What the log has. */
  readonly vector: Record<string, number>;
  readonly changes: VectorChanges;
  readonly builder: SegmentBuilder;
  /** What the turn that is going on adds to the store beside the log; begins one where there is none. */
  openTurn(): Turn;
  /** Ends it. */
  flush(): void;
  /** What the store says. @throws {UnreadableError} */
  read<T>(read: (store: Store) => T): T;
  /** The newest segments are read from the store from now on. */
  dropTail(): void;
}

/** Under which retractions are noted. */
const RETRACTED = "retracted";
/** Under which the newest start of the server is noted. */
export const INCARNATION = "incarnation";

/** The origins of one log. */
export class Origins {
  /** Numbers that were given out twice, anywhere in the network. */
  readonly retractions: Retractions;
  readonly #journal: OriginsJournal;
  readonly #tombstones: Map<string, number>;
  #serverId: string;
  #acceptedAfter: number | undefined;
  #isRenaming = false;

  /** Of a server that is called `serverId`, with what it has noted. */
  constructor(
    { serverId, notes, tombstones }: Pick<StoreState, "serverId" | "notes" | "tombstones">,
    journal: OriginsJournal,
  ) {
    this.#serverId = serverId;
    this.#tombstones = new Map(Object.entries(tombstones));
    this.#journal = journal;
    this.retractions = new Retractions(notes[RETRACTED]);
  }

  /** What this server is called: the origin of what it accepts. */
  get serverId(): string {
    return this.#serverId;
  }

  /** The newest entry of its own that it had when it began to number them, since it was started or under this name; `undefined` while it has not. */
  get acceptedAfter(): number | undefined {
    return this.#acceptedAfter;
  }

  /** Whether what is stored now was in the log before, under the former name of this server. */
  get isRenaming(): boolean {
    return this.#isRenaming;
  }

  /** This server has begun: the next start in this data folder comes after it. */
  begin(incarnation: Incarnation): void {
    this.#journal.openTurn().note(INCARNATION, JSON.stringify(incarnation));
    this.#journal.flush();
  }

  /** As `Store.buriable`. */
  buriable(...asked: Parameters<Store["buriable"]>): Vector {
    return this.#journal.read((store) => store.buriable(...asked));
  }

  /**
   * Forgets these origins whole, up to the sequences that are given at least: nothing is left of each but its last number, and accounts. Gives the newest position that
   * had something for everyone, 0 where there was nothing: a reader that stood before it has missed it.
   */
  bury(buried: Vector): Position {
    const { builder, vector, changes, openTurn, flush, read } = this.#journal;
    flush();
    const turn = openTurn();
    let upTo = 0;
    for (const origin of Object.keys(buried)) {
      upTo = Math.max(upTo, read((store) => store.newestActivity(origin)));
      turn.bury(origin, builder.bury(origin, buried[origin]!));
      this.#tombstones.set(origin, builder.lastOf(origin));
      delete vector[origin];
      changes.gone(origin);
    }
    flush();
    return upTo;
  }

  /** An origin that was forgotten goes on: where it was. 0 for one that was not. */
  reborn(origin: string): number {
    const last = this.#tombstones.get(origin) ?? 0;
    this.#tombstones.delete(origin);
    return last;
  }

  /** Origins that are forgotten, and where they were. */
  get tombstones(): ReadonlyMap<string, number> {
    return this.#tombstones;
  }

  /** It numbers an entry of its own. */
  accepts(): void {
    this.#acceptedAfter ??= this.#journal.builder.lastOf(this.#serverId);
  }

  /**
   * Goes on under a new name, as the numbers that this server has given out since it was started are others' as well: its former origin ends where it was
   * then, and what it has accepted since stands under the new one. Gives what the former numbers have become.
   */
  rename(serverId: string): ReadonlyMap<number, number> {
    const { builder, vector, changes, openTurn, flush, read, dropTail } = this.#journal;
    flush();
    const turn = openTurn();
    const former = this.#serverId;
    const after = this.#acceptedAfter ?? builder.lastOf(former);
    this.retract({ origin: former, first: after + 1, last: builder.lastOf(former) });
    const numbers = read((store) => rename({ former, after, serverId }, { store, vector, builder, turn }));
    this.#serverId = serverId;
    this.#acceptedAfter = 0;
    takeBack(vector, former, after);
    changes.moved(former);
    dropTail();
    this.#isRenaming = true;
    flush();
    this.#isRenaming = false;
    return numbers;
  }

  /** These numbers were given out twice. Whether that is new. */
  retract(range: EntryRange): boolean {
    if (!this.retractions.add(range)) return false;
    this.#journal.openTurn().note(RETRACTED, this.retractions.text);
    return true;
  }
}
