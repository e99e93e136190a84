/** What every store promises when it forgets (server/store/store.ts): a part of `store_contract.ts`. */

import { assertEquals, assertLess } from "@std/assert";
import { SERVERS } from "../../log/segment.ts";
import { LogWriter } from "../support/log_writer.ts";
import { FOR_BOB, forgetAll, KEEP_ALL, readAll, type StoreDoor } from "./store_contract.ts";

/** Registers the tests. */
export function testForgettingContract({ name, use }: StoreDoor): void {
  Deno.test(`${name} forget() lets old activities go, and tells readers what they miss`, () => {
    use((store) => {
      const log = new LogWriter();
      store.commit(log.batch({ lines: 3, takenAt: 10 }, { lines: 2, takenAt: 20 }, { takenAt: 30 }));
      assertEquals(store.forget({ ...KEEP_ALL, takenBefore: 10 }), { entries: 0, upTo: 0, more: false });
      assertEquals(store.forget({ ...KEEP_ALL, takenBefore: 25 }), { entries: 5, upTo: 2, more: false });
      assertEquals(readAll(store).map(({ position }) => position), [3]);
      assertEquals(store.missing({}), { after: 2, activities: 1, gaps: [{ origin: "a", first: 1, last: 5 }] });
      assertEquals(store.missing({ a: 4 }), { after: 2, activities: 1, gaps: [{ origin: "a", first: 5, last: 5 }] });
      assertEquals(store.missing({ a: 5 }), { after: 2, activities: 1, gaps: [] });
      assertEquals(store.missingAfter(1), { after: 1, activities: 1, gaps: [{ origin: "a", first: 1, last: 5 }] });
      assertEquals(store.missingAfter(2), { after: 2, activities: 1, gaps: [] });
    });
  });

  Deno.test(`${name} forget() keeps what is for servers, for users, and the newest segment of each origin`, () => {
    use((store) => {
      const log = new LogWriter();
      store.commit(log.batch({ audience: SERVERS }, {}, { audience: FOR_BOB }, { origin: "b" }, { audience: SERVERS }));
      assertEquals(
        store.forget({ takenBefore: Infinity, maxBytes: 0, directMessagesBefore: 0, usedBefore: 0 }).entries,
        1,
      );
      assertEquals(readAll(store).map(({ position }) => position), [1, 3, 4, 5]);
      assertEquals(store.missing({}), { after: 0, activities: 1, gaps: [{ origin: "a", first: 1, last: 2 }] });
      // No longer the newest of its origin, and the first to go.
      store.commit(log.batch({ origin: "b", takenAt: 2_000 }));
      assertEquals(store.forget({ ...KEEP_ALL, takenBefore: 2_000 }), { entries: 1, upTo: 4, more: false });
      store.commit(log.batch({}));
      assertEquals(store.missing({ a: 4 }), {
        after: 5,
        activities: 2,
        gaps: [{ origin: "b", first: 1, last: 1 }],
      });
    });
  });

  Deno.test(`${name} forget() lets the oldest activities go when there are too many bytes`, () => {
    use((store) => {
      const log = new LogWriter();
      store.commit(log.batch({}, {}, { audience: SERVERS, text: "x".repeat(1_000) }, {}, {}));
      const size = store.segmentsAfter(0, 0)[0]!.bytes.length;
      assertEquals(store.forget({ ...KEEP_ALL, maxBytes: 4 * size }).entries, 0);
      assertEquals(store.forget({ ...KEEP_ALL, maxBytes: 4 * size - 1 }).entries, 1);
      assertEquals(store.forget({ ...KEEP_ALL, maxBytes: 2 * size }).entries, 1);
      assertEquals(readAll(store).map(({ position }) => position), [3, 4, 5]);
    });
  });

  Deno.test(`${name} forget() goes by the order of the log when the clock jumped`, () => {
    use((store) => {
      const log = new LogWriter();
      store.commit(log.batch({ takenAt: 500 }, { takenAt: 1 }, { takenAt: 510 }, { takenAt: 520 }));
      assertEquals(store.forget({ ...KEEP_ALL, takenBefore: 400 }).entries, 0);
      assertEquals(store.forget({ ...KEEP_ALL, takenBefore: 505 }).entries, 2);
    });
  });

  Deno.test(`${name} forget() works in portions and says when there is more`, () => {
    use((store) => {
      const log = new LogWriter();
      for (let turn = 0; turn < 50; turn++) store.commit(log.batch(...Array.from({ length: 100 }, () => ({}))));
      const limits = { ...KEEP_ALL, takenBefore: 2_000 };
      const first = store.forget(limits);
      assertEquals(first.more, true);
      assertLess(first.entries, 2_000);
      assertEquals(first.upTo, first.entries);
      assertEquals(readAll(store)[0]!.position, first.entries + 1);
      assertEquals(first.entries + forgetAll(store, limits).entries, 4_999);
      assertEquals(readAll(store).map(({ position }) => position), [5_000]);
    });
  });
}
