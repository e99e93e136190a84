/**
 * What follows a commit: in which order, that a fault of one step stops no other, and that the journal hands
 * it over in one piece.
 */

import { assertEquals } from "@std/assert";
import { EVERYONE, type Segment } from "../../../log/segment.ts";
import { type FaultPlace, Faults } from "../../../platform/faults.ts";
import type { Commit } from "../../../server/journal/commit.ts";
import { Journal } from "../../../server/journal/journal.ts";
import { AfterCommit } from "../../../server/node/after_commit.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** Every step of a commit that has something for everybody. */
const ALL_STEPS = [
  "spans committed",
  "peers",
  "acknowledge 1",
  "acknowledge 2",
  "holes",
  "those who lack something",
  "budget",
  "trace",
  "watcher",
  "readers",
  "spans delivered",
  "delays",
  "logins that waited",
  "older servers",
  "names in lists",
  "names to older servers",
  "names to guests",
  "names to observers",
  "lost bob",
  "lost carl",
  "registration 1",
  "registration 2",
];

const SEGMENT: Segment = {
  position: 7,
  origin: "s-1",
  first: 3,
  last: 4,
  audience: EVERYONE,
  bytes: new Uint8Array(5),
  takenAt: 0,
};

/** Remembers where it caught something, and says nothing. */
class SilentFaults extends Faults {
  readonly caughtAt: FaultPlace[] = [];

  override caught(where: FaultPlace): void {
    this.caughtAt.push(where);
  }
}

/** A server's steps, noted as they are taken. Those in `broken` throw. */
function steps({ broken = new Set<string>(), isRenaming = false } = {}) {
  const taken: string[] = [];
  const take = (step: string) => {
    taken.push(step);
    if (broken.has(step)) throw new Error(step);
  };
  const faults = new SilentFaults();
  const heard = { bytes: 0, before: -1 };
  const after = new AfterCommit({
    faults,
    backplane: { committed: () => take("peers"), delivered: () => take("logins that waited") },
    hub: {
      skipped: (before) => {
        heard.before = before;
        take("holes");
      },
      lacks: () => take("those who lack something"),
      deliver: () => take("readers"),
    },
    origins: { isRenaming },
    budget: {
      wrote: (bytes) => {
        heard.bytes += bytes;
        take("budget");
      },
    },
    tracer: () => ({ broadcast: () => take("trace") }),
    watched: () => take("watcher"),
    spans: { committed: () => take("spans committed"), delivered: () => take("spans delivered") },
    delivered: () => take("delays"),
    legacy: { committed: () => take("older servers"), registered: () => take("names to older servers") },
    userLists: { registered: () => take("names in lists") },
    guests: { registered: () => take("names to guests") },
    observatory: { accountsChanged: () => take("names to observers") },
    sessions: {
      of: (username) => {
        take(`lost ${username}`);
        return [];
      },
    },
    placeKeeper: { forgetUser: () => {} },
  });
  const commit: Commit = {
    segments: [SEGMENT, { ...SEGMENT, position: 8 }],
    holes: { "s-2": 9 },
    waiting: [1, 2].map((n) => ({
      committed: () => take(`acknowledge ${n}`),
      faulted: () => taken.push(`cut ${n}`),
    })),
    names: ["anna"],
    lostAccounts: ["bob", "carl"],
    registrations: [1, 2].map((n) => () => take(`registration ${n}`)),
  };
  return { after, commit, taken, faults, heard };
}

Deno.test("after a commit peers come first, then acknowledgements, readers, names and registrations", () => {
  const { after, commit, taken, faults, heard } = steps();
  after.committed(commit);
  assertEquals(taken, ALL_STEPS);
  assertEquals(faults.caughtAt, []);
  // The hole is before the first of them.
  assertEquals(heard, { bytes: 10, before: 6 });
});

for (const broken of ALL_STEPS) {
  Deno.test(`after a commit a fault in "${broken}" stops no other step`, () => {
    const { after, commit, taken, faults } = steps({ broken: new Set([broken]) });
    after.committed(commit);
    assertEquals(taken.filter((step) => !step.startsWith("cut ")), ALL_STEPS);
    assertEquals(faults.caughtAt, ["turn"]);
    // Who waits for an answer that it will not get is cut, at once.
    const isAnswer = broken.startsWith("acknowledge ");
    assertEquals(taken[taken.indexOf(broken) + 1]?.startsWith("cut ") === true, isAnswer);
  });
}

