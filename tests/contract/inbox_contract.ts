/** What every store promises about direct messages (server/store/store.ts): a part of `store_contract.ts`. */

import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Audience, EVERYONE, type Segment, SERVERS } from "../../log/segment.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import type { Batch, Store, StoredMessage } from "../../server/store/store.ts";
import { batchOf, LogWriter, type SegmentParts } from "../support/log_writer.ts";
import { ReferenceInbox } from "../support/reference_inbox.ts";
import { forgetAll, KEEP_ALL, readAll, type StoreDoor } from "./store_contract.ts";

const FOR_BOB: Audience = { kind: "user", username: "bob" };
const FOR_EVE: Audience = { kind: "user", username: "eve" };

/** Registers the tests. */
export function testInboxContract({ name, use }: StoreDoor): void {
  Deno.test(`${name} keeps direct messages for their users, in the order of its log, until they are delivered`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      const batches = [
        log.batch({ origin: "b", audience: FOR_BOB, text: " やあ 😀" }, { audience: FOR_BOB, lines: 2 }, {}),
        log.batch({ audience: FOR_EVE }, { origin: "b", audience: FOR_BOB }),
        log.batch({ audience: FOR_BOB }),
      ];
      // However they are handed in.
      for (const batch of batches) opened.commit({ ...batch, directMessages: messagesIn(batch).toReversed() });
      const all = batches.flatMap(messagesIn);
      const forBob = all.filter(({ to }) => to === "bob");
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(waiting(store, "bob"), forBob);
        assertEquals(store.inboxOf("eve").map(({ line }) => line), ["a:4\n"]);
        assertEquals([waiting(store, "Bob"), store.inboxSize], [[], 6]);
      }
      const store = reopen();
      store.commit(batchOf({ delivered: [entry("b", 1), entry("a", 2)] }));
      assertEquals(store.inboxOf("bob").map(({ line }) => line), ["a:1\n", "b:2\n", "a:5\n"]);
      store.commit(batchOf({ delivered: [entry("b", 1), entry("a", 4)] }));
      assertEquals([waiting(store, "eve"), store.inboxSize], [[], 3]);
      assertEquals(reopen().inboxSize, 3);
    });
  });

  Deno.test(`${name} lets a message wait no more that is delivered in the batch with which it comes`, () => {
    use((store) => {
      const batch = new LogWriter().batch({ audience: FOR_BOB, lines: 2 });
      store.commit({ ...batch, directMessages: messagesIn(batch), delivered: [entry("a", 1)] });
      assertEquals(store.inboxOf("bob").map(({ sequence }) => sequence), [2]);
    });
  });

  Deno.test(`${name} lets a message never wait of which it knew the delivery before, however often it was told`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      const early = entry("far", 2);
      opened.commit({ ...log.batch({}), delivered: [early, early, entry("a", 2)] });
      opened.commit(batchOf({ delivered: [early] }));
      assertEquals([waiting(opened, "bob"), opened.inboxSize], [[], 0]);
      const store = reopen();
      const batch = log.batch({ origin: "far", audience: FOR_BOB, lines: 3 }, { audience: FOR_BOB, lines: 2 });
      store.commit({ ...batch, directMessages: messagesIn(batch), delivered: [early] });
      assertEquals(store.inboxOf("bob").map(({ line }) => line), ["far:1\n", "far:3\n", "a:3\n"]);
      assertEquals(store.inboxSize, 3);
    });
  });

  Deno.test(`${name} forgets an early delivery like a message that came with the newest segment`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      const comes = (store: Store, takenAt: number) => {
        const batch = log.batch({ origin: "b", audience: FOR_BOB, takenAt });
        store.commit({ ...batch, directMessages: messagesIn(batch) });
      };
      opened.commit(log.batch({ takenAt: 10 }));
      opened.commit(batchOf({ delivered: [entry("b", 1)] }));
      forgetAll(opened, { ...KEEP_ALL, directMessagesBefore: 10 });
      comes(opened, 30);
      const store = reopen();
      store.commit(batchOf({ delivered: [entry("b", 2)] }));
      forgetAll(store, { ...KEEP_ALL, directMessagesBefore: 30 });
      comes(store, 40);
      assertEquals(store.inboxSize, 0);
      store.commit({ ...log.batch({ takenAt: 50 }), delivered: [entry("b", 3)] });
      forgetAll(store, { ...KEEP_ALL, directMessagesBefore: 51 });
      comes(store, 60);
      assertEquals(store.inboxOf("bob").map(({ line }) => line), ["b:3\n"]);
    });
  });

  Deno.test(`${name} refuses a direct message that is in no segment for its user, and takes nothing of the batch`, () => {
    use((store) => {
      const batch = new LogWriter().batch({ audience: FOR_BOB }, {}, { audience: SERVERS }, { audience: FOR_EVE });
      const message = { origin: "a", sequence: 1, to: "bob", line: "a:1\n" };
      const refused: StoredMessage[][] = [
        [{ ...message, to: "eve" }],
        [message, { ...message, sequence: 2 }],
        [{ ...message, sequence: 3 }],
        [{ ...message, sequence: 5 }],
        [{ ...message, origin: "b" }],
        [message, message],
      ];
      for (const directMessages of refused) {
        assertThrows(() => store.commit({ ...batch, directMessages }), RangeError, "stand in segments of the batch");
      }
      assertEquals([store.inboxSize, readAll(store)], [0, []]);
      store.commit({ ...batch, directMessages: [message] });
      assertEquals(waiting(store, "bob"), [message]);
    });
  });

  Deno.test(`${name} forget() lets old direct messages go, from the log too, and nobody is told of a gap`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      const batch = log.batch(
        { audience: FOR_BOB, lines: 2, takenAt: 10 },
        { audience: FOR_EVE, takenAt: 10 },
        { takenAt: 10 },
        { audience: SERVERS, takenAt: 10 },
        { origin: "b", audience: FOR_BOB, takenAt: 10 },
        { audience: FOR_BOB, takenAt: 20 },
        { takenAt: 20 },
      );
      opened.commit({ ...batch, directMessages: messagesIn(batch) });
      const before = opened.missing({});
      forgetAll(opened, { ...KEEP_ALL, directMessagesBefore: 10 });
      assertEquals([opened.inboxSize, readAll(opened).length], [5, 7]);
      // What is gone are no activities, and no reader has to be told.
      assertEquals(opened.forget({ ...KEEP_ALL, directMessagesBefore: 20 }), { entries: 0, upTo: 0, more: false });
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(waiting(store, "eve"), []);
        assertEquals(store.inboxOf("bob").map(({ line }) => line), ["a:6\n"]);
        // The newest segment of b stays; the message in it does not wait any more.
        assertEquals(readAll(store).map(({ position }) => position), [3, 4, 5, 6, 7]);
        assertEquals(store.missing({}), { ...before, after: 2 });
        assertEquals(store.missing({ a: 1 }), { after: 2, activities: 2, gaps: [] });
        assertEquals(store.missingAfter(0).gaps, []);
        assertEquals(store.missingAfter(1), { after: 1, activities: 2, gaps: [] });
      }
      const store = reopen();
      store.commit(log.batch({ origin: "b" }, {}));
      assertEquals(store.missing({ a: 7 }), { after: 4, activities: 2, gaps: [] });
      forgetAll(store, { ...KEEP_ALL, directMessagesBefore: 20 });
      assertEquals(store.missing({ a: 7 }), { after: 7, activities: 2, gaps: [] });
    });
  });

  Deno.test(`${name} forget() keeps direct messages behind one that is to stay, whatever the clock said`, () => {
    use((store) => {
      const log = new LogWriter();
      const times = [5, 500, 1, 510];
      const batch = log.batch(...times.map((takenAt) => ({ audience: FOR_BOB, takenAt })), { takenAt: 510 });
      store.commit({ ...batch, directMessages: messagesIn(batch) });
      forgetAll(store, { ...KEEP_ALL, directMessagesBefore: 400 });
      assertEquals(store.inboxOf("bob").map(({ sequence }) => sequence), [2, 3, 4]);
      assertEquals(readAll(store).map(({ position }) => position), [2, 3, 4, 5]);
      forgetAll(store, { ...KEEP_ALL, directMessagesBefore: 505 });
      assertEquals(store.inboxOf("bob").map(({ sequence }) => sequence), [4]);
      assertEquals(readAll(store).map(({ position }) => position), [4, 5]);
    });
  });

  for (const [what, wait] of [["direct messages", true], ["what is for users", false]] as const) {
    Deno.test(`${name} forget() lets ${what} go in portions, and says when there is more`, () => {
      use((store) => {
        const parts = Array.from({ length: 2_500 }, (_, index) => ({ audience: index % 2 === 0 ? FOR_BOB : FOR_EVE }));
        const batch = new LogWriter().batch(...parts, {});
        store.commit({ ...batch, directMessages: wait ? messagesIn(batch) : [] });
        const limits = { ...KEEP_ALL, directMessagesBefore: 2_000 };
        assertEquals(store.forget(limits), { entries: 0, upTo: 0, more: true });
        for (const left of [readAll(store).length, ...wait ? [store.inboxSize] : []]) {
          assertGreater(left, 1_000);
          assertLess(left, 2_500);
        }
        forgetAll(store, limits);
        assertEquals([store.inboxSize, readAll(store).length], [0, 1]);
      });
    });
  }

  Deno.test(`${name} reads an inbox in portions, at least one message at a time`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      // Lines of 9 bytes, but 5 characters.
      const forBob = (lines: number) => log.batch({ audience: FOR_BOB, lines, text: "😀" }, { audience: FOR_EVE });
      const commit = (store: Store, batch: Batch) => store.commit({ ...batch, directMessages: messagesIn(batch) });
      commit(opened, forBob(3));
      commit(opened, forBob(4));
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        const all = store.inboxOf("bob");
        assertEquals(all.map(({ sequence }) => sequence), [1, 2, 3, 5, 6, 7, 8]);
        for (const [maxBytes, size] of [[0, 1], [15, 1], [16, 2], [17, 2], [31, 3], [10_000, 7]] as const) {
          for (let index = -1; index < all.length; index++) {
            const portion = store.inboxOf("bob", { after: all[index]?.place ?? 0, maxBytes });
            assertEquals(portion, all.slice(index + 1, index + 1 + size), `${maxBytes} bytes after ${index}`);
          }
        }
        assertEquals(store.inboxOf("bob", { after: all.at(-1)!.place }), []);
      }
    });
  });

  Deno.test(`${name} reads long inboxes, and long ranges of them, whole when that is asked for`, () => {
    use((store) => {
      const batch = new LogWriter().batch({ audience: FOR_BOB, lines: 1_000 });
      store.commit({ ...batch, directMessages: messagesIn(batch) });
      const all = messagesIn(batch);
      assertEquals(waiting(store, "bob"), all);
      const range = (first: number, last: number, maxBytes: number) =>
        store.inboxRange("bob", { origin: "a", first, last }, maxBytes).map(({ line }) => line);
      assertEquals(range(1, 1_000, Infinity), all.map(({ line }) => line));
      assertEquals(range(11, 990, 1_000_000), all.slice(10, 990).map(({ line }) => line));
      assertEquals(range(100, 1_000, 6 * 500), all.slice(99, 599).map(({ line }) => line));
    });
  });

  Deno.test(`${name} gives no place a second time, so that nobody who reads in portions passes a message over`, () => {
    use((store) => {
      const log = new LogWriter();
      const next = (...delivered: EntryId[]) => {
        const batch = log.batch({ audience: FOR_BOB });
        store.commit({ ...batch, directMessages: messagesIn(batch), delivered });
        return store.inboxOf("bob").at(-1)!;
      };
      let place = next().place;
      for (let sequence = 1; sequence < 5; sequence++) {
        // The newest one goes, and with it, in SQLite, its number.
        store.commit(batchOf({ delivered: [entry("a", sequence)] }));
        const { place: nextPlace } = next();
        assertGreater(nextPlace, place);
        assertEquals(store.inboxOf("bob", { after: place }).length, 1);
        place = nextPlace;
      }
    });
  });

  Deno.test(`${name} keeps count of what waits for each user`, () => {
    use((opened, reopen) => {
      const batch = new LogWriter().batch({ audience: FOR_BOB, lines: 5 }, { audience: FOR_EVE });
      opened.commit({ ...batch, directMessages: messagesIn(batch) });
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(new Map(store.inboxSizes), new Map([["bob", 5], ["eve", 1]]));
      }
    });
  });

  Deno.test(`${name} answers about direct messages as a reference does, whatever happens`, () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      use((opened, reopen) => {
        let store = opened;
        const writer = new LogWriter();
        const reference = new ReferenceInbox();
        for (const step of steps) {
          if (step.kind === "commit") {
            const batch = writer.batch(...step.parts);
            // Every third entry for a user is something else, as receipts are.
            const directMessages = messagesIn(batch).filter(({ sequence }) => sequence % 3 > 0);
            const whole = { ...batch, directMessages, delivered: step.delivered };
            store.commit(whole);
            reference.commit(whole);
          } else if (step.kind === "forget") {
            forgetAll(store, { ...KEEP_ALL, directMessagesBefore: step.before });
            reference.forget(step.before);
          } else if (step.kind === "bury") {
            store.commit(batchOf({ buried: { [step.origin]: reference.lastOf(step.origin) } }));
            reference.bury(step.origin);
          } else {
            store = reopen();
          }
          for (const name of ["bob", "eve"]) compare(store, reference, name);
          assertEquals([store.inboxSize, store.inboxOldest], [reference.size, reference.oldest]);
          const waiting = ["bob", "eve"].map((name) => [name, reference.of(name).length] as const);
          assertEquals(new Map(store.inboxSizes), new Map(waiting.filter(([, count]) => count > 0)));
        }
      });
    }));
  });
}

