import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Unacknowledged } from "../../../client/outbox/outbox.ts";
import { SentOrder } from "../../../client/outbox/sent_order.ts";

const entry = (messageId: string) => ({ messageId }) as Unacknowledged;
const ids = (entries: readonly Unacknowledged[]) => entries.map(({ messageId }) => messageId);

Deno.test("SentOrder.takeUpTo() gives what waits up to a number, once, and SentOrder.clear() counts anew", () => {
  const order = new SentOrder();
  const waiting = new Set(["a", "c", "d"]);
  const waits = ({ messageId }: Unacknowledged) => waiting.has(messageId);
  for (const id of "abcd") order.add(entry(id));
  assertEquals(ids(order.takeUpTo(3, waits)), ["a", "c"]);
  assertEquals(ids(order.takeUpTo(3, waits)), []);
  assertEquals(ids(order.takeUpTo(99, waits)), ["d"]);
  order.clear();
  order.add(entry("a"));
  assertEquals(ids(order.takeUpTo(1, waits)), ["a"]);
});

Deno.test("SentOrder.waitingUpTo() gives each activity once, and takes none out", () => {
  const order = new SentOrder();
  for (const id of "abcd") order.add(entry(id));
  const waits = ({ messageId }: Unacknowledged) => messageId !== "b";
  assertEquals(ids(order.waitingUpTo(2, waits)), ["a"]);
  assertEquals(ids(order.waitingUpTo(4, waits)), ["c", "d"]);
  assertEquals(ids(order.takeUpTo(4, waits)), ["a", "c", "d"]);
});

Deno.test("SentOrder counts as a plain list does, however much of it is answered, and in whatever order", () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ upTo: fc.nat(4_000) }),
    fc.record({ answered: fc.nat(4_000) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const order = new SentOrder();
    const all: string[] = [];
    const waiting = new Set<string>();
    const waits = ({ messageId }: Unacknowledged) => waiting.has(messageId);
    for (const one of steps) {
      if ("add" in one) {
        for (let n = 0; n < one.add; n++) {
          all.push(`${all.length}`);
          waiting.add(all.at(-1)!);
          order.add(entry(all.at(-1)!));
        }
      } else if ("answered" in one) {
        waiting.delete(`${one.answered}`);
        order.answered(waits);
      } else {
        const expected = all.slice(0, one.upTo).filter((id) => waiting.has(id));
        assertEquals(ids(order.takeUpTo(one.upTo, waits)), expected);
        for (const id of expected) waiting.delete(id);
      }
    }
  }));
});
