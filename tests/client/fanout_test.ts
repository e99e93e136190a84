import { assertEquals, assertRejects } from "@std/assert";
import { Fanout, MAX_BEHIND } from "../../client/fanout.ts";
import type { Activity } from "../../client/options.ts";

function activity(sequence: number, origin = "s"): Activity {
  return {
    activity: { sequence },
    json: `{"sequence":${sequence}}`,
    user: "u",
    id: `${origin}:${sequence}`,
    lamport: sequence,
    sentAt: 0,
  };
}

function makeQueue(comesAgain = false) {
  const pressure: boolean[] = [];
  const unread: string[] = [];
  const taken: string[] = [];
  const queue = new Fanout<Activity>({
    onPressure: (isHigh) => pressure.push(isHigh),
    onUnread: () => unread.push("unread"),
    onTaken: () => taken.push("taken"),
  }, { comesAgain });
  return { queue, pressure, unread, taken };
}

/** What some iterator still has to give. */
function waiting(queue: Fanout<Activity>): string[] {
  return [...queue.waiting()].map(({ id }) => id);
}

async function idOf(result: Promise<IteratorResult<Activity>>): Promise<string> {
  const { done, value } = await result;
  return done ? "done" : value.id;
}

Deno.test("Fanout gives the first iterator everything, and every other what comes next", async () => {
  const { queue } = makeQueue();
  queue.push(activity(1), 10);
  const first = queue.iterate();
  const second = queue.iterate();
  queue.push(activity(2), 10);
  assertEquals([await idOf(first.next()), await idOf(first.next())], ["s:1", "s:2"]);
  assertEquals(await idOf(second.next()), "s:2");
});

Deno.test("Fanout answers calls of next() that came early in their order", async () => {
  const { queue } = makeQueue();
  const iterator = queue.iterate();
  const results = [idOf(iterator.next()), idOf(iterator.next()), idOf(iterator.next())];
  queue.push(activity(1), 10);
  queue.push(activity(2), 10);
  queue.end(undefined);
  assertEquals(await Promise.all(results), ["s:1", "s:2", "done"]);
});

Deno.test("Fanout does not count against who is busy what is for others", async () => {
  const { queue, pressure } = makeQueue();
  let over = 0;
  const even = queue.iterate(undefined, {
    isFor: ({ lamport }) => lamport % 2 === 0,
    begun: () => {},
    over: () => over++,
  });
  const all = queue.iterate();
  queue.push(activity(2), 10);
  assertEquals([await idOf(even.next()), await idOf(all.next())], ["s:2", "s:2"]);
  // It deals with that one. What comes meanwhile is for the other.
  for (let n = 0; n < 3; n++) {
    queue.push(activity(2 * n + 1), MAX_BEHIND);
    await all.next();
  }
  assertEquals([pressure, waiting(queue)], [[], []]);
  queue.push(activity(4), MAX_BEHIND + 1);
  await all.next();
  assertEquals(pressure, [true]);
  assertEquals(await idOf(even.next()), "s:4");
  assertEquals(pressure, [true, false]);
  for (let times = 0; times < 2; times++) await even.return!();
  assertEquals(over, 1);
});

Deno.test("Fanout asks to stop reading when the slowest is too far behind, and to go on when it has caught up", async () => {
  const { queue, pressure } = makeQueue();
  const slow = queue.iterate();
  const quick = queue.iterate();
  for (let sequence = 1; sequence <= 5; sequence++) {
    queue.push(activity(sequence), MAX_BEHIND / 4);
    await quick.next();
  }
  assertEquals(pressure, [true]);
  for (let taken = 0; taken < 3; taken++) await slow.next();
  assertEquals(pressure, [true]);
  await slow.next();
  assertEquals(pressure, [true, false]);
});

Deno.test("Fanout is not held up by an iterator that was left", async () => {
  const { queue, pressure } = makeQueue();
  const iterator = queue.iterate();
  for (let sequence = 1; sequence <= 2; sequence++) queue.push(activity(sequence), MAX_BEHIND);
  for await (const { id } of iterator) {
    assertEquals(id, "s:1");
    break;
  }
  assertEquals(pressure, [true, false]);
  assertEquals(await idOf(iterator.next()), "done");
});

Deno.test("Fanout drops, and says so once, what nobody asks for, and holds nothing up", async () => {
  const { queue, pressure, unread } = makeQueue();
  for (let sequence = 1; sequence <= 9; sequence++) queue.push(activity(sequence), MAX_BEHIND / 4);
  assertEquals(pressure, []);
  assertEquals(unread, ["unread"]);
  const iterator = queue.iterate();
  queue.push(activity(10), 10);
  assertEquals(await idOf(iterator.next()), "s:10");
});

Deno.test("Fanout.end() lets iterators finish, then ends them", async () => {
  const { queue } = makeQueue();
  const iterator = queue.iterate();
  queue.push(activity(1), 10);
  queue.end(undefined);
  assertEquals([await idOf(iterator.next()), await idOf(iterator.next())], ["s:1", "done"]);
  assertEquals(await idOf(queue.iterate().next()), "done");
});

Deno.test("Fanout.end() with an error throws it once, after what is left", async () => {
  const { queue } = makeQueue();
  const iterator = queue.iterate();
  queue.push(activity(1), 10);
  queue.end(new RangeError("broken"));
  assertEquals(await idOf(iterator.next()), "s:1");
  await assertRejects(() => iterator.next(), RangeError, "broken");
  assertEquals(await idOf(iterator.next()), "done");
});

Deno.test("Fanout.waiting() gives what each iterator still has to give", async () => {
  const { queue, taken } = makeQueue();
  const slow = queue.iterate();
  const quick = queue.iterate();
  for (let sequence = 1; sequence <= 3; sequence++) queue.push(activity(sequence), 10);
  for (let count = 0; count < 2; count++) await quick.next();
  await slow.next();
  assertEquals(waiting(queue), ["s:2", "s:3", "s:3"]);
  assertEquals(taken.length, 3);
  await quick.return?.();
  assertEquals(waiting(queue), ["s:2", "s:3"]);
});

Deno.test("A Fanout of what comes again goes on where the last iterator was left, or drops what is too much", async () => {
  const { queue, unread } = makeQueue(true);
  const first = queue.iterate();
  const second = queue.iterate();
  for (let sequence = 1; sequence <= 3; sequence++) queue.push(activity(sequence), 10);
  await first.next();
  await second.next();
  await second.next();
  await first.return?.();
  await second.return?.();
  queue.push(activity(4), 10);
  assertEquals(waiting(queue), ["s:3", "s:4"]);
  const third = queue.iterate();
  assertEquals([await idOf(third.next()), await idOf(third.next())], ["s:3", "s:4"]);
  await third.return?.();
  for (let sequence = 5; sequence <= 9; sequence++) queue.push(activity(sequence), MAX_BEHIND / 4);
  assertEquals(unread, ["unread"]);
  const fourth = queue.iterate();
  queue.push(activity(10), 10);
  assertEquals(await idOf(fourth.next()), "s:10");
});

Deno.test("A Fanout of what comes again gives nothing after its end", async () => {
  for (const error of [undefined, new RangeError("broken")]) {
    const { queue, taken } = makeQueue(true);
    const iterator = queue.iterate();
    queue.push(activity(1), 10);
    queue.end(error);
    if (error !== undefined) await assertRejects(() => iterator.next(), RangeError);
    assertEquals(await idOf(iterator.next()), "done");
    assertEquals(taken, []);
    assertEquals(waiting(queue), ["s:1"]);
  }
});
