/** Lines of the log and notices in one order, for a guest. */

import { assertEquals } from "@std/assert";
import { type GuestItem, GuestQueue } from "../../../server/guests/guest_queue.ts";
import { encodeBroadcast, encodeLine, quoteUsername } from "../../../protocol/server_codec.ts";

Deno.test("A notice comes after the lines that were before it, and before those that were after it", () => {
  const queue = new GuestQueue<string>(() => {});
  queue.add({ notice: "first", after: {} });
  queue.write(lines("a:1", "b:1"));
  queue.add({ notice: "between", after: { a: 2, b: 1 } });
  queue.add({ notice: "too", after: { a: 2, b: 1 } });
  queue.write(lines("a:2", "b:2"));
  assertEquals(all(queue), ["first", "a:1", "b:1", "a:2", "between", "too", "b:2"]);
});

Deno.test("A notice waits for lines that have still to be read, as long as there are such", () => {
  const queue = new GuestQueue<string>(() => {});
  queue.add({ notice: "later", after: { a: 1 } });
  assertEquals(queue.take(false), undefined);
  queue.write(lines("a:1"));
  assertEquals([wordOf(queue.take(false)), wordOf(queue.take(false))], ["a:1", undefined]);
  assertEquals(wordOf(queue.take(true)), "later");
  assertEquals(queue.take(true), undefined);
});

Deno.test("Lines that are no activities are left out, and do not count as something that waits", () => {
  const queue = new GuestQueue<string>(() => {});
  queue.write(new TextEncoder().encode(encodeLine({ command: "SOMETHING_NEW" })));
  queue.write(lines("a:1"));
  assertEquals(all(queue), ["a:1"]);
  assertEquals([queue.isEmpty, queue.pendingBytes], [true, 0]);
});

Deno.test("It says when it has enough, tells each arrival, and keeps nothing of what comes after its end", () => {
  let arrivals = 0;
  const queue = new GuestQueue<string>(() => arrivals++);
  assertEquals(queue.write(lines("a:1")), true);
  assertEquals(queue.write(new Uint8Array(70_000).fill(0x0a)), false);
  for (let count = 0; count < 1_000; count++) queue.add({ notice: "n", after: {} });
  assertEquals([queue.isOverfull, arrivals], [false, 1_002]);
  queue.add({ notice: "n", after: {} });
  assertEquals(queue.isOverfull, true);
  queue.end();
  queue.write(lines("a:2"));
  assertEquals([queue.isEmpty, queue.pendingBytes, queue.take(true)], [true, 0, undefined]);
});

function lines(...ids: string[]): Uint8Array {
  const text = ids.map((id) => {
    const [origin, sequence] = id.split(":");
    return encodeBroadcast({
      activity: "{}",
      quotedUsername: quoteUsername("ada"),
      origin: origin!,
      sequence: Number(sequence),
      lamport: 1,
      sentAt: 1,
      messageId: undefined,
    });
  });
  return new TextEncoder().encode(text.join(""));
}

function all(queue: GuestQueue<string>): (string | undefined)[] {
  const words: (string | undefined)[] = [];
  for (let item = queue.take(true); item !== undefined; item = queue.take(true)) words.push(wordOf(item));
  return words;
}

function wordOf(item: GuestItem<string> | undefined): string | undefined {
  return item?.kind === "activity" ? item.broadcast.id : item?.notice;
}
