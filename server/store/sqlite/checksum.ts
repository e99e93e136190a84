/**
 * Checksums of stored data. They find changes by the disk, not forgeries. The library's CRC-32 finds every single
 * flipped bit. Pure.
 */

import { crc32 } from "node:zlib";
import { DamagedFileError } from "./sqlite_errors.ts";

/** CRC-32 of bytes, or of the UTF-8 of a text. */
export function checksumOf(data: Uint8Array | string): number {
  return crc32(data) >>> 0;
}

/**
 * Checksum of all values of a row of `table`; `tests/server/store/sqlite/checksum_test.ts` has known ones. Written
 * files keep theirs: never change this.
 */
export function rowChecksum(table: string, ...values: readonly (string | number | null)[]): number {
  // JSON shows the end and type of each value, so no two rows give the same text.
  return checksumOf(JSON.stringify([table, ...values]));
}

/**
 * Checks that a row of `table` has not changed since it was written.
 * @throws {DamagedFileError} when it has.
 */
export function checkRow(checksum: number, table: string, ...values: readonly (string | number | null)[]): void {
  if (rowChecksum(table, ...values) !== checksum) throw damagedRow(table);
}

/** The error for a changed row of `table`. */
export function damagedRow(table: string): DamagedFileError {
  return new DamagedFileError("thrum.sqlite", `is damaged: a row of its table "${table}" has changed`);
}
