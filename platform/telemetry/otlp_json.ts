/**
 * Spans as a collector takes them: OTLP in JSON (opentelemetry.io/docs/specs/otlp). `otlp_exporter.ts` sends
 * it. Pure.
 */

/** Names and values of something. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** A span that has ended. */
export interface Span {
  readonly name: string;
  /** Which side of a message it is, in OpenTelemetry's words. */
  readonly kind: "producer" | "consumer";
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. Absent where nobody has to know the name: it is made by chance. */
  readonly spanId?: string;
  /** The span that it is a part of; absent for a root. */
  readonly parentSpanId?: string;
  /** Milliseconds since 1970, with fractions. */
  readonly beginMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
}

/** The numbers of kinds in OTLP. */
const KINDS = { producer: 4, consumer: 5 } as const;

/** The body of a request to a collector. Every span has a name. */
export function otlpTraces(
  resource: SpanAttributes,
  scope: { readonly name: string; readonly version: string },
  spans: readonly (Span & { readonly spanId: string })[],
): string {
  return JSON.stringify({
    resourceSpans: [{
      resource: { attributes: attributesOf(resource) },
      scopeSpans: [{
        scope,
        spans: spans.map(({ name, kind, traceId, spanId, parentSpanId, beginMs, endMs, attributes }) => ({
          traceId,
          spanId,
          ...(parentSpanId === undefined ? {} : { parentSpanId }),
          name,
          kind: KINDS[kind],
          startTimeUnixNano: nanoseconds(beginMs),
          endTimeUnixNano: nanoseconds(endMs),
          attributes: attributesOf(attributes),
        })),
      }],
    }],
  });
}

function attributesOf(attributes: SpanAttributes): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "string"
      ? { stringValue: value }
      : Number.isSafeInteger(value)
      ? { intValue: `${value}` }
      : { doubleValue: value },
  }));
}

function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return `${BigInt(whole) * 1_000_000n + BigInt(Math.floor((ms - whole) * 1e6))}`;
}
