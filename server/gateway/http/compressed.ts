/**
 * Answers in the coding that their receiver takes. The bytes of files and views are compressed once for all receivers,
 * when somebody asks first, and forgotten together with what they are of. Streams of events are sent as they are.
 */

import { type FaultGuard, guarded } from "../../../platform/faults.ts";
import { type Coding, compress } from "../../../platform/http/compression.ts";
import type { HttpExchange, HttpReply, HttpRequest } from "../../../platform/http/http_server.ts";

/** Less fits into one packet anyway. */
const LEAST_BYTES = 1_000;
/** Bodies that are being compressed at once. While there are as many, others are sent as they are. */
const MOST_AT_ONCE = 8;
const TEXTUAL = /^(?:text\/|application\/(?:json|openmetrics-text|manifest\+json)|image\/svg\+xml)/;
/** The best first. */
const CODINGS: readonly Coding[] = ["br", "gzip"];
const encoder = new TextEncoder();

/**
 * The coding that `accepted` likes best, of those that there are; `undefined` if it takes none of them. `accepted` is
 * the header `accept-encoding`.
 */
export function codingOf(accepted: string | undefined): Coding | undefined {
  const weights = new Map<string, number>();
  for (const part of (accepted ?? "").toLowerCase().split(",")) {
    const [name, ...parameters] = part.split(";").map((text) => text.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
    if (name !== "" && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight)) weights.set(name!, Number(weight));
  }
  const weightOf = (coding: Coding) => weights.get(coding) ?? weights.get("*") ?? 0;
  const [best] = CODINGS.toSorted((one, other) => weightOf(other) - weightOf(one));
  return weightOf(best!) > 0 ? best : undefined;
}

/** The answers of one gateway. */
export class CompressedReplies {
  readonly #faults: FaultGuard;
  readonly #compress: typeof compress;
  readonly #known = new WeakMap<Uint8Array, Map<Coding, Uint8Array>>();
  #atOnce = 0;

  constructor(faults: FaultGuard, compressed: typeof compress = compress) {
    this.#faults = faults;
    this.#compress = compressed;
  }

  /** `exchange`, whose answer is compressed if that is worth it and the receiver takes it. */
  around(exchange: HttpExchange): HttpExchange {
    return {
      request: exchange.request,
      body: (maxBytes) => exchange.body(maxBytes),
      cut: () => exchange.cut(),
      stream: (headers, handler) => exchange.stream(headers, handler),
      reply: (reply) => this.#reply(exchange, reply),
    };
  }

  #reply(exchange: HttpExchange, reply: HttpReply): void {
    // "Not changed" is said of one of several codings, too.
    if (reply.status === 304) return exchange.reply(varying(reply));
    if (reply.status !== 200 || !TEXTUAL.test(reply.headers["content-type"] ?? "")) return exchange.reply(reply);
    const plain = varying(reply);
    const coding = codingFor(exchange.request);
    const bytes = typeof reply.body === "string" ? encoder.encode(reply.body) : reply.body;
    if (coding === undefined || bytes.length < LEAST_BYTES) return exchange.reply(plain);
    const known = this.#known.get(bytes)?.get(coding);
    if (known !== undefined) return exchange.reply(compressed(plain, coding, known));
    if (this.#atOnce >= MOST_AT_ONCE) return exchange.reply(plain);
    this.#atOnce++;
    const send = (answer: HttpReply) => {
      this.#atOnce--;
      guarded(this.#faults, "http", () => exchange.reply(answer), () => exchange.cut());
    };
    this.#compress(bytes, coding, reply.headers.etag === undefined ? "always" : "once").then(
      (smaller) => {
        // A string is written anew for everybody.
        if (typeof reply.body !== "string") this.#keep(bytes, coding, smaller);
        send(compressed(plain, coding, smaller));
      },
      () => send(plain),
    );
  }

  #keep(bytes: Uint8Array, coding: Coding, smaller: Uint8Array): void {
    const known = this.#known.get(bytes);
    if (known === undefined) this.#known.set(bytes, new Map([[coding, smaller]]));
    else known.set(coding, smaller);
  }
}

/** An answer to a part of a file would count its bytes: it is never asked for here, and then nothing is compressed. */
function codingFor({ headers }: HttpRequest): Coding | undefined {
  return headers.range === undefined ? codingOf(headers["accept-encoding"]) : undefined;
}

/** `reply`, which other receivers get in another coding: no cache mixes them up. */
function varying(reply: HttpReply): HttpReply {
  const vary = [reply.headers.vary, "Accept-Encoding"].filter((name) => name !== undefined).join(", ");
  return { ...reply, headers: { ...reply.headers, vary } };
}

/** `reply` with `body` in `coding`. It means the same as the plain one, and its bytes differ: a weak tag says so. */
function compressed(reply: HttpReply, coding: Coding, body: Uint8Array): HttpReply {
  const { etag } = reply.headers;
  const tag: Record<string, string> = etag === undefined ? {} : { etag: etag.replace(/^(?:W\/)?/, "W/") };
  return { ...reply, headers: { ...reply.headers, ...tag, "content-encoding": coding }, body };
}
