/** W3C's `traceparent`: what is one, and where it stands in a line of the log. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeBroadcast } from "../../protocol/server_codec.ts";
import { formatTraceParent, parseTraceParent, traceParentOf } from "../../protocol/trace_parent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

Deno.test("parseTraceParent() takes what W3C takes, and nothing else", () => {
  const of = (isSampled: boolean) => ({ traceId: TRACE, spanId: SPAN, isSampled });
  for (
    const [text, expected] of [
      [`00-${TRACE}-${SPAN}-01`, of(true)],
      [`00-${TRACE}-${SPAN}-00`, of(false)],
      [`00-${TRACE}-${SPAN}-fe`, of(false)],
      // Of a later version what is known of it.
      [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, of(true)],
      [`00-${TRACE}-${SPAN}-01-more`, undefined],
      [`ff-${TRACE}-${SPAN}-01`, undefined],
      [`00-${TRACE.toUpperCase()}-${SPAN}-01`, undefined],
      [`00-${"0".repeat(32)}-${SPAN}-01`, undefined],
      [`00-${TRACE}-${"0".repeat(16)}-01`, undefined],
      [`00-${TRACE}-${SPAN}-1`, undefined],
      [`00-${TRACE}-${SPAN}-01.`, undefined],
      [` 00-${TRACE}-${SPAN}-01`, undefined],
      [`cc-${TRACE}-${SPAN}-01-${"x".repeat(300)}`, undefined],
      ["", undefined],
    ] as const
  ) assertEquals(parseTraceParent(text), expected, text);
});

Deno.test("traceParentOf() finds what a line ends with, and nothing that an activity says", () => {
  const traceparent = `00-${TRACE}-${SPAN}-01`;
  const line = (text: string, traceparent: string | undefined) => {
    const activity = JSON.stringify({ text, traceparent: text });
    const entry = { origin: "s-1", sequence: 1, lamport: 2, sentAt: 3 };
    return encodeBroadcast({ ...entry, activity, quotedUsername: '"bob"', messageId: text, via: text, traceparent });
  };
  const text = fc.oneof(fc.string(), fc.constantFrom(traceparent, `"traceparent":"${traceparent}"}`, `"}`));
  fc.assert(fc.property(text, fc.boolean(), (text, has) => {
    const written = line(text, has ? traceparent : undefined);
    assertEquals(JSON.parse(written).traceparent, has ? traceparent : undefined);
    const found = traceParentOf(new TextEncoder().encode(written));
    assertEquals(found && formatTraceParent(found), has ? traceparent : undefined);
  }));
});
