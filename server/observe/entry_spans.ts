/**
 * Spans for the way of an entry through the network: publish at its origin, replicate at the other servers, deliver at
 * each. The trace's identity comes from the entry's, so all servers write one trace and nothing of it is on the wire.
 * `platform/telemetry.ts` takes the spans.
 */

import type { Audience, Segment } from "../../log/segment.ts";
import type { Clock } from "../../platform/clock.ts";
import { isWanted, type Span, type SpanOutput } from "../../platform/telemetry.ts";
import { type EntryId, formatEntryId } from "../../protocol/entry_id.ts";
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
    for (const { origin, first, last, audience } of segments) {
      if (audience.kind === "servers") continue;
      for (const sequence of this.#choice.among(first, last, second, output.ratio)) {
        const trace = traceOf({ origin, sequence }, digest);
        if (!isWanted(trace.traceId, output.ratio)) continue;
        this.#choice.took();
        this.#write({ origin, sequence }, audience, trace, deliveredMs);
      }
    }
  }

  #write(entry: EntryId, audience: Audience, trace: EntryTrace, deliveredMs: number): void {
    const { named: { serverId }, output, readersOf } = this.#parts;
    const about = {
      "messaging.system": "thrum",
      "messaging.destination.name": audience.kind === "user" ? "direct messages" : "activities",
      "thrum.entry.id": formatEntryId(entry),
      "thrum.origin": entry.origin,
      "thrum.server.id": serverId,
    };
    const span = (name: keyof typeof OPERATION_TYPE, from: number, to: number, more: Span["attributes"]) => {
      const operation = { "messaging.operation.name": name, "messaging.operation.type": OPERATION_TYPE[name] };
      output.write({
        name: `thrum ${name}`,
        kind: name === "replicate" ? "consumer" : "producer",
        ...trace,
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

/** What all spans of an entry have in common. */
export interface EntryTrace {
  readonly traceId: string;
  readonly parentSpanId: string;
}

/**
 * The trace of an entry, from the SHA-256 of its `id`. The first 128 bits name the trace, the next 64 the parent of all
 * its spans. Nobody writes that parent span: in this API no program can choose the name of its own span, and no server
 * knows the names of another's.
 */
export function traceOf(entry: EntryId, digest: (text: string) => string): EntryTrace {
  const digits = digest(formatEntryId(entry));
  return { traceId: digits.slice(0, 32), parentSpanId: digits.slice(32, 48) };
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
