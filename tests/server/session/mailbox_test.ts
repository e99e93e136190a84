/** One turn of a mailbox: what is delivered in it is not given to anybody else in it. */

import { WorkShares } from "../../../server/session/limits/work_shares.ts";
import { assertEquals } from "@std/assert";
import { Journal } from "../../../server/journal/journal.ts";
import { linesAfter } from "../../../log/segment.ts";
import { encodeDirectMessage, parseEntry } from "../../../protocol/entry_codec.ts";
import { Mailbox } from "../../../server/session/client/mailbox.ts";
import type { Outlet } from "../../../platform/transport.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const MESSAGE = { from: "anna", to: "bob", text: "hello", messageId: "m-1", lamport: undefined };

const told = () => {};

function journalOn(clock: FakeClock): Journal {
  const kept = { tailBytes: 1_000, messagesWaitMs: Infinity };
  const owner = { committed: told, placeNoted: told, failed: told };
  return new Journal(openMemoryStore({ serverId: "s-1" }), clock, kept, owner);
}

Deno.test("a server that has numbered a message or a mark takes nothing of its own back from others", () => {
  for (
    const give of [
      (journal: Journal) => void journal.directMessages.send(MESSAGE),
      (journal: Journal) => journal.directMessages.delivered({ ...MESSAGE, origin: "s-2", sequence: 1 }),
    ]
  ) {
    const journal = journalOn(new FakeClock());
    assertEquals(journal.hasAccepted, false);
    give(journal);
    assertEquals(journal.hasAccepted, true);
    journal.flush();
  }
});

Deno.test("what one session has taken in this turn is not sent to one that begins in it, and is marked once", async () => {
  const clock = new FakeClock();
  const journal = journalOn(clock);
  for (const messageId of ["m-1", "m-2"]) journal.directMessages.send({ ...MESSAGE, messageId });
  journal.flush();

  const written: string[] = [];
  const outlet: Outlet = {
    pendingBytes: 0,
    write: (bytes) => written.push(new TextDecoder().decode(bytes)) > 0,
  };
  const begin = () => {
    const mailbox = new Mailbox({
      journal,
      clock,
      outlet,
      username: "bob",
      knowsChat: true,
      opened: told,
      shares: new WorkShares(clock),
    });
    mailbox.open();
    return mailbox;
  };
  const [one, two] = [begin(), begin()];
  assertEquals(written.splice(0).map((text) => text.split("\n").length - 1), [2, 2]);
  one.acknowledged({ "s-1": 1 });
  two.acknowledged({ "s-1": 1 });
  begin();
  const lines = written.join("").trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ messageId, offline }) => [messageId, offline]), [["m-2", true]]);
  journal.flush();
  // Two messages and one receipt.
  assertEquals(journal.vector, { "s-1": 3 });
  await clock.run(0);
});

/** A client of bob that brings `has`, at a server that has nothing of the origin `a` yet. */
function opened(has: Record<string, number>) {
  const clock = new FakeClock();
  const journal = journalOn(clock);
  const written: string[] = [];
  const mailbox = new Mailbox({
    journal,
    clock,
    outlet: { pendingBytes: 0, write: (bytes) => written.push(new TextDecoder().decode(bytes)) > 0 },
    username: "bob",
    knowsChat: true,
    opened: told,
    shares: new WorkShares(clock),
  });
  mailbox.open(has);
  /** What the client is written of a message that comes; of those up to `had` it has all, by its vector. */
  const comes = (sequence: number, lamport: number, had: number) => {
    const facts = { origin: "a", sequence, lamport, sentAt: 1, after: undefined };
    const line = encodeDirectMessage({ ...facts, from: "anna", to: "bob", text: "hello", messageId: `m-${sequence}` });
    const audience = { kind: "user", username: "bob" } as const;
    journal.replicate({ origin: "a", sequence, audience, line, facts: parseEntry(line)! });
    journal.flush();
    const segment = journal.segmentsAfter(journal.head - 1, 1_000)[0]!;
    const text = new TextDecoder().decode(mailbox.take(segment, linesAfter(segment, had)));
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line)).map(({ id, offline }) => [id, offline]);
  };
  const waiting = () => {
    journal.flush();
    return journal.directMessages.of("bob", {}).map(({ sequence }) => sequence);
  };
  return { mailbox, written, comes, waiting };
}

Deno.test("who has the number of a message that comes, and has not said to have taken it, is shown it as one that waited", () => {
  const { mailbox, written, comes, waiting } = opened({ a: 3 });
  mailbox.acknowledged({ a: 1 }, 9);
  // That one was taken at another server.
  assertEquals(comes(1, 5, 3), []);
  assertEquals(waiting(), []);
  assertEquals(comes(2, 6, 3), [["a:2", true]]);
  assertEquals(comes(3, 7, 3), [["a:3", true]]);
  assertEquals(comes(4, 8, 3), [["a:4", undefined]]);
  assertEquals(waiting(), [2, 3, 4]);
  mailbox.acknowledged({ a: 4 }, 10);
  assertEquals([waiting(), written], [[], []]);
});

Deno.test("who said to have taken a number before the message was sent that has it now has taken another one", () => {
  const { mailbox, comes, waiting } = opened({ a: 3 });
  mailbox.acknowledged({ a: 3 }, 9);
  assertEquals(comes(1, 9, 3), []);
  // Numbered when an old copy of the data was put back, and sent after the client had said so.
  assertEquals(comes(2, 10, 3), [["a:2", true]]);
  assertEquals(waiting(), [2]);
  mailbox.acknowledged({ a: 3 }, 11);
  assertEquals(waiting(), []);
  // A client that keeps no time is believed.
  const timeless = opened({ a: 3 });
  timeless.mailbox.acknowledged({ a: 3 });
  assertEquals(timeless.comes(1, 1_000, 3), []);
  assertEquals(timeless.waiting(), []);
});
