/** Checksums of what the store keeps: they find what the disk changed, not what somebody forged. The library's CRC-32 finds every single flipped bit. */

import { crc32 } from "node:zlib";
import { DamagedFileError } from "./sqlite_errors.ts";

/** CRC-32 of bytes, or of the UTF-8 of a text. */
export function checksumOf(data: Uint8Array | string): number {
  return crc32(data) >>> 0;
}

/**
 * Checksum of a row of `table`, over all that it says; `tests/store/checksum_test.ts` knows some by heart. Files that were written keep theirs: never
 * changed.
 */
export function rowChecksum(table: string, ...values: readonly (string | number | null)[]): number {
  // JSON tells where one value ends and of which type it is, so that no two rows are written the same.
  return checksumOf(JSON.stringify([table, ...values]));
}

/**
 * Looks whether a row of `table` says what was written there.
 * @throws {DamagedFileError} when it does not.
 */
export function checkRow(checksum: number, table: string, ...values: readonly (string | number | null)[]): void {
  if (rowChecksum(table, ...values) !== checksum) throw damagedRow(table);
}

/** What is thrown when a row of `table` is not what was written. */
export function damagedRow(table: string): DamagedFileError {
  return new DamagedFileError("thrum.sqlite", `is damaged: a row of its table "${table}" has changed`);
}
