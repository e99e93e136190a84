/** Which message a receipt is of, where its number was given out twice. */

import { assertEquals } from "@std/assert";
import type { Segment } from "../../../../log/segment.ts";
import { misread } from "../../../../server/journal/origins/misread_receipts.ts";
import { encodeDirectMessage, encodeReceipt } from "../../../../protocol/entry_codec.ts";

const encoder = new TextEncoder();

function segment(origin: string, first: number, lines: readonly string[]): Segment {
  const bytes = encoder.encode(lines.join(""));
  const audience = { kind: "user" as const, username: "bob" };
  return { origin, first, last: first + lines.length - 1, audience, bytes, position: 1, takenAt: 0 };
}

function message(sequence: number, messageId: string | undefined): string {
  const facts = { origin: "a", sequence, lamport: 1, sentAt: 1, after: undefined };
  return encodeDirectMessage({ ...facts, from: "eve", to: "bob", text: "x", messageId });
}

function receipt(sequence: number, of: string, messageId: string | undefined): string {
  return encodeReceipt({ origin: "b", sequence, of, to: "bob", messageId, lamport: 1 });
}

/** Numbers of others that were delivered, and of those here that wait, of a:1 to a:4 with the message ids m1 to m4. */
function read(
  receipts: readonly string[],
  last = 9,
  ids = ["m1", "m2", "m3", "m4"] as (string | undefined)[],
): number[][] {
  const segments = [segment("a", 1, ids.map((id, index) => message(index + 1, id))), segment("b", 1, receipts)];
  const { others, waiting } = misread(segments, "a", 1, last);
  return [others.map(({ sequence }) => sequence), [...waiting]];
}

Deno.test("a receipt is of the message with its message id", () => {
  assertEquals(read([receipt(1, "a:2", "m2")]), [[], []]);
  assertEquals(read([receipt(1, "a:2", "other")]), [[2], [2]]);
  assertEquals(read([receipt(1, "a:2", "other"), receipt(2, "a:2", "m2")]), [[2], []]);
  assertEquals(read([receipt(1, "a:3", "m2"), receipt(2, "a:4", "m4")]), [[3], [3]]);
});

Deno.test("what stands before the numbers that were given out twice, is not here, or is of another origin, is passed over", () => {
  assertEquals(read([receipt(1, "a:1", "other"), receipt(2, "a:5", "other"), receipt(3, "c:2", "other")]), [[], []]);
});

Deno.test("what stands behind them comes again as it is: it was delivered", () => {
  assertEquals(read([receipt(1, "a:2", "m2"), receipt(2, "a:3", "m3")], 2), [[3], [3]]);
});

Deno.test("of two messages to one user without message ids the one that is here was delivered", () => {
  assertEquals(read([receipt(1, "a:2", undefined)], 9, [undefined, undefined]), [[], []]);
});
