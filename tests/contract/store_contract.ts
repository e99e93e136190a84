/** What every store promises (server/store/store.ts). Run for each of them by `tests/server/store/`. */

import { assertEquals, assertThrows } from "@std/assert";
import { type Audience, EVERYONE, hasActivities, type Segment, SERVERS } from "../../log/segment.ts";
import type { ForgetLimits, Forgotten, Missing, Store, UsedMessageId } from "../../server/store/store.ts";
import { batchOf, LogWriter, type SegmentParts } from "../support/log_writer.ts";
import { ReferenceLog } from "../support/reference_log.ts";
import { testChannelsContract } from "./channels_contract.ts";
import { testForgettingContract } from "./forgetting_contract.ts";
import { testBesideContract } from "./beside_contract.ts";
import { testInboxContract } from "./inbox_contract.ts";
import { testRenamingContract } from "./renaming_contract.ts";
import fc from "fast-check";

/** How the contract gets at a store. */
export interface StoreDoor {
  /** What is being tested. */
  readonly name: string;
  /**
   * Lets `run` have a new, empty store whose server id is "s-1", and closes it. `reopen` gives what is left after
   * closing and opening it.
   */
  use(run: (store: Store, reopen: () => Store) => void): void;
}

export const FOR_BOB: Audience = { kind: "user", username: "bob" };
/** Of a segment whose first bytes are for a channel. */
export const OF_CHANNELS: Audience = {
  kind: "channels",
  channels: [{ name: "lab/1", ranges: [{ start: 0, end: 3 }] }, { name: "lab", ranges: [{ start: 4, end: 6 }] }],
};
/** Limits that nothing is beyond. */
export const KEEP_ALL: ForgetLimits = { takenBefore: 0, maxBytes: Infinity, directMessagesBefore: 0, usedBefore: 0 };

