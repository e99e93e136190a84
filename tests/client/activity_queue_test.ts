import { assertEquals, assertRejects } from "@std/assert";
import { ActivityQueue, MAX_BEHIND } from "../../client/activity_queue.ts";
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

function makeQueue() {
  const pressure: boolean[] = [];
  const unread: string[] = [];
  const received: Record<string, number> = {};
  const queue = new ActivityQueue({
    onPressure: (isHigh) => pressure.push(isHigh),
    onUnread: () => unread.push("unread"),
    received: () => received,
  });
  return { queue, pressure, unread, received };
}

async function idOf(result: Promise<IteratorResult<Activity>>): Promise<string> {
  const { done, value } = await result;
  return done ? "done" : value.id;
}

Deno.test("ActivityQueue gives the first iterator everything, and every other what comes next", async () => {
  const { queue } = makeQueue();
  queue.push(activity(1), 10);
  const first = queue.iterate();
  const second = queue.iterate();
  queue.push(activity(2), 10);
  assertEquals([await idOf(first.next()), await idOf(first.next())], ["s:1", "s:2"]);
  assertEquals(await idOf(second.next()), "s:2");
});

Deno.test("ActivityQueue answers calls of next() that came early in their order", async () => {
  const { queue } = makeQueue();
  const iterator = queue.iterate();
  const results = [idOf(iterator.next()), idOf(iterator.next()), idOf(iterator.next())];
  queue.push(activity(1), 10);
  queue.push(activity(2), 10);
  queue.end(undefined);
  assertEquals(await Promise.all(results), ["s:1", "s:2", "done"]);
});

Deno.test("ActivityQueue asks to stop reading when the slowest is too far behind, and to go on when it has caught up", async () => {
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

Deno.test("ActivityQueue is not held up by an iterator that was left", async () => {
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

Deno.test("ActivityQueue drops, and says so once, what nobody asks for, and holds nothing up", async () => {
  const { queue, pressure, unread } = makeQueue();
  for (let sequence = 1; sequence <= 9; sequence++) queue.push(activity(sequence), MAX_BEHIND / 4);
  assertEquals(pressure, []);
  assertEquals(unread, ["unread"]);
  const iterator = queue.iterate();
  queue.push(activity(10), 10);
  assertEquals(await idOf(iterator.next()), "s:10");
});

Deno.test("ActivityQueue.end() lets iterators finish, then ends them", async () => {
  const { queue } = makeQueue();
  const iterator = queue.iterate();
  queue.push(activity(1), 10);
  queue.end(undefined);
  assertEquals([await idOf(iterator.next()), await idOf(iterator.next())], ["s:1", "done"]);
  assertEquals(await idOf(queue.iterate().next()), "done");
});

Deno.test("ActivityQueue.end() with an error throws it once, after what is left", async () => {
  const { queue } = makeQueue();
  const iterator = queue.iterate();
  queue.push(activity(1), 10);
  queue.end(new RangeError("broken"));
  assertEquals(await idOf(iterator.next()), "s:1");
  await assertRejects(() => iterator.next(), RangeError, "broken");
  assertEquals(await idOf(iterator.next()), "done");
});

Deno.test("ActivityQueue.taken leaves out what an iterator still has to give", async () => {
  const { queue, received } = makeQueue();
  const slow = queue.iterate();
  const quick = queue.iterate();
  Object.assign(received, { a: 6, b: 2, c: 9 });
  queue.push(activity(5, "a"), 10);
  queue.push(activity(2, "b"), 10);
  queue.push(activity(6, "a"), 10);
  for (let taken = 0; taken < 3; taken++) await quick.next();
  await slow.next();
  assertEquals(queue.taken, { a: 5, b: 1, c: 9 });
  queue.end(undefined);
  assertEquals(queue.taken, { a: 5, b: 1, c: 9 });
  await slow.next();
  await slow.next();
  assertEquals(queue.taken, received);
});

Deno.test("ActivityQueue.taken stays where the last iterator was left", async () => {
  const { queue, received } = makeQueue();
  const iterator = queue.iterate();
  Object.assign(received, { s: 2 });
  queue.push(activity(1), 10);
  queue.push(activity(2), 10);
  await iterator.next();
  await iterator.return?.();
  received.s = 9;
  assertEquals(queue.taken, { s: 1 });
  queue.iterate();
  assertEquals(queue.taken, { s: 9 });
});
