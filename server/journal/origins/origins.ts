/**
 * Changes of whole origins of the log, this server's own among them. An origin gets a new name (`renaming.ts`). Its
 * numbers were given out twice (`retractions.ts`). Or it is forgotten as a whole. This file writes that into turns of
 * the journal. The mesh decides when, and tells others.
 */

import type { SegmentBuilder } from "../../../log/segment_builder.ts";
import { MAX_BASES } from "./fork.ts";
import type { EntryId } from "../../../protocol/entry_id.ts";
import type { DirectMessages } from "../direct_messages.ts";
import type { MessageName } from "../moved_deliveries.ts";
import type { Incarnation } from "./incarnation.ts";
import type { Position } from "../../../log/segment.ts";
import { takeBack, type Vector } from "../../../log/vector.ts";
import type { VectorChanges } from "../../../log/vector_changes.ts";
import type { EntryRange, Store, StoreState } from "../../store/store.ts";
import { rename } from "./renaming.ts";
import { Retractions } from "./retractions.ts";
import type { TurnBatch } from "../turn_batch.ts";

/** What of the journal they are written with. */
export interface OriginsJournal {
  /** What the log has. */
  readonly vector: Record<string, number>;
  readonly changes: VectorChanges;
  readonly builder: SegmentBuilder;
  /** What the turn that is going on adds to the store beside the log; begins one where there is none. */
  openTurn(): TurnBatch;
  /** Ends it. */
  flush(): void;
  /** What the store says. @throws {UnreadableError} */
  read<T>(read: (store: Store) => T): T;
  /** The newest segments are read from the store from now on. */
  dropTail(): void;
  /** What is known of deliveries. */
  inboxes(): DirectMessages;
}

/** Under which retractions are noted. */
const RETRACTED = "retracted";
/** Under which is noted after which of its own entries each start of the server began to number. */
const BASES = "bases";
/** Under which the newest start of the server is noted. */
export const INCARNATION = "incarnation";

/** Of former names the newest are told: each takes an old copy of the data that is put back. */
const MAX_FORMER_NAMES = 16;
const decoder = new TextDecoder();

/** The origins of one log. */
export class Origins {
  /** Numbers that were given out twice, anywhere in the network. */
  readonly retractions: Retractions;
  readonly #journal: OriginsJournal;
  readonly #tombstones: Map<string, number>;
  /** What this server was called before, since it was started; the newest first. */
  formerNames: readonly string[] = [];
  #serverId: string;
  #acceptedAfter: number | undefined;
  #isRenaming = false;
  #bases: readonly number[];

  /** Of a server that is called `serverId`, with what it has noted. */
  constructor(
    { serverId, notes, tombstones }: Pick<StoreState, "serverId" | "notes" | "tombstones">,
    journal: OriginsJournal,
  ) {
    this.#serverId = serverId;
    this.#tombstones = new Map(Object.entries(tombstones));
    this.#journal = journal;
    this.retractions = new Retractions(notes[RETRACTED]);
    this.#bases = notes[BASES] === undefined ? [] : JSON.parse(notes[BASES]) as number[];
  }

  /** What this server is called: the origin of what it accepts. */
  get serverId(): string {
    return this.#serverId;
  }

  /**
   * The newest entry of its own that it had when it began to number them, since it was started or under this name;
   * `undefined` while it has not.
   */
  get acceptedAfter(): number | undefined {
    return this.#acceptedAfter;
  }

  /**
   * After which entries of its own its newest starts began to number, the newest first: where it may have gone on from
   * an old copy of its data.
   */
  get bases(): readonly number[] {
    return this.#bases;
  }

  /** The line of an entry, without its end; `undefined` where it is not kept, or not stored yet. */
  lineOf(origin: string, sequence: number): string | undefined {
    const segment = this.#journal.read((store) => store.segmentOf(origin, sequence));
    return (segment && decoder.decode(segment.bytes).split("\n")[sequence - segment.first]) || undefined;
  }

  /** Whether what is stored now was in the log before, under the former name of this server. */
  get isRenaming(): boolean {
    return this.#isRenaming;
  }

