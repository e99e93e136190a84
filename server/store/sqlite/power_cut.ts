/**
 * Finds the damage of a power cut: rows can be there whose bytes did not reach their file. `sqlite_store.ts` checks
 * this when it opens the store. If the disk had not promised the missing bytes, the log ends before them, and the
 * server gets a new name.
 */

import type { Position } from "../../../log/segment.ts";
import { checkedRow } from "./index_row.ts";
import type { LogFiles } from "./log_files.ts";
import { DamagedFileError } from "./sqlite_errors.ts";
import type { SqliteBeside } from "./sqlite_beside.ts";
import type { SqliteInbox } from "./sqlite_inbox.ts";
import type { SqliteMessageIds } from "./sqlite_message_ids.ts";
import { readLog } from "./sqlite_origins.ts";
import type { SqliteSegments } from "./sqlite_segments.ts";
import { readState, writeState } from "./sqlite_state.ts";
import { all, type IndexRow, one, type OriginRow, type SegmentRow, type Statements } from "./sqlite_statements.ts";
import type { Cut } from "../store.ts";

/** The parts of a store that is being opened. */
export interface OpenedParts {
  readonly statements: Statements;
  readonly files: LogFiles;
  readonly segments: SqliteSegments;
  readonly inbox: SqliteInbox;
  readonly messageIds: SqliteMessageIds;
  readonly beside: SqliteBeside;
  /** Does what `write` does, all of it or nothing. */
  transaction(write: () => void): void;
  makeServerId(): string;
}

/** Rows that are looked at together. */
const READ_ROWS = 256;

/**
 * Checks that the files have everything that rows name. Reads the bytes that may not have reached the disk. If a power
 * cut took some, the log is cut before them. Throws the errors of SQLite and node:fs.
 * @throws {DamagedFileError} when bytes are missing that were there for certain.
 */
export function cutIfDamaged(parts: OpenedParts): Cut | undefined {
  const { statements, files, segments } = parts;
  const { fileAfter, endOfFile, placesAfter } = statements;
  const { synced } = readState(statements);
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
    const rows = all<SegmentRow>(placesAfter, file, position, READ_ROWS);
    if (rows.length === 0) return undefined;
    for (const row of rows) {
      // A row that has changed is no power cut.
      checkedRow(row);
      try {
        segments.check(row);
      } catch (error) {
        if (!(error instanceof DamagedFileError)) throw error;
        return cutAfter(row.position - 1, parts);
      }
      position = row.position;
    }
  }
}

/** Drops everything after `position`. Accounts stay: a registered user can log in. */
function cutAfter(position: Position, parts: OpenedParts): Cut {
  const { statements, inbox, messageIds, beside, transaction, makeServerId } = parts;
  const serverId = makeServerId();
  const former = readState(statements);
  const newest = checkedRow(one<IndexRow>(statements.newestSegment)!);
  const { entries } = one<{ entries: number }>(statements.entriesAfter, position)!;
  transaction(() => {
    statements.deleteSegmentsAfter.run(position);
    writeState(statements, { ...former, serverId, lamport: Math.max(former.lamport, newest.lamport) });
    beside.putCursors(
      beside.cursors().map((cursor) => (
        { ...cursor, position: cursor.position === undefined ? undefined : Math.min(cursor.position, position) }
      )),
    );
    // Who sends one of these entries again is to have it taken.
    for (const row of all<OriginRow>(statements.origins)) {
      const { last } = readLog(statements, row);
      messageIds.cut(row.id, last);
      inbox.cut(row.name, last);
    }
  });
  return { formerServerId: former.serverId, after: position, entries };
}