Deno.test("after a commit that added nothing to the log only those who wait are told, and names", () => {
  const { after, commit, taken } = steps();
  after.committed({ ...commit, segments: [], holes: undefined, names: [], lostAccounts: [], registrations: [] });
  assertEquals(taken, ["acknowledge 1", "acknowledge 2"]);
  taken.length = 0;
  after.committed({ ...commit, segments: [], holes: undefined, waiting: [] });
  assertEquals(taken, ALL_STEPS.slice(ALL_STEPS.indexOf("names in lists")));
});

Deno.test("readers are not sent what they had under the former name of the server, and end only at holes", () => {
  const { after, commit, taken } = steps({ isRenaming: true });
  after.committed({ ...commit, holes: undefined });
  assertEquals(taken, ALL_STEPS.filter((step) => step !== "readers" && step !== "holes"));
});

const ABOUT = {
  ...{ username: "anonymous", quotedUsername: '"anonymous"', messageId: undefined, lamport: undefined },
  ...{ activity: "{}", after: undefined },
};

function journalOf(committed: (commit: Commit) => void, failed: (error: unknown) => void = () => {}) {
  const store = openMemoryStore({ serverId: "s-1" });
  const kept = { tailBytes: 1_000_000, messagesWaitMs: 1 };
  return { store, journal: new Journal(store, new FakeClock(), kept, { committed, failed }) };
}

Deno.test("a turn in which everybody throws is told to all, and the next turn is as any other", () => {
  const { after, taken, faults } = steps({ broken: new Set(ALL_STEPS) });
  const { journal, store } = journalOf((commit) => after.committed(commit));
  const fault = (who: string) => {
    taken.push(who);
    throw new Error(who);
  };
  journal.publish(ABOUT);
  for (const username of ["anna", "bob"]) {
    journal.register({ username, verifier: "v", claim: 1 }, () => fault(`${username} is registered`));
    journal.whenCommitted({
      committed: () => fault(`${username} is told`),
      faulted: () => taken.push(`${username} is cut`),
    });
  }
  journal.flush();
  assertEquals(taken, [
    ...[
      "spans committed",
      "peers",
      "anna is told",
      "anna is cut",
      "bob is told",
      "bob is cut",
      "those who lack something",
      "budget",
      "trace",
      "watcher",
    ],
    ...["readers", "spans delivered", "delays", "logins that waited", "older servers", "names in lists"],
    ...["names to older servers", "names to guests", "names to observers"],
    ...["anna is registered", "bob is registered"],
  ]);
  assertEquals(faults.caughtAt.length, 19);
  assertEquals(journal.publish(ABOUT).sequence, 4);
  store.close();
});

Deno.test("Journal.flush() hands over one commit; what begins meanwhile belongs to the next one", () => {
  const told: string[] = [];
  const { journal, store } = journalOf(({ segments, waiting, names, registrations }) => {
    const turn = `${segments.map(({ first, last }) => `${first}-${last}`)} ${names}`;
    told.push(`begin ${turn}`);
    if (names[0] === "anna") {
      // Peers are told before those who wait: one of them may have begun something already, and ended that turn.
      journal.register({ username: "bob", verifier: "v", claim: 1 }, () => told.push("bob is registered"));
      journal.whenCommitted({ committed: () => told.push("bob is told") });
      journal.flush();
    }
    for (const one of waiting) one.committed();
    for (const delivered of registrations) delivered();
    told.push(`end ${turn}`);
  });
  journal.register({ username: "anna", verifier: "v", claim: 1 }, () => told.push("anna is registered"));
  journal.whenCommitted({ committed: () => told.push("anna is told") });
  journal.flush();
  assertEquals(told, [
    ...["begin 1-1 anna", "begin 2-2 bob", "bob is told", "bob is registered", "end 2-2 bob"],
    ...["anna is told", "anna is registered", "end 1-1 anna"],
  ]);
  store.close();
});

Deno.test("Journal.flush() hands nothing over when the store does not take the turn", () => {
  const told: string[] = [];
  const { journal, store } = journalOf(() => told.push("committed"), (error) => told.push(`${error}`));
  store.commit = () => {
    throw "the disk is full";
  };
  journal.publish(ABOUT);
  journal.flush();
  journal.flush();
  assertEquals(told, ["the disk is full"]);
  store.close();
});
