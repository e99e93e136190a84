/** The index row of a segment (docs/storage.md): its values, and whether they have changed. Pure. */

import { damagedRow, rowChecksum } from "./checksum.ts";
import type { IndexRow } from "./sqlite_statements.ts";

/**
 * Bare bytes in a file, as in version 4 of the database: `bareChecksum` is their CRC-32. Append only, like
 * `FRAME_FORM`.
 */
export const BARE_FORM = 0;

/** Lamport times of a broken clock can be above the exact range of numbers, and could not be read again. */
export function readableLamport(lamport: number): number {
  return Math.min(lamport, Number.MAX_SAFE_INTEGER);
}

/** An index row but its checksum. */
export type IndexFacts = Omit<IndexRow, "checksum">;

/** The values of a row, in the order of its columns; the checksum is the last. */
export function indexValues(facts: IndexFacts): [...(string | number | null)[], number] {
  const values = valuesOf(facts);
  return [...values, rowChecksum("segments", ...values)];
}

/**
 * The row for a question: of this origin and audience, with entries behind `after`.
 * @throws {DamagedFileError} when the row has changed, or is no answer: then an index of the database has changed.
 */
export function checkedRow(row: IndexRow, asked?: { origin: number; audience: number; after: number }): IndexRow {
  if (rowChecksum("segments", ...valuesOf(row)) !== row.checksum) throw damagedRow("segments");
  if (asked === undefined) return row;
  if (row.origin !== asked.origin || row.audience !== asked.audience || row.last <= asked.after) {
    throw damagedRow("segments");
  }
  return row;
}

function valuesOf(row: IndexFacts): (string | number | null)[] {
  const { position, origin, first, last, audience, username, takenAt, lamport, activities, activityBytes } = row;
  const { form, size, file, start, length, bareChecksum, channels } = row;
  return [
    ...[position, origin, first, last, audience, username, takenAt, lamport, activities, activityBytes],
    ...[form, size, file, start, length, bareChecksum, channels],
  ];
}
