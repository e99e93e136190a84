/**
 * What a power cut may have done to the SQLite store: rows can be there whose bytes did not reach their file. Looked for when the store is opened, by
 * `sqlite_store.ts`; where bytes are missing that the disk had not promised, the log ends before them and the server gets a new name.
 */

import type { Position } from "../log/segment.ts";
import type { LogFiles, Place } from "./log_files.ts";
import { DamagedFileError } from "./sqlite_errors.ts";
import type { SqliteInbox } from "./sqlite_inbox.ts";
import { readLog } from "./sqlite_origins.ts";
import { all, one, type OriginRow, type Statements, type StateRow } from "./sqlite_statements.ts";
import type { Cut } from "./store.ts";

/** The parts of a store that is being opened. */
export interface OpenedParts {
  readonly statements: Statements;
  readonly files: LogFiles;
  readonly inbox: SqliteInbox;
  /** Does what `write` does, all of it or nothing. */
  transaction(write: () => void): void;
  makeServerId(): string;
}

/** Rows that are looked at together. */
const READ_ROWS = 256;

/**
 * Looks whether the files have what the rows name. What may not have reached the disk is read; if a power cut took some of it, the log is cut
 * before that. Throws what SQLite and node:fs throw.
 * @throws {DamagedFileError} when something is missing that was there for certain.
 */
export function cutIfDamaged(parts: OpenedParts): Cut | undefined {
  const { statements: { state, fileAfter, endOfFile, placesAfter }, files } = parts;
  const { synced } = one<StateRow>(state)!;
  let file = 0;
  for (;;) {
    const next = one<{ file: number }>(fileAfter, file);
    if (next === undefined) break;
    file = next.file;
    const { end } = one<{ end: number }>(endOfFile, file, synced) ?? { end: 0 };
    if (end > 0) files.checkSize(file, end);
  }
  // Only the newest file: it is begun when all of the one before is on the disk.
  for (let position = synced;;) {
    const rows = all<Place & { position: number }>(placesAfter, file, position, READ_ROWS);
    if (rows.length === 0) return undefined;
    for (const place of rows) {
      try {
        files.read([place]);
      } catch (error) {
        if (!(error instanceof DamagedFileError)) throw error;
        return cutAfter(place.position - 1, parts);
      }
      position = place.position;
    }
  }
}

/** Drops what stands after `position`. Accounts stay: whoever registered can log in. */
function cutAfter(position: Position, { statements, inbox, transaction, makeServerId }: OpenedParts): Cut {
  const serverId = makeServerId();
  const former = one<StateRow>(statements.state)!;
  const newest = one<{ lamport: number }>(statements.newestSegment)!;
  const { entries } = one<{ entries: number }>(statements.entriesAfter, position)!;
  transaction(() => {
    statements.deleteSegmentsAfter.run(position);
    statements.rename.run(serverId, Math.max(former.lamport, newest.lamport));
    statements.takeCursorsBack.run(position);
    // Who sends one of these entries again is to have it taken.
    for (const row of all<OriginRow>(statements.origins)) {
      const { last } = readLog(statements, row);
      statements.deleteMessageIdsAfter.run(row.name, last);
      inbox.cut(row.name, last);
    }
  });
  return { formerServerId: former.serverId, after: position, entries };
}
