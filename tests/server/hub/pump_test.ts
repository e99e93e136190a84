/** How every reader of a log is served, without a log or an outlet. */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  CLIENT_SHARE,
  PEER_SHARE,
  Pump,
  pump,
  type PumpOutcome,
  type ReadOutcome,
  type Share,
  WHOLE_LOG,
} from "../../../server/hub/pump.ts";

/** A clock that each read moves, and timers that are fired by hand. */
class HandClock {
  ms = 0;
  readonly timers: { delayMs: number; wake: () => void }[] = [];

  nowMs(): number {
    return this.ms;
  }

  after(delayMs: number, wake: () => void): { cancel(): void } {
    const timer = { delayMs, wake };
    this.timers.push(timer);
    return {
      cancel: () => {
        const index = this.timers.indexOf(timer);
        if (index >= 0) this.timers.splice(index, 1);
      },
    };
  }

  fire(): void {
    this.timers.shift()!.wake();
  }
}

/** Reads of `msEach` milliseconds that come to `outcomes`, and to `"end"` after these. */
class Reads {
  count = 0;
  readonly clock = new HandClock();
  constructor(readonly outcomes: readonly ReadOutcome[], readonly msEach = 0) {}

  next(): ReadOutcome {
    this.clock.ms += this.msEach;
    return this.outcomes[this.count++] ?? "end";
  }

  pump(share: Share): [PumpOutcome, number] {
    const before = this.count;
    const outcome = pump(this.clock, share, this, (reads) => reads.next());
    return [outcome, this.count - before];
  }
}

const MORE: readonly ReadOutcome[] = Array.from({ length: 10 }, () => "more");

Deno.test("a pump stops where the log is at its end, and where the outlet is full", () => {
  assertEquals(new Reads([]).pump(CLIENT_SHARE), ["end", 1]);
  assertEquals(new Reads(["more", "more"]).pump(CLIENT_SHARE), ["end", 3]);
  assertEquals(new Reads(["more", "full", "more"]).pump(CLIENT_SHARE), ["full", 2]);
});

Deno.test("a pump stops when the share of the turn is used up, by reads or by time", () => {
  assertEquals(new Reads(MORE).pump(CLIENT_SHARE), ["paused", 4]);
  assertEquals(new Reads(MORE, 3).pump(CLIENT_SHARE), ["paused", 3]);
  // The first read is made however long it takes, so everybody gets on.
  assertEquals(new Reads(MORE, 1_000).pump(CLIENT_SHARE), ["paused", 1]);
  assertEquals(new Reads(MORE, 8).pump(CLIENT_SHARE), ["paused", 1]);
  assertEquals(new Reads(MORE).pump({ reads: 4, ms: 0 }), ["paused", 1]);
  assertEquals(new Reads(MORE, 1_000).pump(PEER_SHARE), ["paused", 4]);
  assertEquals(new Reads(MORE, 1_000).pump(WHOLE_LOG), ["end", 11]);
});

Deno.test("a last read of the share that finds the end, or fills the outlet, is no pause", () => {
  assertEquals(new Reads(["more", "more", "more"]).pump(CLIENT_SHARE), ["end", 4]);
  assertEquals(new Reads(["more", "more", "more", "full"]).pump(CLIENT_SHARE), ["full", 4]);
});

Deno.test("a pump of its own goes on after each pause until the end, and nobody hurries it", () => {
  const reads = new Reads(MORE);
  const own = new Pump({ clock: reads.clock, share: CLIENT_SHARE, readOnce: () => reads.next() });
  own.run();
  assertEquals([reads.count, reads.clock.timers.map(({ delayMs }) => delayMs)], [4, [0]]);
  own.run();
  assertEquals([reads.count, reads.clock.timers.length], [4, 1]);
  reads.clock.fire();
  assertEquals([reads.count, reads.clock.timers.length], [8, 1]);
  reads.clock.fire();
  assertEquals([reads.count, reads.clock.timers.length], [11, 0]);
  own.run();
  assertEquals(reads.count, 12);
});

Deno.test("a pump of its own that is stopped in its pause leaves no timer, and reads nothing more", () => {
  const reads = new Reads(MORE);
  const own = new Pump({ clock: reads.clock, share: CLIENT_SHARE, readOnce: () => reads.next() });
  own.run();
  own.stop();
  own.run();
  assertEquals([reads.count, reads.clock.timers.length], [4, 0]);
});

Deno.test("a fault after a pause is contained where the owner says, and the next run reads again", () => {
  const reads = new Reads(MORE);
  const caught: unknown[] = [];
  let isBroken = false;
  const own = new Pump({
    clock: reads.clock,
    share: CLIENT_SHARE,
    readOnce() {
      if (isBroken) throw new Error("a broken read");
      return reads.next();
    },
    guarded(goOn) {
      try {
        goOn();
      } catch (error) {
        caught.push(error);
      }
    },
  });
  own.run();
  isBroken = true;
  reads.clock.fire();
  assertEquals(caught.length, 1);
  // Outside a pause it is the caller's.
  assertThrows(() => own.run(), Error, "a broken read");
  isBroken = false;
  own.run();
  assertEquals(reads.count, 8);
});

Deno.test("whatever the reads come to, no read is left out, and none comes after the end or a full outlet", () => {
  const outcomes = fc.array(fc.constantFrom<ReadOutcome>("more", "more", "more", "full", "end"), { maxLength: 30 });
  fc.assert(fc.property(outcomes, fc.integer({ min: 0, max: 10 }), (list, msEach) => {
    const reads = new Reads(list, msEach);
    const own = new Pump({ clock: reads.clock, share: CLIENT_SHARE, readOnce: () => reads.next() });
    own.run();
    while (reads.clock.timers.length > 0) reads.clock.fire();
    const stop = list.findIndex((outcome) => outcome !== "more");
    assertEquals(reads.count, stop < 0 ? list.length + 1 : stop + 1);
  }));
});
