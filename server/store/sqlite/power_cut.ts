/**
 * Finds the damage of a power cut, when `sqlite_store.ts` opens a store: rows can be there whose bytes did not reach
 * their file, and turns can be missing from the log. If the disk had not promised what is missing, the log ends before
 * it, and the server gets a new name.
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
import { all, type IndexRow, one, type OriginRow, type SegmentRow, type Statements } from "./sqlite_statements.ts";
import type { LogEnd } from "../turns/turn_reader.ts";

/** The parts of a store that is being opened. */
export interface OpenedParts {
  readonly statements: Statements;
  readonly files: LogFiles;
  readonly segments: SqliteSegments;
  readonly inbox: SqliteInbox;
  readonly messageIds: SqliteMessageIds;
  readonly beside: SqliteBeside;
}

/** Rows that are looked at together. */
const READ_ROWS = 256;

/**
 * Checks that the files have everything that rows name. Reads the bytes that may not have reached the disk: those
 * behind position `synced`. Gives the last position before those that a power cut took; `undefined` if all is there.
 * Throws the errors of SQLite and node:fs.
 * @throws {DamagedFileError} when bytes are missing that were there for certain.
 */
export function findCut({ statements, files, segments }: OpenedParts, synced: Position): Position | undefined {
  const { fileAfter, endOfFile, placesAfter } = statements;
  for (let file = 0;;) {
    const next = one<{ file: number }>(fileAfter, file);
    if (next === undefined) break;
    file = next.file;
    const { end } = one<{ end: number }>(endOfFile, file, synced) ?? { end: 0 };
    if (end > 0) files.checkSize(file, end);
  }
  for (let position = synced;;) {
    const rows = all<SegmentRow>(placesAfter, position, READ_ROWS);
    if (rows.length === 0) return undefined;
    for (const row of rows) {
      // A row that has changed is no power cut.
      checkedRow(row);
      try {
        segments.check(row);
      } catch (error) {
        if (!(error instanceof DamagedFileError)) throw error;
        return row.position - 1;
      }
      position = row.position;
    }
  }
}

/**
 * Drops all rows of segments after `position`, within a transaction. Accounts stay: a registered user can log in. Gives
 * how many entries are gone, and the Lamport time of the newest.
 */
export function cutAfter(
  position: Position,
  { statements, inbox, messageIds, beside }: OpenedParts,
): { readonly entries: number; readonly lamport: number } {
  const newest = checkedRow(one<IndexRow>(statements.newestSegment)!);
  const { entries } = one<{ entries: number }>(statements.entriesAfter, position)!;
  statements.deleteSegmentsAfter.run(position);
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
  return { entries, lamport: newest.lamport };
}

/**
 * Whether acknowledged turns are missing behind the end of the log. The first part of a turn is what is left when the
 * program is killed while it writes, as long as the machine goes on running; otherwise nobody knows.
 */
export function hasLost({ kind }: LogEnd, boot: string, bootBefore: string): boolean {
  return kind === "lost" || (kind === "torn" && (boot === "" || boot !== bootBefore));
}
