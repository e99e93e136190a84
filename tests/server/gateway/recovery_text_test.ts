import { assertEquals } from "@std/assert";
import { recoveryLines } from "../../../server/gateway/recovery_text.ts";
import type { Recovery } from "../../../server/store/recovery/recover.ts";

function recovery(origins: Recovery["origins"]): Recovery {
  const loss = { kept: 2, lost: 0 };
  return {
    ...{ origins, entries: 5, accounts: loss, messages: loss, others: loss, savedIn: "kept/damaged" },
    ...{ serverId: "s-a", formerServerId: undefined, needsNewName: false },
  } as unknown as Recovery;
}

function origin(missing: number, isCertain = true) {
  const ranges = Array.from(
    { length: missing },
    (_, index) => ({ first: 2 * index + 1, last: 2 * index + 1, isCertain }),
  );
  return { origin: "s-b", missing: ranges, cutAfter: undefined, isEndKnown: true, last: 9 };
}

function lostLines(...origins: unknown[]): string[] {
  const lines = recoveryLines(recovery(origins as Recovery["origins"]));
  return lines.slice(2, lines.findIndex((line) => line.startsWith("accounts:")));
}

Deno.test("recoveryLines() says which entries are lost, and what may be missing", () => {
  assertEquals(lostLines({ ...origin(1), cutAfter: 0 }, origin(1, false), { ...origin(0), isEndKnown: false }), [
    "  s-b: 1 to 1 lost; other servers have it, and send it when this one starts",
    "  s-b: 1 to 1 lost, unless forgotten before",
    "  s-b: entries after 9 may be missing",
  ]);
});

Deno.test("recoveryLines() names a thousand ranges, and counts the rest", () => {
  assertEquals(lostLines(origin(1_000)).length, 1_000);
  assertEquals(lostLines(origin(1_001)).at(-1), "  and 1 more range");
  assertEquals(lostLines(origin(1_002)).at(-1), "  and 2 more ranges");
});