  /**
   * This server has begun: the next start in this data folder comes after it. Also after a power cut, or others would
   * take it for a copy as long as they take this one for alive.
   */
  begin(incarnation: Incarnation): void {
    const turn = this.#journal.openTurn();
    turn.note(INCARNATION, JSON.stringify(incarnation));
    turn.isSynced = true;
    this.#journal.flush();
  }

  /** As `Store.buriable`. */
  buriable(...asked: Parameters<Store["buriable"]>): Vector {
    return this.#journal.read((store) => store.buriable(...asked));
  }

  /**
   * Forgets these origins whole, up to the sequences that are given at least: nothing is left of each but its last
   * number, and accounts. Gives the newest position that had something for everyone, 0 where there was nothing: a
   * reader that stood before it has missed it.
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
    if (this.#acceptedAfter !== undefined) return;
    this.#acceptedAfter = this.#journal.builder.lastOf(this.#serverId);
    this.#noteBases([this.#acceptedAfter, ...this.#bases]);
  }

  /**
   * Goes on under a new name, as the numbers `retracted` of this server are others' as well: its former origin
   * ends before them, and what it has accepted under them stands under the new one. Gives what the former
   * numbers have become.
   */
  rename(serverId: string, retracted: EntryRange): ReadonlyMap<number, number> {
    const { builder, vector, changes, openTurn, flush, read, dropTail, inboxes } = this.#journal;
    flush();
    const turn = openTurn();
    const former = this.#serverId;
    const after = retracted.first - 1;
    this.retract(retracted);
    const renamed = read((store) => rename({ former, after, serverId }, { store, vector, builder, turn }));
    inboxes().renumbered(former, after, renamed.delivered);
    this.formerNames = [former, ...this.formerNames].slice(0, MAX_FORMER_NAMES);
    this.#serverId = serverId;
    this.#acceptedAfter = 0;
    this.#noteBases([0]);
    takeBack(vector, former, after);
    changes.moved(former);
    dropTail();
    this.#isRenaming = true;
    flush();
    this.#isRenaming = false;
    return renamed.numbers;
  }

  /**
   * What is here of another `origin` beyond `after` stands under another name by now: it goes, to come again from those
   * who have what belongs there. `delivered` of that have reached their users; `taken` of what goes had reached theirs,
   * and the receipts of `untold` go.
   */
  cutBack(
    origin: string,
    after: number,
    delivered: readonly EntryId[],
    taken: readonly MessageName[],
    untold: readonly EntryId[],
  ): void {
    this.#journal.flush();
    const end = this.endBefore(origin, after);
    this.takeBack(origin, end);
    this.#journal.inboxes().renumbered(origin, end, delivered, taken, untold);
    this.#journal.flush();
  }

  /**
   * Drops what is here of another `origin` beyond `end`, where a segment ends, in the turn that goes on: nothing of it
   * was added in that before.
   */
  takeBack(origin: string, end: number): void {
    const { builder, vector, changes, openTurn, dropTail } = this.#journal;
    openTurn().renamed = { former: origin, after: end, serverId: this.#serverId };
    builder.takeBack(origin, end);
    takeBack(vector, origin, end);
    changes.moved(origin);
    dropTail();
  }

  /** The last entry up to `after` that a segment of `origin` ends with: nothing is cut in the middle of one. */
  endBefore(origin: string, after: number): number {
    const segment = after === 0 ? undefined : this.#journal.read((store) => store.segmentOf(origin, after));
    return segment === undefined || segment.last === after ? after : segment.first - 1;
  }

  /** These numbers were given out twice. Whether that is new. */
  retract(range: EntryRange): boolean {
    if (!this.retractions.add(range)) return false;
    this.#journal.openTurn().note(RETRACTED, this.retractions.text);
    return true;
  }

  #noteBases(bases: readonly number[]): void {
    this.#bases = bases.slice(0, MAX_BASES);
    this.#journal.openTurn().note(BASES, JSON.stringify(this.#bases));
  }
}
