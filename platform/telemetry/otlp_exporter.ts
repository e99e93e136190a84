/**
 * Sends spans to a collector over HTTP, a few seconds' worth together, and never waits for it: a collector that does
 * not follow loses spans, and one that does not answer holds up nobody, not even the end of the program.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock, Timer } from "../clock.ts";
import { otlpTraces, type Span, type SpanAttributes } from "./otlp_json.ts";

/** What it is made with. */
export interface OtlpExporterParts {
  readonly clock: Pick<Clock, "after">;
  /** Where traces go, with the path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long the collector may take for an answer. */
  readonly timeoutMs: number;
  /** How long spans are collected. */
  readonly delayMs: number;
  /** Says which program this is. */
  readonly resource: SpanAttributes;
  readonly scope: { readonly name: string; readonly version: string };
  /** So many bytes by chance. */
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Spans that wait. What comes beyond is dropped. */
const MAX_QUEUE = 2_048;
/** Spans in one request: about 300 kB. */
const MAX_BATCH = 512;
/** How long the end of the program may take for the rest. */
const CLOSE_MS = 2_000;
const logger = getLogger(["thrum", "server"]);

/** The way to one collector. */
export class OtlpExporter {
  readonly #parts: OtlpExporterParts;
  readonly #stop = new AbortController();
  #queue: (Span & { readonly spanId: string })[] = [];
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  #hasComplained = false;
  #isClosed = false;

  constructor(parts: OtlpExporterParts) {
    this.#parts = parts;
  }

  /** Returns at once. */
  write(span: Span): void {
    if (this.#isClosed || this.#queue.length >= MAX_QUEUE) return;
    this.#queue.push({ ...span, spanId: span.spanId ?? this.#newSpanId() });
    if (this.#queue.length >= MAX_BATCH) this.#send();
    else this.#timer ??= this.#parts.clock.after(this.#parts.delayMs, () => this.#send());
  }

  /** Sends the rest, for two seconds at most. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    const late = this.#parts.clock.after(CLOSE_MS, () => this.#stop.abort());
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) await this.#send();
    await this.#sending;
    late.cancel();
  }

  /** One request at a time: a slow collector is not asked to do more. */
  #send(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    return this.#sending ??= this.#request(this.#queue.splice(0, MAX_BATCH)).finally(() => {
      this.#sending = undefined;
      if (!this.#isClosed && this.#queue.length > 0) {
        this.#timer ??= this.#parts.clock.after(this.#parts.delayMs, () => this.#send());
      }
    });
  }

  async #request(spans: readonly (Span & { readonly spanId: string })[]): Promise<void> {
    const { clock, url, headers, timeoutMs, resource, scope } = this.#parts;
    const request = new AbortController();
    const giveUp = () => request.abort();
    const timer = clock.after(timeoutMs, giveUp);
    this.#stop.signal.addEventListener("abort", giveUp);
    if (this.#stop.signal.aborted) giveUp();
    try {
      const { ok, status, body } = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: otlpTraces(resource, scope, spans),
        redirect: "manual",
        signal: request.signal,
      });
      await body?.cancel();
      if (ok) this.#hasComplained = false;
      else this.#complain(`it answers with status ${status}`);
    } catch (error) {
      this.#complain(request.signal.aborted ? "it does not answer" : (error as Error).message);
    } finally {
      timer.cancel();
      this.#stop.signal.removeEventListener("abort", giveUp);
    }
  }

  /** Once, until it works again. */
  #complain(why: string): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    // Without the path and a password that may stand in the address.
    const { origin } = new URL(this.#parts.url);
    logger.warning("spans are lost: the collector at {origin} does not take them: {why}", { origin, why });
  }

  #newSpanId(): string {
    return [...this.#parts.randomBytes(8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}
