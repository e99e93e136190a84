/** Checksums are in the files of users: what was written once has to be found right for ever. */

import { assertEquals, assertThrows } from "@std/assert";
import { checkRow, checksumOf, rowChecksum } from "../../../../server/store/sqlite/checksum.ts";
import { DamagedFileError } from "../../../../server/store/sqlite/sqlite_errors.ts";

Deno.test("checksumOf() is the CRC-32 of zip and of Ethernet, of bytes or of UTF-8", () => {
  assertEquals(checksumOf("123456789"), 0xcbf43926);
  assertEquals(checksumOf("é"), 235_179_326);
  assertEquals(checksumOf(new Uint8Array([0xc3, 0xa9])), 235_179_326);
});

Deno.test("rowChecksum() is the one that was written, and tells values and tables apart", () => {
  assertEquals(rowChecksum("accounts", "ada", 7, null), 1_089_480_475);
  assertEquals(rowChecksum("accounts", "ada7", null), 3_392_272_553);
  assertEquals(rowChecksum("a"), 2_024_252_428);
  const alike = [rowChecksum("a", "1"), rowChecksum("a", 1), rowChecksum("a", "1", null), rowChecksum("a1")];
  assertEquals(new Set(alike).size, alike.length);
});

Deno.test("checkRow() finds a row that has changed, and says in which table", () => {
  checkRow(rowChecksum("accounts", "ada"), "accounts", "ada");
  assertThrows(
    () => checkRow(rowChecksum("accounts", "ada"), "accounts", "bob"),
    DamagedFileError,
    'a row of its table "accounts" has changed',
  );
});
