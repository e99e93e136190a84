/** Files of used message ids: what is written is read, and nothing that has changed is. */

import { assertEquals, assertLess } from "@std/assert";
import { addTo, emptyFilter, mayHave } from "../../../../server/store/ids/id_filter.ts";
import type { HashedId } from "../../../../server/store/ids/id_table.ts";
import {
  BLOCK_BYTES,
  findInBlock,
  firstBlockOf,
  idsInBlock,
  isWhole,
  readDescription,
  readFences,
  readTrailer,
  recordAt,
  RunEncoder,
  TRAILER_BYTES,
} from "../../../../server/store/ids/run_format.ts";
import { checksumOf } from "../../../../server/store/sqlite/checksum.ts";

const GIVEN = {
  ...{ serial: 7, from: 3, to: 99, replaces: [1, 2], secret: "ab".repeat(16), forgottenBefore: 5, baseline: 2 },
  firstOrdinal: 2 ** 33,
};

const id = (index: number, h0 = index * 30_000_000): HashedId => (
  {
    h0: h0 | 0,
    h1: -index,
    h2: index,
    origin: index % 3,
    sequence: 2 ** 40 + index,
    usedAt: 2 ** 41 + index,
    ordinal: index % 2 === 0 ? 0 : GIVEN.firstOrdinal + index,
  }
);

function encode(ids: readonly HashedId[]): Uint8Array {
  const encoder = new RunEncoder(GIVEN, ids.length, (origin) => `origin ${origin}`);
  const parts: Uint8Array[] = [];
  for (const id of ids) {
    encoder.add(id);
    parts.push(...encoder.take());
  }
  return new Uint8Array([...parts, ...encoder.finish().parts].flatMap((part) => [...part]));
}

function describe(bytes: Uint8Array) {
  const trailer = readTrailer(bytes.subarray(-TRAILER_BYTES));
  if (trailer === undefined) return undefined;
  const description = bytes.subarray(-TRAILER_BYTES - trailer.length, -TRAILER_BYTES);
  return readDescription(description, trailer.checksum, bytes.length);
}

Deno.test("RunEncoder writes what is found again, also where hashes begin alike", () => {
  // Enough with one first word that they fill more than a block.
  const ids = [
    ...Array.from({ length: 100 }, (_, index) => id(index, 5)),
    ...Array.from({ length: 300 }, (_, index) => id(index, 6)),
    ...Array.from({ length: 90 }, (_, index) => id(index, 0xf0000000 + index)),
  ].map((id, index) => ({ ...id, h1: index }));
  const bytes = encode(ids);
  const { meta, fences: fencesAt, filter: filterAt } = describe(bytes)!;
  const { fences: _, ...given } = { ...GIVEN, fences: 0 };
  assertEquals(meta, {
    ...given,
    ids: 490,
    origins: ["origin 0", "origin 1", "origin 2"],
    usedFrom: 2 ** 41,
    usedTo: 2 ** 41 + 299,
    lastOrdinal: GIVEN.firstOrdinal + 299,
  });
  const fences = readFences(bytes.subarray(fencesAt.start, fencesAt.start + fencesAt.length));
  const filter = bytes.subarray(filterAt.start, filterAt.start + filterAt.length);
  for (const wanted of ids) {
    assertEquals(mayHave(filter, wanted.h1, wanted.h2), true);
    let found: HashedId | undefined;
    for (let block = firstBlockOf(fences, wanted.h0); block < fences.length && found === undefined; block++) {
      const view = new DataView(bytes.buffer, block * BLOCK_BYTES, BLOCK_BYTES);
      assertEquals(isWhole(bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)), true);
      const index = findInBlock(view, idsInBlock(meta, block), wanted.h0, wanted.h1, wanted.h2);
      if (index >= 0) found = recordAt(view, index, meta.firstOrdinal);
    }
    assertEquals(found, wanted);
  }
});

Deno.test("a file without an id says up to where it is complete", () => {
  const { meta } = describe(encode([]))!;
  assertEquals([meta.ids, meta.from, meta.to, meta.usedTo], [0, 3, 99, 0]);
});

Deno.test("every changed bit of a file is noticed", () => {
  const bytes = encode(Array.from({ length: 130 }, (_, index) => id(index, index)));
  const { fences, filter } = describe(bytes)!;
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at]! ^= 1 << (at & 7);
    const part = (from: number, to: number) => changed.subarray(from, to);
    const isNoticed = at < fences.start
      ? !isWhole(part(at - at % BLOCK_BYTES, at - at % BLOCK_BYTES + BLOCK_BYTES))
      : at < filter.start
      ? checksumOf(part(fences.start, filter.start)) !== fences.checksum
      : at < filter.start + filter.length
      ? checksumOf(part(filter.start, filter.start + filter.length)) !== filter.checksum
      : describe(changed) === undefined;
    assertEquals(isNoticed, true, `at ${at}`);
  }
});

Deno.test("a filter lets about one of 1,750 strangers through", () => {
  const filter = emptyFilter(20_000);
  const words = new Int32Array(60_000);
  for (let at = 0; at < words.length; at += 15_000) crypto.getRandomValues(words.subarray(at, at + 15_000));
  for (let at = 0; at < 40_000; at += 2) addTo(filter, words[at]!, words[at + 1]!);
  for (let at = 0; at < 40_000; at += 2) assertEquals(mayHave(filter, words[at]!, words[at + 1]!), true);
  let passed = 0;
  for (let at = 0; at < 40_000; at++) if (mayHave(filter, words[at]!, words[at + 20_000]! ^ 0x5a5a5a5a)) passed++;
  // 23 of 40,000 on average; less than one in a billion times this many.
  assertLess(passed, 70);
});
