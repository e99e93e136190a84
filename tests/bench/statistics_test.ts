import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { median, medianRatio, percentile } from "../../bench/figures/statistics.ts";

Deno.test("percentile() is the smallest value that so many do not exceed", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  assertEquals([1, 50, 99, 99.5, 100].map((percent) => percentile(hundred, percent)), [1, 50, 99, 100, 100]);
  assertEquals(percentile([7], 1), 7);
  assertEquals(percentile([], 50), NaN);
});

Deno.test("percentile() agrees with counting", () => {
  const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1 });
  fc.assert(fc.property(values, fc.integer({ min: 1, max: 100 }), (values, percent) => {
    const sorted = values.sort((a, b) => a - b);
    const reaches = (value: number) => sorted.filter((other) => other <= value).length * 100 >= percent * sorted.length;
    assertEquals(percentile(sorted, percent), sorted.find(reaches));
  }));
});

Deno.test("median() is the middle value, or the mean of the two middle ones", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 2, 3]), 2.5);
  assertEquals(median([5]), 5);
  assertEquals(median([]), NaN);
});

Deno.test("medianRatio() compares what was measured in the same round", () => {
  // The machine was slow in the second round, for both: twice as fast is what counts, not 30 beside 10.
  assertEquals(medianRatio([30, 4, 90], [10, 2, 60]), 2);
});

Deno.test("medianRatio() leaves out rounds that one of the two does not have", () => {
  assertEquals(medianRatio([30, undefined, 8], [10, 1, undefined]), 3);
  assertEquals(medianRatio([1], []), NaN);
});