/** Registers the tests. */
export function testStoreContract({ name, use }: StoreDoor): void {
  Deno.test(`${name} is empty when it is new`, () => {
    use((store) => {
      assertEquals(store.opened, {
        serverId: "s-1",
        lamport: 0,
        head: 0,
        vector: {},
        cursors: [],
        members: [],
        places: [],
        notes: {},
        tombstones: {},
      });
      assertEquals(store.segmentsAfter(0, 1_000), []);
      assertEquals(store.segmentsBefore(9, 1_000), []);
      assertEquals(store.beginning(), { isWhole: true });
      assertEquals(store.boundOf("a", 1), undefined);
      assertEquals(store.missing({ other: 7 }), { after: 0, activities: 0, gaps: [] });
      assertEquals(store.missingAfter(0), { after: 0, activities: 0, gaps: [] });
      assertEquals(store.usernames(), []);
      assertEquals(store.account("bob"), undefined);
      assertEquals(store.usedMessageId("bob", "m"), undefined);
      assertEquals(store.forget({ takenBefore: 9, maxBytes: 0, directMessagesBefore: 9, usedBefore: 9 }), {
        entries: 0,
        upTo: 0,
        more: false,
      });
    });
  });

  Deno.test(`${name} gives segments back as they were committed, of every origin and audience`, () => {
    use((store) => {
      const log = new LogWriter();
      const whole = log.segment({ lines: 3, takenAt: 1_700_000_000_000.25 });
      // A part of a larger buffer, as a builder may hand it in.
      const framed = new Uint8Array(whole.bytes.length + 20);
      framed.set(whole.bytes, 10);
      const part: Segment = { ...whole, bytes: framed.subarray(10, -10) };
      const others = [
        log.segment({ audience: FOR_BOB }),
        log.segment({ origin: "b", audience: SERVERS, lines: 2 }),
        log.segment({ text: "x".repeat(300_000) }),
        log.segment({ lines: 2, audience: OF_CHANNELS }),
        log.segment({ lines: 2, text: "y".repeat(20_000), audience: OF_CHANNELS }),
      ];
      store.commit(batchOf({ segments: [part, others[0]!] }));
      store.commit(batchOf({ segments: others.slice(1) }));
      assertEquals(store.segmentsAfter(0, Infinity), [part, ...others]);
      assertEquals(store.segmentsAfter(2, Infinity), others.slice(1));
      assertEquals(store.segmentsAfter(6, Infinity), []);
      assertEquals(store.segmentsAfter(99, Infinity), []);
    });
  });

  Deno.test(`${name} reads at least one segment, and no more than fit`, () => {
    use((store) => {
      const log = new LogWriter();
      store.commit(log.batch({ text: "x" }, { text: "y" }, { text: "z" }));
      const size = store.segmentsAfter(0, 0)[0]!.bytes.length;
      const count = (maxBytes: number) => store.segmentsAfter(0, maxBytes).length;
      assertEquals([0, size, 2 * size - 1, 2 * size, 3 * size].map(count), [1, 1, 1, 2, 3]);
    });
  });

  Deno.test(`${name} is read backwards in the same way`, () => {
    use((store) => {
      const log = new LogWriter();
      const { segments } = log.batch({ text: "x" }, { audience: FOR_BOB }, { origin: "b", audience: SERVERS }, {});
      store.commit(batchOf({ segments }));
      assertEquals(store.segmentsBefore(5, Infinity), [...segments]);
      assertEquals(store.segmentsBefore(99, Infinity), [...segments]);
      assertEquals(store.segmentsBefore(3, Infinity), segments.slice(0, 2));
      assertEquals(store.segmentsBefore(1, Infinity), []);
      const size = segments[2]!.bytes.length + segments[3]!.bytes.length;
      const count = (maxBytes: number) => store.segmentsBefore(5, maxBytes).length;
      assertEquals([0, size - 1, size].map(count), [1, 1, 2]);
    });
  });

  Deno.test(`${name} says where the kept activities begin, and where an entry stood that is forgotten`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      opened.commit(log.batch({ origin: "b", audience: SERVERS }, { takenAt: 5 }, { lines: 2 }, { origin: "b" }, {}));
      const first = { origin: "a", sequence: 1, position: 2, takenAt: 5 };
      assertEquals(opened.beginning(), { oldest: first, isWhole: true });
      opened.forget({ ...KEEP_ALL, takenBefore: 6 });
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        const oldest = { origin: "a", sequence: 2, position: 3, takenAt: 1_000 };
        assertEquals(store.beginning(), { oldest, isWhole: false });
        // Of what is forgotten the next one of the origin says it, and of what is not there nobody does.
        const bounds = [["a", 1], ["b", 1], ["a", 9], ["c", 1]] as const;
        assertEquals(bounds.map(([origin, sequence]) => store.boundOf(origin, sequence)), [3, 4, undefined, undefined]);
      }
    });
  });

  Deno.test(`${name} can be read to its end, whatever it holds`, () => {
    use((store) => {
      const log = new LogWriter();
      for (let turn = 0; turn < 3; turn++) store.commit(log.batch(...Array.from({ length: 300 }, () => ({}))));
      assertEquals(
        readAll(store, Infinity).map(({ position }) => position),
        Array.from({ length: 900 }, (_, i) => i + 1),
      );
    });
  });

  Deno.test(`${name} refuses a batch that does not continue the log, and takes nothing of it`, () => {
    use((store) => {
      const log = new LogWriter();
      store.commit(log.batch({ lines: 2 }));
      const next = log.segment();
      const account = { username: "bob", verifier: "v", lamport: 1, origin: "a" };
      const refused: Segment[][] = [
        [{ ...next, position: 3 }],
        [{ ...next, position: 1 }],
        [{ ...next, first: 2, last: 3 }],
        [{ ...next, first: 2, last: 2 }],
        [{ ...next, last: 2 }],
        [{ ...next, first: 5, last: 4 }],
        [next, next],
        [next, { ...next, position: 3 }],
      ];
      for (const segments of refused) {
        assertThrows(() => store.commit(batchOf({ segments, accounts: [account] })), RangeError);
      }
      const cursor = { id: 1, username: "bob", position: undefined, lost: true };
      assertThrows(() => store.commit(batchOf({ segments: [next], cursors: [cursor] })), RangeError, "Cursor 1");
      assertEquals(readAll(store).length, 1);
      assertEquals(store.usernames(), []);
      store.commit(batchOf({ segments: [next] }));
      assertEquals(readAll(store).length, 2);
    });
  });

  Deno.test(`${name} takes segments of several origins in one batch, in any order between them`, () => {
    use((store, reopen) => {
      const log = new LogWriter();
      const batch = log.batch({}, { origin: "b", lines: 2 }, { lines: 2 }, { origin: "c" }, { origin: "b" }, {});
      store.commit(batch);
      const more = log.batch({ origin: "c" }, {}, { origin: "c", lines: 3 });
      store.commit(more);
      const reopened = reopen();
      assertEquals(readAll(reopened), [...batch.segments, ...more.segments]);
      assertEquals(reopened.missing({ a: 5, b: 3, c: 5 }), { after: 9, activities: 0, gaps: [] });
      assertEquals(reopened.missing({ a: 2, b: 3, c: 1 }), { after: 2, activities: 7, gaps: [] });
    });
  });

  Deno.test(`${name} takes a segment that leaves a hole, and tells readers that it is forgotten`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      opened.commit(log.batch({ lines: 2 }, { origin: "b", skip: 6 }, { skip: 3, lines: 2 }));
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        const b = { origin: "b", first: 1, last: 6 };
        assertEquals(store.missing({}), { after: 0, activities: 5, gaps: [{ origin: "a", first: 1, last: 5 }, b] });
        assertEquals(store.missing({ a: 2, b: 7 }).gaps, [{ origin: "a", first: 3, last: 5 }]);
        assertEquals(store.missing({ a: 4, b: 6 }), {
          after: 1,
          activities: 3,
          gaps: [{ origin: "a", first: 5, last: 5 }],
        });
        assertEquals(store.missing({ a: 5, b: 7 }), { after: 2, activities: 2, gaps: [] });
        assertEquals(store.missingAfter(0).gaps, [{ origin: "a", first: 1, last: 5 }, b]);
        const gaps = [{ origin: "a", first: 3, last: 5 }];
        assertEquals(store.missingAfter(1), { after: 1, activities: 3, gaps: [...gaps, b] });
        assertEquals(store.missingAfter(2), { after: 2, activities: 2, gaps });
        assertEquals(store.missingAfter(3), { after: 3, activities: 0, gaps: [] });
      }
    });
  });

  Deno.test(`${name} takes entries of a hole for gone for good`, () => {
    use((store) => {
      const log = new LogWriter();
      store.commit(log.batch({}, { skip: 3 }));
      const late = log.segment();
      for (const [first, last] of [[2, 2], [2, 4], [4, 6]] as const) {
        assertThrows(() => store.commit(batchOf({ segments: [{ ...late, first, last }] })), RangeError);
      }
      store.commit(batchOf({ segments: [late] }));
    });
  });

  Deno.test(`${name} knows of a hole also when the activities before it are forgotten later`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      opened.commit(log.batch({ takenAt: 1 }, { takenAt: 2 }, { skip: 3, takenAt: 30 }, { takenAt: 40 }));
      const gap = { origin: "a", first: 1, last: 5 };
      assertEquals(opened.forget({ ...KEEP_ALL, takenBefore: 2 }), { entries: 1, upTo: 1, more: false });
      assertEquals(readAll(opened).map(({ first }) => first), [2, 6, 7]);
      assertEquals(opened.missing({}), { after: 1, activities: 3, gaps: [gap] });
      assertEquals(opened.forget({ ...KEEP_ALL, takenBefore: 3 }), { entries: 1, upTo: 2, more: false });
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(readAll(store).map(({ first }) => first), [6, 7]);
        assertEquals(store.missing({}), { after: 2, activities: 2, gaps: [gap] });
        assertEquals(store.missing({ a: 3 }).gaps, [{ ...gap, first: 4 }]);
        assertEquals(store.missingAfter(2), { after: 2, activities: 2, gaps: [gap] });
        assertEquals(store.missingAfter(3), { after: 3, activities: 1, gaps: [] });
      }
    });
  });

  Deno.test(`${name} missing() tells where to begin and how many activities come`, () => {
    use((store) => {
      const log = new LogWriter();
      store.commit(log.batch({ lines: 3 }, { audience: SERVERS }, { origin: "b", lines: 2 }, { lines: 4 }));
      assertEquals(store.missing({}), { after: 0, activities: 9, gaps: [] });
      assertEquals(store.missing({ a: 2 }), { after: 0, activities: 7, gaps: [] });
      assertEquals(store.missing({ a: 3, b: 2 }), { after: 1, activities: 4, gaps: [] });
      assertEquals(store.missing({ a: 4, b: 1 }), { after: 2, activities: 5, gaps: [] });
      assertEquals(store.missing({ a: 6, b: 2, unknown: 3 }), { after: 3, activities: 2, gaps: [] });
      assertEquals(store.missing({ a: 8, b: 2 }), { after: 4, activities: 0, gaps: [] });
      assertEquals(store.missing({ a: 99, b: 99 }), { after: 4, activities: 0, gaps: [] });
    });
  });

  Deno.test(`${name} missingAfter() counts what stands behind a position`, () => {
    use((store) => {
      const log = new LogWriter();
      store.commit(log.batch({ lines: 3 }, { audience: SERVERS }, { origin: "b", lines: 2 }, { lines: 4 }));
      const counts = [0, 1, 2, 3, 4, 5].map((position) => store.missingAfter(position));
      assertEquals(counts.map(({ activities }) => activities), [9, 6, 6, 4, 0, 0]);
      assertEquals(counts.map(({ after }) => after), [0, 1, 2, 3, 4, 4]);
    });
  });

  Deno.test(`${name} keeps accounts, and takes the last word on each`, () => {
    use((store) => {
      const account = { username: "bob", verifier: "one", lamport: 5, origin: "a" };
      const winner = { username: "bob", verifier: "two", lamport: 4, origin: "b" };
      store.commit(batchOf({ accounts: [account] }));
      assertEquals(store.account("bob"), account);
      store.commit(batchOf({ accounts: [winner] }));
      assertEquals(store.account("bob"), winner);
      assertEquals(store.account("Bob"), undefined);
      store.commit(batchOf({ accounts: [winner, account, { ...account, username: "eve" }] }));
      assertEquals(store.account("bob"), account);
      assertEquals(store.usernames(), ["bob", "eve"]);
      const names = ["😀", "\uffee", "émile", "Zoë", "anna"];
      store.commit(batchOf({ accounts: names.map((username) => ({ ...account, username })) }));
      assertEquals(store.usernames(), [...names, "bob", "eve"].sort());
    });
  });

  Deno.test(`${name} keeps the first use of a message id until it is forgotten`, () => {
    use((store) => {
      const used = (messageId: string, usedAt: number, username = "bob"): UsedMessageId => (
        { username, messageId, origin: "a", sequence: usedAt, usedAt }
      );
      store.commit(batchOf({ messageIds: [used("m", 1), used("n", 5), used("m", 2), used("m", 3, "eve")] }));
      store.commit(batchOf({ messageIds: [used("m", 4), used("m\0", 6), used("b", 7, "bo"), used("bb", 8, "o")] }));
      assertEquals(store.usedMessageId("bob", "m"), used("m", 1));
      assertEquals(store.usedMessageId("eve", "m"), used("m", 3, "eve"));
      assertEquals(store.usedMessageId("bob", "m\0"), used("m\0", 6));
      assertEquals(store.usedMessageId("b", "ob"), undefined);
      assertEquals(store.usedMessageId("bo", "b"), used("b", 7, "bo"));
      assertEquals(forgetAll(store, { ...KEEP_ALL, usedBefore: 5 }).entries, 0);
      assertEquals(store.usedMessageId("bob", "m"), undefined);
      assertEquals(store.usedMessageId("eve", "m"), undefined);
      assertEquals(store.usedMessageId("bob", "n"), used("n", 5));
    });
  });

  Deno.test(`${name} forgets message ids, however many`, () => {
    use((store) => {
      const messageIds = Array.from({ length: 12_000 }, (_, index) => (
        { username: "bob", messageId: `m${index}`, origin: "a", sequence: index + 1, usedAt: index }
      ));
      store.commit(batchOf({ messageIds }));
      const limits = { ...KEEP_ALL, usedBefore: 11_000 };
      store.forget(limits);
      forgetAll(store, limits);
      const known = messageIds.filter(({ messageId }) => store.usedMessageId("bob", messageId) !== undefined);
      assertEquals(known.map(({ usedAt }) => usedAt), Array.from({ length: 1_000 }, (_, index) => 11_000 + index));
    });
  });

  testForgettingContract({ name, use });
  testChannelsContract({ name, use });
  testBesideContract({ name, use });
  testRenamingContract({ name, use });
  testInboxContract({ name, use });

  Deno.test(`${name} can be closed twice`, () => {
    use((store) => {
      store.commit(new LogWriter().batch({}));
      store.close();
      store[Symbol.dispose]();
    });
  });

  Deno.test(`${name} answers as a reference does, whatever happens`, () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      use((opened, reopen) => {
        let store = opened;
        const writer = new LogWriter();
        const reference = new ReferenceLog();
        for (const step of steps) {
          if (step.kind === "commit") {
            const batch = writer.batch(...step.parts);
            store.commit(batch);
            reference.push(batch.segments);
          } else if (step.kind === "forget") {
            const limits = { ...step, usedBefore: 0 };
            assertEquals(forgetAll(store, limits), { ...reference.forget(limits), more: false });
          } else if (step.kind === "reopen") {
            store = reopen();
          }
          const { vector, position } = step;
          assertEquals(sorted(store.missing(vector)), sorted(reference.missing(vector)));
          assertEquals(sorted(store.missingAfter(position)), sorted(reference.missingAfter(position)));
        }
        assertEquals(readAll(store), reference.kept);
        assertEquals(readAllBackwards(store), reference.kept);
        const oldest = reference.kept.find(({ audience }) => hasActivities(audience));
        assertEquals(store.beginning().oldest?.position, oldest?.position);
      });
    }));
  });
}

