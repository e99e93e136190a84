/** The checksum of a row: it finds what the disk changed, not what somebody forged. */

import { crc32 } from "node:zlib";
import { DamagedFileError } from "./sqlite_errors.ts";

/** CRC-32 of a row of `table`, over all that it says. */
export function rowChecksum(table: string, ...values: readonly (string | number | null)[]): number {
  // JSON tells where one value ends and of which type it is, so that no two rows are written the same.
  return crc32(JSON.stringify([table, ...values])) >>> 0;
}

/**
 * Looks whether a row of `table` says what was written there.
 * @throws {DamagedFileError} when it does not.
 */
export function checkRow(checksum: number, table: string, ...values: readonly (string | number | null)[]): void {
  if (rowChecksum(table, ...values) === checksum) return;
  throw new DamagedFileError("thrum.sqlite", `is damaged: a row of "${table}" has changed`);
}
