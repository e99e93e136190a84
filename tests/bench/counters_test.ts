import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Counter, counterOf, FrameCounter, LineCounter, MarkedLineCounter } from "../../bench/load/counters.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What `counter` counts in `text`, cut at `cuts`. */
function count(counter: Counter, text: string, cuts: readonly number[]): number {
  const bytes = bytesOf(text);
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).reduce((total, end, index) => total + counter.push(bytes.slice(edges[index], end)), 0);
}

/** Cuts `text` at every byte in turn, and everywhere. */
function assertEverySplit(make: () => Counter, text: string, expected: number): void {
  for (let cut = 0; cut <= text.length; cut++) assertEquals(count(make(), text, [cut]), expected, `cut at ${cut}`);
  assertEquals(count(make(), text, Array.from({ length: text.length }, (_, index) => index)), expected);
}

const line = (length: number) => "x".repeat(length - 1) + "\n";
const cuts = fc.array(fc.nat(5_000), { maxLength: 12 });

Deno.test("LineCounter.push() counts lines of equal length at every split", () => {
  assertEverySplit(() => new LineCounter(), line(20).repeat(6), 6);
});

Deno.test("LineCounter.push() counts lines whose length changes with their counters", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 30, max: 50 }), { maxLength: 60 }), cuts, (lengths, cuts) => {
    assertEquals(count(new LineCounter(), lengths.map(line).join(""), cuts), lengths.length);
  }));
});

Deno.test("LineCounter.push() does not count an unfinished line", () => {
  assertEquals(count(new LineCounter(), line(10) + "xxxx", []), 1);
});

Deno.test("FrameCounter.push() counts frames that hold newlines at every split", () => {
  assertEverySplit(() => new FrameCounter("M", 9), "MSG\r\nab\r\n".repeat(5), 5);
});

Deno.test("FrameCounter.push() passes over lines of another kind, wherever they are cut", () => {
  const frame = "MSG\r\nab\r\n";
  assertEverySplit(
    () => new FrameCounter("M", 9),
    `${frame}PING\r\n${frame}${frame}-ERR 'Maximum'\r\nPING\r\n${frame}`,
    4,
  );
});

Deno.test("FrameCounter.push() does not count an unfinished frame", () => {
  assertEquals(count(new FrameCounter("M", 9), "MSG\r\nab\r\nMSG\r\n", []), 1);
});

Deno.test("MarkedLineCounter.push() counts marked lines among others at every split", () => {
  const text = '{"c":"A_ACK"}\n{"c":"A_BROADCAST","x":1}\n{"c":"A_ACK","y":22}\n\n{"c":"A_BROADCAST"}\n{"c":"A_ACK"}\n';
  assertEverySplit(() => new MarkedLineCounter('{"c":"A_ACK"'), text, 3);
});

Deno.test("MarkedLineCounter.push() takes the answer to a range for all up to its number", () => {
  const text = '{"c":"ACK","id":"a#000000000001"}\n{"c":"ACK","upTo":31}\n{"c":"ACK","upTo":40}\n';
  assertEverySplit(() => new MarkedLineCounter('{"c":"ACK"'), text, 40);
});

Deno.test("MarkedLineCounter.push() counts as a plain search does", () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "M"), maxLength: 8 }), { maxLength: 30 });
  fc.assert(fc.property(lines, cuts, (lines, cuts) => {
    const text = lines.map((each) => `${each}\n`).join("");
    const expected = lines.filter((each) => each.startsWith("Ma")).length;
    assertEquals(count(new MarkedLineCounter("Ma"), text, cuts), expected);
  }));
});

Deno.test("counterOf() refuses a rule that it does not know", () => {
  assertThrows(() => counterOf("words"), RangeError, 'Nothing is counted by "words"');
});
