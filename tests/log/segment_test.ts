import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { cursorAt, dropPassed, readSegment } from "../../log/cursor.ts";
import { EVERYONE, linesAfter, linesBackwards, linesOf, type Segment, SERVERS } from "../../log/segment.ts";
import { SegmentBuilder } from "../../log/segment_builder.ts";
import { Tail } from "../../log/tail.ts";
import { covers, merge, sequenceOf } from "../../log/vector.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A segment whose lines say what they are. */
function segment(position: number, origin: string, first: number, last: number, audience = EVERYONE): Segment {
  const lines = Array.from({ length: last - first + 1 }, (_, index) => `${origin}:${first + index}\n`).join("");
  return { position, origin, first, last, audience, takenAt: 0, bytes: new TextEncoder().encode(lines) };
}

Deno.test("vectors say what is had, and an origin that is not named stands at 0", () => {
  assertEquals(sequenceOf({ a: 3 }, "a"), 3);
  assertEquals(sequenceOf({ a: 3 }, "toString"), 0);
  assertEquals(covers({ a: 3, b: 1 }, { a: 3 }), true);
  assertEquals(covers({ a: 3 }, { a: 3, b: 1 }), false);
  assertEquals(merge({ a: 3, b: 1 }, { a: 2, c: 5 }), { a: 3, b: 1, c: 5 });
});

Deno.test("linesAfter() cuts a segment at a sequence without copying", () => {
  const whole = segment(1, "a", 5, 7);
  assertStrictEquals(linesAfter(whole, 4), whole.bytes);
  assertEquals(text(linesAfter(whole, 5)), "a:6\na:7\n");
  assertEquals(text(linesAfter(whole, 6)), "a:7\n");
  assertEquals(text(linesAfter(whole, 7)), "");
  assertEquals(text(linesAfter(whole, 99)), "");
  assertStrictEquals(linesAfter(whole, 6).buffer, whole.bytes.buffer);
});

Deno.test("linesOf() gives the lines of a segment, or of a part of it, without their ends", () => {
  const whole = segment(1, "a", 5, 7);
  assertEquals(linesOf(whole.bytes), ["a:5", "a:6", "a:7"]);
  assertEquals(linesOf(linesAfter(whole, 6)), ["a:7"]);
  assertEquals(linesOf(linesAfter(whole, 7)), []);
});

Deno.test("SegmentBuilder.take() makes one segment of each run of lines with the same origin and audience", () => {
  const builder = new SegmentBuilder({ a: 10 });
  builder.add("a", 11, EVERYONE, "x\n");
  builder.add("a", 12, EVERYONE, "y\n");
  builder.add("a", 13, SERVERS, "z\n");
  builder.add("a", 14, { kind: "user", username: "u" }, "1\n");
  builder.add("a", 15, { kind: "user", username: "u" }, "2\n");
  builder.add("a", 16, { kind: "user", username: "v" }, "3\n");
  builder.add("b", 1, { kind: "user", username: "v" }, "4\n");
  // What lies between was forgotten where this comes from.
  builder.add("b", 7, { kind: "user", username: "v" }, "5\n");
  assertEquals([builder.lastOf("a"), builder.lastOf("b"), builder.lastOf("c")], [16, 7, 0]);
  const made = builder.take(4, 77).map(({ bytes, ...rest }) => ({ ...rest, text: text(bytes) }));
  assertEquals(made.map(({ position, origin, first, last, text }) => [position, origin, first, last, text]), [
    [5, "a", 11, 12, "x\ny\n"],
    [6, "a", 13, 13, "z\n"],
    [7, "a", 14, 15, "1\n2\n"],
    [8, "a", 16, 16, "3\n"],
    [9, "b", 1, 1, "4\n"],
    [10, "b", 7, 7, "5\n"],
  ]);
  assertEquals(made[0]!.takenAt, 77);
  assertEquals(builder.vector, { a: 16, b: 7 });
  assertEquals(builder.take(10, 78), []);
});

Deno.test("SegmentBuilder.take() cuts a long run, so that nobody has to take all of it at once", () => {
  const builder = new SegmentBuilder({});
  const line = "x".repeat(999) + "\n";
  for (let count = 0; count < 1000; count++) builder.add("a", count + 1, EVERYONE, line);
  const made = builder.take(0, 0);
  assertEquals(made.every(({ bytes }) => bytes.length < 300_000), true);
  assertEquals(made.length > 3, true);
  assertEquals(made.at(-1)!.last, 1000);
  for (let index = 1; index < made.length; index++) assertEquals(made[index]!.first, made[index - 1]!.last + 1);
});

Deno.test("Tail.after() gives what follows a position, and undefined when that is older than what is kept", () => {
  const tail = new Tail(30);
  assertEquals(tail.after(0, 100), undefined);
  for (let position = 5; position < 15; position++) tail.push(segment(position, "a", position, position));
  // Positions 10 to 14 take 5 bytes each, 9 takes 4; with 8 it would be 33 bytes.
  assertEquals(tail.after(14, 100), []);
  assertEquals(tail.after(11, 100)?.map(({ position }) => position), [12, 13, 14]);
  assertEquals(tail.after(11, 1)?.map(({ position }) => position), [12]);
  assertEquals(tail.after(11, 10)?.map(({ position }) => position), [12, 13]);
  assertEquals(tail.after(8, 9)?.map(({ position }) => position), [9, 10]);
  assertEquals(tail.after(7, 8), undefined);
});

