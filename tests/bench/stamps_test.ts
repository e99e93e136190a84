import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { STAMP_DIGITS, StampReader, stampText, writeStamp } from "../../bench/load/stamps.ts";

function read(text: string, cut: number): number[] {
  const bytes = new TextEncoder().encode(text);
  const reader = new StampReader();
  const stamps: number[] = [];
  for (const chunk of [bytes.slice(0, cut), bytes.slice(cut)]) reader.push(chunk, (stamp) => stamps.push(stamp));
  return stamps;
}

Deno.test("StampReader.push() finds every stamp at every split", () => {
  const text = `{"at":"~${stampText(17)}"}\n{"at":"~${stampText(987_654_321_012)}"}\n`;
  for (let cut = 0; cut <= text.length; cut++) assertEquals(read(text, cut), [17, 987_654_321_012], `cut at ${cut}`);
});

Deno.test("writeStamp() writes what StampReader reads, over what was there", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** STAMP_DIGITS - 1 }), (stamp) => {
    const bytes = new TextEncoder().encode(`ab~${"9".repeat(STAMP_DIGITS)}cd`);
    writeStamp(bytes, 3, stamp);
    const text = new TextDecoder().decode(bytes);
    assertEquals(text, `ab~${stampText(stamp)}cd`);
    assertEquals(read(text, text.length), [stamp]);
  }));
});
