/**
 * What every store promises about what it keeps beside the log (server/store/store.ts): a part of `store_contract.ts`.
 */

import { assertEquals, assertThrows } from "@std/assert";
import { type Audience, EVERYONE, SERVERS } from "../../log/segment.ts";
import { batchOf, LogWriter } from "../support/log_writer.ts";
import { readAll, type StoreDoor } from "./store_contract.ts";

const FOR_BOB: Audience = { kind: "user", username: "bob" };

/** Registers the tests. */
export function testBesideContract({ name, use }: StoreDoor): void {
  Deno.test(`${name} keeps notes until they are taken away`, () => {
    use((opened, reopen) => {
      assertEquals(opened.note("a"), undefined);
      opened.commit(batchOf({ notes: { a: "1", b: "", A: "ä😀" } }));
      opened.commit(batchOf({ notes: { a: "3" } }));
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(["a", "b", "A", "c"].map((key) => store.note(key)), ["3", "", "ä😀", undefined]);
      }
      const store = reopen();
      store.commit(batchOf({ notes: { a: null, c: null } }));
      store.commit(batchOf({ notes: { b: "4" } }));
      assertEquals(["a", "b", "c"].map((key) => reopen().note(key)), [undefined, "4", undefined]);
    });
  });

  Deno.test(`${name} keeps places until they are over`, () => {
    use((opened, reopen) => {
      const place = (id: number, username: string, place = "{}") => ({ id, username, place });
      opened.commit(batchOf({ places: [place(7, "bob"), place(2, "eve"), place(3, "bob", "😀"), place(9, "ann")] }));
      opened.commit(batchOf({ places: [place(7, "bob", "2"), place(8, "ann")], endedPlaces: [2, 8, 99] }));
      const store = reopen();
      // A store in memory is never opened again.
      if (store === opened) return;
      assertEquals(store.opened.places, [place(3, "bob", "😀"), place(7, "bob", "2"), place(9, "ann")]);
    });
  });

  Deno.test(`${name} tells what a reader has that got everything up to a position`, () => {
    use((store) => {
      store.commit(new LogWriter().batch({ lines: 2 }, { origin: "b" }, { lines: 3 }));
      const vectors = [0, 1, 2, 3].map((position) => store.vectorAt(position));
      assertEquals(vectors, [{ a: 0, b: 0 }, { a: 2, b: 0 }, { a: 2, b: 1 }, { a: 5, b: 1 }]);
    });
  });

  Deno.test(`${name} forgets an origin whole, and tells those of a gap who name it`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      const batch = log.batch({ lines: 2 }, { origin: "b" }, { origin: "b", audience: FOR_BOB }, { audience: FOR_BOB });
      const directMessages = [
        { origin: "b", sequence: 2, to: "bob", line: "b:2\n" },
        { origin: "a", sequence: 3, to: "bob", line: "a:3\n" },
      ];
      const used = (origin: string, messageId: string) => (
        { username: "bob", messageId, origin, sequence: 1, usedAt: 1 }
      );
      const account = { username: "eve", verifier: "v", lamport: 1, origin: "b" };
      const messageIds = [used("a", "m"), used("b", "n")];
      opened.commit({ ...batch, directMessages, messageIds, accounts: [account], lamport: 5 });
      opened.commit({ ...log.batch({ origin: "b" }), delivered: [{ origin: "b", sequence: 9 }], lamport: 6 });
      opened.commit(batchOf({ buried: { b: 3, "never seen": 7 }, lamport: 8 }));
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(readAll(store).map(({ position }) => position), [1, 4]);
        assertEquals(store.missing({}), { after: 0, activities: 2, gaps: [] });
        assertEquals(store.missing({ a: 3, b: 3, "never seen": 7 }), { after: 5, activities: 0, gaps: [] });
        assertEquals(store.missing({ a: 3, b: 1, "never seen": 6, other: 1 }).gaps, [
          { origin: "b", first: 2, last: 3 },
          { origin: "never seen", first: 7, last: 7 },
        ]);
        assertEquals(store.missingAfter(5), { after: 5, activities: 0, gaps: [] });
        assertEquals(store.inboxOf("bob").map(({ line }) => line), ["a:3\n"]);
        assertEquals(store.usedMessageId("bob", "n"), undefined);
        assertEquals(store.usedMessageId("bob", "m"), used("a", "m"));
        assertEquals(store.account("eve"), account);
      }
    });
  });

  Deno.test(`${name} lets an origin that was forgotten go on behind what it had, and not before`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      opened.commit(log.batch({ origin: "b", lines: 3 }, {}));
      opened.commit(batchOf({ buried: { b: 3, c: 2 } }));
      opened.commit(batchOf({ buried: { b: 1, c: 9 } }));
      const store = reopen();
      const early = { ...new LogWriter().segment({ origin: "b", lines: 3 }), position: 3 };
      assertThrows(() => store.commit(batchOf({ segments: [early] })), RangeError, "do not follow b:3");
      store.commit(log.batch({ origin: "b" }, { origin: "c", skip: 11 }));
      for (const ask of [() => store, reopen]) {
        const store = ask();
        assertEquals(readAll(store).map(({ position }) => position), [2, 3, 4]);
        const gaps = [{ origin: "b", first: 1, last: 3 }, { origin: "c", first: 1, last: 11 }];
        assertEquals(store.missing({ a: 1 }), { after: 2, activities: 2, gaps });
      }
    });
  });

  Deno.test(`${name} forgets an origin before the rest of a batch, but never itself`, () => {
    use((opened, reopen) => {
      let store = opened;
      const log = new LogWriter();
      const own = store.opened.serverId;
      store.commit(log.batch({ origin: own }, {}, { origin: "b" }));
      assertThrows(() => store.commit(batchOf({ buried: { [own]: 1 } })), RangeError, "is this server");
      assertEquals(readAll(store).length, 3);
      store.commit({ ...log.batch({ origin: "b" }), buried: { b: 1 } });
      for (const ask of [() => store, reopen]) {
        assertEquals(readAll(ask()).map(({ position, first }) => [position, first]), [[1, 1], [2, 1], [4, 2]]);
      }
      store = reopen();
      const next = log.segment({ origin: "b" });
      assertThrows(
        () => store.commit(batchOf({ segments: [next], buried: { b: 3 } })),
        RangeError,
        "do not follow b:3",
      );
    });
  });

  Deno.test(`${name} tells which origins were forgotten whole when it is opened, and what was noted`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      opened.commit({ ...log.batch({ origin: "b" }), buried: { c: 4, d: 5 }, notes: { one: "1", two: "2" } });
      opened.commit({ ...log.batch({ origin: "d", skip: 5 }), buried: { b: 1 }, notes: { one: null } });
      const store = reopen();
      // A store in memory is never opened again.
      if (store === opened) return;
      const { tombstones, vector, notes } = store.opened;
      assertEquals({ tombstones, vector, notes }, {
        tombstones: { b: 1, c: 4 },
        vector: { d: 6 },
        notes: { two: "2" },
      });
    });
  });

  Deno.test(`${name} names origins that can be forgotten whole: nothing of them is young, for users or awaited`, () => {
    use((opened, reopen) => {
      const log = new LogWriter();
      const of = (origin: string, takenAt: number, audience: Audience) => ({ origin, takenAt, audience });
      const batch = log.batch(
        of("only accounts", 10, SERVERS),
        of("only accounts", 10, SERVERS),
        of("young", 20, SERVERS),
        of("activities", 10, EVERYONE),
        of("activities", 10, SERVERS),
        of("last is an activity", 10, SERVERS),
        of("last is an activity", 10, EVERYONE),
        of("last is for bob", 10, FOR_BOB),
        of("for bob", 10, FOR_BOB),
        of("for bob", 10, SERVERS),
        of("awaited", 10, FOR_BOB),
      );
      const directMessages = [{ origin: "awaited", sequence: 1, to: "bob", line: "awaited:1\n" }];
      opened.commit({ ...batch, directMessages });
      const before = { takenBefore: 20, directMessagesBefore: 20 };
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        const all = { "only accounts": 2, "last is an activity": 2, "last is for bob": 1 };
        assertEquals(store.buriable(before, 10), all);
        assertEquals(Object.keys(store.buriable(before, 2)).length, 2);
        const { "last is for bob": _, ...rest } = all;
        assertEquals(store.buriable({ ...before, directMessagesBefore: 10 }, 10), rest);
        assertEquals(store.buriable({ ...before, takenBefore: 10 }, 10), {});
      }
      const store = reopen();
      store.commit(batchOf({ delivered: [{ origin: "awaited", sequence: 1 }] }));
      assertEquals(store.buriable(before, 10)["awaited"], 1);
    });
  });

  Deno.test(`${name} gives accounts in portions`, () => {
    use((opened, reopen) => {
      const names = ["a", "ab", "b", "é", "\uffee", "😀", "😀a", "😁"];
      const accounts = names.toReversed().map((username) => ({ username, verifier: "v", lamport: 1, origin: "a" }));
      opened.commit(batchOf({ accounts }));
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(store.accountsAfter("", 100), accounts.toReversed());
        for (const [index, name] of names.entries()) {
          const portion = store.accountsAfter(name, 2).map(({ username }) => username);
          assertEquals(portion, names.slice(index + 1, index + 3));
        }
      }
    });
  });
}
