/**
 * OpenTelemetry as Deno exports it: where, how often and under which name is between Deno and the
 * environment (`OTEL_…`), nothing of which is read here. Gives a place to write finished spans to, and says
 * how many of them are wanted.
 */

import { getLogger } from "@logtape/logtape";

/** A span that has ended. */
export interface Span {
  readonly name: string;
  /** Which side of a message it is, in OpenTelemetry's words. */
  readonly kind: "producer" | "consumer";
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: a span of the same trace, which need not exist. */
  readonly parentSpanId: string;
  /** Milliseconds since 1970, with fractions. */
  readonly beginMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** Where spans go. */
export interface SpanOutput {
  /** The part of all traces that is wanted: above 0, at most 1. See `isWanted`. */
  readonly ratio: number;
  /** Returns at once; an exporter that cannot follow drops spans. */
  write(span: Span): void;
}

/** Where Deno puts its providers for `@opentelemetry/api`, if it exports at all. */
const API = Symbol.for("opentelemetry.js.api.1");
/** Samplers of the specification: the part of the traces that each takes; `undefined` leaves that to the argument. */
const SAMPLERS: Readonly<Record<string, number | undefined>> = {
  always_on: 1,
  always_off: 0,
  traceidratio: undefined,
  parentbased_always_on: 1,
  parentbased_always_off: 0,
  parentbased_traceidratio: undefined,
};
const logger = getLogger(["thrum", "server"]);

/**
 * Where the spans of the instrumentation `name` go; `undefined` when this process exports none, or none are
 * wanted. Loads OpenTelemetry only if it does. Asks for no permission: what may not be read in the
 * environment counts as not set.
 */
export async function openTelemetry(name: string, version: string): Promise<SpanOutput | undefined> {
  const asked = variable("OTEL_DENO");
  // `deno compile` decides whether Deno exports when the program is made, whatever is in the environment later.
  if (asked === "false") return undefined;
  if (!(API in globalThis)) {
    if (asked === "true") {
      logger.warning("OTEL_DENO has no effect: this program was compiled without it, and exports nothing");
    }
    return undefined;
  }
  const ratio = readRatio(variable("OTEL_TRACES_SAMPLER"), variable("OTEL_TRACES_SAMPLER_ARG"));
  if (ratio === 0) return undefined;
  const { ROOT_CONTEXT, SpanKind, trace, TraceFlags } = await import("@opentelemetry/api");
  const tracer = trace.getTracer(name, version);
  const kinds = { producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };
  return {
    ratio,
    write({ name, kind, traceId, parentSpanId, beginMs, endMs, attributes }) {
      const parent = { traceId, spanId: parentSpanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
      const options = { kind: kinds[kind], startTime: beginMs, attributes };
      tracer.startSpan(name, options, trace.setSpanContext(ROOT_CONTEXT, parent)).end(endMs);
    },
  };
}

/**
 * Whether a trace is among the wanted ones: by its identity, so that all who ask decide alike. As OpenTelemetry's
 * `traceidratio` does, which newer Denos apply once more.
 */
export function isWanted(traceId: string, ratio: number): boolean {
  return ratio >= 1 || Number.parseInt(traceId.slice(16, 24), 16) / 2 ** 32 < ratio;
}

/** The part of all traces that the standard's variables ask for. */
export function readRatio(sampler: string, argument: string): number {
  if (sampler === "") return 1;
  if (!Object.hasOwn(SAMPLERS, sampler)) {
    logger.warning("OTEL_TRACES_SAMPLER: {sampler} is not known here: all traces are taken", { sampler });
    return 1;
  }
  const fixed = SAMPLERS[sampler];
  if (fixed !== undefined) return fixed;
  const ratio = argument.trim() === "" ? 1 : Number(argument);
  if (ratio >= 0 && ratio <= 1) return ratio;
  logger.warning("OTEL_TRACES_SAMPLER_ARG: {argument} is no number from 0 to 1: all traces are taken", { argument });
  return 1;
}

/** Empty when it is not set, or may not be read. */
function variable(name: string): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) ?? "" : "";
}
