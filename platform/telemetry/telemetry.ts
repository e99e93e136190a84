/**
 * OpenTelemetry, as the variables of the standard ask for it (`OTEL_…`): whether spans go out, where to, how many, and
 * as what. `otlp_exporter.ts` sends them. Asks for no permission: what may not be read in the environment counts as not
 * set.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../clock.ts";
import type { Span, SpanAttributes } from "./otlp_json.ts";

export type { Span };

/** Where spans go. */
export interface SpanOutput {
  /** The part of all traces that is wanted: above 0, at most 1. See `isWanted`. */
  readonly ratio: number;
  /** Returns at once; an exporter that cannot follow drops spans. */
  write(span: Span): void;
}

/** Spans that leave this process. */
export interface ExportedSpans extends SpanOutput {
  /** Sends the rest, for two seconds at most. Never rejects. */
  close(): Promise<void>;
}

/** What is told of this program, and what it is made with. */
export interface TelemetryParts {
  readonly name: string;
  readonly version: string;
  /** Tells this server from others of the same service. */
  readonly instanceId: string;
  readonly clock: Pick<Clock, "after">;
  readonly randomBytes: (size: number) => Uint8Array;
  /** A variable of the environment, empty where there is none. */
  readonly variable?: (name: string) => string;
}

/** Samplers of the specification: the part of the traces that each takes; `undefined` leaves that to the argument. */
const SAMPLERS: Readonly<Record<string, number | undefined>> = {
  always_on: 1,
  always_off: 0,
  traceidratio: undefined,
  parentbased_always_on: 1,
  parentbased_always_off: 0,
  parentbased_traceidratio: undefined,
};
/** Of the standard. */
const DEFAULT_ENDPOINT = "http://localhost:4318";
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_DELAY_MS = 5_000;
/** Of a timer. */
const MAX_SPAN_MS = 2 ** 31 - 1;
const logger = getLogger(["thrum", "server"]);

/**
 * The way of this server's spans; `undefined` when the environment asks for none, or names no collector that can be
 * called.
 */
export async function openTelemetry(parts: TelemetryParts): Promise<ExportedSpans | undefined> {
  const { name, version, instanceId, clock, randomBytes, variable = environment } = parts;
  const url = tracesUrl(variable);
  if (url === undefined) return undefined;
  const ratio = readRatio(variable("OTEL_TRACES_SAMPLER"), variable("OTEL_TRACES_SAMPLER_ARG"));
  if (ratio === 0) return undefined;
  const of = (end: string) => variable(`OTEL_EXPORTER_OTLP_TRACES_${end}`) || variable(`OTEL_EXPORTER_OTLP_${end}`);
  const { OtlpExporter } = await import("./otlp_exporter.ts");
  const exporter = new OtlpExporter({
    ...{ clock, randomBytes, url, scope: { name, version } },
    headers: readPairs(of("HEADERS")),
    timeoutMs: readSpan(of("TIMEOUT"), DEFAULT_TIMEOUT_MS),
    delayMs: readSpan(variable("OTEL_BSP_SCHEDULE_DELAY"), DEFAULT_DELAY_MS),
    resource: resourceOf({ name, version, instanceId }, variable),
  });
  return { ratio, write: (span) => exporter.write(span), close: () => exporter.close() };
}

/** Where traces go; `undefined` when nobody asks for them. */
export function tracesUrl(variable: (name: string) => string): string | undefined {
  if (variable("OTEL_SDK_DISABLED").toLowerCase() === "true") return undefined;
  const exporter = variable("OTEL_TRACES_EXPORTER");
  if (exporter !== "" && exporter !== "otlp") return undefined;
  const own = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const base = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
  // Deno's own exporter is on: whoever wants that one wants this one.
  const isAskedFor = exporter === "otlp" || variable("OTEL_DENO") === "true";
  if (own === "" && base === "" && !isAskedFor) return undefined;
  const url = own === "" ? `${(base || DEFAULT_ENDPOINT).replace(/\/+$/, "")}/v1/traces` : own;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  logger.warning("OTEL_EXPORTER_OTLP_ENDPOINT is no http or https address: no spans are sent");
  return undefined;
}

/** Which program writes the spans. What the environment says of it counts. */
export function resourceOf(
  { name, version, instanceId }: Pick<TelemetryParts, "name" | "version" | "instanceId">,
  variable: (name: string) => string,
): SpanAttributes {
  const said = readPairs(variable("OTEL_RESOURCE_ATTRIBUTES"));
  const service = variable("OTEL_SERVICE_NAME");
  return {
    "service.name": name,
    "service.version": version,
    "service.instance.id": instanceId,
    ...said,
    ...(service === "" ? {} : { "service.name": service }),
  };
}

/**
 * Whether a trace is among the wanted ones: by its identity, so that all who ask decide alike. As OpenTelemetry's
 * `traceidratio` does.
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

/** `a=1,b=2`, with values that may be percent-encoded. What is none is passed over. */
export function readPairs(text: string): Record<string, string> {
  const pairs = text.split(",").flatMap((pair): [string, string][] => {
    const at = pair.indexOf("=");
    const key = pair.slice(0, at).trim();
    if (at < 0 || key === "") return [];
    const value = pair.slice(at + 1).trim();
    try {
      return [[key, decodeURIComponent(value)]];
    } catch {
      return [[key, value]];
    }
  });
  return Object.fromEntries(pairs);
}

function readSpan(text: string, otherwise: number): number {
  const ms = Number(text);
  return text.trim() !== "" && ms > 0 && ms <= MAX_SPAN_MS ? ms : otherwise;
}

/** Empty when it is not set, or may not be read. */
function environment(name: string): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) ?? "" : "";
}