Deno.test("Tail.push() keeps the newest segment however large, and its memory bounded over a long run", () => {
  const tail = new Tail(3);
  for (let position = 1; position <= 10_000; position++) tail.push(segment(position, "a", position, position));
  assertEquals(tail.after(9_999, 1)?.length, 1);
  assertEquals(tail.after(9_998, 1), undefined);
});

Deno.test("readSegment() gives whole segments as they are, and moves the cursor", () => {
  const cursor = cursorAt(3, "u");
  const next = segment(4, "a", 1, 2);
  assertStrictEquals(readSegment(cursor, next), next.bytes);
  assertEquals(cursor.position, 4);
});

Deno.test("readSegment() gives a user's segments to that user, and those of servers to no client", () => {
  const forU = segment(1, "a", 1, 1, { kind: "user", username: "u" });
  assertEquals(text(readSegment(cursorAt(0, "u"), forU)), "a:1\n");
  assertEquals(text(readSegment(cursorAt(0, "v"), forU)), "");
  assertEquals(text(readSegment(cursorAt(0, undefined), forU)), "");
  assertEquals(text(readSegment(cursorAt(0, "u"), segment(1, "a", 1, 1, SERVERS))), "");
});

Deno.test("dropPassed() forgets origins that the log has passed", () => {
  const cursor = cursorAt(0, "u", { a: 3, b: 9 });
  dropPassed(cursor, { a: 3, b: 8 });
  assertEquals([...cursor.ahead], [["b", 9]]);
});

Deno.test("a cursor with a vector reads exactly what the vector lacks, once and in order", () => {
  const runs = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.integer({ min: 1, max: 4 })), { maxLength: 30 });
  const had = fc.record({ a: fc.nat(40), b: fc.nat(40), c: fc.nat(40) }, { requiredKeys: [] });
  fc.assert(fc.property(runs, had, (lengths, vector) => {
    const last: Record<string, number> = { a: 0, b: 0, c: 0 };
    const log = lengths.map(([origin, length], index) => {
      const first = last[origin]! + 1;
      last[origin] = first + length - 1;
      return segment(index + 1, origin, first, last[origin]!);
    });
    const cursor = cursorAt(0, "u", vector as Record<string, number>);
    const read = log.map((one) => text(readSegment(cursor, one))).join("");
    const expected = log.flatMap((one) => text(one.bytes).trimEnd().split("\n")).filter((line) => {
      const [origin, sequence] = line.split(":");
      return Number(sequence) > sequenceOf(vector as Record<string, number>, origin!);
    });
    assertEquals(read, expected.map((line) => `${line}\n`).join(""));
    dropPassed(cursor, last);
    for (const [origin, sequence] of cursor.ahead) assertEquals(sequence > last[origin]!, true);
  }));
});

Deno.test("Tail.dropTo() lets go of what the store has forgotten, so that nobody gets it after all", () => {
  const tail = new Tail(1_000);
  for (let position = 1; position <= 9; position++) tail.push(segment(position, "a", position, position));
  tail.dropTo(4);
  assertEquals(tail.after(3, 100), undefined);
  assertEquals(tail.after(4, 1)?.map(({ position }) => position), [5]);
  tail.dropTo(9);
  assertEquals(tail.after(9, 1), undefined);
  tail.push(segment(10, "a", 10, 10));
  assertEquals(tail.after(9, 1)?.map(({ position }) => position), [10]);
});

Deno.test("linesBackwards() gives the lines below a sequence, the last one first, without copying", () => {
  const whole = segment(1, "a", 5, 7);
  const read = (before?: number) => [...linesBackwards(whole, before)].map(({ bytes }) => text(bytes));
  assertEquals(read(), ["a:7", "a:6", "a:5"]);
  assertEquals([8, 7, 6, 5, 1].map((before) => read(before).length), [3, 2, 1, 0, 0]);
  const [last] = linesBackwards(whole);
  assertEquals([last!.sequence, last!.bytes.buffer], [7, whole.bytes.buffer]);
});

Deno.test("Tail.before() gives the segments before a position that are in memory, and no more than fit", () => {
  const tail = new Tail(12);
  for (let position = 1; position <= 5; position++) tail.push(segment(position, "a", position, position));
  const read = (position: number, maxBytes: number) => tail.before(position, maxBytes)?.map(({ position }) => position);
  assertEquals(read(6, Infinity), [3, 4, 5]);
  assertEquals(read(9, Infinity), [3, 4, 5]);
  assertEquals(read(5, 0), [4]);
  assertEquals(read(5, 8), [3, 4]);
  assertEquals([read(3, 99), new Tail(9).before(1, 9)], [undefined, undefined]);
});

Deno.test("SegmentBuilder.lineOf() gives the lines that were added and not taken yet", () => {
  const builder = new SegmentBuilder({ a: 4 });
  builder.add("a", 5, EVERYONE, "five\n");
  builder.add("a", 6, EVERYONE, "six\n");
  builder.add("b", 1, EVERYONE, "one\n");
  builder.add("a", 7, EVERYONE, "seven\n");
  const lines = (...ids: [string, number][]) => ids.map(([origin, sequence]) => builder.lineOf(origin, sequence));
  assertEquals(lines(["a", 5], ["a", 6], ["a", 7], ["b", 1]), ["five", "six", "seven", "one"]);
  assertEquals(lines(["a", 4], ["a", 8], ["c", 1]), [undefined, undefined, undefined]);
  builder.take(0, 0);
  assertEquals(lines(["a", 5]), [undefined]);
});
