import { assertEquals, assertThrows } from "@std/assert";
import { FakeClock } from "./fake_clock.ts";

Deno.test("FakeClock.advance() wakes timers at their moments, those of one moment in the order of their asking", () => {
  const clock = new FakeClock({ nowMs: 1_000 });
  const seen: string[] = [];
  for (const [name, delayMs] of [["c", 30], ["a", 10], ["b1", 20], ["b2", 20], ["d", 31]] as const) {
    clock.after(delayMs, () => seen.push(`${name}@${clock.nowMs()}`));
  }
  clock.advance(30);
  assertEquals(seen, ["a@1010", "b1@1020", "b2@1020", "c@1030"]);
  assertEquals([clock.nowMs(), clock.timersWaiting, clock.timersAsked, clock.nextTimerAt], [1_030, 1, 5, 1_031]);
});

Deno.test("FakeClock.advance() wakes timers that were asked for on the way", () => {
  const clock = new FakeClock();
  const seen: number[] = [];
  const again = () => {
    seen.push(clock.nowMs());
    clock.after(10, again);
  };
  clock.after(10, again);
  clock.advance(35);
  assertEquals(seen, [10, 20, 30]);
});

Deno.test("FakeClock: a cancelled timer is not woken, cancelling twice or late is harmless", () => {
  const clock = new FakeClock();
  const seen: string[] = [];
  const a = clock.after(10, () => {
    seen.push("a");
    b.cancel();
  });
  const b = clock.after(10, () => seen.push("b"));
  const c = clock.after(20, () => seen.push("c"));
  clock.advance(15);
  a.cancel();
  b.cancel();
  clock.advance(15);
  c.cancel();
  assertEquals(seen, ["a", "c"]);
  assertEquals(clock.timersWaiting, 0);
});

Deno.test("FakeClock: a turn is timers, then reading, then its end; what is asked for in it comes in the next", () => {
  const clock = new FakeClock();
  const seen: string[] = [];
  const stop = clock.onRead(() => seen.push("read"));
  clock.after(5, () => {
    seen.push("first");
    clock.endOfTurn(() => {
      seen.push("end");
      clock.endOfTurn(() => seen.push("next end"));
    });
    clock.after(0, () => seen.push("next timer"));
  });
  clock.after(5, () => seen.push("second"));
  clock.advance(5);
  assertEquals(seen, ["first", "second", "read", "end", "next timer", "read", "next end"]);
  stop();
  clock.endOfTurn(() => seen.push("last"));
  clock.advance(0);
  assertEquals(seen.slice(7), ["last"]);
});

Deno.test("FakeClock.stall() lets time pass and then wakes late, in order, all in one turn", () => {
  const clock = new FakeClock();
  const seen: string[] = [];
  clock.onRead(() => seen.push("read"));
  clock.after(20, () => seen.push(`b@${clock.nowMs()}`));
  clock.after(10, () => {
    seen.push(`a@${clock.nowMs()}`);
    clock.after(5, () => seen.push(`after a@${clock.nowMs()}`));
  });
  clock.stall(100);
  assertEquals(seen, ["a@100", "b@100", "read"]);
  clock.advance(5);
  assertEquals(seen.slice(3), ["after a@105", "read"]);
});

Deno.test("FakeClock.take() makes a turn slow, and what was due meanwhile late", () => {
  const clock = new FakeClock();
  const seen: string[] = [];
  clock.after(10, () => clock.take(50));
  clock.after(10, () => seen.push(`a@${clock.nowMs()}`));
  clock.after(30, () => seen.push(`b@${clock.nowMs()}`));
  clock.after(70, () => seen.push(`c@${clock.nowMs()}`));
  clock.advance(40);
  assertEquals([clock.nowMs(), clock.wallMs() - Date.UTC(2025, 0, 1), ...seen], [60, 60, "a@60", "b@60"]);
  clock.advance(10);
  assertEquals(seen.slice(2), ["c@70"]);
});

Deno.test("FakeClock: monotonic time and the calendar go together, but for a sleep and for who sets the calendar", () => {
  const clock = new FakeClock({ nowMs: 5, wallMs: 1_000 });
  clock.advance(10);
  clock.stall(10);
  assertEquals([clock.nowMs(), clock.wallMs()], [25, 1_020]);
  clock.sleep(500);
  assertEquals([clock.nowMs(), clock.wallMs()], [25, 1_520]);
  clock.setWall(3);
  assertEquals([clock.nowMs(), clock.wallMs()], [25, 3]);
});

Deno.test("FakeClock.run() lets promises go on between turns", async () => {
  const clock = new FakeClock();
  const seen: number[] = [];
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  const work = (async () => {
    for (const ms of [10, 20, 0, 30]) {
      await wait(ms);
      seen.push(clock.nowMs());
    }
  })();
  await clock.run(60);
  await work;
  assertEquals(seen, [10, 30, 30, 60]);
});

Deno.test("FakeClock: several know nothing of each other", () => {
  const [one, other] = [new FakeClock(), new FakeClock()];
  other.after(10, () => {});
  one.advance(100);
  assertEquals([one.nowMs(), other.nowMs(), other.timersWaiting], [100, 0, 1]);
});

Deno.test("FakeClock refuses to be wound by one of its own timers, and to turn without end", () => {
  const clock = new FakeClock();
  clock.after(1, () => clock.advance(1));
  clock.after(1, () => {});
  assertThrows(() => clock.advance(1), Error, "being wound");
  const endless = new FakeClock();
  const again = () => void endless.after(0, again);
  again();
  assertThrows(() => endless.advance(0), Error, "100000 turns at 0 ms");
});
