/** Moments as people type them, in this machine's time zone. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readMoment } from "../../tools/moment.ts";

/** A trace from eleven to three o'clock of one day. */
const DAY = [at(2026, 11, 20, 11), at(2026, 11, 20, 15)];
/** From one evening to the next noon. */
const NIGHT = [at(2026, 11, 20, 20), at(2026, 11, 21, 12)];
/** Over three days. */
const DAYS = [at(2026, 11, 19, 8), at(2026, 11, 21, 22)];

Deno.test("A number is a Lamport time, and a time of day lasts as long as what it names", () => {
  assertEquals(readMoment("145", DAY), { kind: "lamport", lamport: 145 });
  const begin = at(2026, 11, 20, 14, 2);
  const spans = { "14:02": [0, 59_999], "14:02:10": [10_000, 10_999], "14:02:10.5": [10_500, 10_599] };
  for (const [text, [first, last]] of Object.entries({ ...spans, "14:02:10.123": [10_123, 10_123] })) {
    assertEquals(readMoment(text, DAY), { kind: "wall", firstMs: begin + first!, lastMs: begin + last! });
  }
  // Also outside of the trace, if that is of one day.
  assertEquals(readMoment("9:00:00", DAY), {
    kind: "wall",
    firstMs: at(2026, 11, 20, 9),
    lastMs: at(2026, 11, 20, 9) + 999,
  });
});

Deno.test("A date and time is of this machine's time zone, or of the one that is named", () => {
  const utc = Date.UTC(2026, 10, 20, 14, 2, 10);
  for (const zone of ["Z", "+00:00"]) {
    assertEquals(readMoment(`2026-11-20T14:02:10${zone}`, []), { kind: "wall", firstMs: utc, lastMs: utc + 999 });
  }
  assertEquals(readMoment("2026-11-20T15:02:10+01:00", []), { kind: "wall", firstMs: utc, lastMs: utc + 999 });
  assertEquals(readMoment("2026-11-20T13:32:10-0030", []), { kind: "wall", firstMs: utc, lastMs: utc + 999 });
  const local = at(2026, 11, 20, 14, 2, 10);
  assertEquals(readMoment("2026-11-20 14:02:10", []), { kind: "wall", firstMs: local, lastMs: local + 999 });
  const day = at(2026, 11, 20);
  assertEquals(readMoment("2026-11-20", []), { kind: "wall", firstMs: day, lastMs: day + 86_399_999 });
});

Deno.test("A time of day that was on several days of the trace is refused, and one that was on one of them is not", () => {
  const problem = sentence("14:02:10", DAYS);
  assertMatch(
    problem,
    /^14:02:10 could be on 2026-11-19, 2026-11-20 or 2026-11-21: say which, as in 2026-11-19T14:02:10$/,
  );
  const evening = at(2026, 11, 20, 23, 30);
  assertEquals(readMoment("23:30", NIGHT), { kind: "wall", firstMs: evening, lastMs: evening + 59_999 });
  const morning = at(2026, 11, 21, 2);
  assertEquals(readMoment("2:00:00", NIGHT), { kind: "wall", firstMs: morning, lastMs: morning + 999 });
  // In neither: which end is meant is not known.
  assertStringIncludes(sentence("15:00", NIGHT), "could be on 2026-11-20 or 2026-11-21");
  assertStringIncludes(sentence("15:00", []), "it is not known on which day");
});

Deno.test("What is no moment is refused with what would be one", () => {
  for (
    const text of [
      "",
      "x",
      "14",
      "-5",
      "24:00",
      "12:60",
      "12:30:60",
      "1:2:3",
      "2026-13-01",
      "2026-02-30",
      "2026-11-20T",
      "12.5",
    ]
  ) {
    const moment = readMoment(text, DAY);
    if (text === "14") assertEquals(moment, { kind: "lamport", lamport: 14 });
    else assertMatch(sentence(text, DAY), /is no moment: /);
  }
});

function at(year: number, month: number, day: number, ...time: number[]): number {
  const [hours = 0, minutes = 0, seconds = 0] = time;
  return new Date(year, month - 1, day, hours, minutes, seconds).getTime();
}

function sentence(text: string, times: readonly number[]): string {
  const moment = readMoment(text, times);
  return moment.kind === "problem" ? moment.sentence : `not refused: ${JSON.stringify(moment)}`;
}