/** All that can be asked about one user's messages. */
function compare(store: Store, reference: ReferenceInbox, name: string): void {
  assertEquals(waiting(store, name), reference.of(name));
  const all = store.inboxOf(name);
  assertEquals(all.map(({ place }) => place), [...new Set(all.map(({ place }) => place))].toSorted((a, b) => a - b));
  for (const [index, { place }] of all.entries()) {
    const maxBytes = 4 * (index % 5);
    assertEquals(store.inboxOf(name, { after: place, maxBytes }), reference.portion(all.slice(index + 1), maxBytes));
  }
  for (const origin of ["a", "b", "c"]) {
    const found = store.inboxRange(name, { origin, first: 3, last: 9 }, 13);
    const asked = all.filter((message) => message.origin === origin && message.sequence >= 3 && message.sequence <= 9);
    assertEquals(found, reference.portion(asked, 13));
  }
}

const origin = fc.constantFrom("a", "b", "c");
const segmentParts: fc.Arbitrary<SegmentParts> = fc.record({
  origin,
  skip: fc.constantFrom(0, 0, 0, 0, 1, 3),
  lines: fc.integer({ min: 1, max: 4 }),
  audience: fc.constantFrom(EVERYONE, FOR_BOB, FOR_BOB, FOR_EVE),
  takenAt: fc.integer({ min: 0, max: 20 }),
});
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("commit" as const),
      parts: fc.array(segmentParts, { maxLength: 4 }),
      delivered: fc.array(fc.record({ origin, sequence: fc.integer({ min: 1, max: 30 }) })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("forget" as const), before: fc.integer({ min: 0, max: 15 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("bury" as const), origin }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen" as const) }) },
);

function entry(origin: string, sequence: number): EntryId {
  return { origin, sequence };
}

/** What waits for a user, without the places, which are the store's own. */
export function waiting(store: Store, username: string): StoredMessage[] {
  return store.inboxOf(username).map(({ place: _, ...message }) => message);
}

/** Every line for a user as a direct message, in the order of the log. */
function messagesIn({ segments }: Batch): StoredMessage[] {
  return segments.flatMap(({ origin, first, audience, bytes }: Segment) => {
    if (audience.kind !== "user") return [];
    const lines = new TextDecoder().decode(bytes).split(/(?<=\n)/);
    return lines.map((line, index) => ({ origin, sequence: first + index, to: audience.username, line }));
  });
}
