/** What servers of the older dialect were given is recognised when it comes back. */

import { assert, assertEquals } from "@std/assert";
import { contentOf } from "../../../server/legacy/activity_content.ts";
import type { LegacyActivity } from "../../../server/legacy/activity_order.ts";
import { GivenActivities, type Giver } from "../../../server/legacy/given_activities.ts";
import { nextSendTime } from "../../../server/legacy/send_times.ts";
import { Journal } from "../../../server/journal/journal.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import type { Segment } from "../../../log/segment.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const OWNER = { committed: () => {}, failed: () => {} };
const DAY_MS = 86_400_000;

/** A server's log, and what it has given out so far. */
class Log {
  readonly clock = new FakeClock();
  readonly store = openMemoryStore({ serverId: "s-1" });
  readonly journal = new Journal(this.store, this.clock, { tailBytes: 10_000, messagesWaitMs: DAY_MS }, OWNER);
  /** Called when all was read. */
  ready = 0;
  #last = -Infinity;

  /** Publishes these in one turn, and gives the times under which they are given out. */
  publish(...activities: string[]): number[] {
    return this.bring(undefined, ...activities);
  }

  /** The same, under this `messageId`. */
  bring(messageId: string | undefined, ...activities: string[]): number[] {
    const now = this.clock.wallMs();
    for (const activity of activities) {
      const rest = { username: "anonymous", quotedUsername: '"anonymous"', messageId, lamport: undefined };
      this.journal.publish({ activity, ...rest });
    }
    this.journal.flush();
    return activities.map(() => this.#last = nextSendTime(now, this.#last));
  }

  /** As a server begins that was just started. */
  given(journal: Pick<Journal, "head" | "segmentsAfter"> = this.journal): GivenActivities {
    const { clock } = this;
    const given = new GivenActivities({ journal, clock, rememberedMs: DAY_MS, ready: () => void this.ready++ });
    given.read();
    return given;
  }
}

function whose(given: GivenActivities, sendTime: number, text: string, isTimed = true): Giver {
  const activity: LegacyActivity = { text, sendTime, isTimed, username: "anna", identity: "older/1/2" };
  return given.whose(activity);
}

Deno.test("an activity that was given out is recognised by its time and its content, also after a restart", async () => {
  const log = new Log();
  const before = log.given();
  const [first] = log.publish('{"n":1}');
  await log.clock.run(1_000);
  const [second] = log.publish('{"n":2}');
  before.read();
  for (const given of [before, log.given()]) {
    assert(!given.isReading);
    assertEquals(whose(given, first!, '{"n":1}'), "ours");
    assertEquals(whose(given, second!, '{"n":2}'), "ours");
    // Another one of the same moment, the same one of another moment, and one that says no time.
    assertEquals(whose(given, first!, '{"n":2}'), "theirs");
    assertEquals(whose(given, first! + 1, '{"n":1}'), "theirs");
    assertEquals(whose(given, first!, '{"n":1}', false), "theirs");
    assertEquals(whose(given, first! - DAY_MS, '{"n":1}'), "theirs");
  }
  assertEquals(log.ready, 0);
});

Deno.test("activities of one moment have each a time, the same after a restart as before", () => {
  const log = new Log();
  const texts = Array.from({ length: 500 }, (_, n) => `{"n":${n}}`);
  const times = [...log.publish(...texts.slice(0, 200)), ...log.publish(...texts.slice(200))];
  const given = log.given();
  for (const [index, text] of texts.entries()) assertEquals(whose(given, times[index]!, text), "ours");
  assertEquals(given.lastSendTime, times.at(-1));
});

Deno.test("a time that was moved on for one server is known under that time", () => {
  const log = new Log();
  const [time] = log.publish('{"n":1}');
  const given = log.given();
  given.gave(time! + 1, log.journal.head);
  assertEquals(whose(given, time! + 1, '{"n":1}'), "ours");
  assertEquals(given.lastSendTime, time! + 1);
});

Deno.test("an activity is the same however such a server writes it", () => {
  const own =
    '{"n":1,"big":9007199254740993,"list":[1,null,{"a":null,"b":"\\u003c"}],"nothing":null,"z":{"y":1,"x":2}}';
  for (
    const theirs of [
      '{ "authenticated_user":"bob", "z":{"x":2.0,"y":1},"big":9.007199254740992E15,"list":[1,null,{"b":"<"}],"n":1.0}',
      own,
    ]
  ) assertEquals(contentOf(theirs), contentOf(own));
  for (const other of ['{"n":2}', '{"n":"1"}', '{"n":[1]}', '{"n":{"1":1}}', "{}"]) {
    assert(contentOf(other) !== contentOf('{"n":1}'), other);
  }
});

Deno.test("a long log is read in the background, its newest part alone, and what is older cannot be told", async () => {
  const log = new Log();
  const [oldest] = log.publish('{"n":"oldest"}');
  await log.clock.run(1_000);
  const many = Array.from({ length: 2_500 }, (_, n) => `{"n":${n}}`);
  let newest = 0;
  for (let turn = 0; turn < 50; turn++) {
    newest = log.publish(...many).at(-1)!;
    await log.clock.run(5_000);
  }
  let reads = 0;
  const counting = {
    get head() {
      return log.journal.head;
    },
    segmentsAfter: (position: number, maxBytes: number): readonly Segment[] => {
      reads++;
      return log.journal.segmentsAfter(position, maxBytes);
    },
  };
  const given = log.given(counting);
  assert(given.isReading && reads <= 8, `${reads}`);
  await log.clock.run(1_000);
  assertEquals([given.isReading, log.ready], [false, 1]);
  assertEquals(whose(given, newest, many.at(-1)!), "ours");
  assertEquals(whose(given, oldest!, '{"n":"oldest"}'), "unknown");
  assertEquals(whose(given, newest + 1, "{}"), "theirs");
});

Deno.test("what the log has forgotten cannot be told", async () => {
  const log = new Log();
  const [forgotten] = log.publish('{"n":1}');
  await log.clock.run(1_000);
  const [kept] = log.publish('{"n":2}');
  const limits = { maxBytes: 1, takenBefore: 0, directMessagesBefore: 0, usedBefore: 0 };
  log.store.forget(limits);
  log.journal.forgot(1);
  const given = log.given();
  assertEquals(whose(given, forgotten!, '{"n":1}'), "unknown");
  assertEquals(whose(given, forgotten! + 1, '{"n":7}'), "unknown");
  assertEquals(whose(given, kept!, '{"n":2}'), "ours");
  assertEquals(whose(given, kept! + 1, '{"n":2}'), "theirs");
});

Deno.test("what such a server brought is its own, at whatever moment it was taken in, and ours for the others", () => {
  const log = new Log();
  const given = log.given();
  const [time] = log.bring("older/5/1000", '{"n":1,"older":"x"}');
  given.read();
  assertEquals(whose(given, time!, '{"n":1,"older":"x"}'), "theirs");
  given.gave(time!, log.journal.head);
  assertEquals(whose(given, time!, '{"n":1,"older":"x"}'), "ours");
  // Nobody knows any more who got it.
  assertEquals(whose(log.given(), time!, '{"n":1,"older":"x"}'), "ours");
});
