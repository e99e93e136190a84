import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { auditLine, CHAIN_BEGINNING, type ChainEnd, placeOf } from "../../../server/audit/audit_line.ts";
import { ChainCheck, type ChainReport } from "../../../server/audit/chain_check.ts";
import { hashOfLine } from "../../support/audit_files.ts";

function chain(count: number, before: ChainEnd = CHAIN_BEGINNING): string[] {
  const lines: string[] = [];
  for (let at = 0; at < count; at++) {
    const line = auditLine({ what: "registered", of: `user ${at}` }, `day ${at}`, before);
    lines.push(line);
    before = { number: before.number + 1, hash: hashOfLine(line) };
  }
  return lines;
}

function check(lines: readonly string[]): ChainReport {
  const check = new ChainCheck(hashOfLine);
  lines.forEach((line, index) => check.take("file", index + 1, line));
  return check.report;
}

Deno.test("auditLine() has number, time, event and the hash of the line before", () => {
  const event = { what: "banned", by: "operator", from: "10.0.0.1", of: "10.0.0.0/8", more: { hours: 2 } } as const;
  assertEquals(
    auditLine(event, "2026-01-02T00:00:00.000Z", { number: 6, hash: "a".repeat(64) }),
    '{"number":7,"at":"2026-01-02T00:00:00.000Z","what":"banned","by":"operator","from":"10.0.0.1",' +
      `"of":"10.0.0.0/8","more":{"hours":2},"before":"${"a".repeat(64)}"}`,
  );
});

Deno.test("auditLine() is one line of bounded length, whatever it is told", () => {
  const long = "\n😀".repeat(100_000);
  const line = auditLine({ what: "banned", by: long, from: long, of: long, more: { long } }, "now", CHAIN_BEGINNING);
  assert(line.length < 4_000 && !line.includes("\n"));
  assertEquals(placeOf(line)?.number, 1);
});

Deno.test("a chain that nobody touched is whole, and so is one whose oldest files are gone", () => {
  const lines = chain(5);
  assertEquals(check(lines), {
    ...{ lines: 5, first: 1, end: { number: 5, hash: hashOfLine(lines[4]!) }, breaks: [], broken: 0 },
  });
  assertEquals(check(lines.slice(2)).first, 3);
  assertEquals(check(lines.slice(2)).broken, 0);
  assertEquals(check([]), { lines: 0, first: 0, end: CHAIN_BEGINNING, breaks: [], broken: 0 });
});

Deno.test("a line that is changed, taken out, put in or moved is found", () => {
  const lines = chain(9);
  fc.assert(fc.property(
    fc.integer({ min: 0, max: 7 }),
    fc.constantFrom("change", "takeOut", "putIn", "swap"),
    (at, how) => {
      // Without the first lines a log is one whose oldest files are gone.
      if (how === "takeOut" && at === 0) return;
      const forged = [...lines];
      if (how === "change") forged[at] = lines[at]!.replace("registered", "banned");
      else if (how === "takeOut") forged.splice(at, 1);
      else if (how === "putIn") forged.splice(at, 0, lines[at]!);
      else forged.splice(at, 2, lines[at + 1]!, lines[at]!);
      assert(check(forged).broken > 0, `${how} at ${at}`);
    },
  ));
});

Deno.test("a break is named by its place, and told once", () => {
  const lines = chain(6);
  lines[2] = "not a line";
  assertEquals(check(lines).breaks, [
    { file: "file", line: 3, what: "it is no line of an audit log" },
    { file: "file", line: 4, what: "the line before it is not the one that stood there" },
  ]);
});

Deno.test("a chain of another beginning is not the first one", () => {
  const lines = chain(3, { number: 0, hash: "1".repeat(64) });
  assertEquals(check(lines).broken, 1);
});

Deno.test("many breaks are counted, and only the first are named", () => {
  const report = check(Array.from({ length: 100 }, () => "x"));
  assertEquals([report.broken, report.breaks.length], [100, 20]);
});
