/**
 * Spans for the way of an entry through the network: publish at its origin, replicate at the other servers, deliver at
 * each. The publication is the root of the others. Its name, and that of the trace, come from the entry's identity, so
 * all servers write one trace. If the entry names a span of its sender's, the trace is that one's, and it is the parent
 * of the root. `platform/telemetry/telemetry.ts` takes the spans.
 */

import type { Audience, Segment } from "../../log/segment.ts";
import type { Clock } from "../../platform/clock.ts";
import { isWanted, type Span, type SpanOutput } from "../../platform/telemetry/telemetry.ts";
import { type EntryId, formatEntryId } from "../../protocol/entry_id.ts";
import { type TraceParent, traceParentOf } from "../../protocol/trace_parent.ts";
import { SpanSampling } from "./span_sampling.ts";

/** What the spans of one server are made with. */
export interface EntrySpansParts {
  /** This server, which can get another name. */
  readonly named: { readonly serverId: string };
  readonly clock: Clock;
  /** SHA-256, as hexadecimal digits. */
  readonly digest: (text: string) => string;
  readonly output: SpanOutput;
  /** When the turn began that was committed last, by `clock.nowMs()`. */
  readonly turnMs: () => number;
  /** How many logged-in clients of this server an entry is for. */
  readonly readersOf: (audience: Audience) => number;
}

/**
 * Entries with spans in a second, at each server. Five seconds of them, with two spans each, fit into Deno's queue
 * (2048 spans, sent every five seconds). They take one or two hundredths of a core.
 */
export const MAX_ENTRIES_PER_SECOND = 200;
const NEWLINE = 0x0a;
/** In the words of OpenTelemetry's conventions for messaging. */
const OPERATION_TYPE = { publish: "create", replicate: "receive", deliver: "send" } as const;

/** Writes the spans of one server. */
export class EntrySpans {
  readonly #parts: EntrySpansParts;
  readonly #choice = new SpanSampling(MAX_ENTRIES_PER_SECOND);
  readonly #wallTime = new WallTime();
  #turnMs = 0;
  #committedMs = 0;

  constructor(parts: EntrySpansParts) {
    this.#parts = parts;
  }

  /** A turn was stored, and nobody knows of it yet. */
  committed(): void {
    const { clock, turnMs } = this.#parts;
    this.#turnMs = turnMs();
    this.#committedMs = clock.nowMs();
    this.#wallTime.note(this.#committedMs, clock.wallMs());
  }

  /** The turn was delivered. All costly work is done now, when nobody waits for it. */
  delivered(segments: readonly Segment[]): void {
    const { clock, digest, output } = this.#parts;
    const deliveredMs = clock.nowMs();
    const second = Math.floor(clock.wallMs() / 1000);
    for (const segment of segments) {
      const { origin, first, last, audience } = segment;
      if (audience.kind === "servers") continue;
      const lines = new Lines(segment);
      for (const sequence of this.#choice.among(first, last, second, output.ratio)) {
        const trace = traceOf({ origin, sequence }, digest);
        const parent = traceParentOf(lines.at(sequence));
        // Its sender has decided.
        if (!(parent?.isSampled ?? isWanted(trace.traceId, output.ratio))) continue;
        this.#choice.took();
        this.#write({ origin, sequence }, audience, trace, parent, deliveredMs);
      }
    }
  }

  #write(
    entry: EntryId,
    audience: Audience,
    { traceId, rootSpanId }: EntryTrace,
    parent: TraceParent | undefined,
    deliveredMs: number,
  ): void {
    const { named: { serverId }, output, readersOf } = this.#parts;
    const destination = audience.kind === "user" ? "direct messages" : "activities";
    const about = {
      "messaging.system": "thrum",
      "messaging.destination.name": destination,
      "thrum.entry.id": formatEntryId(entry),
      "thrum.origin": entry.origin,
      "thrum.server.id": serverId,
    };
    const span = (name: keyof typeof OPERATION_TYPE, from: number, to: number, more: Span["attributes"]) => {
      const operation = { "messaging.operation.name": name, "messaging.operation.type": OPERATION_TYPE[name] };
      output.write({
        // As the conventions name spans.
        name: `${name} ${destination}`,
        kind: name === "replicate" ? "consumer" : "producer",
        traceId: parent?.traceId ?? traceId,
        ...(name === "publish" ? rootOf(rootSpanId, parent) : { parentSpanId: rootSpanId }),
        beginMs: this.#wallTime.at(from),
        endMs: this.#wallTime.at(to),
        attributes: { ...about, ...operation, ...more },
      });
    };
    const overCap = this.#choice.takeOverCap();
    const counted = overCap === 0 ? {} : { "thrum.over_cap": overCap };
    span(entry.origin === serverId ? "publish" : "replicate", this.#turnMs, this.#committedMs, counted);
    span("deliver", this.#committedMs, deliveredMs, { "thrum.readers": readersOf(audience) });
  }
}

/** What all servers know of the spans of an entry. */
export interface EntryTrace {
  /** Unless its sender named another trace. */
  readonly traceId: string;
  /** The span of its publication. */
  readonly rootSpanId: string;
}

/**
 * The trace of an entry, from the SHA-256 of its `id`. The first 128 bits name the trace, the next 64 the span of its
 * publication, the parent of all others. So servers know the name of another one's span, and nobody tells it.
 */
export function traceOf(entry: EntryId, digest: (text: string) => string): EntryTrace {
  const digits = digest(formatEntryId(entry));
  return { traceId: digits.slice(0, 32), rootSpanId: digits.slice(32, 48) };
}

function rootOf(spanId: string, parent: TraceParent | undefined): Pick<Span, "spanId" | "parentSpanId"> {
  return parent === undefined ? { spanId } : { spanId, parentSpanId: parent.spanId };
}

/** Reads lines of a segment, each after the one before. */
class Lines {
  readonly #bytes: Uint8Array;
  #next: number;
  #start = 0;

  constructor({ bytes, first }: Segment) {
    this.#bytes = bytes;
    this.#next = first;
  }

  /** The line of this entry, without its end. */
  at(sequence: number): Uint8Array {
    for (; this.#next < sequence; this.#next++) this.#start = this.#bytes.indexOf(NEWLINE, this.#start) + 1;
    const end = this.#bytes.indexOf(NEWLINE, this.#start);
    return this.#bytes.subarray(this.#start, end);
  }
}

/**
 * Wall time for moments of a monotonic clock. Wall time comes in whole milliseconds, and a span can be a tenth of one.
 * With wall time alone, a delivery could seem to come before its publication at another server. Whole milliseconds are
 * cut off, never rounded up, so the latest result of several readings is the truest. Pure.
 */
export class WallTime {
  #offsetMs = -Infinity;

  /** Both clocks were read at once. */
  note(nowMs: number, wallMs: number): void {
    const leastMs = wallMs - nowMs;
    // More than a millisecond ahead: the machine's clock was set back.
    if (this.#offsetMs < leastMs || this.#offsetMs > leastMs + 1) this.#offsetMs = leastMs;
  }

  /** Milliseconds since 1970, with fractions. */
  at(nowMs: number): number {
    return nowMs + this.#offsetMs;
  }
}
