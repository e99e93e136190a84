import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ActivityOrder, type LegacyActivity } from "../../../server/legacy/activity_order.ts";

function sent(sendTime: number, identity?: string, text = `{"at":${sendTime}}`): LegacyActivity {
  return { text, username: "anonymous", sendTime, isTimed: true, identity };
}

function times(due: readonly { readonly activity: LegacyActivity }[]): number[] {
  return due.map(({ activity }) => activity.sendTime);
}

Deno.test("ActivityOrder.due() gives what came within a window in the order in which it was sent", () => {
  const order = new ActivityOrder<string>(1_000);
  assertEquals(order.dueAt, undefined);
  order.add(sent(20_000), "a", false, 0);
  order.add(sent(10_000), "b", false, 999);
  assertEquals(order.due(999), []);
  assertEquals(order.dueAt, 1_000);
  assertEquals(order.due(1_000).map(({ activity, from }) => [activity.sendTime, from]), [[10_000, "b"], [20_000, "a"]]);
  assertEquals(order.dueAt, undefined);
  assertEquals(order.due(9_000), []);
});

Deno.test("ActivityOrder.due() leaves what was sent later and came later in its own window", () => {
  const order = new ActivityOrder<string>(1_000);
  order.add(sent(5), "a", false, 0);
  order.add(sent(6), "a", false, 500);
  order.add(sent(4), "a", false, 900);
  assertEquals(times(order.due(1_000)), [4, 5]);
  assertEquals(order.dueAt, 1_500);
  assertEquals(times(order.due(1_500)), [6]);
});

Deno.test("ActivityOrder keeps all that were sent in one millisecond, in the order in which they came", () => {
  const order = new ActivityOrder<number>(1_000);
  for (let n = 0; n < 20; n++) order.add(sent(5, `older/${n}/5`), n, false, 0);
  assertEquals(order.due(1_000).map(({ from }) => from), Array.from({ length: 20 }, (_, n) => n));
});

Deno.test("ActivityOrder.add() takes one identity once, and what has none always", () => {
  const order = new ActivityOrder<string>(1_000);
  assertEquals(order.add(sent(1, "older/0/1"), "a", false, 0), true);
  assertEquals(order.add(sent(1, "older/0/1"), "b", true, 0), false);
  assertEquals(order.add(sent(2, "older/0/2"), "a", false, 0), true);
  assertEquals(order.add(sent(2), "a", false, 0), true);
  assertEquals(order.add(sent(2), "a", false, 0), true);
  order.due(1_000);
  assertEquals(order.add(sent(1, "older/0/1"), "a", true, 2_000), false);
});

Deno.test("a history that is longer than the memory is not taken in again and again", () => {
  const order = new ActivityOrder<string>(1_000, 100);
  const history = Array.from({ length: 300 }, (_, n) => sent(n, `older/1/${n}`));
  const take = () => history.filter((activity) => order.add(activity, "a", true, 0)).length;
  assertEquals(take(), 300);
  for (let again = 0; again < 5; again++) assertEquals(take(), 0);
  // Something new is taken, and what comes live too, however old it says it is.
  assertEquals(order.add(sent(300, "older/1/300"), "a", true, 0), true);
  assertEquals(order.add(sent(5, "older/2/5"), "a", false, 0), true);
});

Deno.test("ActivityOrder keeps no window for more than it may hold", () => {
  const order = new ActivityOrder<string>(1_000);
  const text = `{"x":"${"x".repeat(60_000)}"}`;
  for (let n = 0; n < 200; n++) order.add(sent(n, undefined, text), "a", false, 0);
  assertEquals(order.dueAt, 0);
  assertEquals(order.due(0).length, 200);
  order.add(sent(1, undefined, text), "a", false, 5);
  assertEquals(order.dueAt, 1_005);
});

Deno.test("ActivityOrder loses and doubles nothing, keeps nothing longer than a window, and gives a window in order", () => {
  const arrivals = fc.array(fc.record({ after: fc.nat(700), back: fc.nat(1_500) }), { maxLength: 40 });
  fc.assert(fc.property(arrivals, (list) => {
    const order = new ActivityOrder<number>(1_000);
    let now = 0;
    const cameAt: number[] = [];
    const got: number[] = [];
    const look = (at: number) => {
      for (let due = order.dueAt; due !== undefined && due <= at; due = order.dueAt) {
        const given = order.due(due);
        const sorted = times(given).toSorted((a, b) => a - b);
        assertEquals(times(given), sorted);
        for (const { from } of given) {
          assertEquals(due - cameAt[from]! <= 1_000, true);
          got.push(from);
        }
      }
    };
    for (const [n, { after, back }] of list.entries()) {
      now += after;
      look(now);
      cameAt.push(now);
      order.add(sent(10_000 + now - back), n, false, now);
    }
    look(now + 1_000);
    assertEquals(got.toSorted((a, b) => a - b), cameAt.map((_, n) => n));
  }));
});
