/**
 * What every store promises about a server that goes on under a new name (server/store/store.ts): a part of
 * `store_contract.ts`.
 */

import { assertEquals, assertThrows } from "@std/assert";
import { type Audience, EVERYONE, SERVERS } from "../../log/segment.ts";
import { batchOf, LogWriter } from "../support/log_writer.ts";
import { KEEP_ALL, readAll, type StoreDoor } from "./store_contract.ts";

const FOR_BOB: Audience = { kind: "user", username: "bob" };

/** Registers the tests. */
export function testRenamingContract({ name, use }: StoreDoor): void {
  Deno.test(`${name} ends the origin of a server that has a new name, and keeps what is of others`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      const own = "s-1";
      const message = (sequence: number) => ({ origin: own, sequence, to: "bob", line: `${own}:${sequence}\n` });
      const used = (origin: string, sequence: number) => (
        { username: "eve", messageId: `${origin}${sequence}`, origin, sequence, usedAt: 1 }
      );
      const batch = log.batch(
        { origin: own, lines: 2 },
        { origin: own, audience: FOR_BOB },
        { origin: "b", lines: 2 },
        { origin: own, audience: FOR_BOB, takenAt: 5 },
        { origin: own, audience: SERVERS },
        { origin: own, lines: 3, text: "x".repeat(20_000) },
      );
      opened.commit({
        ...batch,
        directMessages: [message(3), message(4)],
        messageIds: [used(own, 2), used(own, 7), used("b", 7)],
        lamport: 8,
      });
      const head = batch.segments.length;
      const again = {
        origin: "s-2",
        first: 1,
        last: 4,
        audience: EVERYONE,
        takenAt: 9,
        bytes: new Uint8Array([65, 10]),
      };
      const follows = { ...again, position: head + 1 };
      const renamed = { former: own, after: 3, serverId: "s-2" };
      opened.commit(batchOf({ renamed, segments: [follows], messageIds: [used("s-2", 4)], lamport: 9 }));
      const kept = [...batch.segments.slice(0, 3), follows];
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(readAll(store).map(({ position }) => position), kept.map(({ position }) => position));
        assertEquals(store.inboxOf("bob").map(({ sequence }) => sequence), [3]);
        assertEquals([store.inboxSize, store.inboxOldest], [1, 1_000]);
        const known = [used(own, 2), used(own, 7), used("b", 7), used("s-2", 4)];
        assertEquals(known.map(({ messageId }) => store.usedMessageId("eve", messageId)?.sequence), [
          2,
          undefined,
          7,
          4,
        ]);
        assertEquals(store.missing({}).after, 0);
        assertEquals(store.missing({ [own]: 3, b: 2 }).activities, 4);
        assertEquals(store.missing({ [own]: 3, b: 2, "s-2": 4 }), { after: head + 1, activities: 0, gaps: [] });
      }
      const store = reopen();
      // The numbers are free for what others have under them.
      store.commit(batchOf({ segments: [{ ...follows, position: head + 2, origin: own, first: 4, last: 4 }] }));
      assertEquals(store.missing({ b: 2, "s-2": 4 }).activities, 3);
      assertThrows(() => store.commit(batchOf({ buried: { "s-2": 4 } })), RangeError);
      store.commit(batchOf({ buried: { [own]: 4 } }));
      assertEquals([store.inboxSize, store.inboxOldest], [0, undefined]);
      if (store === opened) return;
      const { serverId, vector, lamport } = reopen().opened;
      assertEquals([serverId, vector, lamport], ["s-2", { b: 2, "s-2": 4 }, 9]);
    });
  });

  Deno.test(`${name} goes on under a new name with nothing left, and never goes back in the log`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      opened.commit(log.batch({ origin: "s-1", lines: 2 }, { origin: "s-1", audience: SERVERS }));
      opened.commit(batchOf({ renamed: { former: "s-1", after: 0, serverId: "s-2" } }));
      const store = reopen();
      assertEquals(readAll(store), []);
      assertEquals(store.missing({ "s-1": 3 }), { after: 2, activities: 0, gaps: [] });
      if (store !== opened) {
        assertEquals([store.opened.serverId, store.opened.vector, store.opened.head], ["s-2", {}, 2]);
      }
      const next = { position: 3, origin: "s-1", first: 1, last: 1, audience: EVERYONE, takenAt: 1 };
      store.commit(batchOf({ segments: [{ ...next, bytes: new Uint8Array([66, 10]) }] }));
      assertEquals(store.missing({}).activities, 1);
    });
  });

  Deno.test(`${name} frees the numbers behind where the origin ends also where what had them was forgotten`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      const own = "s-1";
      opened.commit(log.batch({ origin: own }, { origin: own, lines: 5 }, { origin: own, lines: 4 }, { origin: own }));
      assertEquals(opened.forget({ ...KEEP_ALL, maxBytes: 0 }).entries, 10);
      opened.commit(batchOf({ renamed: { former: own, after: 1, serverId: "s-2" } }));
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(readAll(store), []);
        // What stays of it is forgotten, and nothing else.
        assertEquals(store.missing({}), { after: 4, activities: 0, gaps: [{ origin: own, first: 1, last: 1 }] });
        assertEquals(store.missing({ [own]: 11 }).gaps, []);
        assertEquals(store.vectorAt(4), { [own]: 1 });
      }
      const store = reopen();
      if (store !== opened) assertEquals(store.opened.vector, { [own]: 1 });
      const others = { position: 5, origin: own, first: 2, last: 3, audience: EVERYONE, takenAt: 1 };
      store.commit(batchOf({ segments: [{ ...others, bytes: new Uint8Array([66, 10, 66, 10]) }] }));
      assertEquals(store.missing({ [own]: 1 }), { after: 4, activities: 2, gaps: [] });
      assertEquals(store.vectorAt(4), { [own]: 1 });
      const again = reopen();
      if (again !== opened) assertEquals(again.opened.vector, { [own]: 3 });
      assertEquals(again.missing({}), { after: 4, activities: 2, gaps: [{ origin: own, first: 1, last: 1 }] });
    });
  });

  Deno.test(`${name} keeps how far an origin goes when it ends where everything was forgotten, or something is kept`, () => {
    for (
      const [audience, takenAt, gaps] of [
        [FOR_BOB, 1, [{ origin: "s-1", first: 1, last: 3 }]],
        [FOR_BOB, 9, [{ origin: "s-1", first: 1, last: 3 }]],
        [SERVERS, 1, [{ origin: "s-1", first: 1, last: 2 }]],
      ] as const
    ) {
      use((opened, reopen) => {
        const log = new LogWriter();
        const own = "s-1";
        opened.commit(log.batch(
          { origin: own, lines: 2, takenAt: 1 },
          { origin: own, audience, takenAt: 1 },
          { origin: own, lines: 2, takenAt },
          { origin: own, takenAt: 9 },
        ));
        opened.forget({ ...KEEP_ALL, takenBefore: 5, directMessagesBefore: 5 });
        opened.commit(batchOf({ renamed: { former: own, after: 3, serverId: "s-2" } }));
        for (const ask of [() => opened, reopen]) {
          const store = ask();
          assertEquals(readAll(store).length, audience === SERVERS ? 1 : 0);
          assertEquals(store.missing({}).gaps, gaps);
          assertEquals(store.missing({ [own]: 3 }).gaps, []);
        }
        const store = reopen();
        if (store !== opened) assertEquals(store.opened.vector, { [own]: 3 });
        const next = { position: 5, origin: own, first: 4, last: 4, audience: EVERYONE, takenAt: 1 };
        store.commit(batchOf({ segments: [{ ...next, bytes: new Uint8Array([66, 10]) }] }));
        assertEquals(store.missing({}).gaps, gaps);
        assertEquals(store.missing({ [own]: 3 }), { after: 4, activities: 1, gaps: [] });
      });
    }
  });

  Deno.test(`${name} takes back the end of another origin, and writes it anew in the same turn`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      opened.commit(
        log.batch({ origin: "b", lines: 2 }, { origin: "b", lines: 3, audience: SERVERS }, { origin: "c" }),
      );
      const again = { origin: "b", first: 3, last: 5, audience: EVERYONE, takenAt: 9 };
      const bytes = new TextEncoder().encode("b:3 again\nb:4 again\nb:5 again\n");
      const renamed = { former: "b", after: 2, serverId: opened.opened.serverId };
      opened.commit(batchOf({ renamed, segments: [{ ...again, position: 4, bytes }] }));
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(readAll(store).map(({ origin, first, last }) => [origin, first, last]), [
          ["b", 1, 2],
          ["c", 1, 1],
          ["b", 3, 5],
        ]);
        assertEquals(store.missing({}), { after: 0, activities: 6, gaps: [] });
      }
      assertEquals(reopen().opened.serverId, opened.opened.serverId);
    });
  });

  Deno.test(`${name} finds the segment of an entry, whoever it is for`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      opened.commit(log.batch(
        { origin: "b", lines: 2 },
        { origin: "b", audience: FOR_BOB, lines: 2 },
        { origin: "b", audience: SERVERS },
        { origin: "b", skip: 3 },
      ));
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        const found = Array.from({ length: 10 }, (_, sequence) => store.segmentOf("b", sequence)?.position);
        assertEquals(found, [undefined, 1, 1, 2, 2, 3, undefined, undefined, undefined, 4]);
        assertEquals(store.segmentOf("c", 1), undefined);
        assertEquals(store.newestActivity("b"), 4);
        assertEquals(store.newestActivity("c"), 0);
      }
    });
  });
}
