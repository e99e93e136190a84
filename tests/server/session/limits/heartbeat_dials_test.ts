import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { HeartbeatDials } from "../../../../server/session/limits/heartbeat_dials.ts";

const HERE = { host: "192.0.2.1", port: 5_000 };

Deno.test("a port is called at once, and then not before the span is over, which one waits for and no second", () => {
  const book = new HeartbeatDials(30_000);
  assertEquals(book.delayFor(HERE, 1_000), 0);
  assertEquals(book.delayFor({ ...HERE, port: 5_001 }, 1_000), 0);
  assertEquals(book.delayFor(HERE, 11_000), 20_000);
  assertEquals(book.delayFor(HERE, 12_000), undefined);
  // It was called at 31,000.
  assertEquals(book.delayFor(HERE, 31_000), 30_000);
  assertEquals(book.delayFor(HERE, 200_000), 0);
});

Deno.test("of one address only so many ports are called, and others are called all the same", () => {
  const book = new HeartbeatDials(30_000);
  const delays = Array.from({ length: 300 }, (_, port) => book.delayFor({ ...HERE, port: port + 1 }, 0));
  assertEquals(delays.filter((delay) => delay === 0).length, 256);
  assertEquals(book.delayFor({ ...HERE, host: "192.0.2.2" }, 0), 0);
  assertEquals(book.delayFor({ ...HERE, port: 60_000 }, 30_000), 0);
});

Deno.test("whoever asks how often, no port is called twice within the span", () => {
  const ask = fc.record({ port: fc.integer({ min: 1, max: 3 }), afterMs: fc.integer({ min: 0, max: 40_000 }) });
  fc.assert(fc.property(fc.array(ask), (asks) => {
    const book = new HeartbeatDials(30_000);
    const calls = new Map<number, number>();
    let nowMs = 0;
    for (const { port, afterMs } of asks) {
      nowMs += afterMs;
      const delayMs = book.delayFor({ ...HERE, port }, nowMs);
      if (delayMs === undefined) continue;
      const at = nowMs + delayMs;
      assertEquals(at - (calls.get(port) ?? -Infinity) >= 30_000, true);
      calls.set(port, at);
    }
  }));
});