const origin = fc.constantFrom("a", "b", "c");
const segmentParts: fc.Arbitrary<SegmentParts> = fc.record({
  origin,
  skip: fc.constantFrom(0, 0, 0, 0, 1, 3),
  lines: fc.integer({ min: 1, max: 4 }),
  audience: fc.constantFrom(EVERYONE, EVERYONE, OF_CHANNELS, SERVERS, FOR_BOB, FOR_BOB),
  takenAt: fc.integer({ min: 0, max: 20 }),
});
const question = {
  vector: fc.dictionary(origin, fc.integer({ min: 0, max: 40 })),
  position: fc.integer({ min: 0, max: 40 }),
};
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("commit" as const), parts: fc.array(segmentParts), ...question }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("forget" as const),
      takenBefore: fc.integer({ min: 0, max: 15 }),
      directMessagesBefore: fc.integer({ min: 0, max: 15 }),
      maxBytes: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 200 })),
      ...question,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen" as const), ...question }) },
);

/** Everything that `store` has, read as a reader does. */
export function readAll(store: Store, maxBytes = 64): Segment[] {
  const segments: Segment[] = [];
  for (;;) {
    const more = store.segmentsAfter(segments.at(-1)?.position ?? 0, maxBytes);
    if (more.length === 0) return segments;
    segments.push(...more);
  }
}

/** The same, read from its end. */
export function readAllBackwards(store: Store, maxBytes = 64): Segment[] {
  const segments: Segment[] = [];
  for (;;) {
    const more = store.segmentsBefore(segments[0]?.position ?? Infinity, maxBytes);
    if (more.length === 0) return segments;
    segments.unshift(...more);
  }
}

/** Forgets until the limits are met. */
export function forgetAll(store: Store, limits: ForgetLimits): Forgotten {
  let entries = 0;
  let upTo = 0;
  for (;;) {
    const forgotten = store.forget(limits);
    entries += forgotten.entries;
    upTo = Math.max(upTo, forgotten.upTo);
    if (!forgotten.more) return { entries, upTo, more: false };
  }
}

/** The order of gaps says nothing. */
function sorted(missing: Missing): Missing {
  return { ...missing, gaps: missing.gaps.toSorted((a, b) => a.origin < b.origin ? -1 : 1) };
}
