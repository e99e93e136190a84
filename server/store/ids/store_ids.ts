/**
 * The used message ids of a store: the index, and ids that an earlier version wrote into tables. Those have other
 * hashes, so they stay where they are until they are forgotten.
 */

import type { Position } from "../../../log/segment.ts";
import type { Batch, UsedMessageId } from "../store.ts";
import { type IdIndex, openIdIndex } from "./id_index.ts";
import type { IndexParts } from "./index_parts.ts";

/** The tables of the store. */
export interface IdTables {
  /** Ids of an earlier version. */
  readonly messageIds: {
    /** Whether none is left. */
    readonly isEmpty: boolean;
    find(username: string, messageId: string): UsedMessageId | undefined;
  };
  readonly head: Position;
  /** The position that all kept entries of an origin after `sequence` stand behind. */
  positionBefore(origin: string, sequence: number): Position;
}

/** Both. Calls throw the errors of SQLite and node:fs. */
export class StoreIds {
  readonly index: IdIndex;
  readonly #tables: IdTables;

  /** Opens the index. */
  constructor(parts: IndexParts, tables: IdTables) {
    this.index = openIdIndex(parts);
    this.#tables = tables;
  }

  /** As `Store.usedMessageId`. */
  find(username: string, messageId: string): UsedMessageId | undefined {
    const { messageIds: former } = this.#tables;
    const found = this.index.find(username, messageId);
    return found !== undefined || former.isEmpty ? found : former.find(username, messageId);
  }

  /** A turn is about to take entries out of the log: their ids are free. */
  beforeTurn({ renamed }: Batch): void {
    if (renamed === undefined) return;
    const { former, after } = renamed;
    this.index.cut(former, after, this.#tables.positionBefore(former, after));
  }

  /** The store has taken in a turn with so many bytes. */
  take({ messageIds }: Batch, bytes: number): void {
    const { messageIds: former, head } = this.#tables;
    const isNew = ({ username, messageId }: UsedMessageId) => former.find(username, messageId) === undefined;
    this.index.write(former.isEmpty ? messageIds : messageIds.filter(isNew), head, bytes);
  }
}
