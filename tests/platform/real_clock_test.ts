import { assert, assertEquals } from "@std/assert";
import { realClock } from "../../platform/real_clock.ts";

Deno.test("realClock.after() never wakes early, not even by a fraction of a millisecond", async () => {
  const delays = [0, 0.4, 1, 1.7, 2.5, 5, 9.999, 20].flatMap((delayMs) => Array<number>(20).fill(delayMs));
  const early = await Promise.all(delays.map((delayMs) => {
    const askedAt = realClock.nowMs();
    return new Promise<boolean>((resolve) => {
      realClock.after(delayMs, () => resolve(realClock.nowMs() - askedAt < delayMs));
    });
  }));
  assertEquals(early.filter(Boolean).length, 0);
});

Deno.test("realClock.after(): a cancelled timer leaves nothing behind, one that fired takes a cancel", async () => {
  realClock.after(3_600_000, () => {}).cancel();
  const timer = await new Promise<{ cancel(): void }>((resolve) => {
    const asked = realClock.after(1, () => resolve(asked));
  });
  timer.cancel();
  timer.cancel();
});

Deno.test("realClock.after() can wait longer than setTimeout can, and be cancelled while it does", async () => {
  let isWoken = false;
  const timer = realClock.after(40 * 86_400_000, () => isWoken = true);
  await new Promise<void>((resolve) => void realClock.after(5, resolve));
  assert(!isWoken, "40 days have not passed");
  timer.cancel();
});

Deno.test("realClock.endOfTurn() runs once promises of this turn went on, and before the next timer", async () => {
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    realClock.after(1, () => {
      realClock.after(1, () => {
        seen.push("timer");
        resolve();
      });
      realClock.endOfTurn(() => seen.push("end of turn"));
      Promise.resolve().then(() => Promise.resolve()).then(() => seen.push("promise"));
    });
  });
  assertEquals(seen, ["promise", "end of turn", "timer"]);
});

Deno.test("realClock.wallMs() is today, nowMs() does not go back", () => {
  assert(realClock.wallMs() > Date.UTC(2025, 0, 1));
  const readings = Array.from({ length: 1_000 }, () => realClock.nowMs());
  assert(readings.every((reading, index) => index === 0 || reading >= readings[index - 1]!));
});

Deno.test("realClock.ranMs() grows while this process runs", () => {
  const before = realClock.ranMs();
  // Of a crowded machine it may get little. Without an end where it does not grow.
  while (realClock.ranMs() - before < 20);
  assert(realClock.ranMs() - before >= 20);
});
