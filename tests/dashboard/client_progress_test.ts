/**
 * The page's vector against that of the client library: one set of rules, written twice because a page
 * cannot load the other.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as library from "../../client/progress.ts";
import { MAX_SEEN_MESSAGES } from "../../client/seen_messages.ts";
import { MAX_SEEN, parseEntryId, Progress, SeenKeys } from "../../dashboard/client/progress.js";
import * as protocol from "../../protocol/entry_id.ts";

const vector = fc.dictionary(fc.constantFrom("a", "b"), fc.integer({ min: 1, max: 9 }));
const id = fc.tuple(fc.constantFrom("a", "b", ""), fc.nat(12)).map(([origin, sequence]) => `${origin}:${sequence}`);
const step = fc.oneof(
  fc.record({ kind: fc.constant("receive" as const), id }),
  fc.record({ kind: fc.constant("caughtUp" as const), vector }),
  fc.record({ kind: fc.constant("cutOff" as const) }),
  fc.record({
    ...{ kind: fc.constant("begin" as const), serverId: fc.constantFrom("a", "b", undefined), vector },
    ...{ replayed: fc.nat(3), isTold: fc.boolean() },
  }),
);

Deno.test("Progress keeps the vector that Progress of the client library keeps, whatever happens", () => {
  fc.assert(fc.property(fc.option(vector, { nil: undefined }), fc.array(step), (start, steps) => {
    const page = new Progress(start && { ...start });
    const client = new library.Progress(start && { ...start });
    for (const one of steps) {
      if (one.kind === "receive") assertEquals(page.receive(one.id), client.receive(one.id) === "new");
      else if (one.kind === "begin") [page, client].forEach((progress) => progress.begin(one));
      else if (one.kind === "caughtUp") [page, client].forEach((progress) => progress.caughtUp(one.vector));
      else [page, client].forEach((progress) => progress.cutOff());
      assertEquals(page.received, client.hasBegun ? client.received : undefined);
      assertEquals(page.isBehind, client.isBehind);
    }
  }));
});

Deno.test("an identity is read as servers read it", () => {
  for (
    const text of ["a:1", "a:b:12", "a:0", "a:01", ":1", "a:", "a", "", "a:-1", "a:1.5", "a:1e3", "a:9007199254740991"]
  ) {
    assertEquals(parseEntryId(text), protocol.parseEntryId(text), text);
  }
  assertEquals([parseEntryId(undefined), parseEntryId(7)], [undefined, undefined]);
});

Deno.test("SeenKeys remembers as many as the client library, the newest", () => {
  assertEquals(MAX_SEEN, MAX_SEEN_MESSAGES);
  const seen = new SeenKeys(["old"]);
  assertEquals([seen.isNew("old"), seen.isNew("new"), seen.isNew("new")], [false, true, false]);
  for (let n = 0; n < MAX_SEEN; n++) seen.isNew(`${n}`);
  assertEquals([seen.has("old"), seen.has("new"), seen.has("0")], [false, false, true]);
  assertEquals(seen.newest(2), [`${MAX_SEEN - 2}`, `${MAX_SEEN - 1}`]);
});
