/**
 * The clock by which a log forgets: whatever calendars say, nothing becomes old much sooner than by the time in
 * which the server ran.
 */

import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  formatRetentionNote,
  parseRetentionNote,
  RetentionClock,
  type RetentionNote,
} from "../../log/retention_clock.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
const TODAY = Date.UTC(2026, 10, 30);

/** Looks once a second for `ms`, with a calendar that stands at `wallMs` in the beginning and goes on from there. */
function run(clock: RetentionClock, nowMs: number, wallMs: number, ms: number): void {
  for (let passed = SECOND; passed <= ms; passed += SECOND) clock.look(nowMs + passed, wallMs + passed);
}

Deno.test("RetentionClock begins at the calendar's time and goes with the time in which the server runs", () => {
  const clock = new RetentionClock(undefined, undefined, 5, TODAY);
  assertEquals(clock.at(5), TODAY);
  assertEquals(clock.at(105.7), TODAY + 100);
  clock.look(1_005, TODAY + 1_000);
  assertEquals([clock.at(1_005), clock.at(2_005)], [TODAY + 1_000, TODAY + 2_000]);
  // A second clock that goes back is none.
  assertEquals(clock.at(0), TODAY + 1_000);
});

const JUMPS: readonly [what: string, ms: number][] = [
  ["40 days ahead", 40 * DAY],
  ["40 days back", -40 * DAY],
  ["ten years ahead", 3_650 * DAY],
  ["to 1970", -TODAY],
];
for (const [what, ms] of JUMPS) {
  Deno.test(`RetentionClock takes no notice of a calendar that is set ${what} while the server runs, for a while or for good`, () => {
    const clock = new RetentionClock(undefined, undefined, 0, TODAY);
    run(clock, 0, TODAY, 10 * SECOND);
    run(clock, 10 * SECOND, TODAY + 10 * SECOND + ms, 10 * SECOND);
    assertEquals(clock.at(20 * SECOND), TODAY + 20 * SECOND);
    run(clock, 20 * SECOND, TODAY + 20 * SECOND, HOUR);
    assertEquals(clock.at(HOUR + 20 * SECOND), TODAY + HOUR + 20 * SECOND);
  });
}

Deno.test("RetentionClock counts the time in which the server did not run, a quarter of what it runs", () => {
  const note = new RetentionClock(undefined, undefined, 0, TODAY).note(TODAY);
  assertEquals(note, { atMs: TODAY, wallMs: TODAY, owedMs: 0 });
  const clock = new RetentionClock(note, undefined, 0, TODAY + 2 * HOUR);
  assertEquals(clock.at(0), TODAY);
  run(clock, 0, TODAY + 2 * HOUR, 4 * HOUR);
  assertEquals(clock.at(4 * HOUR), TODAY + 5 * HOUR);
  // What is left goes over to the next life.
  const next = new RetentionClock(clock.note(TODAY + 6 * HOUR), undefined, 9, TODAY + 6 * HOUR);
  run(next, 9, TODAY + 6 * HOUR, 8 * HOUR);
  assertEquals(next.at(8 * HOUR + 9), TODAY + 14 * HOUR);
});

Deno.test("RetentionClock does not believe a calendar that was set back meanwhile, nor one of years", () => {
  const note: RetentionNote = { atMs: TODAY, wallMs: TODAY, owedMs: 0 };
  const wrong = TODAY + 10 * DAY;
  const clock = new RetentionClock(note, undefined, 0, wrong);
  run(clock, 0, wrong, 10 * SECOND);
  run(clock, 10 * SECOND, TODAY + 10 * SECOND, HOUR);
  assertLessOrEqual(clock.at(HOUR + 10 * SECOND), TODAY + HOUR + 13 * SECOND);
  const late = new RetentionClock({ ...note, wallMs: 5 }, undefined, 0, TODAY);
  assertEquals(late.note(TODAY).owedMs, 90 * DAY);
});

Deno.test("RetentionClock of a log that dated its entries by the calendar goes on from the newest, unless that is wrong", () => {
  const at = (newestMs: number, wallMs: number) => new RetentionClock(undefined, newestMs, 0, wallMs).at(0);
  assertEquals(at(TODAY - DAY, TODAY), TODAY - DAY);
  // Written while the calendar was ahead.
  assertEquals(at(TODAY + 40 * DAY, TODAY), TODAY);
  // Started before the calendar was set.
  assertEquals(at(TODAY, 1_000), TODAY);
});

Deno.test("RetentionClock: whatever happens to calendars, however often the server is started, no time passes that did not, and a quarter at most", () => {
  const step = fc.record({
    kind: fc.constantFrom("look", "look", "look", "restart"),
    ms: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 30 * DAY })),
    wallMs: fc.oneof(fc.integer({ min: 0, max: TODAY + 4_000 * DAY }), fc.integer({ min: TODAY, max: TODAY + DAY })),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.nat(TODAY), (steps, wallMs) => {
    let clock = new RetentionClock(undefined, undefined, 0, wallMs);
    let nowMs = 0;
    let before = clock.at(0);
    for (const step of steps) {
      if (step.kind === "look") {
        nowMs += step.ms;
        clock.look(nowMs, step.wallMs);
        assertGreaterOrEqual(clock.at(nowMs), before);
        assertLessOrEqual(clock.at(nowMs), before + step.ms * 5 / 4 + 1);
      } else {
        const kept = parseRetentionNote(formatRetentionNote(clock.note(step.wallMs)));
        nowMs = 0;
        clock = new RetentionClock(kept, undefined, nowMs, step.wallMs + step.ms);
        assertEquals(clock.at(0), before);
      }
      before = clock.at(nowMs);
    }
  }));
});

Deno.test("parseRetentionNote() reads what was written, and takes nothing else for it", () => {
  const note = { atMs: 1, wallMs: 2, owedMs: 3 };
  assertEquals(parseRetentionNote(formatRetentionNote(note)), note);
  for (const text of [undefined, "", "1", "1 2", "1 2 3 4", "a b c", "1 2 0.5", "1 2 1e300"]) {
    assertEquals(parseRetentionNote(text), undefined, text);
  }
  assert(parseRetentionNote("1 2 -3")!.owedMs === 0);
});
