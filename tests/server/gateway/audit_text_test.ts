import { assertEquals } from "@std/assert";
import { auditLines } from "../../../server/gateway/audit_text.ts";

const END = { number: 12, hash: "f".repeat(64) };
const LAST =
  "Whether its end was cut, only other servers of the network know: they say so in their logs, and when it starts.";

Deno.test("auditLines() says that a log is whole, how long it is and where it ends", () => {
  assertEquals(auditLines({ lines: 12, first: 1, end: END, breaks: [], broken: 0 }, '"data"'), [
    'The audit log in "data" is whole.',
    "lines: 12",
    `the newest: number 12, hash ${END.hash}`,
    LAST,
  ]);
});

Deno.test("auditLines() names the places where it is not, and counts those that are not named", () => {
  const breaks = [{ file: "audit-00000002.jsonl", line: 3, what: "it is no line of an audit log" }];
  assertEquals(auditLines({ lines: 5, first: 8, end: END, breaks, broken: 3 }, '"data"'), [
    'The audit log in "data" is not whole: somebody cut or changed it, or the disk has.',
    "  audit-00000002.jsonl, line 3: it is no line of an audit log",
    "  and 2 more lines",
    "lines: 5, from number 8 on; older ones went with files that were full",
    `the newest: number 12, hash ${END.hash}`,
    LAST,
  ]);
});
