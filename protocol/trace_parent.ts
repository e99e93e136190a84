/**
 * W3C's `traceparent` (w3.org/TR/trace-context), by which a span of another program is the parent of spans here. Lines
 * of the log end with it. Pure.
 */

/** A span of another program, as `traceparent` names it. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether the other program records this trace. */
  readonly isSampled: boolean;
}

/** Later versions may have more fields behind these. Version 255 is not allowed. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** No program writes more. */
const MAX_TRACEPARENT_LENGTH = 256;
const SAMPLED = 1;

/** Reads a `traceparent`; `undefined` if it does not follow W3C's format. */
export function parseTraceParent(text: string): TraceParent | undefined {
  if (text.length > MAX_TRACEPARENT_LENGTH) return undefined;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  if (version === "00" && more !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED };
}

/** As it stands in lines of the log, whatever came behind it. */
export function formatTraceParent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/** Its member in a line of the log, which is the last one; empty for none. */
export function traceParentMember(traceparent: string | undefined): string {
  return traceparent === undefined ? "" : `,"traceparent":"${traceparent}"`;
}

/** What ends a line with `traceparent`. Within a text its quotes would have a backslash. */
const AT_END = /"traceparent":"([^"]*)"\}\s*$/;
/** Longer than that. */
const END_BYTES = MAX_TRACEPARENT_LENGTH + 32;
const decoder = new TextDecoder();

/** The parent that a line of the log names, as a server of this version writes it. */
export function traceParentOf(line: Uint8Array): TraceParent | undefined {
  const [, text] = AT_END.exec(decoder.decode(line.subarray(-END_BYTES))) ?? [];
  return text === undefined ? undefined : parseTraceParent(text);
}
