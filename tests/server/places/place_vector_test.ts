/** How far a connection got, said by one server and read by another one that knows other origins. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type KnownLog, placeVector, standingOf } from "../../../server/places/place_vector.ts";
import { sequenceOf, type Vector } from "../../../log/vector.ts";

function log(vector: Vector, tombstones: Vector = {}): KnownLog {
  return { serverId: "s", head: 9, vector, origins: { tombstones: new Map(Object.entries(tombstones)) } };
}

/** What a server with `reader` takes somebody to have who had all of `writer` at a server with that. */
function taken(writer: Vector, reader: Vector, others: readonly Vector[] = []): Vector {
  const members = others.map((vector, index) => ({ serverId: `other-${index}`, vector }));
  const { position, except } = standingOf(placeVector(writer, log(writer), members), log(reader));
  assertEquals(position, 9);
  return Object.fromEntries(Object.entries({ ...reader, ...except }).filter(([, sequence]) => sequence > 0));
}

Deno.test("a place says that its server had nothing of origins that the reader alone knows", () => {
  const said = placeVector({ s: 3, a: 2 }, log({ s: 3, a: 2 }), []);
  assertEquals(said, { vector: { s: 3, a: 2 }, whole: true });
  assertEquals(standingOf(said, log({ s: 3, a: 2, gone: 7 })).except, { gone: 0 });
  // An earlier version does not say so.
  assertEquals(standingOf({ vector: { s: 3 } }, log({ s: 3, a: 2, gone: 7 })).except, {});
});

Deno.test("a reader has exactly what the place says, whatever either of the two servers knows", () => {
  const vector = fc.dictionary(fc.constantFrom("s", "a", "b", "c"), fc.integer({ min: 1, max: 4 }));
  fc.assert(fc.property(vector, vector, fc.array(vector, { maxLength: 2 }), (writer, reader, others) => {
    assertEquals(taken(writer, reader, others), { ...writer });
  }));
});

Deno.test("what is concluded of an origin that this server does not have is passed on", () => {
  const said = placeVector({ s: 3, far: 5 }, log({ s: 3 }), []);
  assertEquals(said.vector, { s: 3, far: 5 });
});

Deno.test("of more than 64 origins a place names those alone of which others may have more or less", () => {
  const many = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`old-${index}`, 1]));
  const vector = { ...many, s: 3 };
  const others = [{ serverId: "a", vector: { ...many, s: 3, "old-7": 2 } }];
  assertEquals(placeVector(vector, log(vector), others), { vector: { s: 3, a: 0, "old-7": 1 } });
});

Deno.test("what one server has forgotten whole does not come again at one that keeps it, and the other way round", () => {
  const said = placeVector({ s: 3 }, log({ s: 3 }, { old: 6 }), []);
  assertEquals(said, { vector: { s: 3, old: 6 }, whole: true });
  assertEquals(standingOf(said, log({ s: 3, old: 6 })).except, {});
  assertEquals(standingOf(said, log({ s: 3 }, { old: 6 })).except, {});
  // It goes on elsewhere.
  assertEquals(sequenceOf(standingOf(said, log({ s: 3, old: 8 })).except, "old"), 6);
});
