/** One turn of a mailbox: what is delivered in it is not given to anybody else in it. */

import { WorkShares } from "../../../server/session/limits/work_shares.ts";
import { assertEquals } from "@std/assert";
import { Journal } from "../../../server/journal/journal.ts";
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
